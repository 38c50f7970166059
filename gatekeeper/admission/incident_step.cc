#include "gatekeeper/admission/incident_step.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/crypto/random.h"
#include "gatekeeper/audit/row.h"

namespace bootgate::gatekeeper::admission {
namespace {

constexpr size_t kIncidentIdBytes = 8;

// Until an operator has spoken, the brake has stopped renewal and nothing else.
Action CameTo(const DecisionFacts& facts) {
  return facts.move.next == host::Trust::kQuarantined ? Action::kIsolate : Action::kRestrict;
}

store::IncidentRow Fresh(const DecisionFacts& facts) {
  store::IncidentRow incident;
  incident.id = absl::StrCat("i-", crypto::RandomHex(kIncidentIdBytes));
  incident.host_id = facts.host.id;
  incident.first_verdict_id = incident.last_verdict_id = facts.verdict_id;
  incident.opened_at = incident.last_at = facts.now;
  incident.state = kIncidentOpen;
  incident.why = FirstFailure(facts.verdict);
  incident.reasons = FailedCodes(facts.verdict);
  incident.action = std::string(Name(CameTo(facts)));
  return incident;
}

store::IncidentEventRow EventOf(const DecisionFacts& facts, const std::string& incident_id,
                                absl::string_view kind, std::string text) {
  return {.incident_id = incident_id,
          .at = facts.now,
          .actor = audit::HostActor(facts.host.id),
          .kind = std::string(kind),
          .text = std::move(text)};
}

store::ChangeRow ChangeOf(const DecisionFacts& facts, const store::IncidentRow& after,
                          std::string before) {
  return {.at = facts.now,
          .kind = "incident",
          .host_id = facts.host.id,
          .before = std::move(before),
          .after = after.state,
          .incident_id = after.id,
          .why = after.why};
}

IncidentStep Open(const DecisionFacts& facts) {
  IncidentStep step;
  step.row = Fresh(facts);
  step.host_has = step.row->id;
  step.events.push_back(EventOf(facts, step.row->id, "opened", step.row->why));
  step.changes.push_back(ChangeOf(facts, *step.row, ""));
  return step;
}

// What people had concluded was not so: they begin anew. What they wrote stays in the history.
void EndResolution(store::IncidentRow* incident) {
  incident->state = kIncidentOpen;
  incident->resolved_by.clear();
  incident->approved_by.clear();
  incident->resolved_at.reset();
  incident->approved_at.reset();
}

IncidentStep FailAgain(const DecisionFacts& facts) {
  const store::IncidentRow& known = *facts.incident;
  IncidentStep step;
  step.host_has = known.id;
  step.row = known;
  ++step.row->failures;
  step.row->last_verdict_id = facts.verdict_id;
  step.row->last_at = facts.now;
  step.row->reasons = FailedCodes(facts.verdict);
  if (CameTo(facts) == Action::kIsolate) step.row->action = std::string(Name(Action::kIsolate));
  step.events.push_back(EventOf(facts, known.id, "failure", FirstFailure(facts.verdict)));
  if (known.state != kIncidentResolved) return step;
  EndResolution(&*step.row);
  step.events.push_back(EventOf(facts, known.id, "state",
                                absl::StrCat(known.state, " -> ", kIncidentOpen,
                                             ": the host failed again after its release")));
  step.changes.push_back(ChangeOf(facts, *step.row, known.state));
  return step;
}

// Counted by the store, whatever people do to the incident meanwhile.
IncidentStep Count(const DecisionFacts& facts) {
  IncidentStep step;
  step.row = Fresh(facts);
  step.host_has = facts.incident->id;
  return step;
}

IncidentStep Close(const DecisionFacts& facts) {
  IncidentStep step;
  step.row = *facts.incident;
  step.row->state = kIncidentClosed;
  step.row->closed_at = facts.now;
  step.events.push_back(EventOf(facts, step.row->id, "state",
                                absl::StrCat(facts.incident->state, " -> ", kIncidentClosed,
                                             ": the host was admitted in a later boot")));
  step.changes.push_back(ChangeOf(facts, *step.row, facts.incident->state));
  return step;
}

}  // namespace

IncidentStep StepOfIncident(const DecisionFacts& facts) {
  const bool moves = facts.move.next != facts.host.trust;
  if (facts.verdict.outcome == OutcomeClass::kDeny) {
    if (facts.incident == nullptr) return Open(facts);
    return moves ? FailAgain(facts) : Count(facts);
  }
  const bool returns = moves && facts.host.trust == host::Trust::kRemediated;
  if (returns && facts.incident != nullptr) return Close(facts);
  IncidentStep step;
  if (!returns) step.host_has = facts.host.incident_id;
  return step;
}

std::vector<std::string> FailedCodes(const Verdict& verdict) {
  std::vector<std::string> codes;
  for (const Finding& finding : verdict.findings) {
    const std::string code = std::string(Code(finding.code));
    if (finding.severity == Severity::kFail && std::ranges::find(codes, code) == codes.end())
      codes.push_back(code);
  }
  return codes;
}

std::string FirstFailure(const Verdict& verdict) {
  for (const Finding& finding : verdict.findings) {
    if (finding.severity == Severity::kFail) return finding.text;
  }
  return "";
}

}  // namespace bootgate::gatekeeper::admission

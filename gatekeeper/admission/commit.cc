#include "gatekeeper/admission/commit.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "gatekeeper/admission/incident_step.h"
#include "gatekeeper/admission/verdict_json.h"
#include "gatekeeper/audit/row.h"

namespace bootgate::gatekeeper::admission {
namespace {

constexpr size_t kSha256Size = 32;  // bytes

// What a host tells of itself goes to people's screens.
void TakeFacts(const evidence::HostFacts& facts, host::HostRecord* host) {
  host->hostname = Printable(facts.hostname, host::kMaxFact);
  host->kernel_release = Printable(facts.kernel_release, host::kMaxFact);
  host->os_release = Printable(facts.os_release, host::kMaxFact);
  host->agent_version = Printable(facts.agent_version, host::kMaxFact);
}

// Evidence is kept when it moves a host, not each time the host fails again: a host that is shut
// out must not be able to fill our disk, nor one that goes in and out of being restricted.
bool ShutsOut(const DecisionFacts& facts) {
  if (facts.verdict.outcome != OutcomeClass::kDeny || facts.move.next == facts.host.trust)
    return false;
  return facts.move.next != host::Trust::kRestricted || facts.incident == nullptr;
}

bool HasWholeList(const DecisionFacts& facts) { return facts.evidence.ima.first_entry == 0; }

bool CompletesWhatIsFrozen(const DecisionFacts& facts) {
  return facts.host.whole_list_wanted && HasWholeList(facts);
}

// A host that is cut off or held keeps the reason it was for, whatever it sends.
bool IsHeld(host::Trust trust) { return host::IsShutOut(trust) || trust == host::Trust::kSuspect; }

host::HostRecord NextRecord(const DecisionFacts& facts) {
  host::HostRecord next = host::After(facts.host, facts.judged, facts.move, "", facts.now);
  next.last_seen_at = facts.now;
  next.last_boot = facts.tpm_step.last;
  next.tpm_history = facts.tpm_step.history;
  next.tpm.firmware = facts.tpm_firmware;
  next.last_verdict_id = facts.verdict_id;
  next.last_outcome = std::string(Name(facts.verdict.outcome));
  TakeFacts(facts.evidence.facts, &next);
  next.trust_bundle =
      facts.trust_bundle.size() == kSha256Size ? ToHex(facts.trust_bundle) : std::string();
  // Who is not trusted is asked for everything.
  next.ima_cursor = facts.cursor;
  if (ShutsOut(facts)) next.whole_list_wanted = !HasWholeList(facts);
  if (CompletesWhatIsFrozen(facts)) next.whole_list_wanted = false;
  const bool stays_held = IsHeld(facts.move.next) && facts.move.next == facts.host.trust;
  if (stays_held) return next;
  if (facts.verdict.outcome == OutcomeClass::kDeny) {
    next.reasons = FailedCodes(facts.verdict);
    if (next.trust == host::Trust::kSuspect) next.reasons.emplace_back(Code(Reason::kBrakeEngaged));
    next.why = FirstFailure(facts.verdict);
  } else if (!IsHeld(facts.move.next)) {
    next.reasons.clear();
    next.why.clear();
  }
  return next;
}

store::VerdictRow VerdictRowOf(const DecisionFacts& facts) {
  store::VerdictRow row;
  row.id = facts.verdict_id;
  row.host_id = facts.host.id;
  row.at = facts.now;
  row.outcome = std::string(Name(facts.verdict.outcome));
  row.policy_id = facts.verdict.policy_id;
  row.reference_id = facts.verdict.reference_id;
  row.body_json = VerdictJson(facts.verdict);
  row.boot = facts.judged.boot;
  return row;
}

// Adds the parts as blobs, to the incident by their names; gives their names by digest.
audit::Detail Freeze(const DecisionFacts& facts, store::Commit* commit) {
  audit::Detail digests;
  for (auto& [part, bytes] : incident::Pack(*facts.frozen)) {
    const std::string digest = crypto::Hash(crypto::HashAlg::kSha256, bytes).hex();
    digests.Text(part, digest);
    commit->incident_evidence[absl::StrCat(facts.verdict_id, "/", part)] = digest;
    commit->blobs.emplace_back(digest, std::move(bytes));
  }
  digests.Number("ima_first_entry", static_cast<int64_t>(facts.evidence.ima.first_entry));
  return digests;
}

audit::Detail DetailOf(const DecisionFacts& facts, const host::HostRecord& after) {
  audit::Detail detail;
  if (!facts.secrets.empty()) detail.Texts("secrets", facts.secrets);
  return detail.Text("verdict", facts.verdict_id)
      .Text("outcome", Name(facts.verdict.outcome))
      .Text("policy", facts.verdict.policy_id)
      .Text("reference", facts.verdict.reference_id)
      .Number("credentials", static_cast<int64_t>(facts.issued.size()))
      .Text("why", FirstFailure(facts.verdict))
      .Object("before", audit::StateOf(facts.host))
      .Object("after", audit::StateOf(after));
}

// Who got which token by which policy; the token itself is kept nowhere.
store::AuditRow TokenRowOf(const DecisionFacts& facts) {
  return audit::MakeRow(facts.now, audit::HostActor(facts.host.id), "token.issue", facts.host.id,
                        audit::Detail()
                            .Text("jti", facts.token->jti())
                            .Text("kid", facts.token->kid())
                            .Text("verdict", facts.verdict_id)
                            .Text("policy", facts.verdict.policy_id)
                            .Text("expires", FormatUtc(facts.token->expires_at())));
}

// One line for those who are told of the move.
std::string WhyOf(const DecisionFacts& facts) {
  if (facts.verdict.outcome != OutcomeClass::kDeny) {
    return facts.host.trust == host::Trust::kRemediated
               ? "admitted in a later boot, after its release"
               : "admitted";
  }
  const std::string failure = FirstFailure(facts.verdict);
  if (facts.move.next != host::Trust::kSuspect) return failure;
  return absl::StrCat("held by the mass-failure brake: ", failure);
}

void TakeIncident(IncidentStep step, store::Commit* commit) {
  commit->host->incident_id = step.host_has;
  commit->incident = std::move(step.row);
  commit->incident_events = std::move(step.events);
  commit->changes = std::move(step.changes);
}

// What counters and clock did, when they did anything but go on.
void AddStep(const DecisionFacts& facts, audit::Detail& detail) {
  if (facts.tpm_step.kind != host::TpmStepKind::kAnew) return;
  detail.Text("tpm_started_anew", facts.tpm_step.went_back);
}

}  // namespace

store::Commit CommitOf(const DecisionFacts& facts) {
  store::Commit commit;
  commit.host = NextRecord(facts);
  commit.verdict = VerdictRowOf(facts);
  commit.issued = facts.issued;
  for (const host::Effect effect : facts.move.effects) {
    // The answer to the host itself carries the credential: nothing is left to do.
    if (effect == host::Effect::kIssueCredential) continue;
    if (effect == host::Effect::kRevokeCredentials) commit.revoke_host_credentials = true;
    store::EffectRow row;
    row.kind = std::string(host::Name(effect));
    row.host_id = facts.host.id;
    row.verdict_id = facts.verdict_id;
    commit.effects.push_back(row);
  }
  audit::Detail detail = DetailOf(facts, *commit.host);
  AddStep(facts, detail);
  commit.why = WhyOf(facts);
  TakeIncident(StepOfIncident(facts), &commit);
  if (facts.frozen != nullptr && (ShutsOut(facts) || CompletesWhatIsFrozen(facts))) {
    detail.Object("evidence", Freeze(facts, &commit));
  }
  commit.audit.push_back(
      audit::MakeRow(facts.now, audit::HostActor(facts.host.id), "verdict", facts.host.id, detail));
  if (facts.token != nullptr) commit.audit.push_back(TokenRowOf(facts));
  return commit;
}

store::Commit CommitOfSecondLine(const host::HostRecord& host, const host::TpmStep& step,
                                 absl::Time now) {
  store::Commit commit;
  commit.host = host;
  commit.host->tpm_history = step.history;
  commit.audit.push_back(
      audit::MakeRow(now, audit::HostActor(host.id), "host.rolled_back", host.id,
                     audit::Detail()
                         .Text("what", step.went_back)
                         .Text("last", host::Describe(step.last))
                         .Text("now", host::Describe(step.history.second_line->boot))));
  return commit;
}

}  // namespace bootgate::gatekeeper::admission

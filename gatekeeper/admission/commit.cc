#include "gatekeeper/admission/commit.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "gatekeeper/admission/verdict_json.h"
#include "gatekeeper/audit/row.h"

namespace bootgate::gatekeeper::admission {
namespace {

constexpr size_t kIncidentIdBytes = 8;

std::string Str(absl::string_view text) { return std::string(text.data(), text.size()); }

std::vector<std::string> FailedCodes(const Verdict& verdict) {
  std::vector<std::string> codes;
  for (const Finding& finding : verdict.findings) {
    const std::string code = Str(Code(finding.code));
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

bool IsCutOff(host::Trust trust) {
  return trust == host::Trust::kQuarantined || trust == host::Trust::kInvestigating ||
         trust == host::Trust::kRemediated;
}

host::HostRecord NextRecord(const DecisionFacts& facts) {
  host::HostRecord next = facts.host;
  if (next.trust != facts.move.next) next.trust_since = facts.now;
  next.trust = facts.move.next;
  next.last_seen_at = facts.now;
  next.last_boot = facts.boot;
  next.last_verdict_id = facts.verdict_id;
  next.last_outcome = Str(Name(facts.verdict.outcome));
  next.hostname = facts.evidence.facts.hostname;
  next.kernel_release = facts.evidence.facts.kernel_release;
  next.os_release = facts.evidence.facts.os_release;
  next.agent_version = facts.evidence.facts.agent_version;
  const bool denied = facts.verdict.outcome == OutcomeClass::kDeny;
  if (denied) {
    next.quarantined_boot = facts.boot;
    next.reasons = FailedCodes(facts.verdict);
    next.why = FirstFailure(facts.verdict);
  } else if (!IsCutOff(facts.move.next)) {
    // A cut-off host keeps the reason it was cut off for, whatever it sends.
    next.quarantined_boot.reset();
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
  row.outcome = Str(Name(facts.verdict.outcome));
  row.policy_id = facts.verdict.policy_id;
  row.reference_id = facts.verdict.reference_id;
  row.body_json = VerdictJson(facts.verdict);
  row.boot = facts.boot;
  return row;
}

void Freeze(ByteView bytes, store::Commit* commit) {
  if (bytes.empty()) return;
  commit->blobs.emplace_back(crypto::Hash(crypto::HashAlg::kSha256, bytes).hex(), ToBytes(bytes));
}

store::IncidentRow IncidentOf(const DecisionFacts& facts) {
  store::IncidentRow incident;
  incident.id = absl::StrCat("i-", crypto::RandomHex(kIncidentIdBytes));
  incident.host_id = facts.host.id;
  incident.first_verdict_id = incident.last_verdict_id = facts.verdict_id;
  incident.opened_at = incident.last_at = facts.now;
  incident.state = "open";
  incident.why = FirstFailure(facts.verdict);
  incident.reasons = FailedCodes(facts.verdict);
  return incident;
}

store::AuditRow AuditOf(const DecisionFacts& facts, const host::HostRecord& after) {
  const audit::Detail detail = audit::Detail()
                                   .Text("verdict", facts.verdict_id)
                                   .Text("outcome", Name(facts.verdict.outcome))
                                   .Text("policy", facts.verdict.policy_id)
                                   .Text("reference", facts.verdict.reference_id)
                                   .Number("credentials", static_cast<int64_t>(facts.issued.size()))
                                   .Text("why", FirstFailure(facts.verdict))
                                   .Object("before", audit::StateOf(facts.host))
                                   .Object("after", audit::StateOf(after));
  return audit::MakeRow(facts.now, audit::HostActor(facts.host.id), "verdict", facts.host.id,
                        detail);
}

}  // namespace

store::Commit CommitOf(const DecisionFacts& facts) {
  store::Commit commit;
  commit.host = NextRecord(facts);
  commit.verdict = VerdictRowOf(facts);
  commit.issued = facts.issued;
  for (const host::Effect effect : facts.move.effects) {
    if (effect == host::Effect::kRevokeCredentials) commit.revoke_host_credentials = true;
    store::EffectRow row;
    row.kind = Str(host::Name(effect));
    row.host_id = facts.host.id;
    row.verdict_id = facts.verdict_id;
    commit.effects.push_back(row);
  }
  if (facts.verdict.outcome == OutcomeClass::kDeny) {
    Freeze(facts.evidence.boot_log, &commit);
    Freeze(facts.evidence.ima.before_quote, &commit);
    Freeze(facts.evidence.ima.after_quote, &commit);
    Freeze(facts.evidence.quote.attest, &commit);
    Freeze(facts.evidence.quote.signature, &commit);
    commit.incident = IncidentOf(facts);
  }
  commit.audit.push_back(AuditOf(facts, *commit.host));
  return commit;
}

}  // namespace bootgate::gatekeeper::admission

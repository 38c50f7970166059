#include "gatekeeper/admission/admission.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "common/tpm2/attest.h"
#include "gatekeeper/admission/commit.h"
#include "gatekeeper/admission/incident_step.h"
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/admission/trace_json.h"
#include "gatekeeper/admission/verdict_json.h"
#include "gatekeeper/appraisal/custom_claims.h"
#include "gatekeeper/appraisal/tpm_state.h"
#include "gatekeeper/enroll/ek_trust.h"
#include "gatekeeper/enroll/own_certificates.h"
#include "gatekeeper/rollout/assignments.h"

namespace bootgate::gatekeeper::admission {
namespace {

// The cap is extended by the agent itself, in no log: a host that opened its credential as it was
// told to must not be denied for it.
uint32_t MayMoveAtRunTime(const Options& options) {
  const std::optional<uint32_t>& cap = options.credential.cap_register;
  return options.runtime_extended | (cap.has_value() ? 1u << *cap : 0);
}

constexpr size_t kVerdictIdBytes = 16;
constexpr int kTries = 3;                // against lost races with an operator or another evidence
constexpr size_t kMaxRetrying = 100000;  // hosts whose lagging, or lost step, is remembered

host::BootMark MarkOf(const tpm2::AttestHeader& header) {
  return {.reset_count = header.clock.reset_count,
          .restart_count = header.clock.restart_count,
          .clock_ms = header.clock.clock_ms};
}

// What the quote's qualifying data must be: our nonce, this host and key, this cluster, these logs.
Bytes ExpectedData(const session::RedeemedNonce& nonce, const std::string& cluster_id,
                   const evidence::Evidence& evidence) {
  return evidence::QualifyingData({.nonce = nonce.nonce(),
                                   .host_id = nonce.host_id(),
                                   .ak_name = nonce.ak_name(),
                                   .cluster_id = cluster_id,
                                   .boot_log = evidence.boot_log,
                                   .user_log = evidence.user_log,
                                   .ima_first_entry = evidence.ima.first_entry,
                                   .ima_count = evidence.ima.before_quote_count,
                                   .ima_before_quote = evidence.ima.before_quote,
                                   .statement = &evidence.statement});
}

// What this evidence tells of the TPM, for the policy and beside it.
incident::StateNotes NotesOfTpm(const host::HostRecord& host, const host::TpmStep& step,
                                const tpm2::AttestHeader& header, const Options& options) {
  appraisal::TpmAppraisal tpm = appraisal::AppraiseTpm(
      header, host, options.advisories,
      options.deny_vulnerable_firmware ? Severity::kFail : Severity::kWarning);
  incident::StateNotes notes;
  notes.findings = step.findings;
  notes.findings.insert(notes.findings.end(), tpm.findings.begin(), tpm.findings.end());
  notes.claims = std::move(tpm.claims);
  notes.coverage = std::move(tpm.coverage);
  notes.coverage.checked.push_back("the TPM's counters and clock against its history");
  if (!step.history.kernel_boot_id.empty()) return notes;
  notes.coverage.not_checked.push_back(
      {"a reset of the TPM without a boot", "the host told no kernel boot id"});
  return notes;
}

// What operators and vendors have said of the TPM since the host joined.
absl::Status AddDistrust(const host::HostRecord& host, absl::Time now, const Options& options,
                         incident::StateNotes* notes) {
  if (options.ek_recheck == nullptr) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(const std::vector<Finding> found, options.ek_recheck->Check(host, now));
  notes->findings.insert(notes->findings.end(), found.begin(), found.end());
  notes->coverage.checked.push_back("the endorsement key against distrust and revocation");
  return absl::OkStatus();
}

// A verdict that is neither ADMIT nor DENY changes nothing: it leaves as a Status. A REJECT may
// carry findings of a DENY, too; the one that made it a REJECT is its reason.
absl::Status StatusOf(const Verdict& verdict) {
  const auto& findings = verdict.findings;
  const auto cause = std::ranges::find_if(findings, [&](const Finding& finding) {
    return finding.severity == Severity::kFail && Info(finding.code).outcome == verdict.outcome;
  });
  const Reason reason = cause == findings.end() ? Reason::kInternal : cause->code;
  const std::string text = cause == findings.end() ? "judging failed" : cause->text;
  if (verdict.outcome == OutcomeClass::kReject) return Malformed(reason, text);
  return Refuse(absl::StatusCode::kInternal, reason, text);
}

std::vector<store::CredentialRow> RowsOf(const std::optional<credential::Plan>& plan,
                                         const std::string& host_id,
                                         const std::string& verdict_id) {
  std::vector<store::CredentialRow> rows;
  if (!plan.has_value()) return rows;
  for (const credential::PlannedRow& planned : plan->rows()) {
    store::CredentialRow& row = rows.emplace_back();
    row.serial = planned.serial;
    row.host_id = host_id;
    row.verdict_id = verdict_id;
    row.profile = planned.profile;
    row.issuer = planned.issuer;
    row.not_before = planned.not_before;
    row.not_after = planned.not_after;
  }
  return rows;
}

std::vector<std::string> NamesOf(const evidence::Secrets& secrets) {
  std::vector<std::string> names;
  for (const auto& [name, value] : secrets) names.push_back(name);
  return names;
}

// Of a host that is shut out nothing more is kept, but for the rest of its list.
bool MayFreeze(const host::HostRecord& host) {
  return !host::IsShutOut(host.trust) || host.trust == host::Trust::kRemediated ||
         host.whole_list_wanted;
}

incident::JudgedHost HostAsJudged(const host::HostRecord& host, uint32_t reset_count) {
  incident::JudgedHost out = {.id = host.id,
                              .hostname = host.hostname,
                              .trust = std::string(host::Name(host.trust)),
                              .labels = host.labels,
                              .ak_public = host.ak_public,
                              .ak_qualified_name = host.ak_qualified_name,
                              .ak_certificate = host.ak_certificate,
                              .ek_public = host.ek_public,
                              .ek_certificate = host.ek_certificate,
                              .own_ek_certificate = host.own_ek_certificate,
                              .ek_trust = host.ek_trust,
                              .assurance = host.assurance};
  if (host.last_boot.has_value()) out.last_boot = host::Describe(*host.last_boot);
  const std::optional<host::ImaCursor>& cursor = host.ima_cursor;
  if (cursor.has_value() && cursor->reset_count == reset_count)
    out.admitted_ima_entries = cursor->progress.entries;
  return out;
}

// Of two machines with one TPM the first line's boot is the bad one: whoever is left of them in the
// end goes on from there, or starts anew with an operator's word.
host::Judged EventOf(const Verdict& verdict, const host::TpmStep& step,
                     const host::BootMark& boot) {
  host::Judged event{.outcome = verdict.outcome, .boot = boot};
  event.action = std::max(softening::WorstAction(verdict.findings), Action::kRestrict);
  if (step.kind == host::TpmStepKind::kClone) event.bad_boot = step.last;
  event.counted_anew = step.kind == host::TpmStepKind::kAnew;
  return event;
}

// They get none any more, and what is out was not revoked.
bool KeepsCredentials(host::Trust trust) {
  return trust == host::Trust::kRestricted || trust == host::Trust::kSuspect;
}

bool IsBehind(const Verdict& verdict) {
  for (const Finding& finding : verdict.findings) {
    if (finding.code == Reason::kRetryLogBehind) return true;
  }
  return false;
}

}  // namespace

absl::Status Admission::CheckPeer(const Peer& peer, const std::string& host_id) {
  if (peer.host_id.empty()) return absl::OkStatus();
  if (peer.host_id != host_id) {
    return NotPermitted(Reason::kPeerHostMismatch,
                        absl::StrCat("the client certificate is of ", Printable(peer.host_id),
                                     ", the message of ", Printable(host_id)));
  }
  BG_ASSIGN_OR_RETURN(const bool revoked, store_.IsRevoked(peer.serial));
  if (revoked)
    return NotPermitted(Reason::kPeerCertRevoked,
                        absl::StrCat("certificate ", peer.serial, " was revoked"));
  return absl::OkStatus();
}

// A genuine TPM is not enough: that of any machine of its vendor is one (Parno's cuckoo).
absl::Status NotApproved(const host::HostRecord& host) {
  if (enroll::IsCertified(host.ek_trust)) {
    return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kEkNotBound,
                  absl::StrCat("the TPM of ", host.id, " is genuine (", host.ek_trust,
                               "), but neither inventory nor an operator says that it is one of "
                               "ours"));
  }
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kHostNotApproved,
                absl::StrCat(host.id, " waits for approval"));
}

absl::StatusOr<host::HostRecord> Admission::KnownHost(const Peer& peer,
                                                      const std::string& host_id) {
  if (!host::IsHostId(host_id)) {
    return Malformed(Reason::kHostIdSyntax,
                     absl::StrCat("'", Printable(host_id, 64), "' is no host id"));
  }
  BG_RETURN_IF_ERROR(CheckPeer(peer, host_id));
  absl::StatusOr<host::HostRecord> host = store_.GetHost(host_id);
  if (absl::IsNotFound(host.status())) {
    return NotAuthentic(Reason::kHostUnknown, absl::StrCat(host_id, " is not enrolled here"));
  }
  BG_RETURN_IF_ERROR(host.status());
  if (host->trust == host::Trust::kRetired)
    return NotPermitted(Reason::kHostRetired, absl::StrCat(host_id, " is retired"));
  if (!host->approved) return NotApproved(*host);
  return host;
}

JudgingOptions Admission::JudgedBy() const {
  return {.selection = options_.selection, .runtime_extended = MayMoveAtRunTime(options_)};
}

absl::StatusOr<Challenge> Admission::Issue(const host::HostRecord& host, const Rules& rules,
                                           ByteView ak_name) {
  const uint64_t first_entry =
      MustSendWholeList(host.id)
          ? 0
          : FirstEntryToAsk(host, rules, RulesId(rules, JudgedBy()), clock_.Now());
  BG_ASSIGN_OR_RETURN(Bytes nonce, nonces_.Issue({.host_id = host.id,
                                                  .ak_name = ToBytes(ak_name),
                                                  .purpose = session::NoncePurpose::kAttest,
                                                  .selection = options_.selection,
                                                  .ima_first_entry = first_entry}));
  return Challenge{.nonce = std::move(nonce),
                   .cluster_id = options_.cluster_id,
                   .selection = options_.selection,
                   .seal_selection = options_.credential.seal_selection,
                   .ima_first_entry = first_entry,
                   .valid_for = options_.nonce_ttl};
}

absl::StatusOr<host::HostRecord> Admission::KnownHostWith(const Peer& peer,
                                                          const std::string& host_id,
                                                          ByteView ak_name) {
  BG_ASSIGN_OR_RETURN(host::HostRecord host, KnownHost(peer, host_id));
  BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm2::Public::FromTpmt(host.ak_public));
  if (!SameBytes(ak.Name(), ak_name)) {
    return NotAuthentic(Reason::kAkUnknown, "the attestation key is not the enrolled one");
  }
  return host;
}

absl::StatusOr<Challenge> Admission::NewChallenge(const Peer& peer, const std::string& host_id,
                                                  ByteView ak_name) {
  BG_ASSIGN_OR_RETURN(const host::HostRecord host, KnownHostWith(peer, host_id, ak_name));
  BG_ASSIGN_OR_RETURN(const Rules rules, catalog_.RulesFor(host.labels));
  return Issue(host, rules, ak_name);
}

absl::StatusOr<Bytes> Admission::KnownEntries(const Peer& peer, const std::string& host_id,
                                              ByteView ak_name, ByteView names) {
  BG_RETURN_IF_ERROR(KnownHostWith(peer, host_id, ak_name).status());
  return entries_.Known(names);
}

absl::Status Admission::Screen(const Peer& peer, const std::string& host_id,
                               const tpm2::RawQuote& quote) {
  BG_ASSIGN_OR_RETURN(const host::HostRecord host, KnownHost(peer, host_id));
  BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm2::Public::FromTpmt(host.ak_public));
  BG_ASSIGN_OR_RETURN(const tpm2::Signature signature, tpm2::ParseSignature(quote.signature));
  return tpm2::VerifySignature(ak, quote.attest, signature);
}

absl::StatusOr<Decision> Admission::Decide(const Peer& peer, const evidence::Evidence& evidence,
                                           const ima::DigestsAt* known_templates,
                                           ByteView trust_bundle) {
  BG_ASSIGN_OR_RETURN(host::HostRecord host, KnownHost(peer, evidence.host_id));
  BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm2::Public::FromTpmt(host.ak_public));
  BG_ASSIGN_OR_RETURN(
      const session::RedeemedNonce nonce,
      nonces_.Redeem(evidence.nonce, host.id, ak.Name(), session::NoncePurpose::kAttest));
  const Bytes qualifying_data = ExpectedData(nonce, options_.cluster_id, evidence);
  BG_ASSIGN_OR_RETURN(const tpm2::QuotedPcrs quoted,
                      tpm2::QuotedPcrs::Verify({.ak = ak,
                                                .ak_qualified_name = host.ak_qualified_name,
                                                .selection = nonce.selection(),
                                                .qualifying_data = qualifying_data},
                                               evidence.quote));

  // From here on the evidence is this host's, fresh, and about exactly these logs.
  BG_ASSIGN_OR_RETURN(const appraisal::PresentedKeys keys,
                      appraisal::PresentedKeys::Verify({ak, qualifying_data}, evidence));
  BG_ASSIGN_OR_RETURN(const std::vector<Claim> custom_claims,
                      appraisal::CustomClaims(evidence.statement.custom_claims));
  const Proven proven{{.ak = ak,
                       .quoted = quoted,
                       .keys = keys,
                       .custom_claims = custom_claims,
                       .evidence = evidence,
                       .known_templates = known_templates},
                      nonce.selection(),
                      nonce.ima_first_entry(),
                      trust_bundle};
  absl::Status lost_race;
  for (int i = 0; i < kTries; ++i) {
    absl::StatusOr<Decision> decision = DecideOnce(host, proven);
    if (ReasonOf(decision.status()) == Reason::kRetryResync) AskForWholeList(host.id);
    if (!absl::IsAborted(decision.status())) return decision;
    lost_race = decision.status();
    BG_ASSIGN_OR_RETURN(host, KnownHost(peer, evidence.host_id));
    if (!SameBytes(host.ak_public, ak.raw)) {
      return NotAuthentic(Reason::kAkUnknown,
                          "the host was enrolled anew while its evidence was judged");
    }
  }
  return Refuse(absl::StatusCode::kUnavailable, Reason::kStore, lost_race.message());
}

absl::StatusOr<host::TpmStep> Admission::FollowTpm(const host::HostRecord& host,
                                                   const Proven& proven, absl::Time now) {
  const tpm2::AttestHeader& header = proven.quoted.header();
  const host::TpmNow tpm = {
      .boot = MarkOf(header),
      .clock_safe = header.clock.safe,
      .kernel_boot_id = proven.evidence.statement.kernel_boot_id,
      .registers_at_start = appraisal::FirmwareRegistersAtStart(proven.quoted),
      .at = now};
  host::TpmStep step = host::Follow(host.last_boot, host.tpm_history, tpm);
  if (step.kind != host::TpmStepKind::kRolledBack) return step;
  if (step.worth_writing) {
    const absl::Status written = store_.Apply(CommitOfSecondLine(host, step, now));
    if (absl::IsAborted(written)) return written;
    if (!written.ok()) {
      Log(LogLevel::kError, "a TPM's second line is not remembered",
          {{"host", host.id}, {"text", std::string(written.message())}});
    }
  }
  return Malformed(Reason::kClockRollback,
                   absl::StrCat(step.went_back,
                                "; if this TPM was cleared, an operator says so: "
                                "bootgate-gatekeeper host accept-clear ",
                                host.id, " --reason ..."));
}

absl::StatusOr<Admission::JudgedNow> Admission::JudgeEvidence(const host::HostRecord& host,
                                                              const Rules& rules,
                                                              const ImaProgress* before,
                                                              const host::TpmStep& step,
                                                              const Proven& proven) {
  JudgedNow out{.judged = {.verdict = Verdict(OutcomeClass::kError)}, .at = clock_.Now()};
  out.notes = NotesOfTpm(host, step, proven.quoted.header(), options_);
  BG_RETURN_IF_ERROR(AddDistrust(host, out.at, options_, &out.notes));
  BG_ASSIGN_OR_RETURN(const auto waivers, waivers_.Current());
  out.softening = {options_.actions, quarantine::WaiversFor(*waivers, host, out.at)};
  // What is known of earlier entries has no paths; who waives by path is to see them.
  if (before != nullptr && !before->findings.empty() && softening::LooksAtPaths(out.softening)) {
    return Malformed(Reason::kRetryResync,
                     "a waiver looks at paths of earlier IMA entries; send the whole IMA list");
  }
  const Bytes list = WholeListOf(proven.evidence);
  JudgeInput input = InputOf(proven, rules,
                             {.at = out.at,
                              .runtime_extended = MayMoveAtRunTime(options_),
                              .before = before,
                              .notes = out.notes,
                              .softening = &out.softening},
                             list);
  out.judged = JudgeAndKeep(input);
  if (IsBehind(out.judged.verdict) && CountBehind(host.id) >= options_.behind_limit) {
    input.when_behind = WhenBehind::kDeny;
    out.behind_is_failure = true;
    out.judged = JudgeAndKeep(input);
  }
  const OutcomeClass outcome = out.judged.verdict.outcome;
  if (outcome != OutcomeClass::kAdmit && outcome != OutcomeClass::kDeny)
    return StatusOf(out.judged.verdict);
  if (outcome == OutcomeClass::kDeny && MayFreeze(host)) {
    // How the policy came to it is kept with the incident. Once for each: it costs a second look.
    input.trace = true;
    out.judged = JudgeAndKeep(input);
  }
  return out;
}

absl::StatusOr<incident::FrozenJudgement> Admission::FrozenOf(const host::HostRecord& host,
                                                              const Rules& rules,
                                                              const ImaProgress* before,
                                                              const Proven& proven,
                                                              const JudgedNow& judged) {
  incident::FrozenJudgement frozen;
  frozen.program = std::string(Program());
  frozen.at = judged.at;
  frozen.host = HostAsJudged(host, proven.quoted.header().clock.reset_count);
  frozen.cluster_id = options_.cluster_id;
  frozen.selection = proven.selection;
  frozen.runtime_extended = MayMoveAtRunTime(options_);
  frozen.behind_is_failure = judged.behind_is_failure;
  if (before != nullptr) frozen.before = *before;
  frozen.notes = judged.notes;
  frozen.softening = softening::SofteningText(judged.softening);
  if (rules.policy != nullptr) frozen.policy = rules.policy->text();
  if (rules.candidate != nullptr) frozen.candidate = rules.candidate->text();
  if (rules.reference != nullptr) {
    BG_ASSIGN_OR_RETURN(store::DocumentRow document,
                        store_.GetDocument(rollout::kReferenceKind, rules.reference->id));
    frozen.reference = std::move(document.text);
  }
  for (const SetPtr& set : rules.sets) frozen.sets.push_back(set->id());
  frozen.evidence = proven.evidence;
  if (judged.judged.trace != nullptr) frozen.trace_json = TraceJson(*judged.judged.trace);
  return frozen;
}

absl::StatusOr<credential::Plan> Admission::PlanFor(const host::HostRecord& host,
                                                    const Proven& proven, const Decision& decision,
                                                    absl::Time now) const {
  BG_ASSIGN_OR_RETURN(const tpm2::Public ek, tpm2::Public::FromTpmt(host.ek_public));
  const std::string verdict_text = VerdictJson(decision.verdict);
  return credential::PlanCredentials(
      options_.credential,
      {.host_id = host.id,
       .verdict_id = decision.verdict_id,
       .policy_id = decision.verdict.policy_id,
       .claims_digest_hex = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(verdict_text)).hex(),
       .ek = ek,
       .quoted = proven.quoted,
       .identity_key = proven.keys.identity(),
       .now = now},
      authority_);
}

std::optional<token::Plan> Admission::PlanTokenFor(const host::HostRecord& host, const Rules& rules,
                                                   const Proven& proven, const Judged& judged,
                                                   absl::Time now) const {
  if (tokens_ == nullptr || !proven.evidence.want_token || rules.policy == nullptr) {
    return std::nullopt;
  }
  absl::StatusOr<token::Plan> plan =
      tokens_->PlanToken({.now = now,
                          .policy_text = rules.policy->text(),
                          .policy_signer_json = rules.policy_signer_json,
                          .rp_data = proven.evidence.statement.rp_data,
                          .request_key_json = proven.keys.RequestKeyJson(),
                          .other_keys_json = proven.keys.OtherKeysJson(),
                          .outgoing = judged.issued,
                          .properties = judged.properties});
  if (plan.ok()) return *std::move(plan);
  Log(LogLevel::kError, "no token",
      {{"host", host.id}, {"text", std::string(plan.status().message())}});
  return std::nullopt;
}

absl::StatusOr<Admission::SealedFor> Admission::SealFor(const host::HostRecord& host,
                                                        const Proven& proven, absl::Time now) {
  SealedFor out;
  if (sealer_ == nullptr) return out;
  BG_ASSIGN_OR_RETURN(const tpm2::Public ek, tpm2::Public::FromTpmt(host.ek_public));
  BG_ASSIGN_OR_RETURN(out.secrets, sealer_->SecretsFor(host.id, host.labels));
  BG_ASSIGN_OR_RETURN(out.across, sealer_->Seal({.host_id = host.id,
                                                 .ek = ek,
                                                 .quoted = proven.quoted,
                                                 .boot_log = proven.evidence.boot_log,
                                                 .held = proven.evidence.held_boot_secrets,
                                                 .now = now},
                                                out.secrets));
  return out;
}

// For operators who will foretell the host's next state. The verdict stands without it.
void Admission::RememberBoot(const host::HostRecord& host, const Proven& proven, absl::Time now) {
  const absl::StatusOr<tpm2::Public> ek = tpm2::Public::FromTpmt(host.ek_public);
  if (!ek.ok()) return;
  const absl::Status kept = sealer_->Remember({.host_id = host.id,
                                               .ek = *ek,
                                               .quoted = proven.quoted,
                                               .boot_log = proven.evidence.boot_log,
                                               .held = {},
                                               .now = now});
  if (kept.ok()) return;
  Log(LogLevel::kError, "the boot state is not kept",
      {{"host", host.id}, {"text", std::string(kept.message())}});
}

Renewed Admission::Renew(store::Commit& commit, absl::Time now) const {
  host::HostRecord host = *commit.host;
  absl::StatusOr<std::vector<store::CredentialRow>> rows =
      enroll::RenewCertificates(host, authority_, now);
  if (!rows.ok()) {
    Log(LogLevel::kError, "no new certificates of its TPM",
        {{"host", host.id}, {"text", std::string(rows.status().message())}});
    return {};
  }
  Renewed renewed;
  for (store::CredentialRow& row : *rows) {
    if (row.kind == "ak") renewed.ak_certificate = host.ak_certificate;
    if (row.kind == "ek") renewed.own_ek_certificate = host.own_ek_certificate;
    commit.issued.push_back(std::move(row));
  }
  commit.host = std::move(host);
  return renewed;
}

absl::Status Admission::KeepAdmitted(const evidence::Evidence& evidence, store::Commit* commit) {
  BG_ASSIGN_OR_RETURN(std::optional<incident::AdmittedBook::Change> change,
                      admitted_.ChangeFor(evidence));
  if (!change.has_value()) return absl::OkStatus();
  commit->admitted_evidence = std::move(change->parts);
  commit->blobs.insert(commit->blobs.end(), std::make_move_iterator(change->blobs.begin()),
                       std::make_move_iterator(change->blobs.end()));
  return absl::OkStatus();
}

absl::StatusOr<Decision> Admission::DecideOnce(const host::HostRecord& host, const Proven& proven) {
  const tpm2::AttestHeader& header = proven.quoted.header();
  const host::BootMark boot = MarkOf(header);
  const absl::Time now = clock_.Now();
  BG_ASSIGN_OR_RETURN(const host::TpmStep step, FollowTpm(host, proven, now));
  BG_ASSIGN_OR_RETURN(const Rules rules, catalog_.RulesFor(host.labels));
  const host::ImaRules rules_id = RulesId(rules, JudgedBy());
  const uint64_t sent = proven.evidence.ima.first_entry;
  BG_ASSIGN_OR_RETURN(const ImaProgress* const before,
                      ProgressBefore(host, rules, rules_id,
                                     {.asked = proven.ima_asked, .sent = sent, .boot = boot}, now));
  BG_ASSIGN_OR_RETURN(JudgedNow judged_now, JudgeEvidence(host, rules, before, step, proven));
  Judged& judged = judged_now.judged;

  host::Judged event = EventOf(judged.verdict, step, boot);
  // Kept until the commit: nobody else is counted in between.
  BG_ASSIGN_OR_RETURN(const quarantine::Brake::Turn turn,
                      AskBrake(host, event, judged.verdict, now));
  event.brake_holds = turn.holds();
  const host::Move move = host::NextMove(host, event);
  BG_ASSIGN_OR_RETURN(const std::optional<store::IncidentRow> incident, IncidentOf(host, event));
  std::optional<host::ImaCursor> cursor;
  if (move.may_issue && judged.ima.has_value()) {
    // Before the commit, after which nothing may fail any more.
    entries_.Learn(proven.evidence.ima.before_quote,
                   judged.ima->entries - (before == nullptr ? 0 : before->entries));
    cursor = NextCursor({.host = host,
                         .rules_id = rules_id,
                         .boot = boot,
                         .was_whole = before == nullptr,
                         .whole_every = options_.ima_whole_every,
                         .good_until = judged.good_until,
                         .now = now},
                        *std::move(judged.ima));
  }
  const std::optional<token::Plan> token =
      move.may_issue ? PlanTokenFor(host, rules, proven, judged, now) : std::nullopt;
  Decision decision(std::move(judged.verdict));
  decision.verdict_id = absl::StrCat("v-", crypto::RandomHex(kVerdictIdBytes));
  decision.trust = move.next;
  std::optional<incident::FrozenJudgement> frozen;
  if (decision.verdict.outcome == OutcomeClass::kDeny && MayFreeze(host)) {
    BG_ASSIGN_OR_RETURN(frozen, FrozenOf(host, rules, before, proven, judged_now));
    frozen->verdict_id = decision.verdict_id;
    frozen->verdict_json = VerdictJson(decision.verdict);
  }
  decision.drop_credentials = !move.may_issue && !KeepsCredentials(move.next);
  decision.next_attestation = options_.next_attestation;
  std::optional<credential::Plan> plan;
  SealedFor sealed;
  if (move.may_issue) {
    BG_ASSIGN_OR_RETURN(plan, PlanFor(host, proven, decision, now));
    BG_ASSIGN_OR_RETURN(sealed, SealFor(host, proven, now));
  }
  store::Commit commit = CommitOf({.host = host,
                                   .judged = event,
                                   .tpm_step = step,
                                   .tpm_firmware = header.firmware_version,
                                   .move = move,
                                   .verdict = decision.verdict,
                                   .verdict_id = decision.verdict_id,
                                   .evidence = proven.evidence,
                                   .frozen = frozen.has_value() ? &*frozen : nullptr,
                                   .trust_bundle = proven.trust_bundle,
                                   .issued = RowsOf(plan, host.id, decision.verdict_id),
                                   .cursor = std::move(cursor),
                                   .token = token.has_value() ? &*token : nullptr,
                                   .secrets = NamesOf(sealed.secrets.all),
                                   .now = now,
                                   .incident = incident.has_value() ? &*incident : nullptr});
  commit.step_seen = turn.seen();
  if (move.may_issue) {
    decision.renewed = Renew(commit, now);
    BG_RETURN_IF_ERROR(KeepAdmitted(proven.evidence, &commit));
  }
  BG_RETURN_IF_ERROR(store_.Apply(commit));
  decision.standing = StandingOf(*commit.host);
  if (commit.admitted_evidence.has_value()) admitted_.Remember(host.id, *commit.admitted_evidence);
  ForgetRetries(host.id);

  // Durable. Only now may anything leave that lets the host act.
  if (plan.has_value()) {
    BG_ASSIGN_OR_RETURN(decision.issued, credential::Issue(*plan, authority_, sealed.secrets.all));
    if (sealed.across.has_value()) RememberBoot(host, proven, now);
    decision.drop_boot_secrets =
        !sealed.across.has_value() && !proven.evidence.held_boot_secrets.empty();
    decision.boot_secrets = std::move(sealed.across);
  }
  if (token.has_value()) {
    BG_ASSIGN_OR_RETURN(decision.token, tokens_->Issue(*token));
  }
  absl::StatusOr<Challenge> next = Issue(*commit.host, rules, proven.ak.Name());
  if (next.ok()) decision.next = *std::move(next);  // else the agent asks for one itself
  return decision;
}

absl::StatusOr<quarantine::Brake::Turn> Admission::AskBrake(const host::HostRecord& host,
                                                            const host::Judged& event,
                                                            const Verdict& verdict,
                                                            absl::Time now) {
  const bool fails_now =
      host::NextMove(host, event).next == host::Trust::kQuarantined && !host::IsShutOut(host.trust);
  if (!fails_now) return quarantine::Brake::Turn();
  return brake_.Ask(absl::StrCat(host.id, ": ", FirstFailure(verdict)), now);
}

absl::StatusOr<std::optional<store::IncidentRow>> Admission::IncidentOf(
    const host::HostRecord& host, const host::Judged& event) {
  const bool may_return = host.trust == host::Trust::kRemediated;
  if (event.outcome != OutcomeClass::kDeny && !may_return) return std::nullopt;
  BG_ASSIGN_OR_RETURN(const std::vector<store::IncidentRow> incidents,
                      store_.ListIncidents(host.id));
  const auto open = std::ranges::find_if(incidents, [](const store::IncidentRow& incident) {
    return incident.state != kIncidentClosed;
  });
  if (open == incidents.end()) return std::nullopt;
  return *open;
}

int Admission::CountBehind(const std::string& host_id) {
  const std::lock_guard lock(retries_mutex_);
  if (behind_.size() >= kMaxRetrying && !behind_.contains(host_id)) behind_.clear();
  return ++behind_[host_id];
}

void Admission::AskForWholeList(const std::string& host_id) {
  const std::lock_guard lock(retries_mutex_);
  if (whole_list_wanted_.size() >= kMaxRetrying) whole_list_wanted_.clear();
  whole_list_wanted_.insert(host_id);
}

bool Admission::MustSendWholeList(const std::string& host_id) {
  const std::lock_guard lock(retries_mutex_);
  return whole_list_wanted_.contains(host_id);
}

void Admission::ForgetRetries(const std::string& host_id) {
  const std::lock_guard lock(retries_mutex_);
  behind_.erase(host_id);
  whole_list_wanted_.erase(host_id);
}

}  // namespace bootgate::gatekeeper::admission

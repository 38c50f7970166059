#include "gatekeeper/judge/judge.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/cel/log.h"
#include "common/eventlog/replay.h"
#include "gatekeeper/appraisal/user_log.h"
#include "gatekeeper/judge/documents.h"
#include "gatekeeper/policy/event_reads.h"

namespace bootgate::gatekeeper::judge {
namespace {

constexpr int64_t kTpmMajorVersion = 2;  // only a TPM 2.0 makes the structures that got here

Finding Failing(Reason code, std::string text) {
  Finding finding;
  finding.code = code;
  finding.severity = Severity::kFail;
  finding.text = std::move(text);
  return finding;
}

// REJECT outranks all: evidence that cannot carry a verdict must not move a host's state.
//
// POLICY_BUDGET alone is an ERROR: most of all it says that the policy asks too much, and a
// policy's fault must not quarantine a fleet; no credential is issued, and somebody is called.
// Beside a DENY it changes nothing, though: what failed without the policy fails whatever the
// policy would have said, and no host escapes it by making its evidence expensive to judge.
//
// A vendor's list that is missing or old is nobody's evidence: it admits nobody, and it hides no
// DENY either.
OutcomeClass OutcomeOf(const std::vector<Finding>& findings) {
  OutcomeClass outcome = OutcomeClass::kAdmit;
  bool unknown = false;
  // A bank that is empty because the TPM was reset is one that the firmware did measure.
  const bool was_reset = std::ranges::any_of(findings, [](const Finding& finding) {
    return finding.code == Reason::kTpmResetAnomaly && finding.severity == Severity::kFail;
  });
  for (const Finding& finding : findings) {
    if (finding.severity != Severity::kFail) continue;
    if (was_reset && finding.code == Reason::kBankNotFirmwareMeasured) continue;
    if (finding.code == Reason::kEkRevocationUnknown) {
      unknown = true;
      continue;
    }
    const OutcomeClass of_finding = Info(finding.code).outcome;
    if (of_finding == OutcomeClass::kReject) return OutcomeClass::kReject;
    if (of_finding != OutcomeClass::kError) {
      outcome = OutcomeClass::kDeny;
    } else if (outcome == OutcomeClass::kAdmit) {
      outcome = OutcomeClass::kError;
    }
  }
  return unknown && outcome != OutcomeClass::kDeny ? OutcomeClass::kReject : outcome;
}

class Judgement {
 public:
  explicit Judgement(const JudgeInput& input)
      : input_(input), user_log_(cel::Log::Parse(input.user_log)) {}

  Judged Run() {
    Judged out{.verdict = Decide(), .ima = std::nullopt};
    out.trace = std::move(trace_);
    if (out.verdict.outcome == OutcomeClass::kAdmit) {
      out.issued = std::move(issued_);
      out.properties = std::move(properties_);
    }
    if (out.verdict.outcome == OutcomeClass::kAdmit && MayBeKept()) {
      out.ima = std::move(progress_);
      out.good_until = good_until_;
    }
    return out;
  }

 private:
  // Findings are kept without their paths: who waives by path is to see them each time.
  bool MayBeKept() const {
    return progress_.has_value() && FitsToBeKept(*progress_) &&
           (input_.softening == nullptr || !softening::LooksAtPaths(*input_.softening));
  }

  void Soften(std::vector<Finding>* findings) const {
    static const softening::Softening kNothing;
    softening::Soften(input_.softening == nullptr ? kNothing : *input_.softening, findings);
  }

  Verdict Decide() {
    Merge(input_.extra_findings, input_.extra_claims, input_.extra_coverage);
    AddClaim("tpmVersion", kTpmMajorVersion);
    NoteQuote();
    const appraisal::ImaAppraisal ima = appraisal::AppraiseIma(input_.quoted, ImaInput());
    if (ima.out_of_step) return OutOfStep();
    if (ima.behind && input_.when_behind == WhenBehind::kRetry) return Behind();
    if (ima.match) progress_ = ima.progress;
    const appraisal::BootAppraisal boot =
        appraisal::AppraiseBoot(input_.quoted, input_.boot_log, OptionsForBoot());
    Merge(boot.findings, boot.claims, boot.coverage);
    const appraisal::UserLogAppraisal user =
        appraisal::AppraiseUserLog(input_.quoted, boot.log, user_log_);
    Merge(user.findings, user.claims, user.coverage);
    Merge(ima.findings, ima.claims, ima.coverage);
    if (ima.behind) ReportImaMismatch();
    CompareWithReference(boot, ima);
    if (judge_whole_) return OutOfStep();
    AskPolicy(boot, ima);
    return Finish(OutcomeOf(findings_));
  }

  void Merge(const std::vector<Finding>& findings, const std::vector<Claim>& claims,
             const Coverage& coverage) {
    findings_.insert(findings_.end(), findings.begin(), findings.end());
    claims_.insert(claims_.end(), claims.begin(), claims.end());
    Coverage& c = coverage_;
    c.checked.insert(c.checked.end(), coverage.checked.begin(), coverage.checked.end());
    c.not_checked.insert(c.not_checked.end(), coverage.not_checked.begin(),
                         coverage.not_checked.end());
  }

  void AddClaim(std::string type, ClaimValue value) {
    Claim claim;
    claim.type = std::move(type);
    claim.value = std::move(value);
    claims_.push_back(std::move(claim));
  }

  void NotChecked(std::string what, std::string why) {
    coverage_.not_checked.push_back({std::move(what), std::move(why)});
  }

  void NoteQuote() {
    coverage_.checked.push_back(absl::StrCat("quote signature and PCR digest over ",
                                             registers::Format(input_.quoted.selection())));
    if (input_.logs_bound) {
      coverage_.checked.push_back("log binding: the quote names these logs");
    } else {
      NotChecked("log binding", "the quote's qualifying data does not name the logs");
    }
  }

  appraisal::ImaInput ImaInput() const {
    appraisal::ImaInput ima = input_.ima;
    if (!input_.logs_bound) ima.bound_entries = std::numeric_limits<size_t>::max();
    if (!user_log_.empty()) {
      ima.at_kernel_start = appraisal::BeforeUserSpace(
          input_.quoted, eventlog::Log::Parse(input_.boot_log), user_log_);
    }
    if (input_.reference != nullptr && input_.reference->ima.present) {
      const reference::ImaRules& rules = input_.reference->ima.rules;
      ima.tolerance = {
          .violation = [&rules](absl::string_view path) { return rules.violations.Match(path); },
          .legacy_template = rules.legacy_template,
          .kexec = rules.kexec};
    }
    return ima;
  }

  appraisal::BootOptions OptionsForBoot() const {
    appraisal::BootOptions options = input_.boot_options;
    options.user_log = &user_log_;
    return options;
  }

  Verdict Behind() {
    return AskAgain(Reason::kRetryLogBehind,
                    "The IMA list does not reach the quoted PCR 10 yet; ask again.",
                    "the IMA list is behind the quote");
  }

  Verdict OutOfStep() {
    return AskAgain(Reason::kRetryResync,
                    "What was sent of the IMA list cannot be judged on top of what is known of "
                    "this host; send the whole list.",
                    "the whole IMA list is needed first");
  }

  // Nothing else is concluded: the host is asked again.
  Verdict AskAgain(Reason reason, std::string text, std::string why) {
    findings_ = {Failing(reason, std::move(text))};
    claims_.clear();
    NotChecked("everything else", std::move(why));
    return Finish(OutcomeClass::kReject);
  }

  void ReportImaMismatch() {
    Finding finding =
        Failing(Reason::kImaPcrMismatch,
                "No beginning of the IMA list leads to the quoted PCR 10: the list was "
                "altered, or entries are missing.");
    finding.register_index = 10;
    for (const registers::RegisterBank& bank : input_.quoted.banks()) {
      if (const auto value = bank.Get(10)) finding.expected = value->hex();
    }
    findings_.push_back(std::move(finding));
    AddClaim("imaReplayed", false);
  }

  // Registers whose events the quote proves; the others have their own findings already.
  uint32_t ProvenMask(const registers::RegisterBank& quoted, const eventlog::Log& log) const {
    const auto known = proven_.find(quoted.alg());
    if (known != proven_.end()) return known->second;
    const uint32_t mask = ReplayedMask(quoted, log);
    proven_.emplace(quoted.alg(), mask);
    return mask;
  }

  uint32_t ReplayedMask(const registers::RegisterBank& quoted, const eventlog::Log& log) const {
    const registers::RegisterBank replayed =
        appraisal::AfterUserLog(&user_log_, eventlog::ReplayBank(log, quoted.alg()).bank);
    uint32_t mask = 0;
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      const auto value = quoted.Get(i);
      const auto told = replayed.Get(i);
      if (value && (told ? *told == *value : value->IsZero())) mask |= 1u << i;
    }
    return mask;
  }

  bool IsAllowed(crypto::HashAlg alg) const {
    const auto& allowed = input_.boot_options.allowed_banks;
    return std::find(allowed.begin(), allowed.end(), alg) != allowed.end();
  }

  void CompareWithReference(const appraisal::BootAppraisal& boot,
                            const appraisal::ImaAppraisal& ima) {
    if (input_.reference == nullptr) {
      NotChecked("reference values", "none were given");
      return;
    }
    std::vector<Finding> found;
    if (input_.reference->banks.empty() && input_.reference->ima.present) {
      NotChecked("boot events against the reference", "it is about the IMA list alone");
    } else {
      for (const registers::RegisterBank& bank : input_.quoted.banks()) {
        if (IsAllowed(bank.alg())) CompareBank(boot.log, bank, &found);
      }
    }
    CompareList(ima, &found);
    if (!user_log_.empty())
      NotChecked("user-space log against the reference", "a reference holds the firmware's events");
    Soften(&found);  // what is let pass is no difference
    const bool failed = std::any_of(found.begin(), found.end(),
                                    [](const Finding& f) { return f.severity == Severity::kFail; });
    AddClaim("referenceMatched",
             !failed && boot.replayed && (ima.match || !input_.reference->ima.present));
    // What differs from the reference tells an operator more than what was off by itself.
    findings_.insert(findings_.end(), std::make_move_iterator(found.begin()),
                     std::make_move_iterator(found.end()));
  }

  // What one bank says already is not said again for the next.
  void CompareBank(const eventlog::Log& log, const registers::RegisterBank& bank,
                   std::vector<Finding>* found) {
    if (log.format() == eventlog::Format::kEmpty) {
      NotChecked(absl::StrCat("events against the reference (", crypto::Name(bank.alg()), ")"),
                 "there is no boot log");
      return;
    }
    const uint32_t mask = ProvenMask(bank, log);
    std::set<std::tuple<Reason, std::optional<uint32_t>, std::optional<uint32_t>, std::string>>
        said;
    for (const Finding& f : *found) said.insert({f.code, f.register_index, f.event, f.text});
    for (Finding& f : reference::CompareLog(*input_.reference, log, bank.alg(), mask)) {
      if (said.insert({f.code, f.register_index, f.event, f.text}).second)
        found->push_back(std::move(f));
    }
    coverage_.checked.push_back(absl::StrCat("boot events against the reference, PCR ",
                                             registers::FormatMask(mask & ~(1u << 10)), " (",
                                             crypto::Name(bank.alg()), ")"));
    const uint32_t unproven = bank.mask() & ~mask & ~(1u << 10);
    if (unproven != 0) {
      NotChecked(absl::StrCat("events of PCR ", registers::FormatMask(unproven), " (",
                              crypto::Name(bank.alg()), ") against the reference"),
                 "the quote does not prove them");
    }
  }

  void CompareList(const appraisal::ImaAppraisal& ima, std::vector<Finding>* found) {
    if (!input_.reference->ima.present) {
      NotChecked("IMA list against the reference", "the reference was learned without one");
    } else if (!ima.match) {
      ReportLostList(ima, found);
      NotChecked("IMA list against the reference", "no part of the list is proven by the quote");
    } else {
      reference::ImaContext context{.sets = input_.sets, .measured_keys = {}, .now = input_.now};
      for (const appraisal::ima_list::MeasuredKey& key : ima.keys)
        context.measured_keys.push_back({key.keyring, key.certificate});
      reference::ImaComparison compared =
          reference::CompareIma(*input_.reference, ima.list, ima.match->entries, input_.ima.before,
                                progress_.has_value() ? &*progress_ : nullptr, context);
      good_until_ = compared.good_until;
      for (gatekeeper::NotChecked& row : compared.not_checked)
        coverage_.not_checked.push_back(std::move(row));
      judge_whole_ = compared.judge_whole;
      found->insert(found->end(), std::make_move_iterator(compared.findings.begin()),
                    std::make_move_iterator(compared.findings.end()));
      coverage_.checked.push_back("IMA list against the reference");
    }
  }

  // A kernel that measures nothing leaves PCR 10 at zeros: nothing to replay, yet not the
  // reference.
  void ReportLostList(const appraisal::ImaAppraisal& ima, std::vector<Finding>* found) const {
    const bool unmoved = std::any_of(input_.quoted.banks().begin(), input_.quoted.banks().end(),
                                     [](const registers::RegisterBank& bank) {
                                       const auto value = bank.Get(10);
                                       return value && value->IsZero();
                                     });
    if (!unmoved || !ima.list.entries().empty()) return;
    found->push_back(
        Failing(Reason::kImaMissing,
                "The reference boot measured files into PCR 10; this boot measured none."));
    found->back().register_index = 10;
  }

  // What one policy makes of the facts.
  struct Opinion {
    std::vector<Finding> findings;
    std::vector<Claim> issued, properties;
    Coverage coverage;
    std::shared_ptr<const policy::Trace> trace;
  };

  void AskPolicy(const appraisal::BootAppraisal& boot, const appraisal::ImaAppraisal& ima) {
    Soften(&findings_);
    const size_t facts = claims_.size();
    const OutcomeClass so_far = OutcomeOf(findings_);
    if (input_.policy == nullptr) {
      findings_.push_back(Failing(Reason::kNoPolicy, "No policy is assigned to this host."));
      Soften(&findings_);
      NotChecked("policy", "there is none");
    } else {
      Opinion opinion = OpinionOf(*input_.policy, boot, ima, claims_);
      trace_ = opinion.trace;
      Merge(opinion.findings, opinion.issued, opinion.coverage);
      issued_ = std::move(opinion.issued);
      properties_ = std::move(opinion.properties);
    }
    if (input_.candidate != nullptr) report_ = ReportOf(so_far, boot, ima, facts);
  }

  // The first `facts` claims are not of the policy that is enforced. Whatever becomes of the
  // candidate, the verdict stands as it is.
  std::optional<PolicyReport> ReportOf(OutcomeClass so_far, const appraisal::BootAppraisal& boot,
                                       const appraisal::ImaAppraisal& ima,
                                       size_t facts) const noexcept {
    try {
      PolicyReport report;
      report.policy_id = input_.candidate->id();
      try {
        Opinion opinion =
            OpinionOf(*input_.candidate, boot, ima, absl::MakeConstSpan(claims_).first(facts));
        report.outcome = so_far == OutcomeClass::kAdmit ? OutcomeOf(opinion.findings) : so_far;
        report.findings = std::move(opinion.findings);
        report.not_checked = std::move(opinion.coverage.not_checked);
      } catch (const std::exception& error) {
        report.findings = {Failing(Reason::kInternal, Printable(error.what()))};
      }
      return report;
    } catch (...) {
      return std::nullopt;
    }
  }

  Opinion OpinionOf(const policy::Policy& policy, const appraisal::BootAppraisal& boot,
                    const appraisal::ImaAppraisal& ima, absl::Span<const Claim> claims) const {
    Opinion opinion = UnsoftenedOpinionOf(policy, boot, ima, claims);
    Soften(&opinion.findings);
    return opinion;
  }

  Opinion UnsoftenedOpinionOf(const policy::Policy& policy, const appraisal::BootAppraisal& boot,
                              const appraisal::ImaAppraisal& ima,
                              absl::Span<const Claim> claims) const {
    Opinion opinion;
    CheckRequiredRegisters(policy.configuration(), &opinion);
    CheckAttestationKey(policy.configuration(), &opinion);
    Documents documents(input_.quoted, input_.keys);
    if (policy.Reads("events")) {
      appraisal::json::EventsInput events = EventsInput(boot, ima);
      events.types = policy::EventTypesRead(policy.program());
      documents.AddEvents(std::move(events));
      NoteEarlierEntries(&opinion);
    }
    policy::Evaluation evaluation = policy::Evaluate(
        policy, {.claims = claims, .documents = documents.all()}, {.trace = input_.trace});
    opinion.trace = evaluation.trace;
    opinion.coverage.checked.push_back(absl::StrCat("policy ", policy.id()));
    switch (evaluation.decision) {
      case policy::Decision::kPermit:
        opinion.issued = std::move(evaluation.outgoing);
        opinion.properties = std::move(evaluation.properties);
        return opinion;
      case policy::Decision::kDeny:
        opinion.findings.push_back(
            evaluation.deny_rule_line
                ? Failing(Reason::kPolicyDeny,
                          absl::StrCat("The policy's rule at line ", *evaluation.deny_rule_line,
                                       " denies this host."))
                : Failing(Reason::kPolicyNotPermitted, "No rule of the policy permits this host."));
        return opinion;
      case policy::Decision::kError:
        opinion.findings.push_back(
            Failing(evaluation.error_kind == policy::kLimitKind ? Reason::kPolicyBudget
                                                                : Reason::kPolicyError,
                    absl::StrCat("The policy's rule at line ", evaluation.error_line,
                                 " could not be computed (", Printable(evaluation.error_kind, 64),
                                 "): ", Printable(evaluation.message))));
        return opinion;
    }
    __builtin_unreachable();
  }

  void NoteEarlierEntries(Opinion* opinion) const {
    if (input_.ima.before == nullptr) return;
    opinion->coverage.not_checked.push_back(
        {absl::StrCat("the first ", input_.ima.before->entries, " IMA entries in the events claim"),
         "earlier evidence of this boot had them"});
  }

  appraisal::json::EventsInput EventsInput(const appraisal::BootAppraisal& boot,
                                           const appraisal::ImaAppraisal& ima) const {
    appraisal::json::EventsInput events;
    events.boot_logs = {&boot.log};
    auto& proven = events.proven.emplace();
    for (const registers::RegisterBank& bank : input_.quoted.banks()) {
      if (!IsAllowed(bank.alg())) continue;
      proven.push_back({.alg = bank.alg(), .registers = ProvenMask(bank, boot.log)});
    }
    if (ima.match) {
      events.ima = &ima.list;
      events.ima_entries = ima.match->entries;
    }
    return events;
  }

  // Policy language specification, 3.6. Only a mask that the policy sets is asked for: the
  // language's default, all registers, is what no host quotes.
  void CheckRequiredRegisters(const policy::Configuration& configuration, Opinion* opinion) const {
    const auto& settings = configuration.settings;
    if (std::none_of(settings.begin(), settings.end(), [](const policy::Setting& setting) {
          return setting.name == policy::kRequiredPcrMask;
        })) {
      return;
    }
    uint32_t quoted = 0;
    for (const registers::RegisterBank& bank : input_.quoted.banks()) {
      if (IsAllowed(bank.alg())) quoted |= bank.mask();
    }
    const uint32_t missing = configuration.required_pcr_mask & ~quoted;
    opinion->coverage.checked.push_back(absl::StrCat(
        "PCR that the policy requires: ", registers::FormatMask(configuration.required_pcr_mask)));
    if (missing == 0) return;
    opinion->findings.push_back(
        Failing(Reason::kPolicyPcrMask,
                absl::StrCat("The policy requires PCR ", registers::FormatMask(missing),
                             ", which the quote does not cover.")));
  }

  // Policy language specification, 3.6. An AIK certificate that counts is one of our own CA, which
  // every enrolled attestation key has got; who judges without an enrolment says so in the claim.
  // A policy that does not require it is told `aikValidated` false and may decide by itself.
  void CheckAttestationKey(const policy::Configuration& configuration, Opinion* opinion) const {
    const auto claim = std::ranges::find(input_.extra_claims, "aikValidated", &Claim::type);
    if (!configuration.require_valid_aik_cert) return;
    if (claim == input_.extra_claims.end()) {
      opinion->coverage.not_checked.push_back(
          {"certificate of the attestation key", "nobody said whether it is valid"});
    } else if (claim->value == ClaimValue(true)) {
      opinion->coverage.checked.push_back("certificate of the attestation key");
    } else {
      opinion->findings.push_back(Failing(Reason::kAkUnknown,
                                          "The policy requires an attestation key with a valid "
                                          "certificate (require_valid_aik_cert)."));
    }
  }

  Verdict Finish(OutcomeClass outcome) {
    Verdict verdict(outcome);
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
    verdict.findings = std::move(findings_);
    if (outcome != OutcomeClass::kReject) verdict.claims = std::move(claims_);
    verdict.coverage = std::move(coverage_);
    if (outcome != OutcomeClass::kReject) verdict.report = std::move(report_);
    if (input_.policy != nullptr) verdict.policy_id = input_.policy->id();
    if (input_.reference != nullptr) verdict.reference_id = input_.reference->id;
    return verdict;
  }

  const JudgeInput& input_;
  const cel::Log user_log_;
  std::vector<Finding> findings_;
  std::vector<Claim> claims_;
  std::vector<Claim> issued_, properties_;  // of the enforced policy
  Coverage coverage_;
  mutable std::map<crypto::HashAlg, uint32_t> proven_;  // a replay is asked for more than once
  std::optional<ImaProgress> progress_;
  std::optional<PolicyReport> report_;
  std::shared_ptr<const policy::Trace> trace_;
  bool judge_whole_ = false;
  absl::Time good_until_ = absl::InfiniteFuture();
};

}  // namespace

Verdict ErrorVerdict(absl::string_view what) noexcept {
  Verdict verdict(OutcomeClass::kError);
  try {
    verdict.findings.push_back(Failing(Reason::kInternal, Printable(what)));
  } catch (...) {
    verdict.findings.clear();  // the outcome alone says enough
  }
  return verdict;
}

// The one place where whatever goes wrong in judging ends: as our fault, never as a pass.
Judged JudgeAndKeep(const JudgeInput& input) {
  try {
    return Judgement(input).Run();
  } catch (const std::exception& error) {
    return {.verdict = ErrorVerdict(error.what()), .ima = std::nullopt};
  } catch (...) {
    return {.verdict = ErrorVerdict("judging was interrupted"), .ima = std::nullopt};
  }
}

Verdict Judge(const JudgeInput& input) { return JudgeAndKeep(input).verdict; }

}  // namespace bootgate::gatekeeper::judge

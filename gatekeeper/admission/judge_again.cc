#include "gatekeeper/admission/judge_again.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/admission/verdict_json.h"
#include "gatekeeper/appraisal/custom_claims.h"

namespace bootgate::gatekeeper::admission {
namespace {

absl::StatusOr<std::shared_ptr<const policy::Policy>> PolicyFrom(const std::string& text) {
  if (text.empty()) return std::shared_ptr<const policy::Policy>();
  policy::ParseError error;
  std::optional<policy::Policy> policy = policy::Policy::Read(text, &error);
  if (policy.has_value()) return std::make_shared<const policy::Policy>(*std::move(policy));
  return Malformed(Reason::kPolicyParse,
                   absl::StrCat("the frozen policy, line ", error.line, ": ", error.message));
}

absl::StatusOr<std::shared_ptr<const reference::Reference>> ReferenceFrom(const std::string& text) {
  if (text.empty()) return std::shared_ptr<const reference::Reference>();
  absl::StatusOr<reference::Reference> parsed = reference::FromJson(text);
  if (parsed.ok()) return std::make_shared<const reference::Reference>(*std::move(parsed));
  return Malformed(Reason::kReferenceParse,
                   absl::StrCat("the frozen reference: ", parsed.status().message()));
}

// In the order in which they were at hand.
absl::StatusOr<std::vector<SetPtr>> SetsFor(const std::vector<std::string>& ids,
                                            const std::vector<SetPtr>& sets) {
  std::vector<SetPtr> out;
  for (const std::string& id : ids) {
    const auto found = std::ranges::find(sets, id, [](const SetPtr& set) { return set->id(); });
    if (found == sets.end()) {
      return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kImaSetMissing,
                    absl::StrCat("the judgement used the reference set ", Printable(id, 80),
                                 ", which is not at hand"));
    }
    out.push_back(*found);
  }
  return out;
}

absl::StatusOr<Rules> RulesFrom(const incident::FrozenJudgement& frozen,
                                const std::vector<SetPtr>& sets) {
  Rules rules;
  BG_ASSIGN_OR_RETURN(rules.policy, PolicyFrom(frozen.policy));
  BG_ASSIGN_OR_RETURN(rules.candidate, PolicyFrom(frozen.candidate));
  BG_ASSIGN_OR_RETURN(rules.reference, ReferenceFrom(frozen.reference));
  BG_ASSIGN_OR_RETURN(rules.sets, SetsFor(frozen.sets, sets));
  return rules;
}

absl::StatusOr<softening::Softening> SofteningFrom(const std::string& text) {
  if (text.empty()) return softening::Softening();
  absl::StatusOr<softening::Softening> read = softening::ReadSoftening(text);
  if (read.ok()) return read;
  return Malformed(Reason::kArchive, absl::StrCat("frozen ", read.status().message()));
}

Bytes BoundData(const incident::FrozenJudgement& frozen, const tpm2::Public& ak) {
  const evidence::Evidence& e = frozen.evidence;
  return evidence::QualifyingData({.nonce = e.nonce,
                                   .host_id = frozen.host.id,
                                   .ak_name = ak.Name(),
                                   .cluster_id = frozen.cluster_id,
                                   .boot_log = e.boot_log,
                                   .user_log = e.user_log,
                                   .ima_first_entry = e.ima.first_entry,
                                   .ima_count = e.ima.before_quote_count,
                                   .ima_before_quote = e.ima.before_quote,
                                   .statement = &e.statement});
}

}  // namespace

absl::string_view Program() { return "bootgate-gatekeeper " BOOTGATE_VERSION; }

Bytes WholeListOf(const evidence::Evidence& evidence) {
  Bytes out = evidence.ima.before_quote;
  out.insert(out.end(), evidence.ima.after_quote.begin(), evidence.ima.after_quote.end());
  return out;
}

std::vector<Claim> KeyClaims(const tpm2::Public& ak) {
  std::vector<Claim> claims;
  claims.push_back({.type = "aikValidated", .value = true});
  const absl::StatusOr<crypto::PublicKey> key = ak.Key();
  if (key.ok()) {
    const crypto::Digest digest = crypto::Hash(crypto::HashAlg::kSha256, key->SpkiDer());
    claims.push_back({.type = "aikPubHash", .value = ToBase64(digest.view())});
  }
  return claims;
}

JudgeInput InputOf(const ProvenEvidence& proven, const Rules& rules,
                   const Circumstances& circumstances, ByteView list) {
  JudgeInput input{.quoted = proven.quoted,
                   .boot_log = proven.evidence.boot_log,
                   .user_log = proven.evidence.user_log,
                   .ima = {.list = list,
                           .bound_entries = proven.evidence.ima.before_quote_count,
                           .before = circumstances.before,
                           .known_templates = proven.known_templates},
                   .logs_bound = true,
                   .policy = rules.policy.get(),
                   .candidate = rules.candidate.get(),
                   .softening = circumstances.softening,
                   .reference = rules.reference.get(),
                   .sets = rules.sets,
                   .now = circumstances.at,
                   .boot_options = {.runtime_extended = circumstances.runtime_extended},
                   .keys = &proven.keys,
                   .extra_claims = KeyClaims(proven.ak)};
  const incident::StateNotes& notes = circumstances.notes;
  std::vector<Claim>& claims = input.extra_claims;
  claims.insert(claims.end(), notes.claims.begin(), notes.claims.end());
  claims.insert(claims.end(), proven.custom_claims.begin(), proven.custom_claims.end());
  input.extra_findings = notes.findings;
  input.extra_coverage = notes.coverage;
  return input;
}

absl::StatusOr<JudgedAgain> JudgeAgain(const incident::FrozenJudgement& frozen,
                                       const std::vector<SetPtr>& sets) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm2::Public::FromTpmt(frozen.host.ak_public));
  const Bytes data = BoundData(frozen, ak);
  BG_ASSIGN_OR_RETURN(const tpm2::QuotedPcrs quoted,
                      tpm2::QuotedPcrs::Verify({.ak = ak,
                                                .ak_qualified_name = frozen.host.ak_qualified_name,
                                                .selection = frozen.selection,
                                                .qualifying_data = data},
                                               frozen.evidence.quote));
  BG_ASSIGN_OR_RETURN(const appraisal::PresentedKeys keys,
                      appraisal::PresentedKeys::Verify({ak, data}, frozen.evidence));
  BG_ASSIGN_OR_RETURN(const std::vector<Claim> custom_claims,
                      appraisal::CustomClaims(frozen.evidence.statement.custom_claims));
  BG_ASSIGN_OR_RETURN(const Rules rules, RulesFrom(frozen, sets));
  const ProvenEvidence proven = {.ak = ak,
                                 .quoted = quoted,
                                 .keys = keys,
                                 .custom_claims = custom_claims,
                                 .evidence = frozen.evidence};
  BG_ASSIGN_OR_RETURN(const softening::Softening softening, SofteningFrom(frozen.softening));
  const Bytes list = WholeListOf(frozen.evidence);
  JudgeInput input = InputOf(proven, rules,
                             {.at = frozen.at,
                              .runtime_extended = frozen.runtime_extended,
                              .before = frozen.before.has_value() ? &*frozen.before : nullptr,
                              .notes = frozen.notes,
                              .softening = &softening},
                             list);
  input.when_behind = frozen.behind_is_failure ? WhenBehind::kDeny : WhenBehind::kRetry;
  input.trace = true;
  Judged judged = JudgeAndKeep(input);
  return JudgedAgain{.verdict_json = VerdictJson(judged.verdict), .trace = std::move(judged.trace)};
}

}  // namespace bootgate::gatekeeper::admission

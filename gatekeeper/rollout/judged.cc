#include "gatekeeper/rollout/judged.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/claims/claim_names.h"

namespace bootgate::gatekeeper::rollout {
namespace {

using nlohmann::json;

constexpr char kAdmit[] = "ADMIT", kDeny[] = "DENY";
// Findings of the policy itself: another policy has its own.
constexpr Reason kOfPolicy[] = {Reason::kNoPolicy,           Reason::kPolicyDeny,
                                Reason::kPolicyNotPermitted, Reason::kPolicyError,
                                Reason::kPolicyBudget,       Reason::kPolicyPcrMask};

absl::Status Corrupt(const store::VerdictRow& verdict, absl::string_view why) {
  return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt,
                absl::StrCat("verdict ", Printable(verdict.id, 64), ": ", why));
}

std::string TextOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool IsOfPolicy(const std::string& code) {
  return std::ranges::any_of(kOfPolicy, [&](Reason reason) { return code == Code(reason); });
}

enum class Take { kAll, kOthers };

// The failing findings of `body`: all, or those that no policy made.
void TakeFailures(const json& body, Take take, Judged* judged) {
  const auto findings = body.find("findings");
  if (findings == body.end() || !findings->is_array()) return;
  for (const json& finding : *findings) {
    const std::string code = TextOf(finding, "code");
    if (TextOf(finding, "severity") != Name(Severity::kFail)) continue;
    if (take == Take::kOthers && IsOfPolicy(code)) continue;
    if (judged->why.empty()) judged->why = Printable(TextOf(finding, "text"));
    if (std::ranges::find(judged->codes, code) == judged->codes.end())
      judged->codes.push_back(Printable(code, 64));
  }
}

absl::StatusOr<json> BodyOf(const store::VerdictRow& verdict) {
  json body = json::parse(verdict.body_json, nullptr, false);
  if (!body.is_object()) return Corrupt(verdict, "its body is no JSON object");
  return body;
}

std::optional<ClaimValue> ValueOf(const json& claim) {
  const auto value = claim.find("value");
  if (value == claim.end()) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  if (value->is_number_integer()) return value->get<int64_t>();
  if (value->is_string()) return value->get<std::string>();
  return std::nullopt;
}

struct Kept {
  std::vector<Claim> claims;
  std::vector<std::string> missing;  // types that the policy reads, without their value
};

// Facts alone: what a policy issued is not among them.
absl::StatusOr<Kept> KeptClaims(const store::VerdictRow& verdict, const json& body,
                                const policy::Policy& policy) {
  Kept kept;
  const auto claims = body.find("claims");
  if (claims == body.end() || !claims->is_array()) return Corrupt(verdict, "it has no claims");
  for (const json& row : *claims) {
    Claim claim;
    claim.type = TextOf(row, "type");
    const std::string issuer = TextOf(row, "issuer");
    if (issuer == Name(Issuer::kAttestationPolicy)) continue;
    if (issuer == Name(Issuer::kCustomClaim)) claim.issuer = Issuer::kCustomClaim;
    std::optional<ClaimValue> value = ValueOf(row);
    if (!value.has_value()) {
      if (policy.Reads(claim.type)) kept.missing.push_back(Printable(claim.type, 64));
      continue;
    }
    claim.value = *std::move(value);
    claim.read_only = claim.type == "pcrs";
    kept.claims.push_back(std::move(claim));
  }
  return kept;
}

bool Has(const Kept& kept, absl::string_view type) {
  return std::ranges::any_of(kept.claims, [&](const Claim& claim) { return claim.type == type; }) ||
         std::ranges::find(kept.missing, type) != kept.missing.end();
}

// JSON claims are made for a policy that reads them only: that they are not there says nothing.
void AddUnmade(const policy::Policy& policy, Kept* kept) {
  for (const ClaimName& row : ClaimNames()) {
    if (row.kind == ClaimKind::kJson && policy.Reads(row.name) && !Has(*kept, row.name))
      kept->missing.emplace_back(row.name);
  }
}

void Add(Reason code, std::string why, Judged* judged) {
  judged->codes.emplace_back(Code(code));
  if (judged->why.empty()) judged->why = std::move(why);
}

void CheckMask(const policy::Policy& policy, uint32_t quoted_mask, Judged* judged) {
  const policy::Configuration& configuration = policy.configuration();
  const bool asked = std::ranges::any_of(configuration.settings, [](const policy::Setting& s) {
    return s.name == policy::kRequiredPcrMask;
  });
  if (asked && (configuration.required_pcr_mask & ~quoted_mask) != 0)
    Add(Reason::kPolicyPcrMask, "The policy requires registers that are not quoted.", judged);
}

void AddEvaluation(const policy::Evaluation& evaluation, Judged* judged) {
  switch (evaluation.decision) {
    case policy::Decision::kPermit:
      return;
    case policy::Decision::kDeny:
      if (evaluation.deny_rule_line.has_value()) {
        Add(Reason::kPolicyDeny,
            absl::StrCat("The rule at line ", *evaluation.deny_rule_line, " denies this host."),
            judged);
      } else {
        Add(Reason::kPolicyNotPermitted, "No rule permits this host.", judged);
      }
      return;
    case policy::Decision::kError:
      Add(evaluation.error_kind == policy::kLimitKind ? Reason::kPolicyBudget
                                                      : Reason::kPolicyError,
          absl::StrCat("The rule at line ", evaluation.error_line,
                       " could not be computed: ", Printable(evaluation.message)),
          judged);
      return;
  }
}

}  // namespace

absl::StatusOr<JudgedTwice> ReadJudged(const store::VerdictRow& verdict) {
  BG_ASSIGN_OR_RETURN(const json body, BodyOf(verdict));
  JudgedTwice out;
  out.enforced.policy_id = verdict.policy_id;
  out.enforced.outcome = verdict.outcome;
  TakeFailures(body, Take::kAll, &out.enforced);
  const auto report = body.find("report");
  if (report == body.end()) return out;
  if (!report->is_object()) return Corrupt(verdict, "its report is no object");
  Judged& judged = out.report.emplace();
  judged.policy_id = TextOf(*report, "policy");
  judged.outcome = TextOf(*report, "outcome");
  TakeFailures(*report, Take::kAll, &judged);
  return out;
}

absl::StatusOr<Judged> Plan(const store::VerdictRow& verdict, const policy::Policy& policy,
                            uint32_t quoted_mask) {
  BG_ASSIGN_OR_RETURN(const json body, BodyOf(verdict));
  BG_ASSIGN_OR_RETURN(Kept kept, KeptClaims(verdict, body, policy));
  AddUnmade(policy, &kept);
  if (!kept.missing.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the policy reads ", absl::StrJoin(kept.missing, ", "),
                     ", which the host's last verdict did not keep"));
  }
  Judged judged;
  judged.policy_id = policy.id();
  TakeFailures(body, Take::kOthers, &judged);
  CheckMask(policy, quoted_mask, &judged);
  AddEvaluation(policy::Evaluate(policy, kept.claims), &judged);
  judged.outcome = judged.codes.empty() ? kAdmit : kDeny;
  return judged;
}

}  // namespace bootgate::gatekeeper::rollout

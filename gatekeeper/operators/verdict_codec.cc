#include "gatekeeper/operators/verdict_codec.h"

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "bootgate/v1/fleet.pb.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/operators/host_codec.h"
#include "gatekeeper/rollout/judged.h"

namespace bootgate::gatekeeper::operators {
namespace {

using nlohmann::json;

std::string TextOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? Printable(found->get<std::string>(), 4096)
                                                     : std::string();
}

v1::FindingSeverity SeverityOf(const std::string& name) {
  if (name == Name(Severity::kFail)) return v1::FINDING_SEVERITY_FAILURE;
  if (name == Name(Severity::kWarning)) return v1::FINDING_SEVERITY_WARNING;
  return name == Name(Severity::kInfo) ? v1::FINDING_SEVERITY_INFO
                                       : v1::FINDING_SEVERITY_UNSPECIFIED;
}

void EncodeFindings(const json& body, v1::Verdict* out) {
  const auto findings = body.find("findings");
  if (findings == body.end() || !findings->is_array()) return;
  for (const json& finding : *findings) {
    if (!finding.is_object()) continue;
    v1::Finding* const one = out->add_findings();
    one->set_code(TextOf(finding, "code"));
    one->set_severity(SeverityOf(TextOf(finding, "severity")));
    one->set_text(TextOf(finding, "text"));
    one->set_action(TextOf(finding, "action"));
    one->set_waiver_id(TextOf(finding, "waiver"));
  }
}

void EncodeCoverage(const json& body, v1::Verdict* out) {
  const auto checked = body.find("checked"), not_checked = body.find("not_checked");
  if (checked != body.end() && checked->is_array()) {
    for (const json& what : *checked)
      if (what.is_string()) out->add_checked(Printable(what.get<std::string>()));
  }
  if (not_checked == body.end() || !not_checked->is_array()) return;
  for (const json& row : *not_checked) {
    if (!row.is_object()) continue;
    v1::NotChecked* const one = out->add_not_checked();
    one->set_what(TextOf(row, "what"));
    one->set_why(TextOf(row, "why"));
  }
}

}  // namespace

void EncodeSummary(const store::VerdictRow& verdict, v1::Verdict* out) {
  out->set_id(verdict.id);
  out->set_host_id(verdict.host_id);
  Encode(verdict.at, out->mutable_at());
  if (verdict.outcome == "ADMIT") out->set_outcome(v1::OUTCOME_ADMIT);
  if (verdict.outcome == "DENY") out->set_outcome(v1::OUTCOME_DENY);
  out->set_policy_id(verdict.policy_id);
  out->set_reference_id(verdict.reference_id);
  Encode(verdict.boot, out->mutable_boot());
  const absl::StatusOr<rollout::JudgedTwice> judged = rollout::ReadJudged(verdict);
  if (!judged.ok()) return;  // a list goes on; a get says so
  for (const std::string& code : judged->enforced.codes) out->add_reasons(code);
}

absl::Status EncodeWhole(const store::VerdictRow& verdict, v1::Verdict* out) {
  EncodeSummary(verdict, out);
  const json body = json::parse(verdict.body_json, nullptr, false);
  if (!body.is_object()) {
    return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt,
                  absl::StrCat("verdict ", verdict.id, ": its body is no JSON object"));
  }
  EncodeFindings(body, out);
  EncodeCoverage(body, out);
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::operators

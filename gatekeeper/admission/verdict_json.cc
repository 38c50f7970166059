#include "gatekeeper/admission/verdict_json.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::admission {
namespace {

using Json = nlohmann::ordered_json;

Json NumberOrNull(const std::optional<uint32_t>& number) {
  return number ? Json(*number) : Json(nullptr);
}

Json ToJson(const Finding& finding) {
  Json json{{"code", std::string(Code(finding.code))},
            {"severity", Name(finding.severity)},
            {"register", NumberOrNull(finding.register_index)},
            {"event", NumberOrNull(finding.event)},
            {"expected", finding.expected},
            {"actual", finding.actual},
            {"text", finding.text},
            {"action", finding.action ? Json(std::string(Name(*finding.action))) : Json(nullptr)}};
  if (!finding.waiver.empty()) json["waiver"] = finding.waiver;
  return json;
}

// A claim as long as a boot log, by what names it.
Json LongClaim(const Claim& claim, const std::string& text) {
  return Json{{"type", claim.type},
              {"value_bytes", text.size()},
              {"value_sha256", crypto::Hash(crypto::HashAlg::kSha256, AsBytes(text)).hex()},
              {"issuer", Name(claim.issuer)}};
}

Json ToJson(const Claim& claim) {
  const auto* text = std::get_if<std::string>(&claim.value);
  if (text != nullptr && text->size() > kMaxClaimText) return LongClaim(claim, *text);
  Json value = std::visit([](const auto& held) { return Json(held); }, claim.value);
  return Json{{"type", claim.type}, {"value", std::move(value)}, {"issuer", Name(claim.issuer)}};
}

Json ToJson(const std::vector<Finding>& findings) {
  Json json = Json::array();
  for (const Finding& finding : findings) json.push_back(ToJson(finding));
  return json;
}

Json ToJson(const std::vector<NotChecked>& rows) {
  Json json = Json::array();
  for (const NotChecked& row : rows) json.push_back(Json{{"what", row.what}, {"why", row.why}});
  return json;
}

Json ToJson(const PolicyReport& report) {
  return Json{{"policy", report.policy_id},
              {"outcome", std::string(Name(report.outcome))},
              {"findings", ToJson(report.findings)},
              {"not_checked", ToJson(report.not_checked)}};
}

}  // namespace

std::string VerdictJson(const Verdict& verdict, int indent) {
  Json json{{"outcome", std::string(Name(verdict.outcome))},
            {"findings", ToJson(verdict.findings)},
            {"claims", Json::array()},
            {"checked", verdict.coverage.checked},
            {"not_checked", ToJson(verdict.coverage.not_checked)}};
  for (const Claim& claim : verdict.claims) json["claims"].push_back(ToJson(claim));
  if (verdict.report.has_value()) json["report"] = ToJson(*verdict.report);
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bootgate::gatekeeper::admission

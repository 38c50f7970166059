#include "gatekeeper/admission/trace_json.h"

#include <nlohmann/json.hpp>

namespace bootgate::gatekeeper::admission {
namespace {

using Json = nlohmann::ordered_json;
using policy::Trace;
using policy::TracedClaim;
using policy::TracedCondition;
using policy::TracedRule;

Json ToJson(const TracedClaim& claim, size_t number) {
  Json json = {{"number", number},
               {"type", claim.type},
               {"valueType", claim.value_type},
               {"issuer", Name(claim.issuer)}};
  if (claim.value) {
    json["value"] = std::visit([](const auto& held) { return Json(held); }, *claim.value);
  }
  json["events"] = claim.events;
  json["event_count"] = claim.event_count;
  return json;
}

Json ToJson(const TracedRule& rule) {
  Json json = {{"section", rule.section},
               {"line", rule.line},
               {"rule", rule.text},
               {"ran", rule.ran},
               {"made", rule.made},
               {"made_claims", rule.made_claims},
               {"from_claims", rule.from_claims}};
  json["failed_condition"] = rule.failed_condition ? Json(*rule.failed_condition) : Json(nullptr);
  json["error"] = rule.error_kind.empty() ? Json(nullptr) : Json(rule.error_kind);
  json["conditions"] = Json::array();
  for (const TracedCondition& condition : rule.conditions) {
    json["conditions"].push_back({{"line", condition.line},
                                  {"column", condition.column},
                                  {"negated", condition.negated},
                                  {"holds", condition.holds},
                                  {"selected", condition.selected},
                                  {"claims", condition.claims}});
  }
  return json;
}

}  // namespace

std::string TraceJson(const Trace& trace) {
  Json json = {{"rules", Json::array()}, {"claims", Json::array()}};
  for (const TracedRule& rule : trace.rules) json["rules"].push_back(ToJson(rule));
  for (const TracedClaim& claim : trace.claims) {
    json["claims"].push_back(ToJson(claim, json["claims"].size()));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bootgate::gatekeeper::admission

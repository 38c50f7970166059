#include "gatekeeper/cli/policy_case.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/parse.h"
#include "gatekeeper/token/claims.h"

namespace bootgate::gatekeeper::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxShown = 200;  // bytes of a value in a difference

absl::Status Wrong(absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

absl::StatusOr<ClaimValue> ValueOf(const json::Value& value, absl::string_view where) {
  switch (value.kind()) {
    case json::Kind::kFalse:
    case json::Kind::kTrue:
      return ClaimValue(value.is_true());
    case json::Kind::kInteger:
      return ClaimValue(value.integer());
    case json::Kind::kString:
      return ClaimValue(std::string(value.text()));
    default:
      return Wrong(where, "value must be a Boolean, an Integer of 64 bits or a String");
  }
}

absl::StatusOr<Issuer> IssuerOf(const json::Value* issuer, absl::string_view where) {
  if (issuer == nullptr) return Issuer::kAttestationService;
  for (const Issuer known : {Issuer::kAttestationService, Issuer::kCustomClaim}) {
    if (issuer->is_string() && issuer->text() == Name(known)) return known;
  }
  return Wrong(where, "issuer must be AttestationService or CustomClaim");
}

absl::StatusOr<ClaimValue> HeldBy(const json::Value& row, absl::string_view where) {
  const json::Value* const value = row.Find("value");
  const json::Value* const document = row.Find("json");
  if ((value == nullptr) == (document == nullptr)) {
    return Wrong(where, "needs one of value and json");
  }
  if (value != nullptr) return ValueOf(*value, where);
  json::Budget budget;
  std::optional<std::string> text = json::CanonicalText(*document, budget);
  if (!text) return Wrong(where, "the JSON is too large");
  return ClaimValue(*std::move(text));
}

absl::StatusOr<Claim> ClaimOf(const json::Value& row, size_t number) {
  const std::string where = absl::StrCat("claim ", number + 1);
  const json::Value* const type = row.Find("type");
  if (type == nullptr || !type->is_string()) return Wrong(where, "needs a type, a string");
  Claim claim;
  claim.type = std::string(type->text());
  BG_ASSIGN_OR_RETURN(claim.value, HeldBy(row, where));
  BG_ASSIGN_OR_RETURN(claim.issuer, IssuerOf(row.Find("issuer"), where));
  const json::Value* const read_only = row.Find("readOnly");
  claim.read_only = read_only != nullptr && read_only->is_true();
  return claim;
}

Json ToJson(const ClaimValue& value) {
  return std::visit([](const auto& held) { return Json(held); }, value);
}

Json ToJson(const std::vector<Claim>& claims) {
  Json list = Json::array();
  for (const Claim& claim : claims) {
    list.push_back({{"type", claim.type},
                    {"value", ToJson(claim.value)},
                    {"valueType", ValueTypeName(claim.value)},
                    {"issuer", Name(claim.issuer)}});
  }
  return list;
}

Json Configured(const policy::Policy& policy) {
  Json settings = Json::object();
  for (const policy::Setting& setting : policy.configuration().settings) {
    settings[setting.name] = ToJson(setting.value);
  }
  return settings;
}

std::string Text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Adds a line for each place where two values differ; does not look into lists of other lengths.
void Compare(const std::string& at, const nlohmann::json& expected, const nlohmann::json& actual,
             std::vector<std::string>* lines) {
  if (expected == actual) return;
  const bool both_objects = expected.is_object() && actual.is_object();
  const bool both_lists =
      expected.is_array() && actual.is_array() && expected.size() == actual.size();
  const auto below = [&](const std::string& name) { return at.empty() ? name : at + "." + name; };
  if (both_lists) {
    for (size_t i = 0; i < expected.size(); ++i) {
      Compare(absl::StrCat(at, "[", i, "]"), expected[i], actual[i], lines);
    }
  } else if (both_objects) {
    const nlohmann::json none;
    for (const auto& [name, value] : expected.items()) {
      const auto other = actual.find(name);
      Compare(below(name), value, other == actual.end() ? none : *other, lines);
    }
    for (const auto& [name, value] : actual.items()) {
      if (!expected.contains(name)) Compare(below(name), none, value, lines);
    }
  } else {
    const auto shown = [](const nlohmann::json& value) {
      return Printable(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                       kMaxShown);
    };
    lines->push_back(absl::StrCat(Printable(at, kMaxShown), ": expected ", shown(expected), ", is ",
                                  shown(actual)));
  }
}

}  // namespace

absl::StatusOr<CaseInput> ReadCaseInput(absl::string_view text) {
  json::Arena arena;
  BG_ASSIGN_OR_RETURN(const json::Value root, json::Parse(text, arena));
  CaseInput input;
  const json::Value* claims = &root;
  if (root.is_object()) {
    claims = root.Find("claims");
    const json::Value* const description = root.Find("description");
    const json::Value* const policy = root.Find("policy");
    if (description != nullptr && description->is_string()) {
      input.description = std::string(description->text());
    }
    if (policy != nullptr && policy->is_string()) input.policy = std::string(policy->text());
  }
  if (claims == nullptr || !claims->is_array()) return Wrong("claims", "needs a list of claims");
  for (const json::Value& row : claims->items()) {
    BG_ASSIGN_OR_RETURN(Claim claim, ClaimOf(row, input.claims.size()));
    input.claims.push_back(std::move(claim));
  }
  return input;
}

std::string RefusalText(const policy::ParseError& error) {
  return Text({{"result", "parse-error"},
               {"error", {{"kind", error.kind}, {"line", error.line}, {"column", error.column}}}});
}

std::string OutcomeText(const policy::Policy& policy, const policy::Evaluation& evaluation) {
  Json out;
  switch (evaluation.decision) {
    case policy::Decision::kError:
      out = {{"result", "evaluation-error"},
             {"error", {{"kind", evaluation.error_kind}, {"line", evaluation.error_line}}}};
      break;
    case policy::Decision::kDeny:
      out = {{"result", "deny"}, {"configuration", Configured(policy)}};
      out["denyRuleLine"] =
          evaluation.deny_rule_line ? Json(*evaluation.deny_rule_line) : Json(nullptr);
      break;
    case policy::Decision::kPermit:
      out = {{"result", "permit"},
             {"configuration", Configured(policy)},
             {"outgoing", ToJson(evaluation.outgoing)},
             {"properties", ToJson(evaluation.properties)},
             {"token", Json::parse(token::PolicyClaimsText(evaluation.outgoing))}};
      break;
  }
  std::set<std::string> codes;
  for (const policy::Warning& warning : policy.warnings()) codes.insert(warning.code);
  out["warnings"] = codes;
  return Text(out);
}

absl::StatusOr<std::vector<std::string>> DiffOutcomes(absl::string_view expected,
                                                      absl::string_view actual) {
  // Parsed by our own reader first: its limits hold for both.
  json::Arena arena;
  BG_ASSIGN_OR_RETURN(const json::Value known, json::Parse(expected, arena));
  if (!known.is_object()) return Wrong("the expected outcome", "is no JSON object");
  const auto parse = [](absl::string_view text) {
    return nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  };
  std::vector<std::string> lines;
  Compare("", parse(expected), parse(actual), &lines);
  return lines;
}

}  // namespace bootgate::gatekeeper::cli

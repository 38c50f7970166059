#include "gatekeeper/policy/checks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "gatekeeper/policy/selection.h"

namespace bootgate::gatekeeper::policy {
namespace {

constexpr size_t kMaxShownName = 64;  // bytes of a name in a message

std::optional<ParseError> WrongType(const Expression& at, std::string message) {
  return Problem(at.place, "type", std::move(message));
}

// A known setting with a value it cannot have. 3.6.
std::optional<ParseError> CheckSetting(absl::string_view name, const Expression& value) {
  const ClaimValue& literal = *LiteralOf(value);
  if (name == "require_valid_aik_cert" && !std::holds_alternative<bool>(literal)) {
    return WrongType(value, "require_valid_aik_cert takes true or false");
  }
  if (name == kRequiredPcrMask) {
    const auto* mask = std::get_if<int64_t>(&literal);
    if (mask == nullptr || *mask < 0 || *mask > int64_t{kAllPcrs}) {
      return WrongType(value, "required_pcr_mask takes an integer from 0 to 0xFFFFFF");
    }
  }
  if (name == "x-ms-sgx-tcbidentifier" && !std::holds_alternative<std::string>(literal)) {
    return WrongType(value, "x-ms-sgx-tcbidentifier takes a string");
  }
  return std::nullopt;
}

bool IsKnownSetting(absl::string_view name) {
  return name == "require_valid_aik_cert" || name == kRequiredPcrMask ||
         name == "x-ms-sgx-tcbidentifier";
}

void Keep(const std::string& name, const ClaimValue& value, Configuration* configuration) {
  if (name == "require_valid_aik_cert")
    configuration->require_valid_aik_cert = std::get<bool>(value);
  if (name == kRequiredPcrMask) {
    configuration->required_pcr_mask = static_cast<uint32_t>(std::get<int64_t>(value));
  }
  auto& settings = configuration->settings;
  const auto known = std::find_if(settings.begin(), settings.end(),
                                  [&](const Setting& setting) { return setting.name == name; });
  if (known == settings.end()) {
    settings.push_back({name, value});
  } else {
    known->value = value;
  }
}

}  // namespace

ParseError Problem(Place place, absl::string_view kind, std::string message) {
  return {std::string(kind), place.line, place.column, std::move(message)};
}

std::optional<ParseError> CheckVerb(Section section, Verb verb, Place place) {
  const bool decides = verb == Verb::kPermit || verb == Verb::kDeny;
  if (section == Section::kConfiguration && verb != Verb::kIssueProperty) {
    return Problem(place, "section", "configurationrules take issueproperty only");
  }
  if (section == Section::kIssuance && decides) {
    return Problem(place, "section", "permit and deny belong into authorizationrules");
  }
  if (section == Section::kAuthorization && verb == Verb::kIssueProperty) {
    return Problem(place, "section", "issueproperty belongs into issuancerules");
  }
  return std::nullopt;
}

std::optional<ParseError> CheckOperator(const Comparison& comparison) {
  if (comparison.property == Property::kValue || !IsRelational(comparison.op)) return std::nullopt;
  return Problem(comparison.place, "type", "only value can be compared with < <= > >=");
}

std::optional<ParseError> CheckRightSide(const Comparison& comparison) {
  const ClaimValue* literal = LiteralOf(comparison.right);
  if (literal == nullptr) return std::nullopt;
  if (comparison.property != Property::kValue && !std::holds_alternative<std::string>(*literal)) {
    return WrongType(comparison.right, "type, valueType and issuer are strings");
  }
  if (IsRelational(comparison.op) && !std::holds_alternative<int64_t>(*literal)) {
    return WrongType(comparison.right, "< <= > >= compare integers");
  }
  return std::nullopt;
}

std::optional<ParseError> CheckFunction(absl::string_view name, Version version, Section section,
                                        Place place) {
  if (version < Version::k12) return Problem(place, "version", "functions need version 1.2");
  if (section == Section::kConfiguration) {
    return Problem(place, "section", "configurationrules take literals only");
  }
  const FunctionRow* row = FindFunction(name);
  if (row == nullptr) {
    return Problem(place, "unknown-function",
                   absl::StrCat("there is no function ", Printable(name, kMaxShownName)));
  }
  return std::nullopt;
}

std::optional<ParseError> CheckArguments(const Call& call, Place place) {
  const FunctionRow& row = *call.function;
  if (call.arguments.size() != row.arity) {
    return Problem(place, "arity",
                   absl::StrCat(row.name, " takes ", row.arity, " argument",
                                row.arity == 1 ? "" : "s", ", not ", call.arguments.size()));
  }
  for (size_t i = 0; i < row.arity; ++i) {
    const ClaimValue* literal = LiteralOf(call.arguments[i]);
    if (literal != nullptr && !Accepts(row.parameters[i], *literal)) {
      return WrongType(call.arguments[i],
                       absl::StrCat(row.name, " takes no ", ValueTypeName(*literal), " here"));
    }
  }
  return std::nullopt;
}

std::optional<ParseError> CompileLiteralQuery(Call* call) {
  if (call->function->function != Function::kJmesPath) return std::nullopt;
  const std::string* const text = StringLiteralOf(call->arguments[1]);
  if (text == nullptr) return std::nullopt;
  auto compiled = CompileQuery(*text);
  if (auto* problem = std::get_if<std::string>(&compiled)) {
    return Problem(call->arguments[1].place, "jmespath", std::move(*problem));
  }
  call->query = std::get<jmespath::Expression>(std::move(compiled));
  return std::nullopt;
}

std::optional<ParseError> ApplySetting(const ClaimArguments& arguments,
                                       Configuration* configuration, WarningList* warnings) {
  const auto* name = std::get_if<std::string>(LiteralOf(*arguments.type));
  if (name == nullptr) return WrongType(*arguments.type, "the name of a setting is a string");
  if (auto problem = CheckSetting(*name, *arguments.value)) return problem;
  const ClaimValue& value = *LiteralOf(*arguments.value);
  if (arguments.value_type &&
      *LiteralOf(*arguments.value_type) != ClaimValue(ValueTypeName(value))) {
    return WrongType(*arguments.value_type, "valueType does not name the type of the value");
  }
  if (!IsKnownSetting(*name)) warnings->Add(WarningCode::kUnknownSetting, arguments.type->place);
  Keep(*name, value, configuration);
  return std::nullopt;
}

}  // namespace bootgate::gatekeeper::policy

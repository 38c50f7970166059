#include "gatekeeper/policy/print.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace bootgate::gatekeeper::policy {
namespace {

// In the order of their enums.
constexpr const char* kVersionNames[] = {"1.0", "1.1", "1.2"};
constexpr const char* kSectionNames[] = {"configurationrules", "authorizationrules",
                                         "issuancerules"};
constexpr const char* kPropertyNames[] = {"type", "value", "valueType", "issuer"};
constexpr const char* kOperatorNames[] = {"==", "!=", "<", "<=", ">", ">="};
constexpr const char* kVerbNames[] = {"permit", "deny", "add", "issue", "issueproperty"};

template <typename Enum, size_t kRows>
const char* NameIn(const char* const (&names)[kRows], Enum value) {
  return names[static_cast<size_t>(value)];
}

std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

std::string PrintLiteral(const ClaimValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<int64_t>(&value)) return absl::StrCat(*number);
  return Quoted(std::get<std::string>(value));
}

// As deep as the parser let calls nest.
void PrintExpression(const Rule& rule, const Expression& expression, std::string* out) {
  if (const auto* literal = std::get_if<ClaimValue>(&expression.form)) {
    *out += PrintLiteral(*literal);
  } else if (const auto* reference = std::get_if<Reference>(&expression.form)) {
    absl::StrAppend(out, rule.conditions[reference->condition].identifier, ".",
                    NameIn(kPropertyNames, reference->property));
  } else {
    const Call& call = std::get<Call>(expression.form);
    absl::StrAppend(out, call.function->name, "(");
    for (size_t i = 0; i < call.arguments.size(); ++i) {
      if (i > 0) *out += ", ";
      PrintExpression(rule, call.arguments[i], out);
    }
    *out += ")";
  }
}

void PrintCondition(const Rule& rule, const Condition& condition, std::string* out) {
  if (condition.negated) *out += "!";
  if (!condition.identifier.empty()) absl::StrAppend(out, condition.identifier, ":");
  *out += "[";
  for (size_t i = 0; i < condition.comparisons.size(); ++i) {
    const Comparison& comparison = condition.comparisons[i];
    absl::StrAppend(out, i > 0 ? ", " : "", NameIn(kPropertyNames, comparison.property), " ",
                    NameIn(kOperatorNames, comparison.op), " ");
    PrintExpression(rule, comparison.right, out);
  }
  *out += "]";
}

void PrintAction(const Rule& rule, std::string* out) {
  const Action& action = rule.action;
  absl::StrAppend(out, NameIn(kVerbNames, action.verb), "(");
  if (const auto* copy = std::get_if<ClaimCopy>(&action.arguments)) {
    absl::StrAppend(out, "claim = ", rule.conditions[copy->condition].identifier);
  } else if (const auto* made = std::get_if<ClaimArguments>(&action.arguments)) {
    *out += "type = ";
    PrintExpression(rule, *made->type, out);
    *out += ", value = ";
    PrintExpression(rule, *made->value, out);
    if (made->value_type) {
      *out += ", valueType = ";
      PrintExpression(rule, *made->value_type, out);
    }
  }
  *out += ");";
}

void PrintSection(Section section, const std::vector<Rule>& rules, std::string* out) {
  absl::StrAppend(out, "\n", NameIn(kSectionNames, section), "\n{\n");
  for (const Rule& rule : rules) absl::StrAppend(out, "    ", Print(rule), "\n");
  *out += "};\n";
}

bool Same(const Expression& a, const Expression& b);

bool Same(const std::optional<Expression>& a, const std::optional<Expression>& b) {
  return a.has_value() == b.has_value() && (!a || Same(*a, *b));
}

bool Same(const Reference& a, const Reference& b) {
  return a.condition == b.condition && a.property == b.property;
}

bool Same(const Call& a, const Call& b) {
  return a.function == b.function &&
         std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(),
                    [](const Expression& x, const Expression& y) { return Same(x, y); });
}

bool Same(const Expression& a, const Expression& b) {
  if (a.form.index() != b.form.index()) return false;
  if (const auto* literal = std::get_if<ClaimValue>(&a.form)) {
    return *literal == std::get<ClaimValue>(b.form);
  }
  if (const auto* reference = std::get_if<Reference>(&a.form)) {
    return Same(*reference, std::get<Reference>(b.form));
  }
  return Same(std::get<Call>(a.form), std::get<Call>(b.form));
}

bool Same(const Comparison& a, const Comparison& b) {
  return a.property == b.property && a.op == b.op && Same(a.right, b.right);
}

bool Same(const Condition& a, const Condition& b) {
  return a.negated == b.negated && a.identifier == b.identifier &&
         std::equal(a.comparisons.begin(), a.comparisons.end(), b.comparisons.begin(),
                    b.comparisons.end(),
                    [](const Comparison& x, const Comparison& y) { return Same(x, y); });
}

bool Same(const Action& a, const Action& b) {
  if (a.verb != b.verb || a.arguments.index() != b.arguments.index()) return false;
  if (const auto* copy = std::get_if<ClaimCopy>(&a.arguments)) {
    return copy->condition == std::get<ClaimCopy>(b.arguments).condition;
  }
  const auto* made = std::get_if<ClaimArguments>(&a.arguments);
  if (made == nullptr) return true;
  const auto& other = std::get<ClaimArguments>(b.arguments);
  return Same(made->type, other.type) && Same(made->value, other.value) &&
         Same(made->value_type, other.value_type);
}

bool Same(const std::vector<Rule>& a, const std::vector<Rule>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Rule& x, const Rule& y) {
    return Same(x.action, y.action) &&
           std::equal(x.conditions.begin(), x.conditions.end(), y.conditions.begin(),
                      y.conditions.end(),
                      [](const Condition& c, const Condition& d) { return Same(c, d); });
  });
}

}  // namespace

std::string Print(const Rule& rule) {
  std::string out;
  for (size_t i = 0; i < rule.conditions.size(); ++i) {
    if (i > 0) out += " && ";
    PrintCondition(rule, rule.conditions[i], &out);
  }
  absl::StrAppend(&out, rule.conditions.empty() ? "" : " ", "=> ");
  PrintAction(rule, &out);
  return out;
}

std::string Print(const Program& program) {
  std::string out = absl::StrCat("version = ", NameIn(kVersionNames, program.version), ";\n");
  if (!program.configuration.empty()) {
    PrintSection(Section::kConfiguration, program.configuration, &out);
  }
  PrintSection(Section::kAuthorization, program.authorization, &out);
  if (!program.issuance.empty()) PrintSection(Section::kIssuance, program.issuance, &out);
  return out;
}

bool SameProgram(const Program& a, const Program& b) {
  return a.version == b.version && Same(a.configuration, b.configuration) &&
         Same(a.authorization, b.authorization) && Same(a.issuance, b.issuance);
}

}  // namespace bootgate::gatekeeper::policy

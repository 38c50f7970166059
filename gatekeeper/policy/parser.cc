#include "gatekeeper/policy/parser.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "gatekeeper/policy/checks.h"
#include "gatekeeper/policy/limits.h"
#include "gatekeeper/policy/text.h"

namespace bootgate::gatekeeper::policy {
namespace {

constexpr size_t kMaxShownToken = 40;  // bytes of a token in a message

template <typename T>
struct Named {
  absl::string_view name;
  T value;
};

constexpr Named<Section> kSections[] = {{"configurationrules", Section::kConfiguration},
                                        {"authorizationrules", Section::kAuthorization},
                                        {"issuancerules", Section::kIssuance}};
constexpr Named<Version> kVersions[] = {
    {"1.0", Version::k10}, {"1.1", Version::k11}, {"1.2", Version::k12}};
constexpr Named<Verb> kVerbs[] = {{"permit", Verb::kPermit},
                                  {"deny", Verb::kDeny},
                                  {"add", Verb::kAdd},
                                  {"issue", Verb::kIssue},
                                  {"issueproperty", Verb::kIssueProperty}};
constexpr Named<Property> kProperties[] = {{"type", Property::kType},
                                           {"value", Property::kValue},
                                           {"valueType", Property::kValueType},
                                           {"issuer", Property::kIssuer}};

struct OperatorToken {
  TokenKind token;
  Operator op;
};
constexpr OperatorToken kOperators[] = {{TokenKind::kEqual, Operator::kEqual},
                                        {TokenKind::kAssign, Operator::kEqual},
                                        {TokenKind::kNotEqual, Operator::kNotEqual},
                                        {TokenKind::kLess, Operator::kLess},
                                        {TokenKind::kLessEqual, Operator::kLessEqual},
                                        {TokenKind::kGreater, Operator::kGreater},
                                        {TokenKind::kGreaterEqual, Operator::kGreaterEqual}};

absl::string_view NameOf(Section section) { return kSections[static_cast<size_t>(section)].name; }

}  // namespace

std::variant<ParsedPolicy, ParseError> Parse(absl::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return Problem(
        {}, "limit",
        absl::StrCat("the text has ", text.size(), " bytes; at most ", kMaxTextBytes, " are read"));
  }
  const absl::string_view body = WithoutByteOrderMark(text);
  if (const auto place = FindInvalidUtf8(body)) {
    return Problem(*place, "syntax", "the text is not UTF-8 from here on");
  }
  return Parser(body).Run();
}

std::variant<ParsedPolicy, ParseError> Parser::Run() && {
  Advance();
  if (!ReadPolicy()) return *std::move(error_);
  out_.warnings = warnings_.Take();
  return std::move(out_);
}

bool Parser::ReadPolicy() {
  if (!ReadVersion()) return false;
  std::optional<Section> last;
  bool authorized = false;
  while (const auto section = SectionHere()) {
    if (*section == Section::kConfiguration && out_.program.version < Version::k11) {
      return Fail(token_.place, "version", "configurationrules need version 1.1 or 1.2");
    }
    if (last && *section <= *last) {
      return Fail(token_.place, "syntax",
                  absl::StrCat(NameOf(*section), " cannot follow ", NameOf(*last)));
    }
    last = section;
    authorized = authorized || *section == Section::kAuthorization;
    if (!ReadSection(*section)) return false;
  }
  if (!authorized) return Unexpected("authorizationrules");
  return At(TokenKind::kEnd) || Unexpected("a section or the end of the text");
}

bool Parser::ReadVersion() {
  if (!AcceptKeyword("version")) return Unexpected("version");
  if (!At(TokenKind::kAssign)) return Unexpected("'='");
  token_ = lexer_.NextVersion();
  if (!At(TokenKind::kVersion)) return Unexpected("a version such as 1.0");
  const auto* row = std::find_if(std::begin(kVersions), std::end(kVersions),
                                 [&](const auto& v) { return v.name == token_.text; });
  if (row == std::end(kVersions)) {
    return Fail(token_.place, "unsupported-version", "the versions are 1.0, 1.1 and 1.2");
  }
  out_.program.version = row->value;
  Advance();
  return Expect(TokenKind::kSemicolon);
}

bool Parser::ReadSection(Section section) {
  AcceptKeyword(NameOf(section));
  if (!Expect(TokenKind::kLeftBrace)) return false;
  Program& program = out_.program;
  std::vector<Rule>* rules = section == Section::kConfiguration   ? &program.configuration
                             : section == Section::kAuthorization ? &program.authorization
                                                                  : &program.issuance;
  section_ = section;
  while (!At(TokenKind::kRightBrace)) {
    if (!ReadRule(section, rules)) return false;
  }
  const Place end = token_.place;
  Advance();
  if (At(TokenKind::kSemicolon)) {
    Advance();
  } else {
    warnings_.Add(WarningCode::kSectionSemicolon, end);
  }
  return true;
}

bool Parser::ReadRule(Section section, std::vector<Rule>* rules) {
  Rule rule;
  rule.place = token_.place;
  bound_.clear();
  if (++rule_count_ > kMaxRules) {
    return Fail(rule.place, "limit", absl::StrCat("a policy has at most ", kMaxRules, " rules"));
  }
  if (!ReadConditions(section, &rule)) return false;
  if (!Expect(TokenKind::kArrow)) return false;
  if (!ReadAction(section, &rule)) return false;
  if (!Expect(TokenKind::kSemicolon)) return false;
  rules->push_back(std::move(rule));
  return true;
}

bool Parser::ReadConditions(Section section, Rule* rule) {
  if (At(TokenKind::kArrow)) return true;
  const bool starts_condition =
      At(TokenKind::kIdentifier) || At(TokenKind::kLeftBracket) || At(TokenKind::kNot);
  if (!starts_condition) return Unexpected("a rule or '}'");
  if (At(TokenKind::kNot) && out_.program.version < Version::k12) {
    return Fail(token_.place, "version", "'!' needs version 1.2");
  }
  if (section == Section::kConfiguration) {
    return Fail(token_.place, "section", "configurationrules have no conditions");
  }
  while (true) {
    if (!ReadCondition(rule)) return false;
    if (!At(TokenKind::kAnd)) return true;
    Advance();
  }
}

bool Parser::ReadCondition(Rule* rule) {
  Condition condition;
  condition.place = token_.place;
  absl::string_view name;  // bound once the condition ends: it cannot use itself
  if (At(TokenKind::kNot)) {
    if (out_.program.version < Version::k12) {
      return Fail(token_.place, "version", "'!' needs version 1.2");
    }
    condition.negated = true;
    Advance();
  } else if (At(TokenKind::kIdentifier)) {
    if (!ReadIdentifier(&name)) return false;
  }
  if (!Expect(TokenKind::kLeftBracket)) return false;
  while (true) {
    Comparison comparison;
    if (!ReadComparison(&comparison)) return false;
    condition.comparisons.push_back(std::move(comparison));
    if (!At(TokenKind::kComma)) break;
    Advance();
  }
  if (!Expect(TokenKind::kRightBracket)) return false;
  if (!name.empty()) bound_[name] = rule->conditions.size();
  condition.identifier = std::string(name);
  rule->conditions.push_back(std::move(condition));
  return true;
}

bool Parser::ReadIdentifier(absl::string_view* bound_name) {
  const Token name = std::move(token_);
  Advance();
  if (!Expect(TokenKind::kColon)) return false;
  if (bound_.contains(name.text)) {
    return Fail(name.place, "duplicate-identifier",
                absl::StrCat(Printable(name.text, kMaxShownToken), " is bound twice in this rule"));
  }
  *bound_name = name.text;
  return true;
}

bool Parser::ReadComparison(Comparison* comparison) {
  if (!ReadProperty(&comparison->property)) return false;
  if (!ReadOperator(comparison) || !Passes(CheckOperator(*comparison))) return false;
  if (!ReadExpression(0, &comparison->right)) return false;
  return Passes(CheckRightSide(*comparison));
}

bool Parser::ReadOperator(Comparison* comparison) {
  const auto* row = std::find_if(std::begin(kOperators), std::end(kOperators),
                                 [&](const auto& o) { return At(o.token); });
  if (row == std::end(kOperators)) return Unexpected("a comparison operator");
  if (At(TokenKind::kAssign)) warnings_.Add(WarningCode::kSingleEquals, token_.place);
  comparison->op = row->op;
  comparison->place = token_.place;
  Advance();
  return true;
}

bool Parser::ReadAction(Section section, Rule* rule) {
  const Place place = token_.place;
  const auto* row = std::find_if(std::begin(kVerbs), std::end(kVerbs),
                                 [&](const auto& v) { return AtKeyword(v.name); });
  if (row == std::end(kVerbs)) return Unexpected("permit, deny, add, issue or issueproperty");
  if (!Passes(CheckVerb(section, row->value, place))) return false;
  AcceptKeyword(row->name);
  rule->action.place = place;
  rule->action.verb = row->value;
  if (section == Section::kAuthorization && row->value == Verb::kIssue) {
    warnings_.Add(WarningCode::kIssueAsAdd, place);
    rule->action.verb = Verb::kAdd;
  }
  const Place open = token_.place;
  if (!Expect(TokenKind::kLeftParen)) return false;
  if (row->value != Verb::kPermit && row->value != Verb::kDeny) {
    if (AtKeyword("claim")) {
      if (!ReadCopy(section, open, rule)) return false;
    } else if (!ReadClaimArguments(section, rule)) {
      return false;
    }
  }
  return Expect(TokenKind::kRightParen);
}

bool Parser::ReadCopy(Section section, Place open, Rule* rule) {
  AcceptKeyword("claim");
  if (!Expect(TokenKind::kAssign)) return false;
  if (!At(TokenKind::kIdentifier)) return Unexpected("the identifier of a condition");
  if (section == Section::kConfiguration) {
    return Fail(open, "section", "configurationrules take literals only");
  }
  ClaimCopy copy;
  if (!IsBound(token_, &copy.condition)) return false;
  rule->action.arguments = copy;
  Advance();
  return true;
}

bool Parser::ReadClaimArguments(Section section, Rule* rule) {
  ClaimArguments arguments;
  if (!ReadAssignments(&arguments)) return false;
  if (!arguments.type) return Unexpected("type = ...");
  if (!arguments.value) return Unexpected("value = ...");
  if (section == Section::kConfiguration &&
      !Passes(ApplySetting(arguments, &out_.configuration, &warnings_))) {
    return false;
  }
  rule->action.arguments = std::move(arguments);
  return true;
}

bool Parser::ReadAssignments(ClaimArguments* arguments) {
  while (true) {
    const Token name = token_;
    if (AtKeyword("issuer")) {
      return Fail(token_.place, "syntax", "the issuer of a claim cannot be assigned");
    }
    Property property = Property::kType;
    if (!ReadProperty(&property)) return false;
    std::optional<Expression>& target = property == Property::kType    ? arguments->type
                                        : property == Property::kValue ? arguments->value
                                                                       : arguments->value_type;
    if (target) {
      return Fail(name.place, "syntax",
                  absl::StrCat(Printable(name.text, kMaxShownToken), " is given twice"));
    }
    if (!Expect(TokenKind::kAssign)) return false;
    if (!ReadExpression(0, &target.emplace())) return false;
    if (!At(TokenKind::kComma)) return true;
    Advance();
  }
}

bool Parser::ReadExpression(int depth, Expression* out) {
  out->place = token_.place;
  if (At(TokenKind::kString)) {
    out->form = ClaimValue(std::move(token_.string));
  } else if (At(TokenKind::kInteger)) {
    out->form = ClaimValue(token_.integer);
  } else if (At(TokenKind::kIdentifier)) {
    const Token name = std::move(token_);
    Advance();
    return ReadNamed(name, depth, out);
  } else {
    return Unexpected("a value");
  }
  Advance();
  return true;
}

// What begins with a name: a call, a property of a bound set, true or false.
bool Parser::ReadNamed(const Token& name, int depth, Expression* out) {
  if (At(TokenKind::kLeftParen)) return ReadCall(name, depth, out);
  if (At(TokenKind::kDot)) return ReadReference(name, out);
  for (const bool value : {true, false}) {
    const absl::string_view keyword = value ? "true" : "false";
    if (!absl::EqualsIgnoreCase(name.text, keyword)) continue;
    if (name.text != keyword) warnings_.Add(WarningCode::kKeywordCase, name.place);
    out->form = ClaimValue(value);
    return true;
  }
  return Unexpected("'.' or '('");
}

bool Parser::ReadCall(const Token& name, int depth, Expression* out) {
  if (!Passes(CheckFunction(name.text, out_.program.version, section_, name.place))) return false;
  if (depth >= kMaxCallNesting) {
    return Fail(name.place, "limit", absl::StrCat("calls nest at most ", kMaxCallNesting, " deep"));
  }
  Call call;
  call.function = FindFunction(name.text);
  Advance();
  while (!At(TokenKind::kRightParen)) {
    Expression argument;
    if (!ReadExpression(depth + 1, &argument)) return false;
    call.arguments.push_back(std::move(argument));
    if (!At(TokenKind::kComma)) break;
    Advance();
    if (At(TokenKind::kRightParen)) return Unexpected("a value");
  }
  if (!Expect(TokenKind::kRightParen)) return false;
  if (!Passes(CheckArguments(call, name.place))) return false;
  if (!Passes(CompileLiteralQuery(&call))) return false;
  out->form = std::move(call);
  return true;
}

bool Parser::ReadReference(const Token& name, Expression* out) {
  Reference reference;
  if (!IsBound(name, &reference.condition)) return false;
  Advance();
  if (!ReadProperty(&reference.property)) return false;
  out->form = reference;
  return true;
}

bool Parser::ReadProperty(Property* property) {
  for (const auto& row : kProperties) {
    if (!AcceptKeyword(row.name)) continue;
    *property = row.value;
    return true;
  }
  return Unexpected("type, value, valueType or issuer");
}

bool Parser::Expect(TokenKind kind) {
  if (!At(kind)) {
    const absl::string_view name = Describe(kind);
    return Unexpected(kind < TokenKind::kLeftBrace ? std::string(name)
                                                   : absl::StrCat("'", name, "'"));
  }
  Advance();
  return true;
}

bool Parser::AtKeyword(absl::string_view keyword) const {
  return At(TokenKind::kIdentifier) && absl::EqualsIgnoreCase(token_.text, keyword);
}

bool Parser::AcceptKeyword(absl::string_view keyword) {
  if (!AtKeyword(keyword)) return false;
  if (token_.text != keyword) warnings_.Add(WarningCode::kKeywordCase, token_.place);
  Advance();
  return true;
}

std::optional<Section> Parser::SectionHere() const {
  for (const auto& row : kSections) {
    if (AtKeyword(row.name)) return row.value;
  }
  return std::nullopt;
}

bool Parser::IsBound(const Token& name, size_t* slot) {
  const auto bound = bound_.find(name.text);
  if (bound == bound_.end()) {
    return Fail(name.place, "unbound-identifier",
                absl::StrCat(Printable(name.text, kMaxShownToken),
                             " is not bound by an earlier condition of this rule"));
  }
  *slot = bound->second;
  return true;
}

bool Parser::Fail(ParseError error) {
  if (!error_) error_ = std::move(error);
  return false;
}

bool Parser::Fail(Place place, absl::string_view kind, std::string message) {
  return Fail(Problem(place, kind, std::move(message)));
}

bool Parser::Unexpected(absl::string_view expected) {
  if (At(TokenKind::kBad)) return Fail(token_.place, token_.bad_kind, token_.bad_message);
  const std::string found = At(TokenKind::kEnd)
                                ? "the end of the text"
                                : absl::StrCat("'", Printable(token_.text, kMaxShownToken), "'");
  return Fail(token_.place, "syntax", absl::StrCat("expected ", expected, ", found ", found));
}

bool Parser::Passes(std::optional<ParseError> problem) {
  return !problem || Fail(*std::move(problem));
}

}  // namespace bootgate::gatekeeper::policy

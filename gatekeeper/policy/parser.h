// Policy text to program: a recursive descent with one token of look-ahead and bounded depth.
//
// Implements: policy language specification, sections 2.4 to 2.6. Checks run as their construct is
// read, so that the first error of the text is the one reported.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gatekeeper/policy/ast.h"
#include "gatekeeper/policy/lexer.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::gatekeeper::policy {

struct ParsedPolicy {
  Program program;
  Configuration configuration;
  std::vector<Warning> warnings;
};

// `text` is of any bytes and any size.
std::variant<ParsedPolicy, ParseError> Parse(absl::string_view text);

// The work of Parse. Every Read... method returns false after recording the first error.
class Parser {
 public:
  explicit Parser(absl::string_view text) : lexer_(text, &warnings_) {}
  std::variant<ParsedPolicy, ParseError> Run() &&;

 private:
  // The grammar, top down.
  bool ReadPolicy();
  bool ReadVersion();
  bool ReadSection(Section section);
  bool ReadRule(Section section, std::vector<Rule>* rules);
  bool ReadConditions(Section section, Rule* rule);
  bool ReadCondition(Rule* rule);
  bool ReadIdentifier(absl::string_view* bound_name);
  bool ReadComparison(Comparison* comparison);
  bool ReadOperator(Comparison* comparison);
  bool ReadAction(Section section, Rule* rule);
  bool ReadClaimArguments(Section section, Rule* rule);
  bool ReadCopy(Section section, Place open, Rule* rule);
  bool ReadAssignments(ClaimArguments* arguments);
  bool ReadExpression(int depth, Expression* out);
  bool ReadNamed(const Token& name, int depth, Expression* out);
  bool ReadCall(const Token& name, int depth, Expression* out);
  bool ReadReference(const Token& name, Expression* out);
  bool ReadProperty(Property* property);

  // Tokens.
  void Advance() { token_ = lexer_.Next(); }
  bool At(TokenKind kind) const { return token_.kind == kind; }
  bool Expect(TokenKind kind);
  // At an identifier that is this keyword; Accept steps over it, with W003 when oddly spelled.
  bool AtKeyword(absl::string_view keyword) const;
  bool AcceptKeyword(absl::string_view keyword);
  std::optional<Section> SectionHere() const;
  bool IsBound(const Token& name, size_t* slot);

  // Errors; all return false.
  bool Fail(ParseError error);
  bool Fail(Place place, absl::string_view kind, std::string message);
  bool Unexpected(absl::string_view expected);
  bool Passes(std::optional<ParseError> problem);

  WarningList warnings_;
  Lexer lexer_;
  Token token_;
  Section section_ = Section::kAuthorization;
  size_t rule_count_ = 0;
  absl::flat_hash_map<absl::string_view, size_t> bound_;  // this rule's identifiers: condition
  ParsedPolicy out_;
  std::optional<ParseError> error_;
};

}  // namespace bootgate::gatekeeper::policy

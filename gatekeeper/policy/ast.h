// A policy in its compiled form: names resolved, checks passed, ready to run any number of times.
//
// Implements: policy language specification, section 2.4. Immutable once the parser has made it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gatekeeper/claims/finding.h"
#include "gatekeeper/policy/diagnostics.h"
#include "gatekeeper/policy/functions.h"
#include "gatekeeper/policy/query.h"

namespace bootgate::gatekeeper::policy {

enum class Version { k10, k11, k12 };  // ordered: later ones have all of the earlier ones
enum class Section { kConfiguration, kAuthorization, kIssuance };
enum class Property { kType, kValue, kValueType, kIssuer };
enum class Operator { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
enum class Verb { kPermit, kDeny, kAdd, kIssue, kIssueProperty };

struct Expression;

// One property of each claim that condition number `condition` of the rule selected.
struct Reference {
  size_t condition = 0;
  Property property = Property::kValue;
};

struct Call {
  const FunctionRow* function = nullptr;
  std::vector<Expression> arguments;  // as many as the function takes
  CompiledQuery query;                // of JmesPath, when the query is a literal; else null
};

struct Expression {
  Place place;
  std::variant<ClaimValue, Reference, Call> form;
};

struct Comparison {
  Place place;
  Property property = Property::kType;
  Operator op = Operator::kEqual;
  Expression right;
};

struct Condition {
  Place place;             // of its first token
  std::string identifier;  // as written; empty when it binds none
  bool negated = false;
  std::vector<Comparison> comparisons;
};

// What the action makes claims from: properties, or copies of a bound set.
struct ClaimArguments {
  std::optional<Expression> type, value, value_type;
};
struct ClaimCopy {
  size_t condition = 0;
};

struct Action {
  Place place;  // of the verb
  Verb verb = Verb::kPermit;
  std::variant<std::monostate, ClaimArguments, ClaimCopy> arguments;  // monostate: permit, deny
};

struct Rule {
  Place place;  // of its first token
  std::vector<Condition> conditions;
  Action action;
};

struct Program {
  Version version = Version::k10;
  std::vector<Rule> configuration, authorization, issuance;
};

inline bool IsRelational(Operator op) {
  return op != Operator::kEqual && op != Operator::kNotEqual;
}

}  // namespace bootgate::gatekeeper::policy

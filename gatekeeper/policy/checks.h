// The checks a policy must pass when it is read, beyond its syntax.
//
// Implements: policy language specification, sections 2.5, 3.4 (which action where) and 3.6.
// Each answers the problem it found, placed at the token to blame, or nothing.
#pragma once

#include <optional>

#include "gatekeeper/policy/ast.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::gatekeeper::policy {

ParseError Problem(Place place, absl::string_view kind, std::string message);

// Whether the section has this action; the place is the verb's.
std::optional<ParseError> CheckVerb(Section section, Verb verb, Place place);

// The operator against the property, then a literal right side against both.
std::optional<ParseError> CheckOperator(const Comparison& comparison);
std::optional<ParseError> CheckRightSide(const Comparison& comparison);

// The name of a function that is about to be called.
std::optional<ParseError> CheckFunction(absl::string_view name, Version version, Section section,
                                        Place place);

// Number of arguments, then the type of each literal one; the place is the function name's.
std::optional<ParseError> CheckArguments(const Call& call, Place place);

// Compiles the query of JmesPath where it is a literal; the place is the literal's.
std::optional<ParseError> CompileLiteralQuery(Call* call);

// Applies one rule of configurationrules, whose arguments are literals, to the configuration; an
// unknown name is kept with W006.
std::optional<ParseError> ApplySetting(const ClaimArguments& arguments,
                                       Configuration* configuration, WarningList* warnings);

}  // namespace bootgate::gatekeeper::policy

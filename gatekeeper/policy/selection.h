// What one condition can select, as far as its literals say.
//
// Implements: policy language specification, section 3.2, seen before there are any claims: for the
// reads of a policy and for the linter.
#pragma once

#include <string>

#include "gatekeeper/policy/ast.h"

namespace bootgate::gatekeeper::policy {

// One bit per Issuer.
inline constexpr unsigned kAllIssuers = 0b111;
inline unsigned BitOf(Issuer issuer) { return 1u << static_cast<unsigned>(issuer); }

struct Selection {
  const std::string* type = nullptr;  // the one type that it selects; nullptr: not known beforehand
  unsigned issuers = kAllIssuers;     // those that its literals leave
  // The comparison that no claim can satisfy together with those before it; nullptr: none.
  const Comparison* contradiction = nullptr;
};

// Borrows the condition.
Selection SelectionOf(const Condition& condition);

// The type alone; nullptr when it is not known beforehand. Cheap.
const std::string* TypeSelected(const Condition& condition);

// The literal an expression is; nullptr when it is none.
const ClaimValue* LiteralOf(const Expression& expression);
const std::string* StringLiteralOf(const Expression& expression);

}  // namespace bootgate::gatekeeper::policy

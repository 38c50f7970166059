// Value collections: what an expression yields, and how collections are reduced and compared.
//
// Implements: policy language specification, sections 3.2 (comparison), 3.8 (error kinds) and 4
// (scalar and set arguments).
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::policy {

struct Value {
  ClaimValue value;
  bool read_only = false;
};
using Values = std::vector<Value>;  // in order, equal ones kept; may be empty

// Why a rule could not be computed: a kind of section 3.8 and a sentence. Never a claim's value.
struct Failure {
  std::string kind, message;
};

using Computed = std::variant<Values, Failure>;
using ComputedScalar = std::variant<Value, Failure>;

// What one evaluation may still spend. When it is spent, everything answers with LimitFailure.
class Budget {
 public:
  // False when the budget is spent.
  [[nodiscard]] bool Step(size_t bytes = 0);
  // The same, for text that stays until the end of the evaluation.
  [[nodiscard]] bool Make(size_t bytes);

 private:
  uint64_t steps_ = 0, made_ = 0;
};
Failure LimitFailure();

// Bytes of text that a value holds.
size_t TextBytes(const ClaimValue& value);

// A collection prepared for many "is it in there" questions. Borrows the collection.
class ValueSet {
 public:
  explicit ValueSet(const Values& values);
  bool Contains(const ClaimValue& value) const;

 private:
  std::vector<const ClaimValue*> sorted_;
};

// The one distinct value of a collection, read-only when any of the equal ones is.
// Failures: empty-value, multi-valued, limit.
ComputedScalar Scalar(const Values& values, Budget& budget);

// The same, and it must be of that type. Failures: those, and type.
ComputedScalar ScalarString(const Values& values, Budget& budget);
ComputedScalar ScalarBoolean(const Values& values, Budget& budget);
ComputedScalar ScalarInteger(const Values& values, Budget& budget);

}  // namespace bootgate::gatekeeper::policy

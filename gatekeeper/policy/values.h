// Value collections: what an expression yields, and how collections are reduced and compared.
//
// Implements: policy language specification, sections 3.2 (comparison), 3.8 (error kinds) and 4
// (scalar and set arguments).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/policy/workspace.h"

namespace bootgate::gatekeeper::policy {

// What a claim holds while an evaluation runs. A String is never null.
using Held = std::variant<bool, int64_t, StringValue*>;

struct Value {
  Held held;
  bool read_only = false;
};
using Values = std::vector<Value>;  // in order, equal ones kept; may be empty

using Computed = std::variant<Values, Failure>;
using ComputedScalar = std::variant<Value, Failure>;

// A claim as Held, its text borrowed; and back, which makes texts: nullopt when the budget is
// spent.
Held HeldOf(const ClaimValue& value, Workspace& workspace);
std::optional<ClaimValue> ClaimValueOf(const Held& held, Workspace& workspace);

// "Boolean", "Integer", "String".
absl::string_view TypeNameOf(const Held& held);

// By type and value. Nullopt when the budget is spent.
std::optional<bool> SameValue(const Held& a, const Held& b, Workspace& workspace);

// A collection prepared for many "is it in there" questions.
class ValueSet {
 public:
  explicit ValueSet(const Values& values);
  // Nullopt when the budget is spent.
  std::optional<bool> Contains(const Held& held, Workspace& workspace);

 private:
  bool Index(Workspace& workspace);

  bool holds_[2] = {false, false};  // false, true
  absl::flat_hash_set<int64_t> numbers_;
  std::vector<StringValue*> strings_;             // compared one by one while there are few
  absl::flat_hash_set<absl::string_view> texts_;  // of strings_, once there are many
};

// The one distinct value of a collection, read-only when any of the equal ones is.
// Failures: empty-value, multi-valued, limit.
ComputedScalar Scalar(const Values& values, Workspace& workspace);

// The same, and it must be of that type. Failures: those, and type.
ComputedScalar ScalarString(const Values& values, Workspace& workspace);
ComputedScalar ScalarBoolean(const Values& values, Workspace& workspace);
ComputedScalar ScalarInteger(const Values& values, Workspace& workspace);

}  // namespace bootgate::gatekeeper::policy

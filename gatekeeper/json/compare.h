// Equality and order of values.
#pragma once

#include <compare>
#include <optional>

#include "gatekeeper/json/budget.h"
#include "gatekeeper/json/value.h"

namespace bootgate::gatekeeper::json {

// Deep and exact: numbers by value (1 equals 1.0, never 1.0000000000000001), objects without regard
// to the order of members. Nothing when the budget is spent. Does not recurse.
std::optional<bool> Equal(const Value& a, const Value& b, Budget& budget);

// Both must be numbers.
std::strong_ordering CompareNumbers(const Value& a, const Value& b);

// The nearest double of a number; infinite for big integers beyond all doubles.
double AsDouble(const Value& number);

}  // namespace bootgate::gatekeeper::json

// What one evaluation works with: its budget, and the memory for what it makes.
//
// One thread. Everything handed out lives as long as the workspace.
#pragma once

#include <deque>
#include <utility>

#include "gatekeeper/json/arena.h"
#include "gatekeeper/json/budget.h"
#include "gatekeeper/policy/jmespath/expression.h"
#include "gatekeeper/policy/limits.h"
#include "gatekeeper/policy/string_value.h"

namespace bootgate::gatekeeper::policy {

class Workspace {
 public:
  Workspace() : arena_(kMaxArenaBytes), budget_(kMaxSteps, kMaxMadeBytes) {}

  json::Arena& arena() { return arena_; }
  json::Budget& budget() { return budget_; }

  // False when the budget is spent: one step, and one for each kBytesPerStep.
  [[nodiscard]] bool Step(size_t bytes = 0) {
    return budget_.Step(1 + static_cast<int64_t>(bytes) / kBytesPerStep);
  }
  // The same for text that is parsed.
  [[nodiscard]] bool Parse(size_t bytes) {
    return budget_.Step(1 + static_cast<int64_t>(bytes) / kParsedBytesPerStep);
  }
  // The same for so many values in it.
  [[nodiscard]] bool ParseValues(size_t values) {
    return budget_.Step(static_cast<int64_t>(values) * kStepsPerParsedValue);
  }
  // The same for text that was made of so many JSON values.
  [[nodiscard]] bool Printed(size_t bytes, int64_t values) {
    return budget_.Step(values * kStepsPerPrintedValue +
                        static_cast<int64_t>(bytes) / kPrintedBytesPerStep);
  }
  // The same for text that stays until the end of the evaluation.
  [[nodiscard]] bool Keep(size_t bytes) {
    return budget_.Bytes(static_cast<int64_t>(bytes)) && Step(bytes);
  }

  // A query that what it found may borrow from.
  const jmespath::Expression& Keep(jmespath::Expression query) {
    return queries_.emplace_back(std::move(query));
  }

  // A new String from what a StringValue is made from.
  template <typename From>
  StringValue* New(From&& from) {
    return &strings_.emplace_back(std::forward<From>(from));
  }

 private:
  json::Arena arena_;
  json::Budget budget_;
  std::deque<jmespath::Expression> queries_;
  std::deque<StringValue> strings_;  // both grow only: pointers into them stay good
};

}  // namespace bootgate::gatekeeper::policy

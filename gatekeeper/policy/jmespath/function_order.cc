// Functions that put things in order. All numbers or all strings; strings by code points. Equal
// ones keep their order; of equal ones the first is the greatest and the least.
#include <algorithm>
#include <bit>
#include <vector>

#include "gatekeeper/json/compare.h"
#include "gatekeeper/policy/jmespath/function_rows.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

using json::Value;

constexpr int64_t kBytesAStep = 32;  // compared

// Something to put in order, and by what.
struct Keyed {
  Value key;
  Value value;
};

bool Less(const Value& a, const Value& b) {
  return a.is_string() ? a.text() < b.text() : json::CompareNumbers(a, b) < 0;  // as UTF-8 is made
}

bool KeyLess(const Keyed& a, const Keyed& b) { return Less(a.key, b.key); }

// What looking at every key once costs.
int64_t LookSteps(absl::Span<const Keyed> items) {
  int64_t steps = static_cast<int64_t>(items.size());
  for (const Keyed& item : items) {
    if (item.key.is_string() || item.key.kind() == json::Kind::kBigInteger) {
      steps += static_cast<int64_t>(item.key.text().size()) / kBytesAStep;
    }
  }
  return steps;
}

std::vector<Keyed> ByThemselves(absl::Span<const Value> values) {
  std::vector<Keyed> items;
  items.reserve(values.size());
  for (const Value& value : values) items.push_back({value, value});
  return items;
}

// Each value with what the expression makes of it; the keys must be alike.
bool ByExpression(Evaluator& evaluator, Arguments arguments, std::vector<Keyed>* items) {
  for (const Value& value : arguments[0].value.items()) {
    Value key;
    if (!evaluator.Run(arguments[1].expression, value, &key)) return false;
    const bool first = items->empty();
    const bool fits = first ? key.is_number() || key.is_string()
                            : key.is_number() == items->front().key.is_number() &&
                                  key.is_string() == items->front().key.is_string();
    if (!fits) {
      return evaluator.Fail(ErrorKind::kInvalidType,
                            "the expression must give numbers alone or strings alone");
    }
    items->push_back({key, value});
  }
  return true;
}

bool Sort(Evaluator& evaluator, std::vector<Keyed> items, Value* out) {
  const auto rounds = static_cast<int64_t>(std::bit_width(items.size()));
  if (!evaluator.Step(rounds * LookSteps(items))) return false;
  std::stable_sort(items.begin(), items.end(), KeyLess);
  std::vector<Value> values;
  values.reserve(items.size());
  for (const Keyed& item : items) values.push_back(item.value);
  return evaluator.Keep(values, out);
}

bool Greatest(Evaluator& evaluator, absl::Span<const Keyed> items, Value* out) {
  *out = Value();
  if (!evaluator.Step(LookSteps(items))) return false;
  const auto found = std::max_element(items.begin(), items.end(), KeyLess);
  if (found != items.end()) *out = found->value;
  return true;
}

bool Least(Evaluator& evaluator, absl::Span<const Keyed> items, Value* out) {
  *out = Value();
  if (!evaluator.Step(LookSteps(items))) return false;
  const auto found = std::min_element(items.begin(), items.end(), KeyLess);
  if (found != items.end()) *out = found->value;
  return true;
}

}  // namespace

bool RunMax(Evaluator& evaluator, Arguments arguments, Value* out) {
  return Greatest(evaluator, ByThemselves(arguments[0].value.items()), out);
}

bool RunMin(Evaluator& evaluator, Arguments arguments, Value* out) {
  return Least(evaluator, ByThemselves(arguments[0].value.items()), out);
}

bool RunMaxBy(Evaluator& evaluator, Arguments arguments, Value* out) {
  std::vector<Keyed> items;
  return ByExpression(evaluator, arguments, &items) && Greatest(evaluator, items, out);
}

bool RunMinBy(Evaluator& evaluator, Arguments arguments, Value* out) {
  std::vector<Keyed> items;
  return ByExpression(evaluator, arguments, &items) && Least(evaluator, items, out);
}

bool RunSort(Evaluator& evaluator, Arguments arguments, Value* out) {
  return Sort(evaluator, ByThemselves(arguments[0].value.items()), out);
}

bool RunSortBy(Evaluator& evaluator, Arguments arguments, Value* out) {
  std::vector<Keyed> items;
  return ByExpression(evaluator, arguments, &items) && Sort(evaluator, std::move(items), out);
}

}  // namespace bootgate::gatekeeper::policy::jmespath

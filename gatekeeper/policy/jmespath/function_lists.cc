// Functions on arrays and objects.
#include <bit>
#include <vector>

#include "gatekeeper/json/members.h"
#include "gatekeeper/policy/jmespath/function_rows.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

using json::Member;
using json::Value;

constexpr int64_t kBytesAStep = 64;  // compared

// For finding equal names: each is compared with some others.
int64_t NameSteps(absl::Span<const Member> members) {
  constexpr int64_t kComparisons = 24;
  int64_t bytes = 0;
  for (const Member& member : members) bytes += static_cast<int64_t>(member.name.size());
  const auto rounds = static_cast<int64_t>(std::bit_width(members.size()));
  return static_cast<int64_t>(members.size()) * rounds + bytes / kBytesAStep * kComparisons;
}

}  // namespace

bool RunKeys(Evaluator& evaluator, Arguments arguments, Value* out) {
  const absl::Span<const Member> members = arguments[0].value.members();
  if (!evaluator.Step(static_cast<int64_t>(members.size()))) return false;
  std::vector<Value> names;
  names.reserve(members.size());
  for (const Member& member : members) names.push_back(Value::String(member.name));
  return evaluator.Keep(names, out);
}

bool RunValues(Evaluator& evaluator, Arguments arguments, Value* out) {
  const absl::Span<const Member> members = arguments[0].value.members();
  if (!evaluator.Step(static_cast<int64_t>(members.size()))) return false;
  std::vector<Value> values;
  values.reserve(members.size());
  for (const Member& member : members) values.push_back(member.value);
  return evaluator.Keep(values, out);
}

// Nulls stay.
bool RunMap(Evaluator& evaluator, Arguments arguments, Value* out) {
  std::vector<Value> results;
  for (const Value& item : arguments[1].value.items()) {
    if (!evaluator.Run(arguments[0].expression, item, &results.emplace_back())) return false;
  }
  return evaluator.Keep(results, out);
}

// The last value of each name, at the place where the name came first.
bool RunMerge(Evaluator& evaluator, Arguments arguments, Value* out) {
  std::vector<Member> members;
  for (const Argument& argument : arguments) {
    const absl::Span<const Member> more = argument.value.members();
    if (!evaluator.Step(static_cast<int64_t>(more.size()))) return false;
    members.insert(members.end(), more.begin(), more.end());
  }
  if (!evaluator.Step(NameSteps(members))) return false;
  members.resize(json::KeepLastOfEach(absl::MakeSpan(members)));
  return evaluator.KeepObject(members, out);
}

bool RunNotNull(Evaluator&, Arguments arguments, Value* out) {
  *out = Value();
  for (const Argument& argument : arguments) {
    if (argument.value.is_null()) continue;
    *out = argument.value;
    return true;
  }
  return true;
}

bool RunToArray(Evaluator& evaluator, Arguments arguments, Value* out) {
  *out = arguments[0].value;
  return out->is_array() || evaluator.Keep({arguments[0].value}, out);
}

}  // namespace bootgate::gatekeeper::policy::jmespath

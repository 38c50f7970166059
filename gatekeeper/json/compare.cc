#include "gatekeeper/json/compare.h"

#include "absl/container/inlined_vector.h"

namespace bootgate::gatekeeper::json {
namespace {

constexpr int64_t kBytesAStep = 64;  // compared
constexpr int64_t kNamesAStep = 8;   // looked at to find a member

struct Pair {
  Value a;
  Value b;
};
using Pairs = absl::InlinedVector<Pair, 8>;

// The member of that name, tried at `hint` first.
const Value* FindNear(absl::Span<const Member> members, size_t hint, absl::string_view name,
                      Budget& budget) {
  const int64_t long_name = static_cast<int64_t>(name.size()) / kBytesAStep;
  if (!budget.Step(long_name)) return nullptr;
  if (members[hint].name == name) return &members[hint].value;
  const int64_t names = 1 + static_cast<int64_t>(members.size()) / kNamesAStep;
  if (!budget.Step(names + static_cast<int64_t>(members.size()) * long_name)) return nullptr;
  for (const Member& member : members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

bool SameArrays(const Value& a, const Value& b, Pairs& todo) {
  const auto left = a.items();
  const auto right = b.items();
  if (left.size() != right.size()) return false;
  if (left.data() == right.data()) return true;
  for (size_t at = left.size(); at > 0; --at) todo.push_back({left[at - 1], right[at - 1]});
  return true;
}

bool SameObjects(const Value& a, const Value& b, Pairs& todo, Budget& budget) {
  const auto left = a.members();
  const auto right = b.members();
  if (left.size() != right.size()) return false;
  if (left.data() == right.data()) return true;
  for (size_t at = left.size(); at > 0; --at) {
    const Member& member = left[at - 1];
    const Value* const other = FindNear(right, at - 1, member.name, budget);
    if (other == nullptr) return false;
    todo.push_back({member.value, *other});
  }
  return true;
}

// Steps that the pair costs before its parts.
int64_t Cost(const Value& a) {
  switch (a.kind()) {
    case Kind::kString:
    case Kind::kBigInteger:
      return 1 + static_cast<int64_t>(a.text().size()) / kBytesAStep;
    case Kind::kArray:
      return 1 + static_cast<int64_t>(a.items().size());
    case Kind::kObject:
      return 1 + static_cast<int64_t>(a.members().size());
    default:
      return 1;
  }
}

// Whether two of one kind are alike as far as their parts, which go into `todo`.
bool SameSoFar(const Value& a, const Value& b, Pairs& todo, Budget& budget) {
  if (a.is_number()) return CompareNumbers(a, b) == 0;
  switch (a.kind()) {
    case Kind::kString:
      return a.text() == b.text();
    case Kind::kArray:
      return SameArrays(a, b, todo);
    case Kind::kObject:
      return SameObjects(a, b, todo, budget);
    default:
      return true;
  }
}

}  // namespace

std::optional<bool> Equal(const Value& a, const Value& b, Budget& budget) {
  Pairs todo{{a, b}};
  while (!todo.empty()) {
    const Pair pair = todo.back();
    todo.pop_back();
    const bool numbers = pair.a.is_number() && pair.b.is_number();
    if (pair.a.kind() != pair.b.kind() && !numbers) return false;  // nothing deferred is made
    if (!pair.a.Force() || !pair.b.Force() || !budget.Step(Cost(pair.a))) return std::nullopt;
    const bool same = SameSoFar(pair.a, pair.b, todo, budget);
    if (budget.spent()) return std::nullopt;
    if (!same) return false;
  }
  return true;
}

}  // namespace bootgate::gatekeeper::json

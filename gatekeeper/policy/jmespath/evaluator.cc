#include "gatekeeper/policy/jmespath/evaluator.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "gatekeeper/json/compare.h"
#include "gatekeeper/policy/jmespath/types.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

using json::Member;
using json::Value;

constexpr size_t kNamesAStep = 8;    // looked at to find a member
constexpr size_t kBytesAStep = 64;   // compared
constexpr int64_t kMakingSteps = 8;  // for a deferred object to be made

// Where a slice starts, how far it goes and how many elements it has.
struct Range {
  int64_t start = 0;
  int64_t count = 0;
};

int64_t Clamp(int64_t index, int64_t size, int64_t least, int64_t most) {
  if (index < 0) index = index < -size ? least : index + size;
  return std::clamp(index, least, most);
}

// As Python's slices. `size` fits int32; a step beyond it is the same as one of its size.
Range SliceRange(const Node& node, int64_t size) {
  const int64_t least = node.step < 0 ? -1 : 0;
  const int64_t most = node.step < 0 ? size - 1 : size;
  const int64_t first = node.step < 0 ? most : least;
  const int64_t last = node.step < 0 ? least : most;
  const int64_t start = node.has_start ? Clamp(node.start, size, least, most) : first;
  const int64_t stop = node.has_stop ? Clamp(node.stop, size, least, most) : last;
  const int64_t step = std::clamp(node.step, -size - 1, size + 1);
  const int64_t way = step < 0 ? start - stop : stop - start;
  if (way <= 0) return {};
  return {start, (way - 1) / (step < 0 ? -step : step) + 1};
}

bool Ordered(Comparator comparator, std::strong_ordering order) {
  switch (comparator) {
    case Comparator::kLess:
      return order < 0;
    case Comparator::kLessOrEqual:
      return order <= 0;
    case Comparator::kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

// Steps for comparing the digits of a big integer.
int64_t LongDigits(const Value& value) {
  const bool big = value.kind() == json::Kind::kBigInteger;
  return big ? static_cast<int64_t>(value.text().size() / kBytesAStep) : 0;
}

bool IsEquality(Comparator comparator) {
  return comparator == Comparator::kEqual || comparator == Comparator::kNotEqual;
}

}  // namespace

Error Evaluator::TakeError() {
  if (error_) return *std::move(error_);
  return {ErrorKind::kBudget, calling_, "the query needs too many steps or too much memory"};
}

bool Evaluator::Fail(ErrorKind kind, absl::string_view message) {
  error_ = Error{kind, calling_, std::string(message)};
  return false;
}

bool Evaluator::FailAt(const Node& node, ErrorKind kind, std::string message) {
  error_ = Error{kind, node.position, std::move(message)};
  return false;
}

bool Evaluator::Keep(absl::Span<const Value> items, Value* out) {
  if (!budget_.Bytes(static_cast<int64_t>(items.size() * sizeof(Value)))) return false;
  *out = json::MakeArray(items, arena_);
  return !arena_.exhausted();
}

bool Evaluator::KeepObject(absl::Span<const Member> members, Value* out) {
  if (!budget_.Bytes(static_cast<int64_t>(members.size() * sizeof(Member)))) return false;
  *out = json::MakeObject(members, arena_);
  return !arena_.exhausted();
}

bool Evaluator::KeepText(absl::string_view text, Value* out) {
  if (!budget_.Bytes(static_cast<int64_t>(text.size()))) return false;
  *out = json::MakeString(text, arena_);
  return !arena_.exhausted();
}

// The results of a projection from `first` on become its array.
bool Evaluator::KeepFrom(size_t first, Value* out) {
  const bool kept = Keep(absl::MakeConstSpan(results_).subspan(first), out);
  results_.resize(first);
  return kept;
}

bool Evaluator::Truth(const Value& value, bool* out) {
  if (!value.Force()) return false;
  *out = IsTruth(value);
  return true;
}

bool Evaluator::Run(NodeId id, const Value& in, Value* out) {
  if (!budget_.Step()) return false;
  const Node& node = tree_.at(id);
  switch (node.kind) {
    case NodeKind::kCurrent:
      *out = in;
      return true;
    case NodeKind::kField:
      return Field(id, node, in, out);
    case NodeKind::kLiteral:
      *out = node.literal;
      return true;
    case NodeKind::kChain:
    case NodeKind::kPipe:
      return Chain(node, in, out);
    case NodeKind::kIndex: {
      const auto size = in.is_array() ? static_cast<int64_t>(in.items().size()) : 0;
      const int64_t index = node.start < 0 ? node.start + size : node.start;
      *out = index < 0 || index >= size ? Value() : in.items()[static_cast<size_t>(index)];
      return true;
    }
    case NodeKind::kSlice:
      return Slice(node, in, out);
    case NodeKind::kListEach:
      return ListEach(node, in, out);
    case NodeKind::kObjectEach:
      return ObjectEach(node, in, out);
    case NodeKind::kFlatten:
      return Flatten(node, in, out);
    case NodeKind::kFilter:
      return Filter(node, in, out);
    case NodeKind::kMultiList:
      return MultiList(node, in, out);
    case NodeKind::kMultiHash:
      return MultiHash(node, in, out);
    case NodeKind::kOr:
      return Or(node, in, out);
    case NodeKind::kAnd:
      return And(node, in, out);
    case NodeKind::kNot: {
      bool truth = false;
      if (!Run(Child(node, 0), in, out) || !Truth(*out, &truth)) return false;
      *out = Value::Bool(!truth);
      return true;
    }
    case NodeKind::kCompare:
      return Compare(node, in, out);
    case NodeKind::kCall:
      return Call(node, in, out);
    case NodeKind::kExpression:
      *out = Value();  // Call() takes the node itself
      return true;
  }
  return false;
}

// The objects of one array mostly have the same members in the same places.
const Value* Evaluator::FindField(NodeId id, const Node& node, const Value& in) {
  const absl::Span<const Member> members = in.members();
  const size_t long_name = node.name.size() / kBytesAStep;
  if (long_name > 0 && !budget_.Step(static_cast<int64_t>(long_name))) return nullptr;
  const uint32_t hint = hints_[id];
  if (hint < members.size() && members[hint].name == node.name) return &members[hint].value;
  const size_t names = members.size() / kNamesAStep + members.size() * long_name;
  if (!budget_.Step(static_cast<int64_t>(names))) return nullptr;
  for (size_t at = 0; at < members.size(); ++at) {
    if (members[at].name != node.name) continue;
    hints_[id] = static_cast<uint32_t>(at);
    return &members[at].value;
  }
  return nullptr;
}

bool Evaluator::Field(NodeId id, const Node& node, const Value& in, Value* out) {
  if (!in.is_object()) {
    *out = Value();
    return true;
  }
  if (in.is_waiting() && !budget_.Step(kMakingSteps)) return false;
  if (!in.Force()) return false;
  const Value* const found = FindField(id, node, in);
  *out = found == nullptr ? Value() : *found;
  return !budget_.spent();
}

bool Evaluator::Chain(const Node& node, const Value& in, Value* out) {
  Value value = in;
  for (const NodeId child : tree_.ChildrenOf(node)) {
    if (!Run(child, value, &value)) return false;
  }
  *out = value;
  return true;
}

bool Evaluator::Slice(const Node& node, const Value& in, Value* out) {
  if (!in.is_array()) {
    *out = Value();
    return true;
  }
  if (node.step == 0) return FailAt(node, ErrorKind::kInvalidValue, "the step of a slice is 0");
  const absl::Span<const Value> items = in.items();
  const Range range = SliceRange(node, static_cast<int64_t>(items.size()));
  if (node.step == 1) {
    *out = Value::Array(
        items.subspan(static_cast<size_t>(range.start), static_cast<size_t>(range.count)));
    return true;
  }
  if (!budget_.Step(range.count)) return false;
  const size_t first = results_.size();
  for (int64_t at = 0; at < range.count; ++at) {
    results_.push_back(items[static_cast<size_t>(range.start + at * node.step)]);
  }
  return KeepFrom(first, out);
}

bool Evaluator::ListEach(const Node& node, const Value& in, Value* out) {
  Value base;
  if (!Run(Child(node, 0), in, &base)) return false;
  const NodeId right = Child(node, 1);
  const size_t first = results_.size();
  if (!base.is_array()) {
    *out = Value();
    return true;
  }
  for (const Value& item : base.items()) {
    Value result;
    if (!Run(right, item, &result)) return false;
    if (!result.is_null()) results_.push_back(result);
  }
  return KeepFrom(first, out);
}

bool Evaluator::ObjectEach(const Node& node, const Value& in, Value* out) {
  Value base;
  if (!Run(Child(node, 0), in, &base)) return false;
  const NodeId right = Child(node, 1);
  const size_t first = results_.size();
  if (!base.is_object()) {
    *out = Value();
    return true;
  }
  if (!base.Force()) return false;
  for (const Member& member : base.members()) {
    Value result;
    if (!Run(right, member.value, &result)) return false;
    if (!result.is_null()) results_.push_back(result);
  }
  return KeepFrom(first, out);
}

bool Evaluator::Flatten(const Node& node, const Value& in, Value* out) {
  Value base;
  if (!Run(Child(node, 0), in, &base)) return false;
  if (!base.is_array()) {
    *out = Value();
    return true;
  }
  const absl::Span<const Value> items = base.items();
  if (!budget_.Step(static_cast<int64_t>(items.size()))) return false;
  const auto is_array = [](const Value& item) { return item.is_array(); };
  if (std::none_of(items.begin(), items.end(), is_array)) {
    *out = base;
    return true;
  }
  const size_t first = results_.size();
  for (const Value& item : items) {
    if (!item.is_array()) {
      results_.push_back(item);
      continue;
    }
    if (!budget_.Step(static_cast<int64_t>(item.items().size()))) return false;
    results_.insert(results_.end(), item.items().begin(), item.items().end());
  }
  return KeepFrom(first, out);
}

bool Evaluator::Filter(const Node& node, const Value& in, Value* out) {
  Value base;
  if (!Run(Child(node, 0), in, &base)) return false;
  if (!base.is_array()) {
    *out = Value();
    return true;
  }
  const NodeId condition = Child(node, 1);
  const NodeId right = Child(node, 2);
  const size_t first = results_.size();
  for (const Value& item : base.items()) {
    Value result;
    bool truth = false;
    if (!Run(condition, item, &result) || !Truth(result, &truth)) return false;
    if (!truth) continue;
    if (!Run(right, item, &result)) return false;
    if (!result.is_null()) results_.push_back(result);
  }
  return KeepFrom(first, out);
}

bool Evaluator::MultiList(const Node& node, const Value& in, Value* out) {
  if (in.is_null()) {
    *out = Value();
    return true;
  }
  const size_t first = results_.size();
  for (const NodeId child : tree_.ChildrenOf(node)) {
    Value result;
    if (!Run(child, in, &result)) return false;
    results_.push_back(result);
  }
  return KeepFrom(first, out);
}

bool Evaluator::MultiHash(const Node& node, const Value& in, Value* out) {
  if (in.is_null()) {
    *out = Value();
    return true;
  }
  absl::InlinedVector<Member, 8> members;
  for (size_t at = 0; at < node.child_count; ++at) {
    Value result;
    if (!Run(Child(node, at), in, &result)) return false;
    members.push_back({node.names[at], result});
  }
  return KeepObject(members, out);
}

bool Evaluator::Or(const Node& node, const Value& in, Value* out) {
  Value result;
  bool truth = false;
  for (const NodeId child : tree_.ChildrenOf(node)) {
    if (truth) break;
    if (!Run(child, in, &result) || !Truth(result, &truth)) return false;
  }
  *out = result;
  return true;
}

bool Evaluator::And(const Node& node, const Value& in, Value* out) {
  Value result;
  bool truth = true;
  for (const NodeId child : tree_.ChildrenOf(node)) {
    if (!truth) break;
    if (!Run(child, in, &result) || !Truth(result, &truth)) return false;
  }
  *out = result;
  return true;
}

bool Evaluator::Compare(const Node& node, const Value& in, Value* out) {
  Value left;
  Value right;
  if (!Run(Child(node, 0), in, &left) || !Run(Child(node, 1), in, &right)) return false;
  if (IsEquality(node.comparator)) {
    const bool wants_equal = node.comparator == Comparator::kEqual;
    if (node.empty_is_null && in.is_array() && in.items().empty()) {  // J3
      *out = wants_equal ? Value::Bool(true) : Value();
      return true;
    }
    const auto equal = json::Equal(left, right, budget_);
    if (!equal) return false;
    *out = Value::Bool(*equal == wants_equal);
    return true;
  }
  const bool numbers = left.is_number() && right.is_number();
  if (!budget_.Step(LongDigits(left) + LongDigits(right))) return false;
  *out =
      numbers ? Value::Bool(Ordered(node.comparator, json::CompareNumbers(left, right))) : Value();
  return true;
}

bool Evaluator::CheckArgument(const Node& call, size_t index, Types wanted,
                              const Argument& argument) {
  const bool is_expression = tree_.at(Child(call, index)).kind == NodeKind::kExpression;
  bool fits = is_expression == (wanted == kExpressionType);
  if (fits && !is_expression) {
    if (argument.value.is_array() && !Step(static_cast<int64_t>(argument.value.items().size()))) {
      return false;
    }
    fits = FitsType(argument.value, wanted);
  }
  if (fits) return true;
  return FailAt(
      call, ErrorKind::kInvalidType,
      absl::StrCat(call.function->name, " takes ", TypeWords(wanted), " as argument ", index + 1,
                   ", here is ",
                   is_expression ? "an expression" : MisfitWords(argument.value, wanted)));
}

bool Evaluator::Call(const Node& node, const Value& in, Value* out) {
  const absl::Span<const Types> parameters = node.function->parameters;
  absl::InlinedVector<Argument, 4> arguments(node.child_count);
  for (size_t at = 0; at < arguments.size(); ++at) {
    const NodeId child = Child(node, at);
    if (!Run(child, in, &arguments[at].value)) return false;
    const Types wanted = parameters[std::min(at, parameters.size() - 1)];
    if (!CheckArgument(node, at, wanted, arguments[at])) return false;
    if (wanted == kExpressionType) arguments[at].expression = Child(tree_.at(child), 0);
    if (!arguments[at].value.Force()) return false;
  }
  const uint32_t outer = std::exchange(calling_, node.position);
  if (!node.function->run(*this, arguments, out)) return false;
  calling_ = outer;
  return true;
}

}  // namespace bootgate::gatekeeper::policy::jmespath

// A tree back to text. Parentheses stand where an operand is not plainly one unit; they leave no
// trace in the tree, so one pair too many does no harm.
#include <cstdint>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gatekeeper/json/budget.h"
#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/compare.h"
#include "gatekeeper/policy/jmespath/expression.h"
#include "gatekeeper/policy/jmespath/functions.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

json::Budget Boundless() {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  return json::Budget(kMost, kMost);
}

bool IsPlainName(absl::string_view name) {
  if (name.empty() || absl::ascii_isdigit(static_cast<uint8_t>(name[0]))) return false;
  for (const char c : name) {
    if (!absl::ascii_isalnum(static_cast<uint8_t>(c)) && c != '_') return false;
  }
  return name != "true" && name != "false" && name != "null";  // J2 might read them otherwise
}

std::string NameText(absl::string_view name) {
  if (IsPlainName(name)) return std::string(name);
  std::string out;
  json::AppendQuoted(name, &out);
  return out;
}

// A string without backslashes and control characters can stand in single quotes.
bool IsPlainText(absl::string_view text) {
  for (const char c : text) {
    if (c == '\\' || (c >= 0 && c < 0x20)) return false;
  }
  return true;
}

std::string Escaped(absl::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out.push_back('\\');
    out.push_back(c);
  }
  out.push_back(quote);
  return out;
}

// A literal has no shared parts, so its text is not much longer than it was in the query.
std::string LiteralText(const json::Value& value) {
  if (value.is_string() && IsPlainText(value.text())) return Escaped(value.text(), '\'');
  json::Budget budget = Boundless();
  return Escaped(json::CanonicalText(value, budget).value_or(""), '`');
}

absl::string_view ComparatorText(Comparator comparator) {
  switch (comparator) {
    case Comparator::kEqual:
      return " == ";
    case Comparator::kNotEqual:
      return " != ";
    case Comparator::kLess:
      return " < ";
    case Comparator::kLessOrEqual:
      return " <= ";
    case Comparator::kGreater:
      return " > ";
    case Comparator::kGreaterOrEqual:
      return " >= ";
  }
  return "";
}

std::string SliceText(const Node& node) {
  std::string out = "[";
  if (node.has_start) absl::StrAppend(&out, node.start);
  out.push_back(':');
  if (node.has_stop) absl::StrAppend(&out, node.stop);
  if (node.step != 1) absl::StrAppend(&out, ":", node.step);
  return out + "]";
}

// How much a node is one unit; operators take operands of a higher level as they are.
enum class Level { kExpression, kPipe, kOr, kAnd, kCompare, kNot, kProjection, kChain, kUnit };

Level LevelOf(NodeKind kind) {
  switch (kind) {
    case NodeKind::kExpression:
      return Level::kExpression;
    case NodeKind::kPipe:
      return Level::kPipe;
    case NodeKind::kOr:
      return Level::kOr;
    case NodeKind::kAnd:
      return Level::kAnd;
    case NodeKind::kCompare:
      return Level::kCompare;
    case NodeKind::kNot:
      return Level::kNot;
    case NodeKind::kListEach:
    case NodeKind::kObjectEach:
    case NodeKind::kFlatten:
    case NodeKind::kFilter:
      return Level::kProjection;
    case NodeKind::kChain:
      return Level::kChain;
    default:
      return Level::kUnit;
  }
}

class Printer {
 public:
  explicit Printer(const Tree& tree) : tree_(tree) {}

  // `after`: behind a projection or a dot's left side, whose elements the node starts from.
  void Print(NodeId id, bool after);
  std::string Take() { return std::move(out_); }

 private:
  void Put(absl::string_view text) { out_.append(text.data(), text.size()); }
  void Unit(bool after, absl::string_view text);
  void Operand(NodeId id, Level above);
  void Operands(const Node& node, absl::string_view between, Level above);
  void List(const Node& node, absl::string_view open, absl::string_view close);
  void Hash(const Node& node);
  void Chain(const Node& node, bool after);
  void Left(NodeId id, bool after);
  void ListEach(const Node& node, bool after);
  void ObjectEach(const Node& node, bool after);
  NodeId Child(const Node& node, size_t index) const { return tree_.ChildrenOf(node)[index]; }

  const Tree& tree_;
  std::string out_;
};

void Printer::Unit(bool after, absl::string_view text) {
  if (after) out_.push_back('.');
  Put(text);
}

void Printer::Operand(NodeId id, Level above) {
  const bool plain = LevelOf(tree_.at(id).kind) > above;
  if (!plain) out_.push_back('(');
  Print(id, false);
  if (!plain) out_.push_back(')');
}

void Printer::Operands(const Node& node, absl::string_view between, Level above) {
  for (size_t at = 0; at < node.child_count; ++at) {
    if (at > 0) Put(between);
    Operand(Child(node, at), above);
  }
}

void Printer::List(const Node& node, absl::string_view open, absl::string_view close) {
  Put(open);
  for (size_t at = 0; at < node.child_count; ++at) {
    if (at > 0) Put(", ");
    Print(Child(node, at), false);
  }
  Put(close);
}

void Printer::Hash(const Node& node) {
  out_.push_back('{');
  for (size_t at = 0; at < node.child_count; ++at) {
    if (at > 0) Put(", ");
    Put(NameText(node.names[at]));
    Put(": ");
    Print(Child(node, at), false);
  }
  out_.push_back('}');
}

void Printer::Chain(const Node& node, bool after) {
  const NodeId first = Child(node, 0);
  if (after) {
    Print(first, true);
  } else {
    Operand(first, Level::kChain);
  }
  for (size_t at = 1; at < node.child_count; ++at) Print(Child(node, at), true);
}

// What a projection starts from: nothing for the current value.
void Printer::Left(NodeId id, bool after) {
  if (tree_.at(id).kind == NodeKind::kCurrent) return;
  if (after) {
    Print(id, true);
  } else {
    Operand(id, Level::kProjection);
  }
}

void Printer::ListEach(const Node& node, bool after) {
  const Node& left = tree_.at(Child(node, 0));
  const NodeId last =
      left.kind == NodeKind::kChain ? Child(left, left.child_count - 1) : Child(node, 0);
  if (left.kind == NodeKind::kFlatten) {
    if (tree_.at(Child(left, 0)).kind != NodeKind::kCurrent) Operand(Child(left, 0), Level::kNot);
    Put("[]");
  } else {
    Left(Child(node, 0), after);
    if (tree_.at(last).kind != NodeKind::kSlice) Put("[*]");
  }
  Print(Child(node, 1), true);
}

void Printer::ObjectEach(const Node& node, bool after) {
  const bool alone = tree_.at(Child(node, 0)).kind == NodeKind::kCurrent && !after;
  Left(Child(node, 0), after);
  Put(alone ? "*" : ".*");
  Print(Child(node, 1), true);
}

void Printer::Print(NodeId id, bool after) {
  const Node& node = tree_.at(id);
  switch (node.kind) {
    case NodeKind::kCurrent:
      return after ? void() : Put("@");
    case NodeKind::kField:
      return Unit(after, NameText(node.name));
    case NodeKind::kLiteral:
      return Put(LiteralText(node.literal));
    case NodeKind::kChain:
      return Chain(node, after);
    case NodeKind::kPipe:
      return Operands(node, " | ", Level::kPipe);
    case NodeKind::kIndex:
      return Put(absl::StrCat("[", node.start, "]"));
    case NodeKind::kSlice:
      return Put(SliceText(node));
    case NodeKind::kListEach:
      return ListEach(node, after);
    case NodeKind::kObjectEach:
      return ObjectEach(node, after);
    case NodeKind::kFlatten:
      return Put("[]");
    case NodeKind::kFilter:
      Left(Child(node, 0), after);
      Put("[?");
      Print(Child(node, 1), false);
      out_.push_back(']');
      return Print(Child(node, 2), true);
    case NodeKind::kMultiList:
      return List(node, after ? ".[" : "[", "]");
    case NodeKind::kMultiHash:
      if (after) out_.push_back('.');
      return Hash(node);
    case NodeKind::kOr:
      return Operands(node, " || ", Level::kOr);
    case NodeKind::kAnd:
      return Operands(node, " && ", Level::kAnd);
    case NodeKind::kNot:
      out_.push_back('!');
      return Operand(Child(node, 0), Level::kChain);
    case NodeKind::kCompare:
      return Operands(node, ComparatorText(node.comparator), Level::kCompare);
    case NodeKind::kCall:
      Unit(after, node.function->name);
      return List(node, "(", ")");
    case NodeKind::kExpression:
      out_.push_back('&');
      return Print(Child(node, 0), false);
  }
}

bool SameLiteral(const json::Value& a, const json::Value& b) {
  json::Budget budget = Boundless();
  return json::Equal(a, b, budget).value_or(false);
}

bool SameNode(const Node& a, const Node& b) {
  return a.kind == b.kind && a.comparator == b.comparator && a.empty_is_null == b.empty_is_null &&
         a.name == b.name && a.function == b.function && a.names == b.names && a.start == b.start &&
         a.stop == b.stop && a.step == b.step && a.has_start == b.has_start &&
         a.has_stop == b.has_stop && a.child_count == b.child_count &&
         SameLiteral(a.literal, b.literal);
}

}  // namespace

std::string Print(const Expression& expression) {
  Printer printer(expression.tree());
  printer.Print(expression.tree().root, false);
  return printer.Take();
}

bool SameTree(const Expression& a, const Expression& b) {
  std::vector<std::pair<NodeId, NodeId>> todo = {{a.tree().root, b.tree().root}};
  while (!todo.empty()) {
    const auto [left_id, right_id] = todo.back();
    todo.pop_back();
    const Node& left = a.tree().at(left_id);
    const Node& right = b.tree().at(right_id);
    if (!SameNode(left, right)) return false;
    for (size_t at = 0; at < left.child_count; ++at) {
      todo.emplace_back(a.tree().ChildrenOf(left)[at], b.tree().ChildrenOf(right)[at]);
    }
  }
  return true;
}

}  // namespace bootgate::gatekeeper::policy::jmespath

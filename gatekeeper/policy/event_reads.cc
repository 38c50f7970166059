#include "gatekeeper/policy/event_reads.h"

#include <algorithm>
#include <utility>

#include "gatekeeper/policy/selection.h"

namespace bootgate::gatekeeper::policy {
namespace {

using jmespath::Node;
using jmespath::NodeId;
using jmespath::NodeKind;
using jmespath::Tree;
using Types = std::optional<std::vector<std::string>>;  // nullopt: any

constexpr absl::string_view kClaim = "events", kList = "Events", kType = "EventTypeString";

bool IsField(const Node& node, absl::string_view name) {
  return node.kind == NodeKind::kField && node.name == name;
}

void Append(std::vector<std::string> more, std::vector<std::string>* out) {
  out->insert(out->end(), std::make_move_iterator(more.begin()),
              std::make_move_iterator(more.end()));
}

// The types without which the condition of a filter is false at once. Trees are not deeper than
// kMaxTreeDepth.
Types TypesOfCondition(const Tree& tree, NodeId id) {
  const Node& node = tree.at(id);
  const auto children = tree.ChildrenOf(node);
  if (node.kind == NodeKind::kAnd) return TypesOfCondition(tree, children[0]);
  if (node.kind == NodeKind::kOr) {
    std::vector<std::string> all;
    for (const NodeId child : children) {
      Types types = TypesOfCondition(tree, child);
      if (!types.has_value()) return std::nullopt;
      Append(*std::move(types), &all);
    }
    return all;
  }
  if (node.kind != NodeKind::kCompare || node.comparator != jmespath::Comparator::kEqual)
    return std::nullopt;
  const Node *field = &tree.at(children[0]), *literal = &tree.at(children[1]);
  if (!IsField(*field, kType)) std::swap(field, literal);
  if (!IsField(*field, kType) || literal->kind != NodeKind::kLiteral ||
      !literal->literal.is_string()) {
    return std::nullopt;
  }
  return std::vector<std::string>{std::string(literal->literal.text())};
}

// Of a query on the claim: follows the one part of it that sees the document.
Types TypesOfQuery(const Tree& tree) {
  for (NodeId id = tree.root;;) {
    const Node& node = tree.at(id);
    const auto children = tree.ChildrenOf(node);
    switch (node.kind) {
      case NodeKind::kFilter:
        if (IsField(tree.at(children[0]), kList)) return TypesOfCondition(tree, children[1]);
        [[fallthrough]];
      case NodeKind::kPipe:
      case NodeKind::kChain:
      case NodeKind::kListEach:
      case NodeKind::kFlatten:
        id = children[0];
        break;
      default:
        return std::nullopt;
    }
  }
}

// One rule, and those of its conditions that select the claim.
class RuleReader {
 public:
  RuleReader(const Rule& rule, std::vector<std::string>* types) : rule_(rule), types_(*types) {}

  // False: it may see any event.
  bool Run() {
    for (const Condition& condition : rule_.conditions) {
      if (!IsBounded(condition)) return false;
    }
    for (const Condition& condition : rule_.conditions) {
      for (const Comparison& comparison : condition.comparisons) {
        if (!IsBounded(comparison.right)) return false;
      }
    }
    if (const auto* copy = std::get_if<ClaimCopy>(&rule_.action.arguments))
      return !IsOfTheClaim(copy->condition);
    const auto* made = std::get_if<ClaimArguments>(&rule_.action.arguments);
    return made == nullptr ||
           (IsBounded(made->type) && IsBounded(made->value) && IsBounded(made->value_type));
  }

 private:
  bool IsOfTheClaim(size_t condition) const {
    const std::string* const type = TypeSelected(rule_.conditions[condition]);
    return type != nullptr && *type == kClaim;
  }

  // A comparison of the value sees the text of the claim.
  static bool IsBounded(const Condition& condition) {
    const std::string* const type = TypeSelected(condition);
    if (type == nullptr) return false;
    return *type != kClaim ||
           std::ranges::none_of(condition.comparisons, [](const Comparison& comparison) {
             return comparison.property == Property::kValue;
           });
  }

  bool IsBounded(const std::optional<Expression>& expression) {
    return !expression.has_value() || IsBounded(*expression);
  }

  bool SeesTheClaim(const Expression& expression) const {
    const auto* reference = std::get_if<Reference>(&expression.form);
    return reference != nullptr && reference->property == Property::kValue &&
           IsOfTheClaim(reference->condition);
  }

  // Calls do not nest deeper than kMaxCallNesting.
  bool IsBounded(const Expression& expression) {
    if (SeesTheClaim(expression)) return false;
    const auto* call = std::get_if<Call>(&expression.form);
    if (call == nullptr) return true;
    size_t first = 0;
    if (call->query.has_value() && SeesTheClaim(call->arguments[0])) {
      Types types = TypesOfQuery(call->query->tree());
      if (!types.has_value()) return false;
      Append(*std::move(types), &types_);
      first = 1;
    }
    return std::all_of(call->arguments.begin() + static_cast<std::ptrdiff_t>(first),
                       call->arguments.end(),
                       [this](const Expression& argument) { return IsBounded(argument); });
  }

  const Rule& rule_;
  std::vector<std::string>& types_;
};

}  // namespace

Types EventTypesRead(const Program& program) {
  std::vector<std::string> types;
  for (const std::vector<Rule>* rules : {&program.authorization, &program.issuance}) {
    for (const Rule& rule : *rules) {
      if (!RuleReader(rule, &types).Run()) return std::nullopt;
    }
  }
  std::ranges::sort(types);
  types.erase(std::unique(types.begin(), types.end()), types.end());
  return types;
}

}  // namespace bootgate::gatekeeper::policy

// The tree of a query. Nodes lie in one vector; children come before their parents, the root last.
//
// Implements: JMESPath grammar; policy language specification, section 7.2 (J2, J3 are settled
// here: a bare `null` that J2 reads as a literal is a kLiteral).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gatekeeper/json/value.h"

namespace bootgate::gatekeeper::policy::jmespath {

// `standard`: the language of the JMESPath specification. `policy`: with J1, J2 and J3.
enum class Dialect { kStandard, kPolicy };

enum class NodeKind : uint8_t {
  kCurrent,     // @, and where nothing is written: the left side of `[0]`
  kField,       // name
  kLiteral,     // literal; of backticks and raw strings
  kChain,       // a.b[0].c: each child on the result of the one before
  kPipe,        // a | b
  kIndex,       // [number]
  kSlice,       // [start:stop:step], without the projection it makes
  kListEach,    // left[*] right: children left, right
  kObjectEach,  // left.* right
  kFlatten,     // left[]: child left; the projection over it is a kListEach
  kFilter,      // left[?condition] right: children left, condition, right
  kMultiList,   // [a, b]
  kMultiHash,   // {names: children}
  kOr,          // two children or more
  kAnd,
  kNot,
  kCompare,     // comparator; two children
  kCall,        // function; arguments
  kExpression,  // &child, only as an argument
};

enum class Comparator : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual
};

struct Function;

using NodeId = uint32_t;

struct Node {
  NodeKind kind = NodeKind::kCurrent;
  Comparator comparator = Comparator::kEqual;
  bool empty_is_null = false;  // kCompare: J3 applies
  uint32_t position = 0;       // byte in the query
  uint32_t first_child = 0;    // in Tree::children
  uint32_t child_count = 0;
  absl::string_view name;  // kField; of the tree's arena
  json::Value literal;
  const Function* function = nullptr;
  absl::Span<const absl::string_view> names;  // kMultiHash, one for each child; each once
  int64_t start = 0;                          // kIndex: the index; kSlice
  int64_t stop = 0;
  int64_t step = 1;
  bool has_start = false;
  bool has_stop = false;
};

// Read-only once made. Whoever holds it keeps the arena with names and literals.
struct Tree {
  std::vector<Node> nodes;
  std::vector<NodeId> children;
  NodeId root = 0;

  const Node& at(NodeId id) const { return nodes[id]; }
  absl::Span<const NodeId> ChildrenOf(const Node& node) const {
    return absl::MakeConstSpan(children).subspan(node.first_child, node.child_count);
  }
};

}  // namespace bootgate::gatekeeper::policy::jmespath

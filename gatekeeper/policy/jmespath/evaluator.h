// One evaluation of one query.
//
// Recurses as deeply as the tree is, which kMaxTreeDepth bounds. Each node visited, element looked
// at and byte made is paid from the budget.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gatekeeper/json/arena.h"
#include "gatekeeper/json/budget.h"
#include "gatekeeper/json/value.h"
#include "gatekeeper/policy/jmespath/ast.h"
#include "gatekeeper/policy/jmespath/error.h"
#include "gatekeeper/policy/jmespath/functions.h"

namespace bootgate::gatekeeper::policy::jmespath {

class Evaluator {
 public:
  Evaluator(const Tree& tree, json::Arena& arena, json::Budget& budget)
      : tree_(tree), arena_(arena), budget_(budget), hints_(tree.nodes.size()) {}

  // False after a failure. `out` may be the same object as `in`.
  bool Run(NodeId id, const json::Value& in, json::Value* out);

  // Of the failed Run().
  Error TakeError();

  // For functions.
  json::Arena& arena() { return arena_; }
  json::Budget& budget() { return budget_; }
  bool Fail(ErrorKind kind, absl::string_view message);  // false, at the function being called
  bool Step(int64_t count) { return budget_.Step(count); }
  // Copies into the arena, paid for; false when there is nothing left to pay with.
  bool Keep(absl::Span<const json::Value> items, json::Value* out);
  bool KeepObject(absl::Span<const json::Member> members, json::Value* out);
  bool KeepText(absl::string_view text, json::Value* out);

 private:
  const json::Value* FindField(NodeId id, const Node& node, const json::Value& in);
  bool Field(NodeId id, const Node& node, const json::Value& in, json::Value* out);
  bool Chain(const Node& node, const json::Value& in, json::Value* out);
  bool Slice(const Node& node, const json::Value& in, json::Value* out);
  bool ListEach(const Node& node, const json::Value& in, json::Value* out);
  bool ObjectEach(const Node& node, const json::Value& in, json::Value* out);
  bool Flatten(const Node& node, const json::Value& in, json::Value* out);
  bool Filter(const Node& node, const json::Value& in, json::Value* out);
  bool MultiList(const Node& node, const json::Value& in, json::Value* out);
  bool MultiHash(const Node& node, const json::Value& in, json::Value* out);
  bool Or(const Node& node, const json::Value& in, json::Value* out);
  bool And(const Node& node, const json::Value& in, json::Value* out);
  bool Compare(const Node& node, const json::Value& in, json::Value* out);
  bool Call(const Node& node, const json::Value& in, json::Value* out);
  bool CheckArgument(const Node& call, size_t index, Types wanted, const Argument& argument);
  bool FailAt(const Node& node, ErrorKind kind, std::string message);
  bool Truth(const json::Value& value, bool* out);
  bool KeepFrom(size_t first, json::Value* out);

  NodeId Child(const Node& node, size_t index) const {
    return tree_.children[node.first_child + index];
  }

  const Tree& tree_;
  json::Arena& arena_;
  json::Budget& budget_;
  absl::InlinedVector<uint32_t, 64> hints_;  // by node: where its field was found last
  std::vector<json::Value> results_;         // of the projections that are running
  uint32_t calling_ = 0;                     // position of the function that runs
  std::optional<Error> error_;
};

}  // namespace bootgate::gatekeeper::policy::jmespath

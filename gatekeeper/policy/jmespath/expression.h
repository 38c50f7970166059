// JMESPath: a query, read once and evaluated many times.
//
// Implements: the JMESPath specification with its 26 functions (dialect `standard`), and the policy
// language specification, section 7 (dialect `policy`). Knows JSON, nothing of policies.
//
// Hostile queries and documents end in an error: nesting is bounded when the query is read, steps
// and bytes are counted while it is evaluated. The same query on the same document gives the same
// result everywhere.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "gatekeeper/json/arena.h"
#include "gatekeeper/json/budget.h"
#include "gatekeeper/json/value.h"
#include "gatekeeper/policy/jmespath/ast.h"
#include "gatekeeper/policy/jmespath/error.h"

namespace bootgate::gatekeeper::policy::jmespath {

inline constexpr size_t kMaxQueryBytes = size_t{1} << 20;
inline constexpr size_t kMaxNesting = 64;     // brackets, arguments, operands inside one another
inline constexpr size_t kMaxTreeDepth = 256;  // with chains of projections, which nest to the left
inline constexpr size_t kMaxHashMembers = 4096;  // of one multi-select hash

// Immutable and cheap to copy: copies share one tree, also between threads.
class Expression {
 public:
  // Errors: syntax, unknown-function, invalid-arity.
  static std::variant<Expression, Error> Compile(absl::string_view text, Dialect dialect);

  const Tree& tree() const;
  Dialect dialect() const;
  const std::string& text() const;  // as it was read

  // The names of all fields that the query looks up, sorted, each once. Names of multi-select
  // hashes are not among them.
  std::vector<std::string> FieldNames() const;

 private:
  struct Data;
  explicit Expression(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
  std::shared_ptr<const Data> data_;  // shared: a compiled policy and its copies use one tree
};

// Text that reads back to the same tree.
std::string Print(const Expression& expression);

// Whether the two have the same tree, positions aside.
bool SameTree(const Expression& a, const Expression& b);

// The result lives in `arena`, in the document and in the expression, all of which must outlive it.
// Null when nothing was found. Deferred objects of the document are made as far as the query looks.
// Errors: invalid-type, invalid-value, budget.
std::variant<json::Value, Error> Evaluate(const Expression& expression, const json::Value& document,
                                          json::Arena& arena, json::Budget& budget);

// `text` with a caret under `position`, two lines, as compilers print it.
std::string MarkPosition(absl::string_view text, size_t position);

}  // namespace bootgate::gatekeeper::policy::jmespath

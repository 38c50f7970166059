#include "gatekeeper/policy/jmespath/expression.h"

#include <algorithm>
#include <utility>

#include "gatekeeper/policy/jmespath/evaluator.h"
#include "gatekeeper/policy/jmespath/parser.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

constexpr size_t kArenaBytes = size_t{64} << 20;  // names and literals of the longest query

}  // namespace

struct Expression::Data {
  std::string text;
  Dialect dialect = Dialect::kStandard;
  json::Arena arena{kArenaBytes};
  Tree tree;
};

std::variant<Expression, Error> Expression::Compile(absl::string_view text, Dialect dialect) {
  auto data = std::make_shared<Data>();
  data->text.assign(text.data(), text.size());
  data->dialect = dialect;
  auto tree = ParseQuery(data->text, dialect, data->arena);
  if (auto* const error = std::get_if<Error>(&tree)) return std::move(*error);
  data->tree = std::move(std::get<Tree>(tree));
  return Expression(std::move(data));
}

const Tree& Expression::tree() const { return data_->tree; }
Dialect Expression::dialect() const { return data_->dialect; }
const std::string& Expression::text() const { return data_->text; }

std::vector<std::string> Expression::FieldNames() const {
  std::vector<std::string> names;
  for (const Node& node : tree().nodes) {
    if (node.kind == NodeKind::kField) names.emplace_back(node.name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::variant<json::Value, Error> Evaluate(const Expression& expression, const json::Value& document,
                                          json::Arena& arena, json::Budget& budget) {
  Evaluator evaluator(expression.tree(), arena, budget);
  json::Value out;
  if (!evaluator.Run(expression.tree().root, document, &out)) return evaluator.TakeError();
  return out;
}

absl::string_view Name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kSyntax:
      return "syntax";
    case ErrorKind::kUnknownFunction:
      return "unknown-function";
    case ErrorKind::kInvalidArity:
      return "invalid-arity";
    case ErrorKind::kInvalidType:
      return "invalid-type";
    case ErrorKind::kInvalidValue:
      return "invalid-value";
    case ErrorKind::kBudget:
      return "budget";
  }
  return "";
}

}  // namespace bootgate::gatekeeper::policy::jmespath

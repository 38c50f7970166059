#include "gatekeeper/policy/query.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "gatekeeper/policy/workspace.h"

namespace bootgate::gatekeeper::policy {
namespace {

using jmespath::Dialect;
using jmespath::Error;
using jmespath::ErrorKind;
using jmespath::Expression;

constexpr size_t kMaxShownMessage = 256;  // bytes

// Place and kind alone: a message may quote a claim.
Failure FailureOf(const Error& error) {
  if (error.kind == ErrorKind::kBudget) return LimitFailure();
  return {error.kind == ErrorKind::kSyntax ? "jmespath-syntax" : "jmespath-runtime",
          absl::StrCat("the query at byte ", error.position, ": ", jmespath::Name(error.kind))};
}

}  // namespace

std::variant<Expression, std::string> CompileQuery(absl::string_view text) {
  auto compiled = Expression::Compile(text, Dialect::kPolicy);
  if (const auto* error = std::get_if<Error>(&compiled)) {
    return absl::StrCat("the query at byte ", error->position, ": ",
                        Printable(error->message, kMaxShownMessage));
  }
  return std::get<Expression>(std::move(compiled));
}

std::variant<json::Value, Failure> RunQuery(const Expression& query, StringValue& json,
                                            Workspace& workspace) {
  auto document = json.Json(workspace);
  const auto* value = std::get_if<json::Value>(&document);
  if (value == nullptr) return document;
  auto found = jmespath::Evaluate(query, *value, workspace.arena(), workspace.budget());
  if (const auto* error = std::get_if<Error>(&found)) return FailureOf(*error);
  if (workspace.arena().exhausted()) return LimitFailure();
  return std::get<json::Value>(found);
}

std::variant<json::Value, Failure> RunQuery(StringValue& query, StringValue& json,
                                            Workspace& workspace) {
  const auto text = query.Text(workspace);
  if (!text || !workspace.Parse(text->size())) return LimitFailure();
  auto compiled = Expression::Compile(*text, Dialect::kPolicy);
  if (const auto* error = std::get_if<Error>(&compiled)) return FailureOf(*error);
  return RunQuery(workspace.Keep(std::get<Expression>(std::move(compiled))), json, workspace);
}

}  // namespace bootgate::gatekeeper::policy

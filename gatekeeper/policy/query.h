// Queries of policies: the jmespath room in the policy's dialect, its errors as the policy's.
//
// Implements: policy language specification, sections 4.1 and 7.2.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "gatekeeper/policy/jmespath/expression.h"
#include "gatekeeper/policy/string_value.h"

namespace bootgate::gatekeeper::policy {

using CompiledQuery = std::optional<jmespath::Expression>;

// Compiles a literal query; or says what is wrong with it.
std::variant<jmespath::Expression, std::string> CompileQuery(absl::string_view text);

// What the query finds; null when nothing. Failures: json, overflow, jmespath-runtime, limit; and
// jmespath-syntax for a query that is a claim's text. The query must outlive the workspace.
std::variant<json::Value, Failure> RunQuery(const jmespath::Expression& query, StringValue& json,
                                            Workspace& workspace);
std::variant<json::Value, Failure> RunQuery(StringValue& query, StringValue& json,
                                            Workspace& workspace);

}  // namespace bootgate::gatekeeper::policy

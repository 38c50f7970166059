// What is wrong with a query, or why it has no result.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::policy::jmespath {

enum class ErrorKind {
  kSyntax,           // the text is no query, or nested too deeply
  kUnknownFunction,  // these two also when the query is read
  kInvalidArity,
  kInvalidType,   // of a function's argument, while evaluating
  kInvalidValue,  // a slice step of zero
  kBudget,        // steps, bytes or the arena's limit are spent
};
absl::string_view Name(ErrorKind kind);  // "syntax", "unknown-function", ...

struct Error {
  ErrorKind kind = ErrorKind::kSyntax;
  size_t position = 0;  // byte in the query, 0 to its size: the token or function at fault
  std::string message;
};

}  // namespace bootgate::gatekeeper::policy::jmespath

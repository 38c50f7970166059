// What a policy probably does not mean: questions that its reader should ask, never a refusal.
//
// The linter knows the claims that the gatekeeper makes (known_claims.h) and what literals say. It
// does not run queries: a rule that it passes may still permit too much.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::gatekeeper::policy {

// One row per thing that is found; docs/policies.md lists them.
struct LintRow {
  absl::string_view code;  // "L001"
  absl::string_view title;
};
absl::Span<const LintRow> LintRows();

// In text order. At most kMaxWarningsPerCode of each code.
std::vector<Warning> Lint(const Policy& policy);

}  // namespace bootgate::gatekeeper::policy

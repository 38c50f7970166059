// What a policy probably does not mean: questions that its reader should ask, never a refusal.
//
// The linter knows the claims that the gatekeeper makes (known_claims.h) and what literals say. It
// does not run queries: a rule that it passes may still permit too much.
#pragma once

#include <optional>
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

// The one finding (L008) that does keep a policy out: a rule or a mask that relies on PCR 16 or 23,
// which anybody on the host can reset. Nothing when there is none, or when the policy means it:
//   configurationrules { => issueproperty(type="allow_resettable", value=true); };
inline constexpr absl::string_view kAllowResettable = "allow_resettable";
std::optional<ParseError> ResettableProblem(const Policy& policy,
                                            const std::vector<Warning>& found);

}  // namespace bootgate::gatekeeper::policy

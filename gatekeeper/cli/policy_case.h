// Policy test cases in files: claims that come in (NAME.in.json) and the outcome (NAME.out.json).
//
// Implements: the test form of docs/policies.md. The language's own cases, in
// tests/corpus/policies, have the same form.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::gatekeeper::cli {

struct CaseInput {
  std::string description;            // may be empty
  std::optional<std::string> policy;  // file beside the case; none: NAME.policy
  std::vector<Claim> claims;
};

// {"description", "policy", "claims": [{"type", "value" or "json", "issuer", "readOnly"}]}; the
// list of claims alone will do. Without an issuer it is AttestationService. kInvalidArgument: what
// is wrong, and in which claim.
absl::StatusOr<CaseInput> ReadCaseInput(absl::string_view json);

// An outcome as its members, indented; each ends with a line feed.
std::string RefusalText(const policy::ParseError& error);
std::string OutcomeText(const policy::Policy& policy, const policy::Evaluation& evaluation);

// What differs, a line each: "token.x: expected 1, is 2". Empty: nothing. kInvalidArgument when
// `expected` is no JSON object.
absl::StatusOr<std::vector<std::string>> DiffOutcomes(absl::string_view expected,
                                                      absl::string_view actual);

}  // namespace bootgate::gatekeeper::cli

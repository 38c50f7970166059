// Policies and their test cases from files.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gatekeeper/cli/policy_case.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::gatekeeper::cli {

inline constexpr size_t kMaxCaseBytes = size_t{64} << 20;

// A policy; kInvalidArgument POLICY_PARSE with line, column and a caret when it cannot be read.
absl::StatusOr<policy::Policy> ReadPolicyFile(const std::string& file);

// The claims of a case; errors name the file.
absl::StatusOr<CaseInput> ReadCaseFile(const std::string& file);

}  // namespace bootgate::gatekeeper::cli

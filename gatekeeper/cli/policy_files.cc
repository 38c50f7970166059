#include "gatekeeper/cli/policy_files.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/policy/format_error.h"
#include "gatekeeper/policy/limits.h"

namespace bootgate::gatekeeper::cli {

absl::StatusOr<policy::Policy> ReadPolicyFile(const std::string& file) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, policy::kMaxTextBytes));
  policy::ParseError error;
  std::optional<policy::Policy> policy = policy::Policy::Read(text, &error);
  if (policy) return *std::move(policy);
  return Malformed(Reason::kPolicyParse, policy::FormatError(file, text, error));
}

absl::StatusOr<CaseInput> ReadCaseFile(const std::string& file) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, kMaxCaseBytes));
  absl::StatusOr<CaseInput> input = ReadCaseInput(text);
  if (input.ok()) return input;
  return absl::InvalidArgumentError(absl::StrCat(file, ": ", input.status().message()));
}

}  // namespace bootgate::gatekeeper::cli

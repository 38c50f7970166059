#include "gatekeeper/claims/finding.h"

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper {

std::string Name(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kFail:
      return "fail";
  }
  __builtin_unreachable();
}

std::string Name(Issuer issuer) {
  switch (issuer) {
    case Issuer::kAttestationService:
      return "AttestationService";
    case Issuer::kAttestationPolicy:
      return "AttestationPolicy";
    case Issuer::kCustomClaim:
      return "CustomClaim";
  }
  __builtin_unreachable();
}

std::string ValueTypeName(const ClaimValue& value) {
  if (std::holds_alternative<bool>(value)) return "Boolean";
  if (std::holds_alternative<int64_t>(value)) return "Integer";
  return "String";
}

std::string DisplayText(const ClaimValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const int64_t* number = std::get_if<int64_t>(&value)) return absl::StrCat(*number);
  return Printable(std::get<std::string>(value));
}

}  // namespace bootgate::gatekeeper

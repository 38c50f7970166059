#include "gatekeeper/appraisal/custom_claims.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/claims/claim_names.h"
#include "gatekeeper/json/utf8.h"

namespace bootgate::gatekeeper::appraisal {
namespace {

// Beside TokenNames() and ClaimNames(): what else the service names (specification, 6.1), and the
// issuers (3.1). "custom:" and "x-ms-" are reserved as beginnings.
constexpr absl::string_view kReserved[] = {
    "bootEvents",         "vsmReportPresent", "codeIntegrityEnabled", "enclaveAuthorId",
    "enclaveImageId",     "enclaveOwnerId",   "enclaveFamilyId",      "enclaveSvn",
    "enclavePlatformSvn", "enclaveFlags",     "AttestationService",   "AttestationPolicy",
    "CustomClaim",
};
constexpr absl::string_view kReservedBeginnings[] = {kCustomPrefix, "x-ms-"};

bool IsReserved(absl::string_view name) {
  const auto same = [name](absl::string_view other) { return absl::EqualsIgnoreCase(name, other); };
  return std::ranges::any_of(TokenNames(), same) || std::ranges::any_of(kReserved, same) ||
         std::ranges::any_of(kReservedBeginnings,
                             [name](absl::string_view beginning) {
                               return absl::StartsWithIgnoreCase(name, beginning);
                             }) ||
         std::ranges::any_of(ClaimNames(), same, &ClaimName::name);
}

absl::Status BadClaim(absl::string_view why, const evidence::CustomClaim& claim) {
  return Malformed(Reason::kMessageMalformed,
                   absl::StrCat("custom claim '", Printable(claim.name, 64), "': ", why));
}

absl::Status CheckName(const evidence::CustomClaim& claim) {
  if (claim.name.empty()) return Malformed(Reason::kClaimReserved, "a custom claim has no name");
  if (claim.name.size() > evidence::kMaxCustomName) return BadClaim("the name is too long", claim);
  if (!std::ranges::all_of(claim.name, [](char c) { return c > ' ' && c < 0x7f; }))
    return BadClaim("the name has other than printable characters", claim);
  if (!IsReserved(claim.name)) return absl::OkStatus();
  return Malformed(Reason::kClaimReserved, absl::StrCat("a custom claim asks for the name '",
                                                        Printable(claim.name, 64), "'"));
}

// One form for each number: what was bound by the quote is what is claimed.
std::optional<int64_t> IntegerIn(const std::string& text) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number) || absl::StrCat(number) != text) return std::nullopt;
  return number;
}

absl::StatusOr<ClaimValue> ValueOf(const evidence::CustomClaim& claim) {
  if (claim.value.size() > evidence::kMaxCustomValue)
    return BadClaim("the value is too long", claim);
  if (claim.value_type.empty() || claim.value_type == "String") {
    if (!json::IsUtf8(claim.value)) return BadClaim("the value is no UTF-8", claim);
    return ClaimValue(claim.value);
  }
  if (claim.value_type == "Integer") {
    const std::optional<int64_t> number = IntegerIn(claim.value);
    if (!number.has_value()) return BadClaim("the value is no integer of 64 bits", claim);
    return ClaimValue(*number);
  }
  if (claim.value_type != "Boolean") return BadClaim("the value's type is unknown", claim);
  if (claim.value != "true" && claim.value != "false")
    return BadClaim("the value is neither true nor false", claim);
  return ClaimValue(claim.value == "true");
}

}  // namespace

absl::StatusOr<std::vector<Claim>> CustomClaims(absl::Span<const evidence::CustomClaim> sent) {
  if (sent.size() > evidence::kMaxCustomClaims)
    return Malformed(Reason::kMessageMalformed, "more custom claims than are taken");
  std::vector<Claim> out;
  for (const evidence::CustomClaim& claim : sent) {
    BG_RETURN_IF_ERROR(CheckName(claim));
    BG_ASSIGN_OR_RETURN(ClaimValue value, ValueOf(claim));
    out.push_back({.type = absl::StrCat(kCustomPrefix, claim.name),
                   .value = std::move(value),
                   .issuer = Issuer::kCustomClaim});
  }
  return out;
}

}  // namespace bootgate::gatekeeper::appraisal

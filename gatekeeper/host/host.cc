#include "gatekeeper/host/host.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::host {
namespace {

constexpr absl::string_view kIdPrefix = "h-";
constexpr size_t kIdDigits = 32;  // hexadecimal digits after the prefix

constexpr Trust kAllTrusts[] = {Trust::kPending,       Trust::kTrusted,    Trust::kQuarantined,
                                Trust::kInvestigating, Trust::kRemediated, Trust::kRetired,
                                Trust::kRestricted,    Trust::kSuspect};

bool IsLowerHexDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

absl::string_view Name(Trust trust) {
  switch (trust) {
    case Trust::kPending:
      return "pending";
    case Trust::kTrusted:
      return "trusted";
    case Trust::kQuarantined:
      return "quarantined";
    case Trust::kInvestigating:
      return "investigating";
    case Trust::kRemediated:
      return "remediated";
    case Trust::kRetired:
      return "retired";
    case Trust::kRestricted:
      return "restricted";
    case Trust::kSuspect:
      return "suspect";
  }
  __builtin_unreachable();
}

std::optional<Trust> TrustFromName(absl::string_view name) {
  const auto* const found = std::find_if(std::begin(kAllTrusts), std::end(kAllTrusts),
                                         [&](Trust trust) { return Name(trust) == name; });
  if (found == std::end(kAllTrusts)) return std::nullopt;
  return *found;
}

bool IsShutOut(Trust trust) {
  switch (trust) {
    case Trust::kQuarantined:
    case Trust::kInvestigating:
    case Trust::kRemediated:
      return true;
    case Trust::kPending:
    case Trust::kTrusted:
    case Trust::kRetired:
    case Trust::kRestricted:
    case Trust::kSuspect:
      return false;
  }
  __builtin_unreachable();
}

std::string HostIdFor(ByteView ek_name) {
  const std::string digest = crypto::Hash(crypto::HashAlg::kSha256, ek_name).hex();
  return absl::StrCat(kIdPrefix, digest.substr(0, kIdDigits));
}

bool IsHostId(absl::string_view text) {
  if (text.size() != kIdPrefix.size() + kIdDigits) return false;
  if (!absl::StartsWith(text, kIdPrefix)) return false;
  const absl::string_view digits = text.substr(kIdPrefix.size());
  return std::all_of(digits.begin(), digits.end(), IsLowerHexDigit);
}

absl::string_view Name(Effect effect) {
  switch (effect) {
    case Effect::kIssueCredential:
      return "issue-credential";
    case Effect::kRevokeCredentials:
      return "revoke-credentials";
    case Effect::kOpenIncident:
      return "open-incident";
    case Effect::kNotifyQuarantine:
      return "notify-quarantine";
    case Effect::kNotifyRelease:
      return "notify-release";
  }
  __builtin_unreachable();
}

}  // namespace bootgate::gatekeeper::host

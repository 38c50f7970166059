#include "pki/issuer.h"

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"

namespace bootgate::pki {
absl::string_view Name(CaUse use) {
  switch (use) {
    case CaUse::kHosts:
      return "hosts";
    case CaUse::kAks:
      return "aks";
    case CaUse::kServers:
      return "servers";
    case CaUse::kOperators:
      return "operators";
  }
  return "";
}

std::optional<CaUse> CaUseFromName(absl::string_view name) {
  for (const CaUse use : kAllCaUses) {
    if (Name(use) == name) return use;
  }
  return std::nullopt;
}

absl::StatusOr<Bytes> Issuer::SignElement(ByteView signed_part, ByteView after) const {
  if (!signer.has_value()) {
    return Refuse(absl::StatusCode::kUnavailable, Reason::kCaKey,
                  absl::StrCat("the key of the CA ", id, " is not here"));
  }
  return signer->SignElement(signed_part, after);
}

std::string CrlFileName(ByteView key_id) { return absl::StrCat(ToHex(key_id), ".crl"); }

}  // namespace bootgate::pki

#include "pki/issuer.h"

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "pki/extensions.h"

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

std::string CertificateFileName(ByteView key_id) { return absl::StrCat(ToHex(key_id), ".cer"); }

StatusUrls StatusUrlsBelow(absl::string_view public_url) {
  if (public_url.empty()) return {};
  return {.crl_base = absl::StrCat(public_url, "/crl"),
          .ocsp = absl::StrCat(public_url, "/ocsp"),
          .ca_base = absl::StrCat(public_url, "/ca")};
}

Bytes StatusExtensions(const StatusUrls& urls, ByteView key_id) {
  Bytes all;
  if (!urls.crl_base.empty()) {
    all = ext::CrlDistributionPoint(absl::StrCat(urls.crl_base, "/", CrlFileName(key_id)));
  }
  const std::string certificate =
      urls.ca_base.empty() ? "" : absl::StrCat(urls.ca_base, "/", CertificateFileName(key_id));
  const Bytes access = ext::AuthorityInfoAccess(urls.ocsp, certificate);
  all.insert(all.end(), access.begin(), access.end());
  return all;
}

}  // namespace bootgate::pki

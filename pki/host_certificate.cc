#include "pki/host_certificate.h"

#include <vector>

#include "absl/strings/match.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/authority.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr absl::string_view kScheme = "spiffe://";
constexpr absl::string_view kPath = "/host/";
}  // namespace

absl::StatusOr<HostCertificate> ReadHostCertificate(absl::string_view pem) {
  BG_ASSIGN_OR_RETURN(const Bytes der, PemToDer(pem));
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr certificate, ParseCertificate(der));
  const std::vector<std::string> uris = UriNames(certificate.get());
  const size_t path = uris.size() == 1 ? uris[0].find(kPath.data(), kScheme.size(), kPath.size())
                                       : std::string::npos;
  if (path == std::string::npos || !absl::StartsWith(uris[0], kScheme)) {
    return NotAuthentic(Reason::kCertParse, "the client certificate bears no host id");
  }
  return HostCertificate{.host_id = uris[0].substr(path + kPath.size()),
                         .serial_hex = SerialHex(certificate.get()),
                         .spiffe_id = uris[0],
                         .not_after = NotAfter(certificate.get()),
                         .issuer_key_id = AuthorityKeyId(certificate.get())};
}

}  // namespace bootgate::pki

// Certification requests: how another CA is asked for a certificate of a CA of ours.
//
// Implements: RFC 2986 (PKCS #10), without attributes: what a CA certificate bears is for the one
// to decide who signs it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/crypto/public_key.h"
#include "pki/certificate.h"

namespace bootgate::pki {

// PEM, label CERTIFICATE REQUEST. CA_KEY.
absl::StatusOr<std::string> MakeCaRequest(const std::string& common_name,
                                          const CertificateSigner& signer);

struct CaRequest {
  std::string common_name;
  crypto::PublicKey key;  // its holder signed the request
};
// CA: malformed, or not signed by its own key. KEY_WEAK, KEY_TOO_LARGE.
absl::StatusOr<CaRequest> ReadCaRequest(absl::string_view pem);

}  // namespace bootgate::pki

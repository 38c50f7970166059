// Certificates and CRLs between PEM and DER.
//
// Implements: RFC 7468, strict form. One label only, CERTIFICATE (or X509 CRL): keys, "TRUSTED
// CERTIFICATE" and everything else are refused by name. PEM_FORMAT names the block by its number,
// from 1.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::pki {

inline constexpr size_t kMaxPemSize = 4 << 20;        // bytes
inline constexpr size_t kMaxCertificateSize = 16384;  // bytes of DER
inline constexpr size_t kMaxCrlSize = 3 << 20;        // bytes of DER

// Text between the blocks is allowed, as bundles of roots carry comments. No block at all is an
// empty result.
absl::StatusOr<std::vector<Bytes>> CertificatesFromPem(absl::string_view pem);
absl::StatusOr<std::vector<Bytes>> CrlsFromPem(absl::string_view pem);

// Text with a PEM block in it, or something that begins with no DER SEQUENCE.
bool LooksLikePem(ByteView bytes);

}  // namespace bootgate::pki

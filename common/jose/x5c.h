// The key behind a chain of certificates in a header.
//
// Implements: RFC 7515, 4.1.6 and 4.1.7; RFC 5280, section 6, by OpenSSL (pki/signer_chain.h). The
// rule of policy signing is kept for all: a root has basic constraints CA true.
#pragma once

#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/crypto/public_key.h"

namespace bootgate::jose {

// The key of `chain`'s first certificate, which leads over the others to one of `roots` (DER), or
// is itself one. SIGNER_UNTRUSTED: it does not, or not at `now`, or no root is a CA.
// CERT_PARSE, KEY_WEAK, KEY_TOO_LARGE.
absl::StatusOr<crypto::PublicKey> VerifyX5c(std::span<const Bytes> chain,
                                            std::span<const Bytes> roots, absl::Time now);

// May it be configured as a root? SIGNER_UNTRUSTED: basic constraints do not say CA true, or it is
// not signed by its own key. CERT_PARSE, KEY_WEAK, KEY_TOO_LARGE.
absl::Status CheckRoot(ByteView certificate_der);

std::string X5t(ByteView certificate_der);      // base64url of the SHA-1
std::string X5tS256(ByteView certificate_der);  // base64url of the SHA-256

}  // namespace bootgate::jose

// Does a signer's certificate lead to a configured root? Strict: no tolerance of EK chains is here.
//
// Implements: RFC 5280, section 6, by OpenSSL.
#pragma once

#include <span>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/crypto/public_key.h"

namespace bootgate::pki {

inline constexpr size_t kMaxSignerChain = 8;   // certificates sent
inline constexpr size_t kMaxSignerRoots = 64;  // configured

// The key of the first certificate of `chain` (DER), whose others are untrusted intermediates.
// A root is self-signed with basic constraints CA true; a chain may end below it or with it, and
// may be a root alone. SIGNER_UNTRUSTED names what is wrong; CERT_PARSE, KEY_WEAK, KEY_TOO_LARGE.
absl::StatusOr<crypto::PublicKey> VerifySignerChain(std::span<const Bytes> chain,
                                                    std::span<const Bytes> roots, absl::Time now);

// Self-signed, CA true. SIGNER_UNTRUSTED, CERT_PARSE, KEY_WEAK, KEY_TOO_LARGE.
absl::Status CheckSignerRoot(ByteView certificate_der);

// What a certificate of ours says of the key that signs with it. No trust: the caller made it.
// CERT_PARSE, KEY_WEAK, KEY_TOO_LARGE.
struct SignerCertificate {
  crypto::PublicKey key;
  absl::Time not_before, not_after;
};
absl::StatusOr<SignerCertificate> ReadSignerCertificate(ByteView certificate_der);

}  // namespace bootgate::pki

// Detached CMS signatures over a file.
//
// Implements: RFC 5652, section 5 (SignedData without content), by OpenSSL. Only configured
// certificates count: those inside the signature are not looked at, and no chain is built.
#pragma once

#include <span>

#include "absl/status/status.h"
#include "common/base/bytes_view.h"
#include "common/crypto/hash.h"
#include "common/crypto/pem_key.h"

namespace bootgate::crypto {

inline constexpr size_t kMaxCmsBytes = size_t{1} << 20;

// `signature`: DER, or PEM with the label CMS or PKCS7. `certificates`: DER. Every signer of the
// signature must be one of them, with SHA-256, SHA-384 or SHA-512. SIG_INVALID otherwise;
// UNSIGNED_DUPLICATE when it brings content of its own; kInvalidArgument when it is no CMS at all.
absl::Status VerifyDetachedCms(ByteView signature, ByteView content,
                               std::span<const Bytes> certificates);

inline constexpr int kMaxCmsSigners = 8;

// The same over content of which only the digest is known, as of a kernel module's appended
// signature: one signer that is one of `keys` is enough. A signature has no attributes (then a
// key alone will do) or has them (then the key's certificate is needed).
// SIG_INVALID: no signer is one of `keys`, or none of them made it over this digest.
// kInvalidArgument: it is no such message, or not in DER.
absl::Status VerifyCmsOverDigest(ByteView signature, const Digest& content,
                                 std::span<const PemKey> keys);

}  // namespace bootgate::crypto

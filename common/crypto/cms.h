// Detached CMS signatures over a file.
//
// Implements: RFC 5652, section 5 (SignedData without content), by OpenSSL. Only configured
// certificates count: those inside the signature are not looked at, and no chain is built.
#pragma once

#include <span>

#include "absl/status/status.h"
#include "common/base/bytes_view.h"

namespace bootgate::crypto {

inline constexpr size_t kMaxCmsBytes = size_t{1} << 20;

// `signature`: DER, or PEM with the label CMS or PKCS7. `certificates`: DER. Every signer of the
// signature must be one of them, with SHA-256, SHA-384 or SHA-512. SIG_INVALID otherwise;
// kInvalidArgument when it is no CMS at all.
absl::Status VerifyDetachedCms(ByteView signature, ByteView content,
                               std::span<const Bytes> certificates);

}  // namespace bootgate::crypto

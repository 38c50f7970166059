// Keys and certificates that an operator configures to verify what was signed outside.
//
// Reads: RFC 7468, labels PUBLIC KEY and CERTIFICATE; other labels are refused by name. A
// configured certificate is trusted as it is, whatever its dates and issuer: configuring it is the
// decision.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/crypto/public_key.h"

namespace bootgate::crypto {

inline constexpr size_t kMaxPemBytes = size_t{1} << 20;

struct PemKey {
  PublicKey key;
  Bytes certificate;  // DER; empty: the key came alone
};

// All keys of a PEM text, in order. kInvalidArgument names the block, from 1; no block at all is an
// error too. KEY_WEAK and KEY_TOO_LARGE as PublicKey has them.
absl::StatusOr<std::vector<PemKey>> KeysFromPem(absl::string_view pem);

// The key of one certificate in DER, nothing after it. kInvalidArgument, KEY_WEAK, KEY_TOO_LARGE.
absl::StatusOr<PemKey> KeyFromCertificate(ByteView der);

}  // namespace bootgate::crypto

// Public keys as JSON: JWK and JWK sets.
//
// Implements: RFC 7517, 4 and 5 (public members only), RFC 7518, 6.2 and 6.3 (EC P-256, P-384 and
// P-521, RSA), RFC 7638 (thumbprints). Private and symmetric keys are refused, not stripped: they
// do not belong where we read.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/crypto/hash.h"
#include "common/crypto/public_key.h"

namespace bootgate::jose {

inline constexpr size_t kMaxJwkBytes = size_t{128} << 10;  // with a chain of certificates
inline constexpr size_t kMaxJwkSetBytes = size_t{1} << 20;
inline constexpr size_t kMaxKeysInSet = 256;
inline constexpr size_t kMaxChain = 8;  // certificates in x5c

// What stands beside the key's own members; empty members are left out.
struct JwkNotes {
  std::string kid, use, alg;
  std::vector<Bytes> x5c;  // DER, the key's certificate first
};

struct Jwk {
  crypto::PublicKey key;
  JwkNotes notes;
};

// One line of JSON, members in alphabetical order: {"crv":"P-256","kty":"EC","x":...,"y":...}.
std::string JwkText(const crypto::PublicKey& key);
std::string JwkText(const Jwk& jwk);
// {"keys":[...]}
std::string JwkSetText(const std::vector<Jwk>& keys);

// JWS_PARSE: no JSON object, a repeated member, a private or symmetric key, numbers that are not
// exactly base64url, x5c whose first certificate bears another key. KEY_WEAK, KEY_TOO_LARGE,
// CERT_PARSE. Unknown members are ignored, as the RFC demands.
absl::StatusOr<Jwk> ParseJwk(absl::string_view json);
// Keys of kinds that are not ours are skipped, as RFC 7517, 5 wants it; everything else as above.
absl::StatusOr<std::vector<Jwk>> ParseJwkSet(absl::string_view json);

// SHA-256 over the required members; ThumbprintText is its base64url, our `kid`.
crypto::Digest Thumbprint(const crypto::PublicKey& key);
std::string ThumbprintText(const crypto::PublicKey& key);

}  // namespace bootgate::jose

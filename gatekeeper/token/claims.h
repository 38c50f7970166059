// What a token says: header and claims, put together without signing anything. Pure.
//
// Implements: the policy language specification, sections 3.7, 8.1 and 8.2; RFC 7519; RFC 7800
// (cnf). `rp_data` and `nonce` are the base64url of the bytes that the host's evidence carried.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::token {

inline constexpr absl::Duration kDefaultValidity = absl::Minutes(1440);
inline constexpr absl::Duration kMaxValidity = absl::Minutes(525'600);
inline constexpr absl::Duration kBackdate = absl::Minutes(5);  // `nbf` lies so long before `iat`
inline constexpr size_t kMaxPayloadBytes = size_t{512} << 10;

// What the property claims of the policy ask for; of several of one name the last counts.
struct Properties {
  absl::Duration validity = kDefaultValidity;
  bool omit_x5c = false;
};
Properties PropertiesOf(const std::vector<Claim>& properties);

// base64url(SHA-256(UTF8(base64url(UTF8(policy text))))).
std::string PolicyHash(absl::string_view policy_text);

// Everything about the admitted host that the token repeats. Borrows.
struct Contents {
  std::string issuer;  // URL
  std::string jti;
  absl::Time issued_at, expires_at;
  std::string policy_hash;
  std::string policy_signer_json;      // an object with `jwk`; empty: the policy was not signed
  ByteView rp_data;                    // empty: none was sent
  std::string request_key_json;        // key object of section 6.4; empty: none
  std::string other_keys_json;         // array of them; empty: none
  const std::vector<Claim>& outgoing;  // as the policy issued them
};

// What the policy issued, as a token has it: a JSON object with one member per type, in order of
// first issue, of its distinct values; a single one stands as it is.
std::string PolicyClaimsText(const std::vector<Claim>& outgoing);

// The payload: one JSON object. kInternal: one of the JSON parts is none. kResourceExhausted: it
// would be longer than kMaxPayloadBytes.
absl::StatusOr<std::string> PayloadText(const Contents& contents);

}  // namespace bootgate::gatekeeper::token

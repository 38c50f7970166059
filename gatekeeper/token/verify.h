// A token as a relying party judges it, by our own code: for operators, and for tests.
//
// Implements: RFC 7519, 7.2; RFC 7517 (which key). What the header brings along (x5c, jku) chooses
// nothing: the key is one of those that the caller trusts.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/jose/jwk.h"

namespace bootgate::gatekeeper::token {

struct VerifyOptions {
  absl::Time now;
  std::string issuer;  // empty: any
  absl::Duration clock_skew = absl::Minutes(1);
};

// What a token says, believed or not: for people to read. JWS_PARSE.
struct TokenText {
  std::string header_json, claims_json;
};
absl::StatusOr<TokenText> ReadToken(absl::string_view token);

struct VerifiedToken {
  std::string kid;
  absl::Time expires_at;
  std::string claims_json;
};

// JWS_PARSE: no token, or no claims in it. JWS_ALG: unsigned, or an algorithm that does not fit.
// JWS_SIGNATURE. SIGNER_UNTRUSTED: none of `keys` is the one it names, or another issuer.
// TOKEN_EXPIRED: or not valid yet.
absl::StatusOr<VerifiedToken> VerifyToken(absl::string_view token,
                                          const std::vector<jose::Jwk>& keys,
                                          const VerifyOptions& options);

}  // namespace bootgate::gatekeeper::token

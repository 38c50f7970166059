// A JWT-SVID as the agent judges it for the programs of its host. Pure.
//
// Implements: SPIFFE JWT-SVID, sections 2, 3 and 5; RFC 7519, 7.2. The key is one that the host's
// own gatekeeper named, chosen by `kid`; nothing that the token brings along is believed.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace bootgate::agent::workload {

inline constexpr absl::Duration kJwtClockSkew = absl::Minutes(1);

struct JwtExpectation {
  std::string audience;         // must be among those of the token
  std::string trust_domain_id;  // "spiffe://TRUST DOMAIN"; the subject must be of it
  std::string jwk_set;
  absl::Time now;
};

struct ValidJwtSvid {
  std::string spiffe_id;
  std::string claims_json;
};

// JWS_PARSE: no JWT-SVID (no `kid`, another `typ`, `sub`, `aud` or `exp` missing). JWS_ALG,
// JWS_SIGNATURE. SIGNER_UNTRUSTED: no key of that name, a subject of another trust domain, or
// another audience. TOKEN_EXPIRED.
absl::StatusOr<ValidJwtSvid> ValidateJwtSvid(absl::string_view svid, const JwtExpectation& wanted);

// The names of a JWK set's keys hold this one: who is asked about a token of an unknown key may
// look for newer keys first.
bool HasKey(const std::string& jwk_set, absl::string_view svid);

}  // namespace bootgate::agent::workload

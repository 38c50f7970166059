// JWT-SVIDs: short-lived tokens by which a program of a host shows whose program it is.
//
// Implements: SPIFFE JWT-SVID, sections 2 and 3 (`sub` the SPIFFE ID, `aud`, `exp`; `alg`, `kid`,
// `typ`), on RFC 7519. Signed by the keys that sign attestation tokens; the two are told apart by
// `sub` and `aud`, which no policy can put into an attestation token (claims.h).
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/token/issuer.h"

namespace bootgate::gatekeeper::token {

inline constexpr absl::Duration kJwtSvidValidity = absl::Minutes(5);
inline constexpr size_t kMaxAudiences = 16;
inline constexpr size_t kMaxAudienceBytes = 512;

struct JwtSvidRequest {
  std::string spiffe_id;  // of the host; the caller has established that it is asked by it
  std::vector<std::string> audiences;  // who the token is for
  absl::Time now;
  absl::Time no_longer_than;  // the end of what the host proved itself with
};

struct JwtSvid {
  std::string spiffe_id;
  std::string svid;  // JWS, compact
  absl::Time expires_at;
};

// MESSAGE_MALFORMED: no audience, too many, one that is empty, too long or not printable UTF-8.
// TOKEN_EXPIRED: `no_longer_than` is over. Errors of KeyRing::KeyFor.
absl::StatusOr<JwtSvid> IssueJwtSvid(Issuer& issuer, const JwtSvidRequest& request);

}  // namespace bootgate::gatekeeper::token

#include "gatekeeper/token/jwt_svid.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"

namespace bootgate::gatekeeper::token {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kJtiBytes = 16;

absl::Status CheckAudiences(const std::vector<std::string>& audiences) {
  if (audiences.empty()) {
    return Malformed(Reason::kMessageMalformed, "a JWT-SVID is for somebody: name an audience");
  }
  if (audiences.size() > kMaxAudiences) {
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat(audiences.size(), " audiences, at most ", kMaxAudiences));
  }
  for (const std::string& audience : audiences) {
    const bool plain = std::ranges::none_of(
        audience, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (audience.empty() || audience.size() > kMaxAudienceBytes || !plain) {
      return Malformed(Reason::kMessageMalformed,
                       absl::StrCat("the audience '", Printable(audience, 64), "' is none"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<JwtSvid> IssueJwtSvid(Issuer& issuer, const JwtSvidRequest& request) {
  BG_RETURN_IF_ERROR(CheckAudiences(request.audiences));
  const absl::Time wanted = std::min(request.now + kJwtSvidValidity, request.no_longer_than);
  if (wanted <= request.now) {
    return NotPermitted(Reason::kTokenExpired, "the host's certificate has expired");
  }
  BG_ASSIGN_OR_RETURN(const SigningKey key, issuer.keys().KeyFor(wanted));
  const Json claims = {{"sub", request.spiffe_id},
                       {"aud", request.audiences},
                       {"exp", absl::ToUnixSeconds(key.expires)},
                       {"iat", absl::ToUnixSeconds(request.now)},
                       {"iss", issuer.url()},
                       {"jti", crypto::RandomHex(kJtiBytes)}};
  const jose::JwsHeader header = {.alg = "", .typ = "JWT", .kid = key.info.kid};
  // Audiences that are not UTF-8 would be altered in silence: the library throws instead.
  std::string payload;
  try {
    payload = claims.dump();
  } catch (const Json::type_error&) {
    return Malformed(Reason::kMessageMalformed, "an audience is not UTF-8");
  }
  BG_ASSIGN_OR_RETURN(std::string svid, jose::SignJws(*key.secret, key.info.alg, header, payload));
  return JwtSvid{request.spiffe_id, std::move(svid), key.expires};
}

}  // namespace bootgate::gatekeeper::token

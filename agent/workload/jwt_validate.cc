#include "agent/workload/jwt_validate.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/jose/jwk.h"
#include "common/jose/jws.h"
#include "common/jose/strict_json.h"

namespace bootgate::agent::workload {
namespace {

using Json = nlohmann::json;

absl::Status Bad(absl::string_view why) { return Malformed(Reason::kJwsParse, why); }

absl::Status CheckHeader(const jose::JwsHeader& header) {
  if (header.kid.empty()) return Bad("a JWT-SVID names its key, and this one does not");
  if (!header.typ.empty() && header.typ != "JWT" && header.typ != "JOSE")
    return Bad(absl::StrCat("of the type \"", Printable(header.typ, 32), "\", no JWT-SVID"));
  return absl::OkStatus();
}

absl::StatusOr<jose::VerifiedJws> VerifyByName(const jose::ParsedJws& jws,
                                               const std::string& jwk_set) {
  BG_ASSIGN_OR_RETURN(const std::vector<jose::Jwk> keys, jose::ParseJwkSet(jwk_set));
  const std::string& kid = jws.untrusted_header().kid;
  const auto key =
      std::ranges::find_if(keys, [&](const jose::Jwk& row) { return row.notes.kid == kid; });
  if (key == keys.end()) {
    return NotAuthentic(Reason::kSignerUntrusted,
                        absl::StrCat("the trust domain has no key \"", Printable(kid, 64), "\""));
  }
  return jws.Verify(key->key);
}

absl::Status CheckTime(const Json& claims, absl::Time now) {
  const auto exp = claims.find("exp");
  // Year 9999: what lies beyond is no time that anybody means.
  constexpr double kMostSeconds = 253'402'300'799.0;
  if (exp == claims.end() || !exp->is_number() || exp->get<double>() < 0 ||
      exp->get<double>() > kMostSeconds) {
    return Bad("the claim \"exp\" is missing or no time");
  }
  const absl::Time ends = absl::FromUnixSeconds(static_cast<int64_t>(exp->get<double>()));
  if (now <= ends + kJwtClockSkew) return absl::OkStatus();
  return NotAuthentic(Reason::kTokenExpired, absl::StrCat("it expired at ", FormatUtc(ends)));
}

absl::Status CheckAudience(const Json& claims, const std::string& wanted) {
  const auto aud = claims.find("aud");
  if (aud == claims.end() || !(aud->is_string() || aud->is_array()))
    return Bad("the claim \"aud\" is missing");
  const bool named = aud->is_string() ? *aud == wanted : std::ranges::count(*aud, Json(wanted)) > 0;
  if (named) return absl::OkStatus();
  return NotAuthentic(Reason::kSignerUntrusted,
                      absl::StrCat("it is not for the audience ", Printable(wanted, 64)));
}

absl::StatusOr<std::string> SubjectOf(const Json& claims, const std::string& trust_domain_id) {
  const auto sub = claims.find("sub");
  if (sub == claims.end() || !sub->is_string()) return Bad("the claim \"sub\" is missing");
  std::string subject = sub->get<std::string>();
  if (absl::StartsWith(subject, trust_domain_id + "/")) return subject;
  return NotAuthentic(Reason::kSignerUntrusted,
                      absl::StrCat(Printable(subject, 128), " is not of ", trust_domain_id));
}

}  // namespace

absl::StatusOr<ValidJwtSvid> ValidateJwtSvid(absl::string_view svid, const JwtExpectation& wanted) {
  BG_ASSIGN_OR_RETURN(const jose::ParsedJws jws, jose::ParsedJws::Parse(svid));
  BG_RETURN_IF_ERROR(CheckHeader(jws.untrusted_header()));
  BG_ASSIGN_OR_RETURN(const jose::VerifiedJws verified, VerifyByName(jws, wanted.jwk_set));
  const absl::string_view text = AsText(verified.payload());
  BG_RETURN_IF_ERROR(jose::CheckStrictJson(text, jose::kMaxJwsBytes, "the claims"));
  const Json claims = Json::parse(text.begin(), text.end());
  BG_RETURN_IF_ERROR(CheckTime(claims, wanted.now));
  BG_RETURN_IF_ERROR(CheckAudience(claims, wanted.audience));
  BG_ASSIGN_OR_RETURN(std::string subject, SubjectOf(claims, wanted.trust_domain_id));
  return ValidJwtSvid{std::move(subject), std::string(text.data(), text.size())};
}

bool HasKey(const std::string& jwk_set, absl::string_view svid) {
  const absl::StatusOr<jose::ParsedJws> jws = jose::ParsedJws::Parse(svid);
  const absl::StatusOr<std::vector<jose::Jwk>> keys = jose::ParseJwkSet(jwk_set);
  return jws.ok() && keys.ok() && std::ranges::any_of(*keys, [&](const jose::Jwk& key) {
           return key.notes.kid == jws->untrusted_header().kid;
         });
}

}  // namespace bootgate::agent::workload

#include "gatekeeper/token/verify.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/jose/jws.h"
#include "common/jose/strict_json.h"

namespace bootgate::gatekeeper::token {
namespace {

using Json = nlohmann::json;

absl::Status Bad(absl::string_view why) { return Malformed(Reason::kJwsParse, why); }

absl::StatusOr<Json> ClaimsOf(ByteView payload) {
  const absl::string_view text = AsText(payload);
  BG_RETURN_IF_ERROR(jose::CheckStrictJson(text, jose::kMaxJwsBytes, "the claims"));
  return Json::parse(text.begin(), text.end());
}

// NumericDate; fractions are allowed by the RFC and cut.
absl::StatusOr<absl::Time> TimeOf(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  // Year 9999: what lies beyond is no time that anybody means.
  constexpr double kMostSeconds = 253'402'300'799.0;
  if (found == claims.end() || !found->is_number() || found->get<double>() < 0 ||
      found->get<double>() > kMostSeconds) {
    return Bad(absl::StrCat("the claim \"", name, "\" is missing or no time"));
  }
  return absl::FromUnixSeconds(static_cast<int64_t>(found->get<double>()));
}

bool IsForSigning(const jose::Jwk& key, const std::string& alg) {
  return (key.notes.use.empty() || key.notes.use == "sig") &&
         (key.notes.alg.empty() || key.notes.alg == alg);
}

// Every key that the header may mean: those of its `kid`, or all when it names none.
absl::StatusOr<jose::VerifiedJws> VerifyByAny(const jose::ParsedJws& jws,
                                              const std::vector<jose::Jwk>& keys) {
  const jose::JwsHeader& header = jws.untrusted_header();
  absl::Status last =
      NotAuthentic(Reason::kSignerUntrusted,
                   absl::StrCat("the key set has no key \"", Printable(header.kid, 64), "\""));
  for (const jose::Jwk& key : keys) {
    if (!header.kid.empty() && key.notes.kid != header.kid) continue;
    if (!IsForSigning(key, header.alg)) {
      last = NotAuthentic(Reason::kJwsAlg,
                          absl::StrCat("the key set's key is not for ", Printable(header.alg, 32)));
      continue;
    }
    absl::StatusOr<jose::VerifiedJws> verified = jws.Verify(key.key);
    if (verified.ok()) return verified;
    last = verified.status();
  }
  return last;
}

absl::Status CheckTimes(absl::Time begins, absl::Time ends, const VerifyOptions& options) {
  if (options.now > ends + options.clock_skew) {
    return NotAuthentic(
        Reason::kTokenExpired,
        absl::StrCat("it expired at ", FormatUtc(ends), ", and now is ", FormatUtc(options.now)));
  }
  if (options.now + options.clock_skew < begins) {
    return NotAuthentic(Reason::kTokenExpired,
                        absl::StrCat("it is valid from ", FormatUtc(begins), " on, and now is ",
                                     FormatUtc(options.now)));
  }
  return absl::OkStatus();
}

absl::Status CheckIssuer(const Json& claims, const std::string& wanted) {
  if (wanted.empty()) return absl::OkStatus();
  const auto found = claims.find("iss");
  if (found != claims.end() && *found == wanted) return absl::OkStatus();
  return NotAuthentic(Reason::kSignerUntrusted, "the claim \"iss\" names another issuer");
}

}  // namespace

absl::StatusOr<TokenText> ReadToken(absl::string_view token) {
  BG_ASSIGN_OR_RETURN(const jose::ParsedJws jws, jose::ParsedJws::Parse(token));
  BG_RETURN_IF_ERROR(ClaimsOf(jws.untrusted_payload()).status());
  const absl::string_view claims = AsText(jws.untrusted_payload());
  return TokenText{jws.untrusted_header_json(), std::string(claims.data(), claims.size())};
}

absl::StatusOr<VerifiedToken> VerifyToken(absl::string_view token,
                                          const std::vector<jose::Jwk>& keys,
                                          const VerifyOptions& options) {
  BG_ASSIGN_OR_RETURN(const jose::ParsedJws jws, jose::ParsedJws::Parse(token));
  const jose::JwsHeader& header = jws.untrusted_header();
  if (!jose::JwsAlgFromName(header.alg).has_value()) {
    return NotAuthentic(Reason::kJwsAlg, absl::StrCat("the algorithm \"", Printable(header.alg, 32),
                                                      "\" is not accepted"));
  }
  if (!header.typ.empty() && !absl::EqualsIgnoreCase(header.typ, "JWT")) {
    return Bad(absl::StrCat("of the type \"", Printable(header.typ, 32), "\", no JWT"));
  }
  BG_ASSIGN_OR_RETURN(const jose::VerifiedJws verified, VerifyByAny(jws, keys));
  BG_ASSIGN_OR_RETURN(const Json claims, ClaimsOf(verified.payload()));
  BG_ASSIGN_OR_RETURN(const absl::Time ends, TimeOf(claims, "exp"));
  BG_ASSIGN_OR_RETURN(const absl::Time begins, TimeOf(claims, "nbf"));
  BG_RETURN_IF_ERROR(CheckTimes(begins, ends, options));
  BG_RETURN_IF_ERROR(CheckIssuer(claims, options.issuer));
  const absl::string_view text = AsText(verified.payload());
  return VerifiedToken{header.kid, ends, std::string(text.data(), text.size())};
}

}  // namespace bootgate::gatekeeper::token

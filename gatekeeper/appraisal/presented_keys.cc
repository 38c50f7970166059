#include "gatekeeper/appraisal/presented_keys.h"

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/jose/jwk.h"
#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/parse.h"

namespace bootgate::gatekeeper::appraisal {
namespace {

constexpr int64_t kJwkSteps = 100'000;  // far more than a JWK of the largest size needs
constexpr size_t kJwkArena = 1 << 20;   // bytes
constexpr absl::string_view kQuoteInfo = R"({"tpm_quote":{"hash_alg":"sha-256"}})";

absl::StatusOr<tpm2::CertifiedObject> VerifyOne(const tpm2::CertifyQuestion& question,
                                                const evidence::CertifiedKey& key) {
  return tpm2::CertifiedObject::Verify(question, {.public_area = key.public_area,
                                                  .attest = key.certify_attest,
                                                  .signature = key.certify_signature});
}

absl::Status NoJwk(absl::string_view why) {
  return Malformed(Reason::kMessageMalformed, absl::StrCat("request key: ", why));
}

// The JWK as it was sent, in canonical form: whoever relies on it may want members that are not
// ours. Never a private key: it would be published.
absl::StatusOr<std::string> CheckedJwk(const std::string& text) {
  const absl::StatusOr<jose::Jwk> jwk = jose::ParseJwk(text);
  if (!jwk.ok()) {
    const std::optional<Reason> reason = ReasonOf(jwk.status());
    const bool weak = reason == Reason::kKeyWeak || reason == Reason::kKeyTooLarge;
    return weak ? jwk.status() : NoJwk(jwk.status().message());
  }
  json::Arena arena(kJwkArena);
  const absl::StatusOr<json::Value> value = json::Parse(text, arena);
  if (!value.ok()) return NoJwk(value.status().message());
  json::Budget budget(kJwkSteps);
  std::optional<std::string> canonical = json::CanonicalText(*value, budget);
  if (!canonical.has_value()) return NoJwk("too large");
  return *std::move(canonical);
}

std::string CertifiedJson(const tpm2::CertifiedObject& object) {
  const tpm2::Public& area = object.area();
  std::string policy;
  if (!area.auth_policy.empty())
    policy = absl::StrCat(",\"auth_policy\":\"", ToBase64Url(area.auth_policy), "\"");
  return absl::StrCat(
      "{\"jwk\":", jose::JwkText(object.key()),
      ",\"info\":{\"tpm_certify\":{\"name_alg\":", static_cast<uint16_t>(area.name_alg),
      ",\"obj_attr\":", area.attributes, policy, "}}}");
}

}  // namespace

absl::StatusOr<PresentedKeys> PresentedKeys::Verify(const tpm2::CertifyQuestion& question,
                                                    const evidence::Evidence& evidence) {
  if (evidence.identity_keys.size() > 1)
    return Malformed(Reason::kMessageMalformed, "more than one identity key");
  if (evidence.other_keys.size() > evidence::kMaxOtherKeys)
    return Malformed(Reason::kMessageMalformed, "more other keys than are taken");
  PresentedKeys out;
  if (!evidence.identity_keys.empty()) {
    BG_ASSIGN_OR_RETURN(out.identity_, VerifyOne(question, evidence.identity_keys.front()));
  }
  for (const evidence::CertifiedKey& key : evidence.other_keys) {
    BG_ASSIGN_OR_RETURN(tpm2::CertifiedObject object, VerifyOne(question, key));
    out.others_.push_back(std::move(object));
  }
  if (!evidence.statement.request_key.empty()) {
    BG_ASSIGN_OR_RETURN(out.quoted_jwk_, CheckedJwk(evidence.statement.request_key));
  }
  return out;
}

std::string PresentedKeys::RequestJwk() const {
  if (!quoted_jwk_.empty()) return quoted_jwk_;
  return identity_.has_value() ? jose::JwkText(identity_->key()) : std::string();
}

std::string PresentedKeys::RequestKeyJson() const {
  if (!quoted_jwk_.empty())
    return absl::StrCat("{\"jwk\":", quoted_jwk_, ",\"info\":", kQuoteInfo, "}");
  return identity_.has_value() ? CertifiedJson(*identity_) : std::string();
}

std::string PresentedKeys::OtherKeysJson() const {
  if (others_.empty()) return "";
  std::string out = "[";
  for (const tpm2::CertifiedObject& object : others_)
    absl::StrAppend(&out, out.size() > 1 ? "," : "", CertifiedJson(object));
  return out + "]";
}

}  // namespace bootgate::gatekeeper::appraisal

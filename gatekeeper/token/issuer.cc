#include "gatekeeper/token/issuer.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "common/jose/x5c.h"
#include "gatekeeper/token/claims.h"

namespace bootgate::gatekeeper::token {
namespace {

constexpr size_t kJtiBytes = 16;
constexpr char kType[] = "JWT";

std::string TextOf(absl::string_view text) { return std::string(text.data(), text.size()); }

}  // namespace

absl::StatusOr<Plan> Issuer::PlanToken(const Admitted& host) {
  const Properties properties = PropertiesOf(host.properties);
  BG_ASSIGN_OR_RETURN(SigningKey key, keys_.KeyFor(host.now + properties.validity));
  Plan plan(std::move(key));
  const KeyInfo& info = plan.key_.info;
  plan.jti_ = crypto::RandomHex(kJtiBytes);
  plan.header_ = {.alg = "", .typ = kType, .kid = info.kid, .jku = key_set_url()};
  if (properties.omit_x5c) {
    plan.header_.x5t = jose::X5t(info.chain.front());
  } else {
    plan.header_.x5c = info.chain;
  }
  BG_ASSIGN_OR_RETURN(plan.payload_,
                      PayloadText({.issuer = url_,
                                   .jti = plan.jti_,
                                   .issued_at = host.now,
                                   .expires_at = plan.key_.expires,
                                   .policy_hash = PolicyHash(host.policy_text),
                                   .policy_signer_json = TextOf(host.policy_signer_json),
                                   .rp_data = host.rp_data,
                                   .request_key_json = host.request_key_json,
                                   .other_keys_json = host.other_keys_json,
                                   .outgoing = host.outgoing}));
  return plan;
}

absl::StatusOr<std::string> Issuer::Issue(const Plan& plan) {
  BG_ASSIGN_OR_RETURN(std::string token, jose::SignJws(*plan.key_.secret, plan.key_.info.alg,
                                                       plan.header_, plan.payload_));
  ++issued_;
  return token;
}

}  // namespace bootgate::gatekeeper::token

#include "gatekeeper/token/discovery.h"

#include <nlohmann/json.hpp>

#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::token {

std::string DiscoveryText(const Issuer& issuer) {
  using Json = nlohmann::ordered_json;
  const Json out{
      {"issuer", issuer.url()},
      {"jwks_uri", issuer.key_set_url()},
      {"response_types_supported", Json::array({"token", "none"})},
      {"subject_types_supported", Json::array({"public"})},
      {"id_token_signing_alg_values_supported", Json::array({"ES256", "RS256"})},
      {"claims_supported",
       Json::array({"iss", "iat", "nbf", "exp", "jti", "ver", "cnf", "nonce", "rp_data", "x-ms-ver",
                    "x-ms-attestation-type", "x-ms-policy-hash", "x-ms-policy-signer",
                    "x-ms-policy", "x-ms-tpm-request-key", "x-ms-tpm-other-keys"})}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<std::string> KeySetText(Issuer& issuer) {
  BG_ASSIGN_OR_RETURN(const std::vector<jose::Jwk> keys, issuer.keys().Published());
  return jose::JwkSetText(keys) + "\n";
}

}  // namespace bootgate::gatekeeper::token

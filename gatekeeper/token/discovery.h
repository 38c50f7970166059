// Where relying parties find our keys.
//
// Implements: OpenID Connect Discovery 1.0, section 3, as far as a service that only signs tokens
// has something to say (the fields that Azure Attestation publishes, and `subject_types_supported`
// and `response_types_supported`, which the standard requires).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gatekeeper/token/issuer.h"

namespace bootgate::gatekeeper::token {

// For /.well-known/openid-configuration.
std::string DiscoveryText(const Issuer& issuer);
// For /certs: a JWK set.
absl::StatusOr<std::string> KeySetText(Issuer& issuer);

}  // namespace bootgate::gatekeeper::token

// The sealed credential once it is open, in the forms that programs take it in.
//
// Implements: SPIFFE X.509-SVID, section 2 and 4 (chain without the root, key as PKCS #8); the
// Workload API's way of writing several certificates: DER, one after the other.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/base/secret_bytes.h"
#include "common/evidence/sealed_payload.h"

namespace bootgate::agent::workload {

struct Identity {
  std::string spiffe_id;        // "spiffe://TRUST DOMAIN/host/HOST ID"
  std::string trust_domain_id;  // "spiffe://TRUST DOMAIN"
  Bytes chain_der;              // leaf, then what leads towards the root
  SecretBytes key_pkcs8_der;
  Bytes bundle_der;  // the roots of the trust domain
  absl::Time not_after;

  std::string chain_pem;
  SecretBytes key_pem;
};

// `bundle_pem`: the roots of the trust domain. CERT_PARSE: no host certificate, no root;
// kInvalidArgument: no private key in PKCS #8.
absl::StatusOr<Identity> IdentityOf(const evidence::SealedPayload& payload,
                                    absl::string_view bundle_pem);

}  // namespace bootgate::agent::workload

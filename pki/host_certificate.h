// What a host certificate of ours says about its bearer. Only for certificates whose chain has been
// verified by TLS already.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"

namespace bootgate::pki {

struct HostCertificate {
  std::string host_id;     // last part of the SPIFFE id
  std::string serial_hex;  // lower case, as in CredentialRow
  std::string spiffe_id;   // "spiffe://TRUST DOMAIN/host/HOST ID"
  absl::Time not_after;
  Bytes issuer_key_id;  // which CA; empty when the certificate does not say

  // "spiffe://TRUST DOMAIN"
  std::string TrustDomainId() const {
    return spiffe_id.substr(0, spiffe_id.find('/', sizeof("spiffe://") - 1));
  }
};

// CERT_PARSE: not one certificate, or without exactly one URI of the form
// spiffe://<trust domain>/host/<host id>.
absl::StatusOr<HostCertificate> ReadHostCertificate(absl::string_view pem);

}  // namespace bootgate::pki

// EK certificates of our own making, for TPMs whose vendor gave them none and that an operator has
// approved.
//
// Implements: TCG EK Credential Profile for TPM Family 2.0, version 2.5, section 3.2 (key purpose
// 2.23.133.8.1, key usage by the kind of key); RFC 5280. The alternative name that the profile asks
// for is left out: nobody has told us manufacturer and model, and we certify nothing we do not
// know.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/crypto/public_key.h"
#include "pki/issuer.h"

namespace bootgate::pki {

struct EkCertificateRequest {
  std::string serial_hex;  // as NewSerialHex gives it
  std::string host_id;
  absl::Time not_before, not_after;
};

// DER. `issuer` must have its key. CA, CA_KEY.
absl::StatusOr<Bytes> MakeEkCertificate(const Issuer& issuer, const EkCertificateRequest& request,
                                        const crypto::PublicKey& key);

}  // namespace bootgate::pki

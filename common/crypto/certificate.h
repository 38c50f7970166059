// The key in an X.509 certificate, without any trust in it.
#pragma once

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/crypto/public_key.h"

namespace bootgate::crypto {

struct CertificateKey {
  PublicKey key;
  size_t certificate_size = 0;  // bytes of the DER certificate; what follows it is not looked at
};

// The first certificate in `der`. CERT_PARSE when there is none.
absl::StatusOr<CertificateKey> KeyOfCertificate(ByteView der);

}  // namespace bootgate::crypto

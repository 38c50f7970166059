// A root with its key opened: what signs issuing CAs and the root's own revocation list. It is
// opened for a step and forgotten after it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/crypto/owners.h"
#include "pki/ca_certificate.h"
#include "pki/ca_folder.h"

namespace bootgate::pki {

// A CA's certificate, for what its parts say.
struct ReadCa {
  Bytes der;
  crypto::X509Ptr certificate;
};
// The first one in the file that `ca` names. CA, PEM_FORMAT, CERT_PARSE.
absl::StatusOr<ReadCa> ReadCertificateOf(const CaFolder& folder, const CaRecord& ca);

struct SigningRoot {
  std::string id;
  ReadCa ca;
  Bytes name, key_id;
  absl::Time not_after;
  CertificateSigner signer;

  CaParent parent() const { return {signer, name, key_id, not_after}; }
};

// Of a key that is open already; the certificate is its own.
absl::StatusOr<SigningRoot> SigningRootOf(const std::string& id, const Bytes& certificate_der,
                                          CertificateSigner signer);
// kNone: CA_KEY.
absl::StatusOr<SigningRoot> OpenRoot(const CaFolder& folder, const CaRecord& root);
// A folder with root.pem and root.key, where an offline root is.
absl::StatusOr<SigningRoot> OpenOfflineRoot(const std::string& folder, const SecretSource& secret);

}  // namespace bootgate::pki

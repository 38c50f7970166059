// Certificates put together as DER and signed: the one way Bootgate makes them.
//
// Implements: RFC 5280, section 4.1 (TBSCertificate, Certificate); RFC 5758 (ECDSA identifiers).
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "pki/key_holder.h"

namespace bootgate::pki {

// Name with the given parts; an empty part is left out, and both empty make the empty Name.
Bytes NameDer(absl::string_view organization, absl::string_view common_name);

// Name of a device: its id as serialNumber (X.520, 6.2.9), and no common name, which some TLS
// libraries take for a DNS name.
Bytes DeviceNameDer(absl::string_view id);

struct CertificateFields {
  ByteView serial;   // big-endian magnitude, not zero
  ByteView issuer;   // Name
  ByteView subject;  // Name
  absl::Time not_before, not_after;
  ByteView spki;        // SubjectPublicKeyInfo
  ByteView extensions;  // Extension elements, one after the other
};

// An EC key that signs certificates, CRLs and OCSP responses: P-256 with SHA-256, P-384 with
// SHA-384. Any thread.
class CertificateSigner {
 public:
  // CA when the key is of another kind.
  static absl::StatusOr<CertificateSigner> For(std::shared_ptr<const KeyHolder> holder);
  static absl::StatusOr<CertificateSigner> For(std::shared_ptr<const crypto::PrivateKey> key) {
    return For(InMemory(std::move(key)));
  }

  // The signed certificate in DER. CA or CA_KEY when the key does not sign.
  absl::StatusOr<Bytes> Sign(const CertificateFields& fields) const;

  // The shape that all signed things of X.509 share: SEQUENCE { signed_part, AlgorithmIdentifier,
  // BIT STRING signature, after }. `signed_part`: one whole element. CA, CA_KEY.
  absl::StatusOr<Bytes> SignElement(ByteView signed_part, ByteView after = {}) const;
  ByteView algorithm() const { return algorithm_; }  // AlgorithmIdentifier, in DER

  const KeyHolder& holder() const { return *holder_; }

 private:
  CertificateSigner(std::shared_ptr<const KeyHolder> holder, crypto::HashAlg hash, Bytes algorithm)
      : holder_(std::move(holder)), hash_(hash), algorithm_(std::move(algorithm)) {}

  std::shared_ptr<const KeyHolder> holder_;
  crypto::HashAlg hash_;
  Bytes algorithm_;
};

}  // namespace bootgate::pki

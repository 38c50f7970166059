// Test only: a TPM vendor's root that certifies any EK it is given.
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/crypto/private_key.h"
#include "common/tpm2/public.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/der.h"
#include "pki/ek_chain.h"
#include "pki/extensions.h"

namespace bootgate::gatekeeper::enroll {

class TestCa {
 public:
  explicit TestCa(absl::Time now) : now_(now) {
    key_ = std::make_shared<const crypto::PrivateKey>(
        crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value());
    root_ = Sign("Test TPM root", key_->Public(),
                 Join(pki::ext::BasicConstraintsCa(1), pki::ext::KeyUsage(pki::ext::kKeyCertSign)));
  }

  pki::TrustAnchors Anchors() const { return pki::TrustAnchors::FromPem(RootPem()).value(); }
  std::string RootPem() const { return pki::DerToPem(root_); }

  Bytes CertificateFor(const tpm2::Public& ek) const {
    const Bytes purpose = pki::ext::ExtendedKeyUsage({pki::der::Oid({2, 23, 133, 8, 1})});
    return Sign("EK", ek.Key().value(),
                Join(pki::ext::BasicConstraintsEndEntity(),
                     Join(pki::ext::KeyUsage(pki::ext::kKeyEncipherment), purpose)));
  }

  // As a cloud certifies the attestation key of a vTPM.
  Bytes AkCertificateFor(const tpm2::Public& ak) const {
    const Bytes purpose = pki::ext::ExtendedKeyUsage({pki::ext::oid::AikCertificate()});
    return Sign("AK", ak.Key().value(),
                Join(pki::ext::BasicConstraintsEndEntity(),
                     Join(pki::ext::KeyUsage(pki::ext::kDigitalSignature), purpose)));
  }

 private:
  static Bytes Join(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }

  Bytes Sign(absl::string_view subject, const crypto::PublicKey& key, ByteView extensions) const {
    const Bytes serial = {0x11}, issuer = pki::NameDer("", "Test TPM root");
    const Bytes name = pki::NameDer("", subject), spki = key.SpkiDer();
    return pki::CertificateSigner::For(key_)
        .value()
        .Sign({.serial = serial,
               .issuer = issuer,
               .subject = name,
               .not_before = now_ - absl::Hours(1),
               .not_after = now_ + absl::Hours(1),
               .spki = spki,
               .extensions = extensions})
        .value();
  }

  absl::Time now_;
  std::shared_ptr<const crypto::PrivateKey> key_;
  Bytes root_;
};

}  // namespace bootgate::gatekeeper::enroll

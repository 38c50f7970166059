// Test only: a TPM vendor's root that certifies any EK it is given.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/crypto/private_key.h"
#include "common/tpm2/public.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/der.h"
#include "pki/ek_chain.h"
#include "pki/extensions.h"

namespace bootgate::gatekeeper::enroll {

class TestCa {
 public:
  static constexpr uint8_t kSerial = 0x11;

  explicit TestCa(absl::Time now) : now_(now) {
    key_ = std::make_shared<const crypto::PrivateKey>(
        crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value());
    root_ = Sign("Test TPM root", key_->Public(),
                 Join(pki::ext::BasicConstraintsCa(1),
                      pki::ext::KeyUsage(pki::ext::kKeyCertSign | pki::ext::kCrlSign)));
  }

  pki::TrustAnchors Anchors() const { return pki::TrustAnchors::FromPem(RootPem()).value(); }
  std::string RootPem() const { return pki::DerToPem(root_); }

  // The vendor's list, in which the certificates with these serials stand.
  Bytes Crl(const std::vector<uint8_t>& revoked, uint64_t number = 1,
            absl::Duration made_before = absl::Minutes(30)) const {
    const Bytes issuer = pki::NameDer("", "Test TPM root");
    const Bytes key_id = pki::ext::KeyIdOf(key_->Public().SpkiDer());
    const absl::Time at = now_ - made_before;
    std::vector<pki::RevokedCertificate> rows;
    for (const uint8_t serial : revoked) {
      rows.push_back({.serial = {serial},
                      .revoked_at = at,
                      .not_after = absl::InfiniteFuture(),
                      .reason = pki::RevocationReason::kKeyCompromise,
                      .invalid_since = {}});
    }
    return pki::MakeCrl({.issuer = issuer,
                         .issuer_key_id = key_id,
                         .number = number,
                         .this_update = at,
                         .next_update = now_ + absl::Hours(24)},
                        rows, pki::CertificateSigner::For(key_).value())
        .value();
  }

  Bytes CertificateFor(const tpm2::Public& ek, uint8_t serial = kSerial) const {
    const Bytes purpose = pki::ext::ExtendedKeyUsage({pki::der::Oid({2, 23, 133, 8, 1})});
    return Sign("EK", ek.Key().value(),
                Join(pki::ext::BasicConstraintsEndEntity(),
                     Join(pki::ext::KeyUsage(pki::ext::kKeyEncipherment), purpose)),
                serial);
  }

  // As a cloud certifies the attestation key of a vTPM. `until`: from now on; negative: was good.
  Bytes AkCertificateFor(const tpm2::Public& ak, absl::Duration until = absl::Hours(1)) const {
    const Bytes purpose = pki::ext::ExtendedKeyUsage({pki::ext::oid::AikCertificate()});
    return Sign("AK", ak.Key().value(),
                Join(pki::ext::BasicConstraintsEndEntity(),
                     Join(pki::ext::KeyUsage(pki::ext::kDigitalSignature), purpose)),
                kSerial, until);
  }

 private:
  static Bytes Join(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }

  Bytes Sign(absl::string_view subject, const crypto::PublicKey& key, ByteView extensions,
             uint8_t number = kSerial, absl::Duration until = absl::Hours(1)) const {
    const Bytes serial = {number}, issuer = pki::NameDer("", "Test TPM root");
    const Bytes name = pki::NameDer("", subject), spki = key.SpkiDer();
    return pki::CertificateSigner::For(key_)
        .value()
        .Sign({.serial = serial,
               .issuer = issuer,
               .subject = name,
               .not_before = now_ - absl::Hours(1),
               .not_after = now_ + until,
               .spki = spki,
               .extensions = extensions})
        .value();
  }

  absl::Time now_;
  std::shared_ptr<const crypto::PrivateKey> key_;
  Bytes root_;
};

}  // namespace bootgate::gatekeeper::enroll

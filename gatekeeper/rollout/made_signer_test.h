// Test only: somebody who signs policies, with a root certificate, and a key below it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/hex.h"
#include "common/crypto/private_key.h"
#include "common/jose/jwk.h"
#include "common/jose/jws.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/extensions.h"

namespace bootgate::gatekeeper::rollout {

inline absl::Time SignerTime() { return absl::FromUnixSeconds(1'800'000'000); }

class MadeSigner {
 public:
  enum class Root { kCa, kNoCa };
  explicit MadeSigner(const std::string& name, Root root = Root::kCa)
      : name_(name),
        root_key_(std::make_shared<const crypto::PrivateKey>(
            crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value())),
        leaf_key_(crypto::PrivateKey::GenerateRsa(2048).value()) {
    const Bytes usage = pki::ext::KeyUsage(pki::ext::kKeyCertSign | pki::ext::kDigitalSignature);
    root_ = Certify(name_, root_key_->Public(),
                    Join(root == Root::kCa ? pki::ext::BasicConstraintsCa(1)
                                           : pki::ext::BasicConstraintsEndEntity(),
                         usage));
    leaf_ = Certify(name_ + " signing", leaf_key_.Public(),
                    Join(pki::ext::BasicConstraintsEndEntity(),
                         pki::ext::KeyUsage(pki::ext::kDigitalSignature)));
  }

  const Bytes& root() const { return root_; }
  const Bytes& leaf() const { return leaf_; }
  std::string RootPem() const { return pki::DerToPem(root_); }

  // With the RSA key below the root, as the original service wants it, or with the root's own.
  std::string SignRs256(absl::string_view payload) const {
    jose::JwsHeader header;
    header.x5c = {leaf_, root_};
    return jose::SignJws(leaf_key_, jose::JwsAlg::kRs256, header, payload).value();
  }
  std::string SignEs256(absl::string_view payload) const {
    jose::JwsHeader header;
    header.x5c = {root_};
    return jose::SignJws(*root_key_, jose::JwsAlg::kEs256, header, payload).value();
  }
  // The certificate as a claim has it: a JWK with x5c.
  std::string RootJwk() const {
    jose::JwkNotes notes;
    notes.x5c = {root_};
    return jose::JwkText(jose::Jwk{root_key_->Public(), std::move(notes)});
  }

 private:
  static Bytes Join(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
  Bytes Certify(const std::string& subject, const crypto::PublicKey& key, ByteView extensions) {
    const Bytes serial = {0x21}, issuer = pki::NameDer("", name_);
    const Bytes named = pki::NameDer("", subject), spki = key.SpkiDer();
    return pki::CertificateSigner::For(root_key_)
        .value()
        .Sign({.serial = serial,
               .issuer = issuer,
               .subject = named,
               .not_before = SignerTime() - absl::Hours(1),
               .not_after = SignerTime() + absl::Hours(24 * 365),
               .spki = spki,
               .extensions = extensions})
        .value();
  }

  const std::string name_;
  const std::shared_ptr<const crypto::PrivateKey> root_key_;
  const crypto::PrivateKey leaf_key_;
  Bytes root_, leaf_;
};

// The payload of a policy's JWS.
inline std::string PolicyPayload(absl::string_view text) {
  return absl::StrCat(R"({"AttestationPolicy":")", ToBase64Url(AsBytes(std::string(text))), "\"}");
}

}  // namespace bootgate::gatekeeper::rollout

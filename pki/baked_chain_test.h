// Test only: chains made as a vendor makes them, so that each can be spoiled in one way.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/crypto/private_key.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/der.h"
#include "pki/extensions.h"

namespace bootgate::pki::baked {

// A little after the corpus was captured.
inline const absl::Time kNow = absl::FromCivil(absl::CivilDay(2027, 1, 1), absl::UTCTimeZone());

inline Bytes Joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

struct Key {
  std::shared_ptr<const crypto::PrivateKey> key;
  std::unique_ptr<CertificateSigner> signer;
  Bytes spki;
};

inline const Key& KeyNamed(const std::string& name) {
  static std::map<std::string, Key> keys;
  Key& entry = keys[name];
  if (entry.key == nullptr) {
    entry.key = std::make_shared<const crypto::PrivateKey>(
        *crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
    entry.signer = std::make_unique<CertificateSigner>(*CertificateSigner::For(entry.key));
    entry.spki = entry.key->Public().SpkiDer();
  }
  return entry;
}

// One certificate to be; what is not changed is as it should be.
struct Recipe {
  std::string subject, issuer;  // key names too
  std::string signed_by;        // key name; empty: as `issuer`
  Bytes spki;                   // empty: the key named `subject`
  std::vector<Bytes> extensions;
  Bytes subject_name;  // empty: made of `subject`
  absl::Time not_before = kNow - absl::Hours(1), not_after = kNow + absl::Hours(1);
};

inline Bytes Bake(const Recipe& recipe) {
  const std::string& signer = recipe.signed_by.empty() ? recipe.issuer : recipe.signed_by;
  const Bytes serial = {0x11};
  const Bytes issuer = NameDer("", recipe.issuer);
  const Bytes subject =
      recipe.subject_name.empty() ? NameDer("", recipe.subject) : recipe.subject_name;
  const Bytes spki = recipe.spki.empty() ? KeyNamed(recipe.subject).spki : recipe.spki;
  const Bytes extensions = Joined(recipe.extensions);
  return *KeyNamed(signer).signer->Sign({.serial = serial,
                                         .issuer = issuer,
                                         .subject = subject,
                                         .not_before = recipe.not_before,
                                         .not_after = recipe.not_after,
                                         .spki = spki,
                                         .extensions = extensions});
}

// The same with elements as nobody should write them: `serial` an INTEGER, `validity` a SEQUENCE.
inline Bytes BakeOdd(const Recipe& recipe, const Bytes& serial, const Bytes& validity) {
  const CertificateSigner& signer =
      *KeyNamed(recipe.signed_by.empty() ? recipe.issuer : recipe.signed_by).signer;
  static constexpr uint8_t kVersion3[] = {0x02, 0x01, 0x02};
  const Bytes extensions = der::Sequence({Joined(recipe.extensions)});
  return *signer.SignElement(der::Sequence(
      {der::Element(der::kContextConstructed | 0, {kVersion3}), serial, signer.algorithm(),
       NameDer("", recipe.issuer), validity, NameDer("", recipe.subject),
       KeyNamed(recipe.subject).spki, der::Element(der::kContextConstructed | 3, {extensions})}));
}
inline Bytes RegularSerial() { return {0x02, 0x01, 0x11}; }
inline Bytes RegularValidity() {
  return der::Sequence({der::Time(kNow - absl::Hours(1)), der::Time(kNow + absl::Hours(1))});
}

inline Bytes CaUsage() { return ext::KeyUsage(ext::kKeyCertSign | ext::kCrlSign); }
inline Bytes EkPurpose() { return ext::ExtendedKeyUsage({der::Oid({2, 23, 133, 8, 1})}); }

// subjectAltName with the TPM's directoryName; critical, as certificates without a subject need.
inline Bytes TpmNames() {
  const auto attribute = [](uint32_t number, absl::string_view text) {
    return der::Element(der::kSet,
                        {der::Sequence({der::Oid({2, 23, 133, 2, number}), der::Text(text)})});
  };
  const Bytes name = der::Sequence(
      {attribute(1, "id:54455354"), attribute(2, "Test"), attribute(3, "id:00010002")});
  const Bytes names = der::Sequence({der::Element(der::kContextConstructed | 4, {name})});
  return ext::Extension(der::Oid({2, 5, 29, 17}), ext::Criticality::kCritical, names);
}

inline Recipe Root() {
  return {
      .subject = "root", .issuer = "root", .extensions = {ext::BasicConstraintsCa(1), CaUsage()}};
}
inline Recipe Intermediate() {
  return {
      .subject = "middle", .issuer = "root", .extensions = {ext::BasicConstraintsCa(0), CaUsage()}};
}
inline Recipe Leaf() {
  return {.subject = "ek",
          .issuer = "middle",
          .extensions = {ext::BasicConstraintsEndEntity(), ext::KeyUsage(ext::kKeyEncipherment),
                         EkPurpose(), TpmNames()}};
}

}  // namespace bootgate::pki::baked

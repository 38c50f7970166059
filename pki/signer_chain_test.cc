#include "pki/signer_chain.h"

#include <filesystem>

#include "common/base/reason.h"
#include "common/crypto/private_key.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/extensions.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

// One certificate and its key, as a signer's own tools would make it.
struct Party {
  std::shared_ptr<const crypto::PrivateKey> key;
  Bytes name, certificate;
};

enum class Form { kCa, kCaNoConstraints, kSigner, kTlsOnly };

Bytes ExtensionsOf(Form form) {
  switch (form) {
    case Form::kCa:
      return ext::BasicConstraintsCa(2);
    case Form::kCaNoConstraints:
      return ext::KeyUsage(ext::kKeyCertSign);
    case Form::kSigner:
      return ext::KeyUsage(ext::kDigitalSignature);
    case Form::kTlsOnly:
      return ext::KeyUsage(ext::kKeyEncipherment);
  }
  return {};
}

Party Made(const char* name, Form form, const Party* issuer = nullptr,
           absl::Duration lifetime = absl::Hours(24)) {
  Party out;
  out.key = std::make_shared<const crypto::PrivateKey>(
      crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value());
  out.name = NameDer("", name);
  const Party& by = issuer == nullptr ? out : *issuer;
  const Bytes spki = out.key->Public().SpkiDer(), extensions = ExtensionsOf(form);
  const Bytes serial{0x42, static_cast<uint8_t>(name[0])};
  out.certificate = CertificateSigner::For(by.key)
                        .value()
                        .Sign({.serial = serial,
                               .issuer = by.name,
                               .subject = out.name,
                               .not_before = kNow - absl::Hours(1),
                               .not_after = kNow - absl::Hours(1) + lifetime,
                               .spki = spki,
                               .extensions = extensions})
                        .value();
  return out;
}

absl::StatusOr<crypto::PublicKey> Verify(const std::vector<Bytes>& chain,
                                         const std::vector<Bytes>& roots, absl::Time now = kNow) {
  return VerifySignerChain(chain, roots, now);
}

TEST(VerifySignerChain, GivesTheKeyOfTheFirstCertificate) {
  const Party root = Made("root", Form::kCa), middle = Made("middle", Form::kCa, &root),
              leaf = Made("leaf", Form::kSigner, &middle);
  for (const std::vector<Bytes>& chain :
       {std::vector<Bytes>{leaf.certificate, middle.certificate},
        {leaf.certificate, middle.certificate, root.certificate}}) {
    BG_ASSERT_OK_AND_ASSIGN(const crypto::PublicKey key, Verify(chain, {root.certificate}));
    EXPECT_TRUE(key == leaf.key->Public());
  }
}

TEST(VerifySignerChain, TakesARootAlone) {
  const Party root = Made("root", Form::kCa);
  EXPECT_THAT(Verify({root.certificate}, {root.certificate}), IsOk());
}

TEST(VerifySignerChain, RefusesOtherRootsAndGaps) {
  const Party root = Made("root", Form::kCa), middle = Made("middle", Form::kCa, &root),
              leaf = Made("leaf", Form::kSigner, &middle);
  const Party other = Made("root", Form::kCa);  // the same name
  EXPECT_THAT(Verify({leaf.certificate, middle.certificate}, {other.certificate}),
              Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(Verify({leaf.certificate}, {root.certificate}), Refuses(Reason::kSignerUntrusted));
  // A root that is only sent is no root.
  EXPECT_THAT(Verify({leaf.certificate, middle.certificate, root.certificate}, {other.certificate}),
              Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(Verify({}, {root.certificate}), Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(Verify({leaf.certificate}, {}), Refuses(Reason::kSignerUntrusted));
}

TEST(VerifySignerChain, RefusesACertificateOutOfItsTime) {
  const Party root = Made("root", Form::kCa), leaf = Made("leaf", Form::kSigner, &root);
  EXPECT_THAT(Verify({leaf.certificate}, {root.certificate}, kNow + absl::Hours(48)),
              Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(Verify({leaf.certificate}, {root.certificate}, kNow - absl::Hours(48)),
              Refuses(Reason::kSignerUntrusted));
}

TEST(VerifySignerChain, ARootMustSayThatItIsACa) {
  const Party plain = Made("plain", Form::kCaNoConstraints),
              leaf = Made("leaf", Form::kSigner, &plain);
  EXPECT_THAT(Verify({leaf.certificate}, {plain.certificate}), Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(CheckSignerRoot(plain.certificate), Refuses(Reason::kSignerUntrusted));
  const Party end = Made("end", Form::kSigner);
  EXPECT_THAT(Verify({end.certificate}, {end.certificate}), Refuses(Reason::kSignerUntrusted));
}

TEST(VerifySignerChain, AnEndEntityIssuesNothing) {
  const Party root = Made("root", Form::kCa), leaf = Made("leaf", Form::kSigner, &root),
              below = Made("below", Form::kSigner, &leaf);
  EXPECT_THAT(Verify({below.certificate, leaf.certificate}, {root.certificate}),
              Refuses(Reason::kSignerUntrusted));
}

TEST(VerifySignerChain, AKeyThatIsNotToSignSignsNothing) {
  const Party root = Made("root", Form::kCa), leaf = Made("leaf", Form::kTlsOnly, &root);
  EXPECT_THAT(Verify({leaf.certificate}, {root.certificate}), Refuses(Reason::kSignerUntrusted));
}

TEST(CheckSignerRoot, AnIntermediateIsNoRoot) {
  const Party root = Made("root", Form::kCa), middle = Made("middle", Form::kCa, &root);
  EXPECT_THAT(CheckSignerRoot(root.certificate), IsOk());
  EXPECT_THAT(CheckSignerRoot(middle.certificate), Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(CheckSignerRoot(Bytes{1, 2, 3}), Refuses(Reason::kCertParse));
}

TEST(VerifySignerChain, BoundsTheNumberOfCertificates) {
  const Party root = Made("root", Form::kCa);
  EXPECT_THAT(Verify(std::vector<Bytes>(kMaxSignerChain + 1, root.certificate), {root.certificate}),
              Refuses(Reason::kCertParse));
}

}  // namespace
}  // namespace bootgate::pki

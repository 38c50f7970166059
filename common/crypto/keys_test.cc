// PublicKey, PrivateKey and key agreement together: each is the other's check.
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/crypto/der.h"
#include "common/crypto/key_agreement.h"
#include "common/crypto/private_key.h"
#include "common/crypto/public_key.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace bootgate::crypto {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

const PrivateKey& Rsa() {
  static const PrivateKey* const key = new PrivateKey(*PrivateKey::GenerateRsa(2048));
  return *key;
}

PrivateKey Ec(Curve curve) { return *PrivateKey::GenerateEc(curve); }

Digest Sample(HashAlg alg = HashAlg::kSha256) { return Hash(alg, AsBytes("message")); }

// r and s of a DER signature.
struct RS {
  Bytes r, s;
};
RS Split(ByteView der) {
  DerReader outer(der);
  DerReader in(*outer.Take(DerReader::kSequence));
  RS out;
  out.r = ToBytes(*in.TakePositiveInteger());
  out.s = ToBytes(*in.TakePositiveInteger());
  return out;
}

Bytes SpkiOf(EVP_PKEY* key) {
  Bytes der(static_cast<size_t>(i2d_PUBKEY(key, nullptr)));
  uint8_t* out = der.data();
  i2d_PUBKEY(key, &out);
  return der;
}

class CurveTest : public ::testing::TestWithParam<Curve> {};

TEST_P(CurveTest, SignsVerifiesAndTravels) {
  const PrivateKey key = Ec(GetParam());
  const PublicKey& half = key.Public();
  EXPECT_EQ(half.kind(), PublicKey::Kind::kEc);
  EXPECT_EQ(half.curve(), GetParam());
  for (const HashAlg alg : {HashAlg::kSha256, HashAlg::kSha384, HashAlg::kSha512}) {
    BG_ASSERT_OK_AND_ASSIGN(const Bytes signature, key.Sign(SignatureScheme::kEcdsa, Sample(alg)));
    EXPECT_THAT(half.Verify(SignatureScheme::kEcdsa, Sample(alg), signature), IsOk());
    const RS rs = Split(signature);
    EXPECT_THAT(half.VerifyEcdsa(Sample(alg), rs.r, rs.s), IsOk());
    EXPECT_THAT(half.VerifyEcdsa(Sample(alg), rs.s, rs.r), Refuses(Reason::kSigInvalid));
    EXPECT_THAT(half.VerifyEcdsa(Digest(alg), rs.r, rs.s), Refuses(Reason::kSigInvalid));
  }
  BG_ASSERT_OK_AND_ASSIGN(const PublicKey again, PublicKey::FromSpkiDer(half.SpkiDer()));
  EXPECT_TRUE(again == half);
  EXPECT_FALSE(again == Ec(GetParam()).Public());
}

TEST_P(CurveTest, ShortAndPaddedNumbersAreTheSameNumbers) {
  const PrivateKey key = Ec(GetParam());
  const size_t field = FieldSize(GetParam());
  const RS rs = Split(*key.Sign(SignatureScheme::kEcdsa, Sample()));
  Bytes padded(field - rs.r.size());
  padded.insert(padded.end(), rs.r.begin(), rs.r.end());
  EXPECT_THAT(key.Public().VerifyEcdsa(Sample(), padded, rs.s), IsOk());
  padded.insert(padded.begin(), 0);
  EXPECT_THAT(key.Public().VerifyEcdsa(Sample(), padded, rs.s), Refuses(Reason::kSigInvalid));
}

TEST_P(CurveTest, NumbersOutsideTheRangeAreRefused) {
  const PublicKey half = Ec(GetParam()).Public();
  const size_t field = FieldSize(GetParam());
  const Bytes one = {1};
  const Bytes huge(field, 0xff);  // above n on every curve
  for (const Bytes& bad : {Bytes(), Bytes(1), Bytes(field), huge}) {
    EXPECT_THAT(half.VerifyEcdsa(Sample(), bad, one), Refuses(Reason::kSigInvalid));
    EXPECT_THAT(half.VerifyEcdsa(Sample(), one, bad), Refuses(Reason::kSigInvalid));
  }
}

TEST_P(CurveTest, BothSidesAgreeOnOneSecret) {
  const PrivateKey key = Ec(GetParam());
  BG_ASSERT_OK_AND_ASSIGN(const Agreement ours, AgreeWith(key.Public()));
  EXPECT_EQ(ours.z.size(), FieldSize(GetParam()));
  BG_ASSERT_OK_AND_ASSIGN(const PublicKey theirs, PublicKey::FromEc(GetParam(), ours.x, ours.y));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  ASSERT_EQ(EVP_PKEY_derive_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_derive_set_peer(context.get(), theirs.get()), 1);
  Bytes z(FieldSize(GetParam()));
  size_t size = z.size();
  ASSERT_EQ(EVP_PKEY_derive(context.get(), z.data(), &size), 1);
  EXPECT_TRUE(ours.z.ConstantTimeEquals(z));
}

TEST_P(CurveTest, PointsOffTheCurveAreWeak) {
  const size_t field = FieldSize(GetParam());
  const Bytes one = {1};
  EXPECT_THAT(PublicKey::FromEc(GetParam(), one, one), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(PublicKey::FromEc(GetParam(), {}, {}), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(PublicKey::FromEc(GetParam(), Bytes(field, 0xff), one), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(PublicKey::FromEc(GetParam(), Bytes(field + 1), one), Refuses(Reason::kKeyTooLarge));
}

TEST_P(CurveTest, PemGoesBothWays) {
  const PrivateKey key = Ec(GetParam());
  const SecretBytes pem = key.Pem();
  EXPECT_TRUE(AsText(pem.view()).substr(0, 27) == "-----BEGIN PRIVATE KEY-----");
  BG_ASSERT_OK_AND_ASSIGN(const PrivateKey again, PrivateKey::FromPem(AsText(pem.view())));
  EXPECT_TRUE(again.Public() == key.Public());
}

INSTANTIATE_TEST_SUITE_P(Curves, CurveTest,
                         ::testing::Values(Curve::kP256, Curve::kP384, Curve::kP521),
                         [](const auto& row) {
                           return "P" + std::to_string(FieldSize(row.param) * 8);
                         });

TEST(RsaKey, SignsAndVerifiesBothPaddings) {
  for (const SignatureScheme scheme : {SignatureScheme::kRsassa, SignatureScheme::kRsapss}) {
    for (const HashAlg alg :
         {HashAlg::kSha1, HashAlg::kSha256, HashAlg::kSha384, HashAlg::kSha512}) {
      BG_ASSERT_OK_AND_ASSIGN(const Bytes signature, Rsa().Sign(scheme, Sample(alg)));
      EXPECT_THAT(Rsa().Public().Verify(scheme, Sample(alg), signature), IsOk());
      EXPECT_THAT(Rsa().Public().Verify(scheme, Digest(alg), signature),
                  Refuses(Reason::kSigInvalid));
      const auto other =
          scheme == SignatureScheme::kRsassa ? SignatureScheme::kRsapss : SignatureScheme::kRsassa;
      EXPECT_THAT(Rsa().Public().Verify(other, Sample(alg), signature),
                  Refuses(Reason::kSigInvalid));
    }
  }
}

TEST(RsaKey, SignatureLengthIsExact) {
  const Bytes signature = *Rsa().Sign(SignatureScheme::kRsassa, Sample());
  Bytes longer = signature;
  longer.insert(longer.begin(), 0);
  for (const ByteView bad : {ByteView(signature).first(255), ByteView(longer), ByteView()}) {
    EXPECT_THAT(Rsa().Public().Verify(SignatureScheme::kRsassa, Sample(), bad),
                Refuses(Reason::kSigInvalid));
  }
}

TEST(RsaKey, SchemesOfOtherKindsOfKeyAreRefused) {
  EXPECT_THAT(Rsa().Public().Verify(SignatureScheme::kEcdsa, Sample(), Bytes(70)),
              Refuses(Reason::kSigScheme));
  EXPECT_THAT(Rsa().Public().VerifyEcdsa(Sample(), Bytes(32, 1), Bytes(32, 1)),
              Refuses(Reason::kSigScheme));
  const PrivateKey ec = Ec(Curve::kP256);
  EXPECT_THAT(ec.Public().Verify(SignatureScheme::kRsassa, Sample(), Bytes(256)),
              Refuses(Reason::kSigScheme));
  EXPECT_FALSE(ec.Sign(SignatureScheme::kRsassa, Sample()).ok());
  EXPECT_FALSE(Rsa().Sign(SignatureScheme::kEcdsa, Sample()).ok());
}

TEST(RsaKey, UnfitNumbersAreNamed) {
  Bytes modulus(256, 0xff);
  EXPECT_THAT(PublicKey::FromRsa(modulus, 0), IsOk());
  EXPECT_THAT(PublicKey::FromRsa(modulus, 65536), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(PublicKey::FromRsa(modulus, 1), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(PublicKey::FromRsa(Bytes(128, 0xff), 0), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(PublicKey::FromRsa({}, 0), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(PublicKey::FromRsa(Bytes(2048, 0xff), 0), Refuses(Reason::kKeyTooLarge));
  modulus.back() = 0xfe;
  EXPECT_THAT(PublicKey::FromRsa(modulus, 0), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(PrivateKey::GenerateRsa(1024), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(PrivateKey::GenerateRsa(16384), Refuses(Reason::kKeyTooLarge));
}

TEST(RsaKey, WeakKeysAreRefusedInEveryForm) {
  PkeyPtr weak(EVP_RSA_gen(1024));
  EXPECT_THAT(PublicKey::FromSpkiDer(SpkiOf(weak.get())), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(PublicKey::FromEvp(std::move(weak)), Refuses(Reason::kKeyWeak));
}

TEST(Spki, ExactlyOneKeyAndNothingElse) {
  for (const Bytes& good : {Rsa().Public().SpkiDer(), Ec(Curve::kP384).Public().SpkiDer()}) {
    for (size_t size = 0; size < good.size(); ++size) {
      EXPECT_FALSE(PublicKey::FromSpkiDer(ByteView(good).first(size)).ok()) << size;
    }
    Bytes longer = good;
    longer.push_back(0);
    EXPECT_THAT(PublicKey::FromSpkiDer(longer), Refuses(Reason::kKeyWeak));
  }
  EXPECT_THAT(PublicKey::FromSpkiDer(Bytes(4096)), Refuses(Reason::kKeyTooLarge));
}

// Some vendors' EK certificates call the key id-RSAES-OAEP, with or without parameters.
TEST(Spki, EcKeysAreWrittenAsOpenSslWritesThem) {
  for (const Curve curve : {Curve::kP256, Curve::kP384, Curve::kP521}) {
    const PrivateKey key = Ec(curve);
    EXPECT_EQ(key.Public().SpkiDer(), SpkiOf(key.get()));
  }
}

TEST(Spki, OaepKeysAreRsaKeys) {
  Bytes der = Rsa().Public().SpkiDer();
  const Bytes plain_oid = *FromHex("06092a864886f70d010101");
  const auto at = std::search(der.begin(), der.end(), plain_oid.begin(), plain_oid.end());
  ASSERT_NE(at, der.end());
  at[10] = 7;
  BG_ASSERT_OK_AND_ASSIGN(const PublicKey key, PublicKey::FromSpkiDer(der));
  EXPECT_TRUE(key == Rsa().Public());
}

TEST(Spki, OtherKindsAndCurvesAreRefused) {
  for (const char* type : {"ED25519", "X25519"}) {
    const PkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, type));
    EXPECT_THAT(PublicKey::FromSpkiDer(SpkiOf(key.get())), Refuses(Reason::kKeyWeak));
  }
  PkeyPtr other_curve(EVP_EC_gen("secp256k1"));
  EXPECT_THAT(PublicKey::FromSpkiDer(SpkiOf(other_curve.get())), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(PublicKey::FromEvp(std::move(other_curve)), Refuses(Reason::kKeyWeak));
}

TEST(PublicKey, FromEvpTakesWhatWeTakeElsewhere) {
  BG_ASSERT_OK_AND_ASSIGN(const PublicKey ec, PublicKey::FromEvp(PkeyPtr(EVP_EC_gen("P-384"))));
  EXPECT_EQ(ec.curve(), Curve::kP384);
  BG_ASSERT_OK_AND_ASSIGN(const PublicKey rsa, PublicKey::FromEvp(PkeyPtr(EVP_RSA_gen(2048))));
  EXPECT_EQ(rsa.bits(), 2048);
  EXPECT_FALSE(PublicKey::FromEvp(nullptr).ok());
}

TEST(PrivateKey, OnlyUnencryptedPemIsRead) {
  EXPECT_FALSE(PrivateKey::FromPem("").ok());
  EXPECT_FALSE(
      PrivateKey::FromPem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").ok());
  EXPECT_FALSE(PrivateKey::FromPem(std::string(20000, 'x')).ok());
}

TEST(RsaOaep, OpensWithTheSameLabelAlone) {
  const absl::string_view label("IDENTITY\0", 9);
  BG_ASSERT_OK_AND_ASSIGN(const Bytes sealed, RsaOaepEncrypt(Rsa().Public(), HashAlg::kSha256,
                                                             AsBytes(label), AsBytes("seed")));
  EXPECT_EQ(sealed.size(), 256u);
  for (const bool right : {true, false}) {
    const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, Rsa().get(), nullptr));
    ASSERT_EQ(EVP_PKEY_decrypt_init(context.get()), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()), 1);
    const size_t size = right ? label.size() : label.size() - 1;
    ASSERT_EQ(EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), OPENSSL_memdup(label.data(), size),
                                               static_cast<int>(size)),
              1);
    Bytes plain(256);
    size_t plain_size = plain.size();
    const bool opened = EVP_PKEY_decrypt(context.get(), plain.data(), &plain_size, sealed.data(),
                                         sealed.size()) == 1;
    EXPECT_EQ(opened, right);
    EXPECT_EQ(AsText(ByteView(plain).first(opened ? plain_size : 0)), right ? "seed" : "");
  }
  EXPECT_FALSE(RsaOaepEncrypt(Ec(Curve::kP256).Public(), HashAlg::kSha256, {}, {}).ok());
  EXPECT_FALSE(AgreeWith(Rsa().Public()).ok());
}

}  // namespace
}  // namespace bootgate::crypto

#include "common/crypto/certificate_facts.h"

#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::crypto {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The certificate of the first entry of a captured signature list: 28 bytes of header, 16 of owner.
Bytes FirstCertificate(absl::string_view variable) {
  const Bytes list = testing::CorpusFile(variable);
  const size_t size = static_cast<size_t>(list.at(16)) | static_cast<size_t>(list.at(17)) << 8;
  return Bytes(list.begin() + 44, list.begin() + static_cast<ptrdiff_t>(size));
}

TEST(CertificateFacts, AreThoseOfARealCertificate) {
  const auto facts = ReadCertificateFacts(FirstCertificate("boots/good/efivars/db.bin"));
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->subject,
            "CN=Microsoft Windows Production PCA 2011, O=Microsoft Corporation, L=Redmond, "
            "ST=Washington, C=US");
  EXPECT_THAT(facts->issuer, StartsWith("CN=Microsoft Root Certificate Authority 2010, "));
  EXPECT_EQ(facts->serial, "61077656000000000008");
  EXPECT_EQ(facts->not_before, "2011-10-19T18:41:42Z");
  EXPECT_EQ(facts->not_after, "2026-10-19T18:51:42Z");
  EXPECT_EQ(facts->key, "RSA 2048");
  EXPECT_EQ(facts->fingerprint.hex(),
            "e8e95f0733a55e8bad7be0a1413ee23c51fcea64b3c8fa6a786935fddcc71961");
}

TEST(CertificateFacts, ArePrintableWhateverTheCertificateSays) {
  Bytes der = FirstCertificate("boots/good/efivars/db.bin");
  const absl::string_view text = AsText(der);
  const size_t at = text.rfind("Production");
  der.at(at) = '\n';
  der.at(at + 1) = 0x1b;
  const auto facts = ReadCertificateFacts(der);
  ASSERT_TRUE(facts.has_value());
  EXPECT_THAT(facts->subject, HasSubstr("\\0A\\1Bo"));
}

TEST(CertificateFacts, KeysOfOtherKinds) {
  const auto p384 = ReadCertificateFacts(testing::CorpusFile("boots/good/ek-ecc384h.cert.der"));
  ASSERT_TRUE(p384.has_value());
  EXPECT_EQ(p384->key, "EC P-384");
  EXPECT_EQ(p384->subject, "CN=host-a");
  EXPECT_EQ(p384->not_after, "9999-12-31T23:59:59Z");
  const auto rsa = ReadCertificateFacts(testing::CorpusFile("boots/good/ek-rsa.cert.der"));
  ASSERT_TRUE(rsa.has_value());
  EXPECT_EQ(rsa->key, "RSA 2048");
}

// The fields are taken out by hand: nothing that is broken anywhere may be taken for a certificate,
// and no broken one may do worse than be refused.
TEST(CertificateFacts, OfCertificatesWithAByteChanged) {
  const Bytes der = FirstCertificate("boots/good/efivars/db.bin");
  const auto whole = ReadCertificateFacts(der);
  ASSERT_TRUE(whole.has_value());
  for (size_t i = 0; i < der.size(); ++i) {
    Bytes changed = der;
    changed[i] ^= 0x5a;
    const auto facts = ReadCertificateFacts(changed);
    if (facts.has_value()) {
      EXPECT_NE(facts->fingerprint, whole->fingerprint) << i;
    }
  }
  for (size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(ReadCertificateFacts(ByteView(der).first(size)).has_value()) << size;
  }
}

TEST(CertificateFacts, NeedOneWholeCertificate) {
  Bytes der = FirstCertificate("boots/good/efivars/db.bin");
  EXPECT_FALSE(ReadCertificateFacts({}).has_value());
  EXPECT_FALSE(ReadCertificateFacts(ByteView(der).first(der.size() - 1)).has_value());
  der.push_back(0);
  EXPECT_FALSE(ReadCertificateFacts(der).has_value()) << "a byte after it";
  EXPECT_FALSE(ReadCertificateFacts(Bytes(kMaxCertificateBytes + 1, 0x30)).has_value());
}

}  // namespace
}  // namespace bootgate::crypto

#include "common/crypto/certificate.h"

#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"

namespace bootgate::crypto {
namespace {

using ::bootgate::testing::CorpusFile;
using ::bootgate::testing::Refuses;

TEST(KeyOfCertificate, IsReadFromRsaAndEcCertificates) {
  BG_ASSERT_OK_AND_ASSIGN(const CertificateKey rsa,
                          KeyOfCertificate(CorpusFile("boots/good/ek-rsa.cert.der")));
  EXPECT_EQ(rsa.key.kind(), PublicKey::Kind::kRsa);
  EXPECT_EQ(rsa.key.bits(), 2048);
  BG_ASSERT_OK_AND_ASSIGN(const CertificateKey ec,
                          KeyOfCertificate(CorpusFile("boots/good/ek-ecc384h.cert.der")));
  EXPECT_EQ(ec.key.curve(), Curve::kP384);
}

TEST(KeyOfCertificate, SaysWhereTheCertificateEnds) {
  Bytes padded = CorpusFile("boots/good/ek-rsa.cert.der");
  const size_t size = padded.size();
  padded.resize(size + 100, 0xff);
  BG_ASSERT_OK_AND_ASSIGN(const CertificateKey found, KeyOfCertificate(padded));
  EXPECT_EQ(found.certificate_size, size);
}

TEST(KeyOfCertificate, RefusesACutCertificate) {
  const Bytes whole = CorpusFile("boots/good/ek-rsa.cert.der");
  EXPECT_THAT(KeyOfCertificate(ByteView(whole).first(whole.size() - 1)),
              Refuses(Reason::kCertParse));
  EXPECT_THAT(KeyOfCertificate({}), Refuses(Reason::kCertParse));
}

}  // namespace
}  // namespace bootgate::crypto

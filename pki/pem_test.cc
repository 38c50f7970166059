#include "pki/pem.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/authority.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::CorpusFile;
using ::bootgate::testing::CorpusText;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;

std::string Root() { return CorpusText("tpm-flows/ca/root.pem"); }

TEST(Pem, ComesBackAsItWent) {
  const Bytes der = CorpusFile("tpm-flows/nv-01c00002.der");
  BG_ASSERT_OK_AND_ASSIGN(const Bytes back, PemToDer(DerToPem(der)));
  EXPECT_EQ(back, der);
}

TEST(Pem, BundlesMayHaveComments) {
  BG_ASSERT_OK_AND_ASSIGN(
      const auto found,
      CertificatesFromPem(absl::StrCat("# vendor root\n", Root(), "\nsubject=CN = x\n", Root())));
  EXPECT_EQ(found.size(), 2u);
}

TEST(Pem, CarriageReturnsAreWhiteSpace) {
  EXPECT_THAT(PemToDer(absl::StrReplaceAll(Root(), {{"\n", "\r\n"}})), testing::IsOk());
}

struct BadPem {
  const char* name;
  std::string text;
  const char* says;
};
class PemAttackTest : public ::testing::TestWithParam<BadPem> {};

// A29: one object is one object, and a key is no certificate.
TEST_P(PemAttackTest, A29_NotExactlyOneCertificateIsRefused) {
  const absl::StatusOr<Bytes> der = PemToDer(GetParam().text);
  ASSERT_THAT(der, Refuses(Reason::kPemFormat));
  EXPECT_THAT(std::string(der.status().message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    BadPems, PemAttackTest,
    ::testing::ValuesIn(std::vector<BadPem>{
        {"Empty", "", "no certificate"},
        {"TextBefore", absl::StrCat("hello\n", Root()), "text around"},
        {"TextAfter", absl::StrCat(Root(), "hello\n"), "text around"},
        {"Two", absl::StrCat(Root(), Root()), "2 certificates"},
        {"KeyBetween",
         absl::StrCat(Root(), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                      Root()),
         "PEM block 2: not a certificate"},
        {"Trusted", absl::StrReplaceAll(Root(), {{" CERTIFICATE", " TRUSTED CERTIFICATE"}}),
         "text around"},
        {"NulInside", absl::StrReplaceAll(Root(), {{"M", std::string("\0", 1)}}), "NUL byte"},
        {"NotBase64", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
         "not base64"},
        {"NothingInside", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "not base64"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Pem, NamesTheBadBlockOfABundle) {
  const auto found = CertificatesFromPem(
      absl::StrCat(Root(), "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n"));
  ASSERT_THAT(found, Refuses(Reason::kPemFormat));
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("PEM block 2"));
}

}  // namespace
}  // namespace bootgate::pki

#include "gatekeeper/appraisal/tpm_boot/certificate_memo.h"

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

crypto::Digest DigestOf(ByteView der) { return crypto::Hash(crypto::HashAlg::kSha256, der); }

TEST(CertificateMemo, SaysWhatTheCertificateSays) {
  const Bytes der =
      ReadFile(testing::CorpusPath("boots/good/platform.cert.der"), crypto::kMaxCertificateBytes)
          .value();
  CertificateMemo memo;
  const auto first = memo.Read(DigestOf(der), der), again = memo.Read(DigestOf(der), der);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->subject, crypto::ReadCertificateFacts(der)->subject);
  EXPECT_EQ(again, first);
}

TEST(CertificateMemo, WhatIsNoCertificateStaysNone) {
  CertificateMemo memo;
  const Bytes none = {1, 2, 3};
  EXPECT_EQ(memo.Read(DigestOf(none), none), nullptr);
  EXPECT_EQ(memo.Read(DigestOf(none), none), nullptr);
}

TEST(CertificateMemo, AHostWithManyCertificatesDoesNotFillTheMemory) {
  CertificateMemo memo;
  for (size_t i = 0; i < 3 * CertificateMemo::kMost; ++i) {
    const std::string text = absl::StrCat(i);
    memo.Read(DigestOf(AsBytes(text)), AsBytes(text));
    EXPECT_LE(memo.size(), CertificateMemo::kMost);
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::appraisal::tpm_boot

#include "pki/x509_read.h"

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::CorpusPath;
using ::bootgate::testing::Refuses;

constexpr size_t kMaxFile = 1 << 16;

class AuthorityKeyIdTest : public ::testing::TestWithParam<const char*> {
 protected:
  const Bytes der_ = ReadFile(CorpusPath(GetParam()), kMaxFile).value();
};

TEST_P(AuthorityKeyIdTest, IsWhatOpensslReads) {
  BG_ASSERT_OK_AND_ASSIGN(const crypto::X509Ptr parsed, ParseCertificate(der_));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes id, AuthorityKeyIdIn(der_));
  EXPECT_EQ(id, AuthorityKeyId(parsed.get()));
  EXPECT_FALSE(id.empty());
}

TEST_P(AuthorityKeyIdTest, CutOrContinuedItIsRefused) {
  for (size_t size = 0; size < der_.size(); size += 7) {
    EXPECT_THAT(AuthorityKeyIdIn(ByteView(der_).first(size)), Refuses(Reason::kCertParse)) << size;
  }
  Bytes more = der_;
  more.push_back(0);
  EXPECT_THAT(AuthorityKeyIdIn(more), Refuses(Reason::kCertParse));
}

INSTANTIATE_TEST_SUITE_P(Certificates, AuthorityKeyIdTest,
                         ::testing::Values("boots/good/ek-rsa.cert.der",
                                           "boots/good/ek-ecc384h.cert.der",
                                           "boots/good/platform.cert.der"));

}  // namespace
}  // namespace bootgate::pki

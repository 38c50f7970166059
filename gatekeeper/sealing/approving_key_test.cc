#include "gatekeeper/sealing/approving_key.h"

#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/sealing/made_store_test.h"
#include "gatekeeper/sealing/sealer.h"

namespace bootgate::gatekeeper::sealing {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

class ApprovingKeyTest : public ::testing::Test {
 protected:
  std::string File(const std::string& name) const { return made_.keys() + "/" + name; }
  std::string Write(const std::string& name, absl::string_view text) const {
    EXPECT_THAT(MakeFolder(made_.keys(), 0700), IsOk());
    EXPECT_THAT(WriteFileAtomically(File(name), AsBytes(text), 0600), IsOk());
    return File(name);
  }
  static bool Signs(const pki::KeyHolder& holder) {
    const crypto::Digest digest = crypto::Hash(crypto::HashAlg::kSha256, AsBytes("state"));
    const absl::StatusOr<Bytes> signature = holder.Sign(digest);
    return signature.ok() &&
           holder.Public().Verify(crypto::SignatureScheme::kEcdsa, digest, *signature).ok();
  }

  const MadeStore made_;
};

TEST_F(ApprovingKeyTest, IsMadeOnce) {
  BG_ASSERT_OK_AND_ASSIGN(const auto first, ApprovingKey(made_.keys()));
  BG_ASSERT_OK_AND_ASSIGN(const auto again, ApprovingKey(made_.keys()));
  EXPECT_TRUE(first->Public() == again->Public());
  EXPECT_TRUE(Signs(*again));
  Write("approving.key", "no key");
  EXPECT_THAT(ApprovingKey(made_.keys()), Refuses(Reason::kStateCorrupt));
}

TEST_F(ApprovingKeyTest, AnotherIsMadeOnlyWhereThatIsSaid) {
  BG_ASSERT_OK_AND_ASSIGN(const auto first, ApprovingKey(made_.keys()));
  pki::KeySpec where = {.kind = pki::KeySpec::Kind::kFile};
  where.secret = {pki::SecretSource::Kind::kFile, Write("passphrase", "correct horse")};
  EXPECT_THAT(MakeApprovingKey(made_.keys(), where, Existing::kStays),
              HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_TRUE(ApprovingKey(made_.keys()).value()->Public() == first->Public());

  BG_ASSERT_OK_AND_ASSIGN(const auto next,
                          MakeApprovingKey(made_.keys(), where, Existing::kIsReplaced));
  EXPECT_FALSE(next->Public() == first->Public());
  EXPECT_FALSE(FileExists(File("approving.key"))) << "it approves nothing any more";
  BG_ASSERT_OK_AND_ASSIGN(const auto opened, ApprovingKey(made_.keys()));
  EXPECT_TRUE(opened->Public() == next->Public());
  EXPECT_TRUE(Signs(*opened));
  // The passphrase is needed.
  Write("passphrase", "another");
  EXPECT_THAT(ApprovingKey(made_.keys()), Refuses(Reason::kCaKey));
}

TEST_F(ApprovingKeyTest, ARecordThatIsSpoiltIsNamedAndNoOtherKeyIsMade) {
  for (const char* const text : {"holder = ", "holder = \"cloud\"\n", "holder = \"file\"\n",
                                 "holder = \"file\"\nfile = \"k\"\npublic_key = \"00\"\n"}) {
    Write("approving.toml", text);
    EXPECT_FALSE(ApprovingKey(made_.keys()).ok()) << text;
    EXPECT_FALSE(FileExists(File("approving.key")));
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::sealing

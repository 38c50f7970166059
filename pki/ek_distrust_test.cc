#include "pki/ek_distrust.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/crypto/hash.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/baked_chain_test.h"

namespace bootgate::pki {
namespace {

using namespace baked;  // NOLINT(google-build-using-namespace): the recipes are what is read
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;

std::string Sha256(ByteView bytes) { return crypto::Hash(crypto::HashAlg::kSha256, bytes).hex(); }

std::vector<Bytes> Path() { return {Bake(Leaf()), Bake(Intermediate()), Bake(Root())}; }

DistrustList List(absl::string_view text) {
  DistrustList list;
  EXPECT_THAT(list.Add(text), IsOk());
  return list;
}

TEST(Distrust, A33_EveryCertificateAndKeyOfThePathCounts) {
  const std::vector<Bytes> path = Path();
  for (const Bytes& certificate : path) {
    const auto refused = List(absl::StrCat(Sha256(certificate), " key stolen")).CheckPath(path);
    ASSERT_THAT(refused, Refuses(Reason::kTpmDistrusted));
    EXPECT_THAT(std::string(refused.message()), HasSubstr("key stolen"));
  }
  for (const char* key : {"ek", "middle", "root"}) {
    EXPECT_THAT(List(Sha256(KeyNamed(key).spki)).CheckPath(path), Refuses(Reason::kTpmDistrusted));
  }
  EXPECT_THAT(List(Sha256(KeyNamed("stranger").spki)).CheckPath(path), IsOk());
  EXPECT_THAT(DistrustList().CheckPath(path), IsOk());
}

TEST(Distrust, AnEkWithoutCertificateIsFoundByItsKey) {
  const DistrustList list = List(Sha256(KeyNamed("ek").spki));
  EXPECT_THAT(list.CheckKey(KeyNamed("ek").key->Public()), Refuses(Reason::kTpmDistrusted));
  EXPECT_THAT(list.CheckKey(KeyNamed("middle").key->Public()), IsOk());
}

TEST(Distrust, LinesAreReadAsOpensslPrintsDigests) {
  const std::string hex = absl::AsciiStrToUpper(Sha256(KeyNamed("ek").spki));
  std::string colons;
  for (size_t i = 0; i < hex.size(); i += 2) {
    absl::StrAppend(&colons, i == 0 ? "" : ":", hex.substr(i, 2));
  }
  const DistrustList list = List(absl::StrCat("# ours\n\n", colons, "\tlost # in March\n"));
  EXPECT_EQ(list.size(), 1u);
  const auto refused = list.CheckKey(KeyNamed("ek").key->Public());
  EXPECT_THAT(refused, Refuses(Reason::kTpmDistrusted));
  EXPECT_THAT(std::string(refused.message()), ::testing::EndsWith("): lost"));
}

TEST(Distrust, ABadLineIsNamedAndNothingTaken) {
  DistrustList list;
  const std::string good = Sha256(KeyNamed("ek").spki);
  for (const std::string& bad : {std::string("abcd"), good.substr(1), absl::StrCat(good, "0"),
                                 std::string(64, 'x'), absl::StrCat("0x", good)}) {
    const auto added = list.Add(absl::StrCat(good, "\n", bad, "\n"));
    EXPECT_EQ(added.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(added.message()), HasSubstr("line 2"));
  }
  EXPECT_EQ(list.size(), 0u);
}

}  // namespace
}  // namespace bootgate::pki

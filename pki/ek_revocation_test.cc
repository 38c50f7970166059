#include "pki/ek_revocation.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/baked_chain_test.h"
#include "pki/crl.h"
#include "pki/ek_chain.h"

namespace bootgate::pki {
namespace {

using namespace baked;  // NOLINT(google-build-using-namespace): the recipes are what is read
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr RevocationMode kOff = RevocationMode::kOff, kSoft = RevocationMode::kSoft,
                         kHard = RevocationMode::kHard;
constexpr uint8_t kSerial = 0x11;  // of everything that is baked
constexpr uint8_t kNoOne = 0x77;

struct CrlRecipe {
  std::string issuer;
  uint8_t revoked = kNoOne;
  std::string signed_by = {};  // key name; empty: as `issuer`
  absl::Time from = kNow - absl::Hours(2), until = kNow + absl::Hours(2);
};

Bytes BakeCrl(const CrlRecipe& recipe) {
  const std::string& signer = recipe.signed_by.empty() ? recipe.issuer : recipe.signed_by;
  const Bytes issuer = NameDer("", recipe.issuer), key_id = ext::KeyIdOf(KeyNamed(signer).spki);
  const RevokedCertificate revoked = {
      .serial = {recipe.revoked}, .revoked_at = recipe.from, .not_after = absl::InfiniteFuture()};
  return *MakeCrl({.issuer = issuer,
                   .issuer_key_id = key_id,
                   .number = 1,
                   .this_update = recipe.from,
                   .next_update = recipe.until},
                  std::span(&revoked, 1), *KeyNamed(signer).signer);
}

CrlSet Set(const std::vector<CrlRecipe>& recipes) {
  CrlSet set;
  for (const CrlRecipe& recipe : recipes) EXPECT_THAT(set.Add(BakeCrl(recipe)), IsOk());
  return set;
}

const std::vector<Bytes>& Path() {
  static const auto* const kPath = new std::vector<Bytes>(
      VerifiedEkChain::Verify(Bake(Leaf()), {Bake(Intermediate())},
                              *TrustAnchors::FromPem(DerToPem(Bake(Root()))), kNow)
          ->path());
  return *kPath;
}

absl::StatusOr<std::vector<std::string>> Check(const std::vector<CrlRecipe>& recipes,
                                               RevocationMode mode, absl::Time now = kNow) {
  return CheckRevocation(Path(), Set(recipes), mode, now);
}

TEST(Revocation, ModesHaveNames) {
  for (const RevocationMode mode : {kOff, kSoft, kHard}) {
    EXPECT_EQ(RevocationModeFromName(Name(mode)), mode);
  }
  EXPECT_EQ(RevocationModeFromName("sometimes"), std::nullopt);
}

TEST(Revocation, AGoodChainIsGoodInEveryMode) {
  for (const RevocationMode mode : {kOff, kSoft, kHard}) {
    BG_ASSERT_OK_AND_ASSIGN(const auto notices, Check({{"middle"}, {"root"}}, mode));
    EXPECT_THAT(notices, IsEmpty());
  }
}

TEST(Revocation, A33_ARevokedEkIsRefused) {
  for (const RevocationMode mode : {kSoft, kHard}) {
    const auto checked = Check({{"middle", kSerial}, {"root"}}, mode);
    ASSERT_THAT(checked, Refuses(Reason::kEkRevoked));
    EXPECT_THAT(std::string(checked.status().message()),
                AllOf(HasSubstr("CN=ek"), HasSubstr("serial 11"), HasSubstr("was revoked on")));
  }
  EXPECT_THAT(Check({{"middle", kSerial}, {"root"}}, kOff), IsOk());
}

TEST(Revocation, A33_ARevokedCaIsRefused) {
  const auto checked = Check({{"middle"}, {"root", kSerial}}, kSoft);
  ASSERT_THAT(checked, Refuses(Reason::kEkRevoked));
  EXPECT_THAT(std::string(checked.status().message()), HasSubstr("CN=middle"));
}

TEST(Revocation, A33_AnExpiredListStillTellsWhoIsRevoked) {
  EXPECT_THAT(
      Check({{.issuer = "middle", .revoked = kSerial, .until = kNow - absl::Hours(1)}}, kSoft),
      Refuses(Reason::kEkRevoked));
}

struct UnknownRow {
  const char* name;
  std::vector<CrlRecipe> lists;
  const char* says;
};
void PrintTo(const UnknownRow& row, std::ostream* os) { *os << row.name; }
class RevocationUnknownTest : public ::testing::TestWithParam<UnknownRow> {};
TEST_P(RevocationUnknownTest, A33_IsSaidInSoftAndRefusedInHard) {
  BG_ASSERT_OK_AND_ASSIGN(const auto notices, Check(GetParam().lists, kSoft));
  EXPECT_THAT(notices, ElementsAre(HasSubstr(GetParam().says)));
  const auto hard = Check(GetParam().lists, kHard);
  ASSERT_THAT(hard, Refuses(Reason::kEkRevocationUnknown));
  EXPECT_THAT(std::string(hard.status().message()), HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(
    Lists, RevocationUnknownTest,
    ::testing::ValuesIn(std::vector<UnknownRow>{
        {"MissingForTheCa", {{"middle"}}, "no CRL of this issuer"},
        {"MissingForTheEk", {{"root"}}, "no CRL of this issuer"},
        {"Expired", {{.issuer = "middle", .until = kNow - absl::Hours(1)}, {"root"}}, "and now is"},
        {"NotYetValid",
         {{.issuer = "middle", .from = kNow + absl::Hours(1)}, {"root"}},
         "and now is"},
        {"SignedByAnother",
         {{.issuer = "middle", .signed_by = "stranger"}, {"root"}},
         "no configured CRL of this issuer can be used"},
        // A list that is not the issuer's own revokes nobody either.
        {"RevokedByAnother",
         {{.issuer = "middle", .revoked = kSerial, .signed_by = "stranger"}, {"root"}},
         "no configured CRL of this issuer can be used"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Revocation, TheNewestListDecides) {
  const CrlRecipe old_list = {
      .issuer = "middle", .revoked = kSerial, .from = kNow - absl::Hours(9)};
  EXPECT_THAT(Check({old_list, {"middle"}, {"root"}}, kHard), IsOk());
  EXPECT_THAT(
      Check({{.issuer = "middle", .from = kNow - absl::Hours(9)}, {"middle", kSerial}, {"root"}},
            kHard),
      Refuses(Reason::kEkRevoked));
}

TEST(CrlSet, TakesPemAndDerAllOrNothing) {
  const Bytes middle = BakeCrl({"middle"}), root = BakeCrl({"root"});
  CrlSet set;
  EXPECT_THAT(set.Add(AsBytes(absl::StrCat("# two\n", CrlToPem(middle), CrlToPem(root)))), IsOk());
  EXPECT_EQ(set.size(), 2u);
  EXPECT_THAT(CheckRevocation(Path(), set, kHard, kNow), IsOk());
  Bytes longer = middle;
  longer.push_back(0x00);
  EXPECT_THAT(set.Add(longer), Refuses(Reason::kCertParse));
  EXPECT_THAT(set.Add(Bytes{}), Refuses(Reason::kPemFormat));
  EXPECT_THAT(set.Add(AsBytes("hello")), Refuses(Reason::kPemFormat));
  EXPECT_THAT(set.Add(AsBytes(DerToPem(Bake(Root())))), Refuses(Reason::kPemFormat));
  EXPECT_THAT(set.Add(Bake(Root())), Refuses(Reason::kCertParse));
  EXPECT_THAT(set.Add(AsBytes(absl::StrCat(CrlToPem(middle), CrlToPem(longer)))),
              Refuses(Reason::kCertParse));
  EXPECT_EQ(set.size(), 2u);
}

}  // namespace
}  // namespace bootgate::pki

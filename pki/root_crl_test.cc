// The list of a root: made where its key is, taken where it is not, and what openssl says of it.
#include "pki/root_crl.h"

#include "common/base/hex.h"
#include "common/base/reason.h"
#include "pki/ca_test.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RootCrlTest : public ::testing::Test {
 protected:
  // A root whose key is away, and its four issuing CAs.
  RootCrlTest() {
    CaPlan plan = PlanIn(scratch_);
    plan.root = RootAt::kOffline;
    plan.root_out = away();
    EXPECT_THAT(CreateCas(plan, kCaNow).status(), IsOk());
  }

  std::string away() const { return scratch_.File("away"); }
  std::string PemOf(const std::string& id) const {
    return ReadTextFile(scratch_.ca() + "/" + id + ".pem", 65536).value();
  }
  absl::StatusOr<RootCrl> Sign(const std::vector<std::string>& tainted,
                               absl::Time now = kCaNow) const {
    return SignRootCrl({.root_folder = away(), .tainted = tainted}, now);
  }
  absl::StatusOr<InstalledRootCrl> Install(const RootCrl& list, absl::Time now = kCaNow) const {
    return InstallRootCrl(scratch_.ca(), CrlToPem(list.der), now);
  }
  static std::string Message(const absl::Status& status) { return std::string(status.message()); }

  const CaScratch scratch_;
};

TEST_F(RootCrlTest, WhatTheOfflineRootSignsIsTakenAndKeptForItsPublisher) {
  BG_ASSERT_OK_AND_ASSIGN(const RootCrl list, Sign({PemOf("hosts-1")}));
  EXPECT_EQ(list.next_update, kCaNow + absl::Hours(24 * 90));
  BG_ASSERT_OK_AND_ASSIGN(const InstalledRootCrl installed, Install(list));
  EXPECT_EQ(installed.root.id, "root-1");
  BG_ASSERT_OK_AND_ASSIGN(const Authority authority, Authority::Open({scratch_.ca()}, kCaNow));
  ASSERT_THAT(authority.Roots(), SizeIs(1));
  const RootCa root = authority.Roots()[0];
  EXPECT_FALSE(root.SignsHere());
  BG_ASSERT_OK_AND_ASSIGN(const RootCrl read, ReadRootCrl(root.brought, root.ca->certificate));
  ASSERT_THAT(read.revoked, SizeIs(1));
  const crypto::X509Ptr hosts = ParseCertificate(authority.Issuers()[0]->certificate).value();
  EXPECT_EQ(ToHex(read.revoked[0].serial), SerialHex(hosts.get()));
  EXPECT_EQ(read.revoked[0].reason, RevocationReason::kCaCompromise);
  EXPECT_EQ(read.revoked[0].revoked_at, NotBefore(hosts.get()));
}

TEST_F(RootCrlTest, OpensslChecksEachCaOfTheChain) {
  BG_ASSERT_OK_AND_ASSIGN(const RootCrl list, Sign({PemOf("aks-1")}));
  const std::string crl = scratch_.Write("root-list.pem", CrlToPem(list.der));
  const auto verified = [&](const std::string& id) {
    return std::system(absl::StrCat("openssl verify -x509_strict -crl_check -attime ",
                                    absl::ToUnixSeconds(kCaNow), " -CRLfile ", crl, " -CAfile ",
                                    scratch_.ca(), "/root.pem ", scratch_.ca(), "/", id, ".pem >",
                                    scratch_.File("peer.out"), " 2>&1")
                           .c_str()) == 0;
  };
  EXPECT_TRUE(verified("hosts-1")) << PeerSays(scratch_);
  EXPECT_FALSE(verified("aks-1"));
  EXPECT_THAT(PeerSays(scratch_), HasSubstr("certificate revoked"));
}

TEST_F(RootCrlTest, TheNextListSaysWhatTheLastOneSaid) {
  BG_ASSERT_OK_AND_ASSIGN(const RootCrl first, Sign({PemOf("hosts-1")}));
  BG_ASSERT_OK_AND_ASSIGN(const RootCrl again, Sign({PemOf("hosts-1")}));
  EXPECT_THAT(again.revoked, SizeIs(1));
  EXPECT_GT(again.number, first.number) << "the clock stood still";
  BG_ASSERT_OK_AND_ASSIGN(const RootCrl next, Sign({PemOf("aks-1")}, kCaNow - absl::Hours(1)));
  EXPECT_THAT(next.revoked, SizeIs(2));
  EXPECT_GT(next.number, again.number) << "and was set back";
}

TEST_F(RootCrlTest, AListThatIsOlderOrForgetsIsNotTaken) {
  BG_ASSERT_OK_AND_ASSIGN(const RootCrl empty, Sign({}));
  BG_ASSERT_OK_AND_ASSIGN(const RootCrl list, Sign({PemOf("hosts-1")}));
  ASSERT_THAT(Install(list).status(), IsOk());
  EXPECT_THAT(Install(list).status(), IsOk()) << "twice is fine";
  EXPECT_THAT(Message(Install(empty).status()), HasSubstr("older"));
  // Somebody lost the root's last list.
  ASSERT_THAT(RemoveFile(away() + "/root.crl"), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const RootCrl forgetful, Sign({}, kCaNow + absl::Hours(1)));
  EXPECT_THAT(Install(forgetful).status(), Refuses(Reason::kCa));
  EXPECT_THAT(Message(Install(forgetful).status()), HasSubstr("--revoke"));
  EXPECT_THAT(Message(Install(forgetful).status()), HasSubstr("hosts-1.pem"));
}

TEST_F(RootCrlTest, AListOfAnotherRootOrOutOfDateIsNotTaken) {
  const CaScratch other;
  CaPlan plan = PlanIn(other);
  plan.root = RootAt::kOffline;
  plan.root_out = other.File("away");
  ASSERT_THAT(CreateCas(plan, kCaNow).status(), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const RootCrl stranger,
                          SignRootCrl({.root_folder = plan.root_out}, kCaNow));
  EXPECT_THAT(Message(Install(stranger).status()), HasSubstr("no root here"));
  BG_ASSERT_OK_AND_ASSIGN(const RootCrl list, Sign({}));
  EXPECT_THAT(Message(Install(list, kCaNow + absl::Hours(24 * 91)).status()),
              HasSubstr("has run out"));
  RootCrl broken = list;
  broken.der.back() ^= 1;
  EXPECT_THAT(Install(broken).status(), Refuses(Reason::kCa));
  EXPECT_THAT(Message(InstallRootCrl(scratch_.ca(), "no list", kCaNow).status()),
              HasSubstr("there is none in the file"));
  const std::string two = CrlToPem(list.der) + CrlToPem(list.der);
  EXPECT_THAT(Message(InstallRootCrl(scratch_.ca(), two, kCaNow).status()), HasSubstr("2 lists"));
  EXPECT_FALSE(FileExists(scratch_.ca() + "/root-1.crl"));
}

TEST_F(RootCrlTest, SignsOnlyForWhatItSignedAndNotBeyondItsEnd) {
  const CaScratch other;
  ASSERT_THAT(CreateCas(PlanIn(other), kCaNow).status(), IsOk());
  const std::string stranger = ReadTextFile(other.ca() + "/hosts-1.pem", 65536).value();
  EXPECT_THAT(Message(Sign({stranger}).status()), HasSubstr("did not sign"));
  EXPECT_THAT(Message(Sign({""}).status()), HasSubstr("no certificate"));
  for (const absl::Duration lifetime : {absl::Minutes(1), absl::Hours(24 * 3651)}) {
    EXPECT_THAT(
        Message(SignRootCrl({.root_folder = away(), .lifetime = lifetime}, kCaNow).status()),
        HasSubstr("--lifetime"));
  }
  EXPECT_FALSE(FileExists(away() + "/root.crl"));
}

TEST_F(RootCrlTest, ARootWhoseKeyIsHereTellsWhatIsTaintedBelowIt) {
  const CaScratch here;
  ASSERT_THAT(CreateCas(PlanIn(here), kCaNow).status(), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const Authority authority, Authority::Open({here.ca()}, kCaNow));
  ASSERT_THAT(authority.Roots(), SizeIs(1));
  EXPECT_TRUE(authority.Roots()[0].SignsHere());
  EXPECT_THAT(authority.Roots()[0].revoked, IsEmpty());
  ASSERT_THAT(TaintCa(here.ca(), "servers-1", "key copied", kCaNow).status(), IsOk());
  ASSERT_THAT(authority.Refresh(kCaNow), IsOk());
  EXPECT_THAT(authority.Roots()[0].revoked, SizeIs(1));
  EXPECT_THAT(authority.OpenRoot(authority.Roots()[0]).status(), IsOk());
}

}  // namespace
}  // namespace bootgate::pki

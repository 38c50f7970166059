// Several issuing CAs, one of them tainted: what each one's list and answers say.
#include "common/base/files.h"
#include "gatekeeper/revocation/publisher.h"
#include "gatekeeper/revocation/revocation_test.h"
#include "gmock/gmock.h"
#include "pki/ca_steps.h"

namespace bootgate::gatekeeper::revocation {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::SizeIs;

constexpr char kOld[] = "4a000000000000000000000000000001";
constexpr char kNew[] = "4b000000000000000000000000000002";
constexpr char kUnsaid[] = "4c000000000000000000000000000003";

// `issuer_` is the one whose list is read and who is asked about by OCSP.
class SeveralCasTest : public RevocationTest {
 protected:
  SeveralCasTest() : publisher_(*store_, *authority_, clock_, {.numbers_file = Numbers()}) {
    old_ = issuer_;
    const auto next =
        pki::RotateCa(CaFolder(), pki::CaUse::kHosts, std::nullopt, absl::Hours(1000), kNow);
    EXPECT_THAT(next.status(), IsOk());
    EXPECT_THAT(pki::ActivateCa(CaFolder(), next->ca.id, kNow).status(), IsOk());
    EXPECT_THAT(authority_->Refresh(kNow), IsOk());
    new_ = authority_->ActiveIssuer(pki::CaUse::kHosts).value();
  }

  std::string CaFolder() const { return folder_ + "/ca"; }
  std::string Numbers() const { return folder_ + "/crl-numbers"; }

  std::string FirstRoot() const { return pki::LoadCaFolder(CaFolder())->ActiveRoot()->id; }

  void IssueBelow(const pki::IssuerPtr& issuer, const std::string& host_id,
                  const std::string& serial) {
    issuer_ = issuer;
    Issue(host_id, {serial});
  }
  // As an old store has it: nobody knows who signed.
  void IssueUnsaid(const std::string& host_id, const std::string& serial) {
    store::Commit commit;
    commit.host = store_->GetHost(host_id).value();
    store::CredentialRow row;
    row.serial = serial;
    row.host_id = host_id;
    row.profile = "sealed";
    row.not_before = clock_.Now();
    row.not_after = clock_.Now() + absl::Hours(1);
    commit.issued.push_back(row);
    Store(commit);
  }
  std::map<std::string, Entry> ListOf(const pki::IssuerPtr& issuer) {
    issuer_ = issuer;
    EXPECT_THAT(publisher_.Refresh(), IsOk());
    EXPECT_NE(Crl(publisher_), nullptr);
    return Listed(publisher_);
  }
  OcspState AskedOf(const pki::IssuerPtr& issuer, const std::string& serial) {
    issuer_ = issuer;
    return StateIn(publisher_.Ocsp(OcspRequestFor({serial})).body, serial);
  }
  uint64_t NumberOf(const pki::IssuerPtr& issuer, const Publisher& publisher) {
    issuer_ = issuer;
    const CrlPtr crl = Crl(publisher);
    auto* value = static_cast<ASN1_INTEGER*>(
        X509_CRL_get_ext_d2i(crl.get(), NID_crl_number, nullptr, nullptr));
    uint64_t out = 0;
    EXPECT_EQ(ASN1_INTEGER_get_uint64(&out, value), 1);
    ASN1_INTEGER_free(value);
    return out;
  }

  Publisher publisher_;
  pki::IssuerPtr old_, new_;
};

TEST_F(SeveralCasTest, EachListsItsOwnAlone) {
  IssueBelow(old_, kHost, kOld);
  IssueBelow(new_, kHost, kNew);
  ShutOut(kHost);
  EXPECT_THAT(ListOf(old_), ElementsAre(Key(kOld)));
  EXPECT_THAT(ListOf(new_), ElementsAre(Key(kNew)));
}

TEST_F(SeveralCasTest, ASerialAskedUnderAnotherCaIsUnknown) {
  IssueBelow(old_, kHost, kOld);
  IssueBelow(new_, kHost, kNew);
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_EQ(AskedOf(old_, kOld).status, V_OCSP_CERTSTATUS_GOOD);
  EXPECT_EQ(AskedOf(new_, kNew).status, V_OCSP_CERTSTATUS_GOOD);
  EXPECT_EQ(AskedOf(new_, kOld).status, V_OCSP_CERTSTATUS_UNKNOWN);
  EXPECT_EQ(AskedOf(old_, kNew).status, V_OCSP_CERTSTATUS_UNKNOWN);
  ShutOut(kHost);
  EXPECT_EQ(AskedOf(old_, kOld).status, V_OCSP_CERTSTATUS_REVOKED);
  EXPECT_EQ(AskedOf(new_, kOld).status, V_OCSP_CERTSTATUS_UNKNOWN);
}

TEST_F(SeveralCasTest, RowsOfOldStoresStandInEveryList) {
  IssueBelow(new_, kHost, kNew);
  IssueUnsaid(kHost, kUnsaid);
  ShutOut(kHost);
  EXPECT_THAT(ListOf(old_), ElementsAre(Key(kUnsaid)));
  EXPECT_THAT(ListOf(new_), ElementsAre(Key(kNew), Key(kUnsaid)));
  EXPECT_EQ(AskedOf(old_, kUnsaid).status, V_OCSP_CERTSTATUS_REVOKED);
  EXPECT_EQ(AskedOf(new_, kUnsaid).status, V_OCSP_CERTSTATUS_REVOKED);
}

TEST_F(SeveralCasTest, A80_EverythingBelowATaintedCaIsRevokedSinceItsBeginning) {
  IssueBelow(old_, kHost, kOld);
  IssueBelow(new_, kOtherHost, kNew);
  IssueUnsaid(kHost, kUnsaid);
  EXPECT_THAT(ListOf(old_), IsEmpty());
  ASSERT_THAT(pki::TaintCa(CaFolder(), old_->id, "key copied", kNow).status(), IsOk());
  ASSERT_THAT(authority_->Refresh(kNow), IsOk());

  const auto listed = ListOf(old_);
  EXPECT_THAT(listed, ElementsAre(Key(kOld), Key(kUnsaid)));
  const crypto::X509Ptr ca = pki::ParseCertificate(old_->certificate).value();
  for (const auto& [serial, entry] : listed) {
    EXPECT_EQ(entry.reason, CRL_REASON_CA_COMPROMISE);
    EXPECT_EQ(entry.revoked_at, pki::NotBefore(ca.get()));
  }
  EXPECT_THAT(ListOf(new_), IsEmpty());
  for (const char* const serial : {kOld, kUnsaid, "4d"}) {  // issued or not
    EXPECT_EQ(AskedOf(old_, serial).status, V_OCSP_CERTSTATUS_REVOKED) << serial;
    EXPECT_EQ(AskedOf(old_, serial).reason, CRL_REASON_CA_COMPROMISE) << serial;
  }
  EXPECT_EQ(AskedOf(new_, kNew).status, V_OCSP_CERTSTATUS_GOOD);
  // What it revoked before is not told twice, and the list is renewed like any other.
  ShutOut(kHost);
  EXPECT_THAT(ListOf(old_), SizeIs(2));
  clock_.Advance(absl::Minutes(31));
  EXPECT_THAT(ListOf(old_), SizeIs(2));
  EXPECT_EQ(publisher_.Find(KeyId() + ".crl")->ends_at, clock_.Now() + absl::Hours(1));
  clock_.Advance(absl::Hours(2));
  EXPECT_THAT(ListOf(old_), IsEmpty()) << "all have expired";
}

TEST_F(SeveralCasTest, A80_ATaintThatComesThroughTheStoreIsToldTheSame) {
  IssueBelow(old_, kHost, kOld);
  EXPECT_THAT(ListOf(old_), IsEmpty());
  authority_->SetTainted({ToHex(old_->key_id)});
  EXPECT_EQ(AskedOf(old_, kOld).status, V_OCSP_CERTSTATUS_REVOKED) << "at once";
  ASSERT_THAT(authority_->Refresh(kNow), IsOk());
  EXPECT_THAT(ListOf(old_), ElementsAre(Key(kOld)));
  EXPECT_EQ(AskedOf(old_, kOld).reason, CRL_REASON_CA_COMPROMISE);
}

TEST_F(SeveralCasTest, A80_ATaintedRootTakesListsAndAnswersBelowItAlong) {
  IssueBelow(old_, kHost, kOld);
  IssueBelow(new_, kOtherHost, kNew);
  EXPECT_THAT(ListOf(new_), IsEmpty());
  ASSERT_THAT(pki::TaintCa(CaFolder(), FirstRoot(), "key copied", kNow).status(), IsOk());
  ASSERT_THAT(authority_->Refresh(kNow), IsOk());
  EXPECT_THAT(ListOf(old_), ElementsAre(Key(kOld)));
  EXPECT_THAT(ListOf(new_), ElementsAre(Key(kNew)));
}

TEST_F(SeveralCasTest, NumbersRiseOverARestartAlsoWhenTheClockWasSetBack) {
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  const uint64_t before = NumberOf(old_, publisher_);
  clock_.Advance(-absl::Hours(48));
  Publisher later(*store_, *authority_, clock_, {.numbers_file = Numbers()});
  ASSERT_THAT(later.Refresh(), IsOk());
  EXPECT_GT(NumberOf(old_, later), before);
  // The one that went on running makes a list that is valid by the new clock.
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_GT(NumberOf(old_, publisher_), before);
  EXPECT_EQ(publisher_.Find(KeyId() + ".crl")->ends_at, clock_.Now() + absl::Hours(1));
}

TEST_F(SeveralCasTest, ListsGoOutWhereTheirNumbersCannotBeKept) {
  Publisher publisher(*store_, *authority_, clock_, {.numbers_file = folder_ + "/no/such/file"});
  IssueBelow(old_, kHost, kOld);
  ShutOut(kHost);
  EXPECT_FALSE(publisher.Refresh().ok());
  EXPECT_THAT(Listed(publisher), ElementsAre(Key(kOld)));
}

// ---- the root's own list

class RootListTest : public SeveralCasTest {
 protected:
  // What openssl says of a host's chain, every CA of it checked by /crl/all.pem.
  std::string OpensslSays(const pki::IssuerPtr& issuer) {
    const std::string roots = Write("roots.pem", authority_->roots_pem());
    const std::string ca = Write("ca.pem", issuer->chain_pem);
    const std::string crls = Write("all.pem", *publisher_.Find(kAllLists)->body);
    const std::string out = folder_ + "/openssl.out";
    std::ignore = std::system(absl::StrCat("openssl verify -crl_check_all -attime ",
                                           absl::ToUnixSeconds(clock_.Now()), " -CAfile ", roots,
                                           " -CRLfile ", crls, " ", ca, " >", out, " 2>&1")
                                  .c_str());
    return ReadTextFile(out, 65536).value();
  }
  std::string Write(const std::string& name, absl::string_view text) {
    EXPECT_THAT(WriteFileAtomically(folder_ + "/" + name, AsBytes(text), 0600), IsOk());
    return folder_ + "/" + name;
  }
  pki::IssuerPtr Root() const { return authority_->Roots()[0].ca; }
};

TEST_F(RootListTest, NamesATaintedCaWithinOneRefresh) {
  EXPECT_THAT(ListOf(Root()), IsEmpty());
  EXPECT_THAT(OpensslSays(old_), HasSubstr("OK"));
  const uint64_t before = NumberOf(Root(), publisher_);
  ASSERT_THAT(pki::TaintCa(CaFolder(), old_->id, "key copied", kNow).status(), IsOk());
  ASSERT_THAT(authority_->Refresh(kNow), IsOk());
  const auto listed = ListOf(Root());
  ASSERT_THAT(listed, SizeIs(1));
  EXPECT_EQ(listed.begin()->second.reason, CRL_REASON_CA_COMPROMISE);
  EXPECT_GT(NumberOf(Root(), publisher_), before);
  EXPECT_THAT(OpensslSays(old_), HasSubstr("certificate revoked"));
  EXPECT_THAT(OpensslSays(new_), HasSubstr("OK"));
}

TEST_F(RootListTest, ATaintThatAnotherGatekeeperTellsOfCounts) {
  authority_->SetTainted({ToHex(old_->key_id)});
  ASSERT_THAT(authority_->Refresh(kNow), IsOk());
  EXPECT_THAT(ListOf(Root()), SizeIs(1));
}

TEST_F(RootListTest, IsRenewedAndMadeForNothingElse) {
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  const uint64_t first = NumberOf(Root(), publisher_);
  Issue(kHost, {kOld});
  ShutOut(kHost);
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_EQ(NumberOf(Root(), publisher_), first);
  clock_.Advance(absl::Minutes(31));
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_GT(NumberOf(Root(), publisher_), first);
}

TEST_F(RootListTest, AKeyThatCannotBeOpenedLeavesTheOtherLists) {
  const std::string key = CaFolder() + "/root.key";
  std::filesystem::rename(key, key + ".away");
  EXPECT_TRUE(absl::IsNotFound(publisher_.Refresh()));
  EXPECT_FALSE(publisher_.Find(pki::CrlFileName(Root()->key_id)).has_value());
  EXPECT_TRUE(publisher_.Find(pki::CrlFileName(new_->key_id)).has_value());
  std::filesystem::rename(key + ".away", key);
  EXPECT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_FALSE(publisher_.Find(pki::CrlFileName(Root()->key_id)).has_value())
      << "it is not tried ten times a second";
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(ListOf(Root()), IsEmpty());
}

class BroughtListTest : public RootListTest {
 protected:
  BroughtListTest() {
    // The key goes elsewhere, and ca.toml knows it.
    std::filesystem::create_directory(away());
    for (const char* const file : {"root.pem", "root.key"}) {
      std::filesystem::copy(CaFolder() + "/" + file, away() + "/" + file);
    }
    pki::CaFolder folder = pki::LoadCaFolder(CaFolder()).value();
    folder.Find(FirstRoot())->key = {};
    EXPECT_THAT(pki::SaveCaFolder(folder), IsOk());
    EXPECT_THAT(authority_->Refresh(kNow), IsOk());
  }
  std::string away() const { return folder_ + "/away"; }
  void Bring(const std::vector<std::string>& tainted, absl::Duration lifetime) {
    const auto list = pki::SignRootCrl(
        {.root_folder = away(), .tainted = tainted, .lifetime = lifetime}, clock_.Now());
    ASSERT_THAT(list.status(), IsOk());
    ASSERT_THAT(pki::InstallRootCrl(CaFolder(), pki::CrlToPem(list->der), clock_.Now()).status(),
                IsOk());
    ASSERT_THAT(authority_->Refresh(clock_.Now()), IsOk());
  }
};

TEST_F(BroughtListTest, IsPublishedAsItIsAndTheNextOneTakesItsPlace) {
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_FALSE(publisher_.Find(pki::CrlFileName(Root()->key_id)).has_value());
  Bring({}, absl::Hours(24));
  EXPECT_THAT(ListOf(Root()), IsEmpty());
  EXPECT_THAT(OpensslSays(old_), HasSubstr("OK"));
  Bring({old_->chain_pem}, absl::Hours(48));
  EXPECT_THAT(ListOf(Root()), SizeIs(1));
  EXPECT_EQ(publisher_.Find(pki::CrlFileName(Root()->key_id))->ends_at, kNow + absl::Hours(48));
  EXPECT_THAT(OpensslSays(old_), HasSubstr("certificate revoked"));
  EXPECT_EQ(publisher_.figures().oldest_crl, kNow) << "its age is nothing to be alarmed about";
}

TEST_F(BroughtListTest, OneThatRunsOutIsComplainedOfAndNotInTheWholeAnyMore) {
  Bring({}, absl::Hours(1));
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  clock_.Advance(absl::Hours(2));
  const absl::Status status = publisher_.Refresh();
  EXPECT_THAT(status, Refuses(Reason::kCa));
  EXPECT_THAT(std::string(status.message()), HasSubstr("install-crl"));
  EXPECT_THAT(OpensslSays(old_), HasSubstr("unable to get certificate CRL"));
  Bring({}, absl::Hours(1));
  EXPECT_THAT(publisher_.Refresh(), IsOk()) << "at once";
  EXPECT_THAT(OpensslSays(old_), HasSubstr("OK"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::revocation

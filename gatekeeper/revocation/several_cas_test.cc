// Several issuing CAs, one of them tainted: what each one's list and answers say.
#include "common/base/files.h"
#include "gatekeeper/revocation/publisher.h"
#include "gatekeeper/revocation/revocation_test.h"
#include "gmock/gmock.h"
#include "pki/ca_steps.h"

namespace bootgate::gatekeeper::revocation {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::ElementsAre;
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

}  // namespace
}  // namespace bootgate::gatekeeper::revocation

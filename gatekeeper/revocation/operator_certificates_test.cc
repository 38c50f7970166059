#include "gatekeeper/revocation/operator_certificates.h"

#include "common/base/reason.h"
#include "common/crypto/private_key.h"
#include "gatekeeper/revocation/revocation_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::revocation {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::SizeIs;

struct Made {
  Bytes der;
  std::string serial;
};

class OperatorCertificatesTest : public PublishedTest {
 protected:
  Made Make(const std::string& name = "alice") {
    const auto key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
    Made made;
    made.der = authority_
                   ->IssueOperator(name, {"viewer"}, key.Public(), clock_.Now(),
                                   clock_.Now() + absl::Hours(24))
                   .value();
    made.serial = pki::ReadOperatorCertificate(pki::DerToPem(made.der))->serial_hex;
    return made;
  }
  Made Issued(const std::string& name = "alice") {
    Made made = Make(name);
    store::AuditRow audit;
    audit.actor = "operator root";
    audit.at = clock_.Now();
    EXPECT_THAT(RecordOperator(*store_, made.der, audit), IsOk());
    return made;
  }
  bool Revoke(const std::string& serial, const std::string& why = "laptop stolen") {
    return RevokeOperator(
               *store_, serial,
               {"operator root", clock_.Now(), {pki::RevocationReason::kKeyCompromise, why}})
        .value();
  }
};

TEST_F(OperatorCertificatesTest, OnlyWhatWasWrittenDownIsBelieved) {
  const Made known = Issued(), unknown = Make();
  EXPECT_THAT(CheckOperator(*store_, known.serial, known.der), IsOk());
  EXPECT_THAT(CheckOperator(*store_, unknown.serial, unknown.der),
              Refuses(Reason::kOperatorCertificate));
  EXPECT_THAT(CheckOperator(*store_, known.serial, unknown.der),
              Refuses(Reason::kOperatorCertificate))
      << "another certificate of a serial that is known";
}

TEST_F(OperatorCertificatesTest, RevokedMeansRefusedListedAndAnsweredSo) {
  const Made alice = Issued(), bob = Issued("bob");
  EXPECT_THAT(Refreshed(), IsEmpty());
  EXPECT_EQ(Asked(alice.serial).status, V_OCSP_CERTSTATUS_GOOD);
  EXPECT_EQ(Asked(Make().serial).status, V_OCSP_CERTSTATUS_UNKNOWN);

  clock_.Advance(absl::Minutes(10));
  ASSERT_TRUE(Revoke(alice.serial));
  EXPECT_THAT(CheckOperator(*store_, alice.serial, alice.der),
              Refuses(Reason::kOperatorCertificate));
  EXPECT_THAT(CheckOperator(*store_, bob.serial, bob.der), IsOk());
  EXPECT_EQ(Asked(alice.serial).status, V_OCSP_CERTSTATUS_REVOKED);
  EXPECT_EQ(Asked(alice.serial).reason, CRL_REASON_KEY_COMPROMISE);
  const auto listed = Refreshed();
  ASSERT_THAT(listed, ElementsAre(Key(alice.serial)));
  EXPECT_EQ(listed.at(alice.serial).reason, CRL_REASON_KEY_COMPROMISE);
  EXPECT_EQ(listed.at(alice.serial).revoked_at, clock_.Now());
}

TEST_F(OperatorCertificatesTest, AnExpiredOneLeavesTheList) {
  ASSERT_TRUE(Revoke(Issued().serial));
  EXPECT_THAT(Refreshed(), SizeIs(1));
  clock_.Advance(absl::Hours(48));
  EXPECT_THAT(Refreshed(), IsEmpty());
}

TEST_F(OperatorCertificatesTest, TheFirstReasonStays) {
  const Made alice = Issued();
  EXPECT_TRUE(Revoke(alice.serial, "laptop stolen"));
  EXPECT_FALSE(Revoke(alice.serial, "left the company"));
  EXPECT_EQ(FindOperator(*store_, alice.serial)->reason.text, "laptop stolen");
  EXPECT_THAT(RevokeOperator(*store_, "01ff", {"operator root", clock_.Now(), {}}).status(),
              HasCode(absl::StatusCode::kNotFound));
}

TEST_F(OperatorCertificatesTest, AnotherGatekeeperOfTheStoreKnowsAtOnce) {
  const auto other = store::OpenSqlite({.path = folder_ + "/store.db"}).value();
  const Made alice = Issued();
  EXPECT_THAT(CheckOperator(*other, alice.serial, alice.der), IsOk());
  ASSERT_TRUE(Revoke(alice.serial));
  EXPECT_THAT(CheckOperator(*other, alice.serial, alice.der),
              Refuses(Reason::kOperatorCertificate));
  EXPECT_THAT(ListOperators(*other).value(), SizeIs(1));
}

TEST_F(OperatorCertificatesTest, OfATaintedCaAllAreListed) {
  const Made alice = Issued();
  authority_->SetTainted({KeyId()});
  ASSERT_THAT(authority_->Refresh(clock_.Now()), IsOk());
  const auto listed = Refreshed();
  ASSERT_THAT(listed, ElementsAre(Key(alice.serial)));
  EXPECT_EQ(listed.at(alice.serial).reason, CRL_REASON_CA_COMPROMISE);
}

}  // namespace
}  // namespace bootgate::gatekeeper::revocation

// Waivers in the store.
#include "gatekeeper/quarantine/waivers.h"

#include "common/crypto/hash.h"
#include "gatekeeper/quarantine/desk_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::quarantine {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Waivers : public Desk {
 protected:
  static Waiver Good() {
    Waiver waiver;
    waiver.findings.emplace_back();
    waiver.findings[0].code = Reason::kImaUnlisted;
    waiver.findings[0].path = "/opt/agent/*";
    waiver.hosts = {HostId(1)};
    waiver.selector = "role=db";
    waiver.owner = "team db";
    waiver.reason = "hot fix 12";
    waiver.expires_at = At(3600);
    return waiver;
  }
  RecordedWaiver Added() { return AddWaiver(*store_, Good(), "operator bob", At(0)).value(); }
  std::vector<Waiver> For(int number, absl::Time now) {
    return WaiversFor(*shelf_.Current().value(), Host(number), now);
  }
  WaiverShelf shelf_{*store_};
};

TEST_F(Waivers, OneThatIsAddedStandsAtOnceUntilItExpires) {
  Put(1, host::Trust::kTrusted);
  EXPECT_THAT(For(1, At(1)), IsEmpty());
  const RecordedWaiver added = Added();
  EXPECT_EQ(added.waiver.id.substr(0, 2), "w-");
  EXPECT_THAT(For(1, At(1)), SizeIs(1));
  EXPECT_THAT(For(1, At(3599)), SizeIs(1));
  EXPECT_THAT(For(1, At(3600)), IsEmpty());
  EXPECT_THAT(Audited(), ::testing::Contains("waiver.add"));
}

TEST_F(Waivers, OneThatIsRevokedHasNoEffectAtOnceInAnyProcess) {
  Put(1, host::Trust::kTrusted);
  const RecordedWaiver added = Added();
  ASSERT_THAT(For(1, At(1)), SizeIs(1));
  const auto other = store::OpenSqlite({.path = path_}).value();  // another gatekeeper
  ASSERT_THAT(RevokeWaiver(*other, added.waiver.id, "fixed", "operator eve", At(2)), IsOk());
  EXPECT_THAT(For(1, At(3)), IsEmpty());
  BG_ASSERT_OK_AND_ASSIGN(const RecordedWaiver shown, ShowWaiver(*store_, added.waiver.id));
  ASSERT_TRUE(shown.revoked.has_value());
  EXPECT_EQ(shown.revoked->by, "operator eve");
  EXPECT_EQ(shown.revoked->why, "fixed");
  EXPECT_FALSE(shown.StandsAt(At(3)));
}

TEST_F(Waivers, RevokingTwiceKeepsTheFirst) {
  const RecordedWaiver added = Added();
  ASSERT_THAT(RevokeWaiver(*store_, added.waiver.id, "fixed", "operator eve", At(2)), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const RecordedWaiver again,
                          RevokeWaiver(*store_, added.waiver.id, "x", "operator bob", At(3)));
  EXPECT_EQ(again.revoked->by, "operator eve");
}

TEST_F(Waivers, TheSameTextTwiceIsTwoWaivers) {
  const RecordedWaiver first = Added(), second = Added();
  EXPECT_NE(first.waiver.id, second.waiver.id);
  ASSERT_THAT(RevokeWaiver(*store_, first.waiver.id, "fixed", "operator eve", At(2)), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto all, ListWaivers(*store_));
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].waiver.id, second.waiver.id);  // newest first
  EXPECT_TRUE(all[0].StandsAt(At(3)));
  EXPECT_FALSE(all[1].StandsAt(At(3)));
}

TEST_F(Waivers, ExpiryIsBoundedOnBothSides) {
  Waiver late = Good();
  late.expires_at = At(0) + kLongestWaiver + absl::Seconds(1);
  EXPECT_THAT(AddWaiver(*store_, late, "operator bob", At(0)), Refuses(Reason::kWaiver));
  EXPECT_THAT(AddWaiver(*store_, late, "operator bob", At(0), absl::Hours(24 * 60)), IsOk());
  Waiver past = Good();
  past.expires_at = At(0);
  EXPECT_THAT(AddWaiver(*store_, past, "operator bob", At(0)), Refuses(Reason::kWaiver));
}

TEST_F(Waivers, UnknownOnesAreToldSo) {
  EXPECT_THAT(ShowWaiver(*store_, "w-1"), Refuses(Reason::kWaiverUnknown));
  EXPECT_THAT(RevokeWaiver(*store_, "w-1", "why", "operator bob", At(0)),
              HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(RevokeWaiver(*store_, Added().waiver.id, " ", "operator bob", At(0)),
              HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_F(Waivers, OneThatIsTooLargeToBeReadAgainIsRefused) {
  Waiver waiver = Good();
  waiver.hosts.clear();
  for (int i = 0; i < 1000; ++i)
    waiver.hosts.push_back(absl::StrCat("h-", std::string(60, 'a'), i));
  EXPECT_THAT(AddWaiver(*store_, waiver, "operator bob", At(0)), Refuses(Reason::kWaiver));
  EXPECT_TRUE(ListWaivers(*store_)->empty());
}

// Somebody wrote into the store by hand: the waiver is as good as none.
TEST_F(Waivers, OneThatCannotBeReadHasNoEffect) {
  Put(1, host::Trust::kTrusted);
  const std::string text = R"({"findings":[{"code":"NO_POLICY"}]})";
  const std::string id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(text)).hex();
  ASSERT_THAT(store_->PutDocument({.kind = kWaiverKind, .id = id, .text = text}, {}), IsOk());
  store::AssignmentRow step;
  step.kind = kWaiverKind;
  step.selector = "w-0011223344556677";
  step.document_id = id;
  ASSERT_THAT(store_->Assign(step, {}), IsOk());
  EXPECT_THAT(*shelf_.Current().value(), IsEmpty());
  Added();
  EXPECT_THAT(*shelf_.Current().value(), SizeIs(1));
}

TEST_F(Waivers, AreChosenByIdOrByLabels) {
  Put(1, host::Trust::kTrusted);
  host::HostRecord host = Put(2, host::Trust::kTrusted);
  Added();
  EXPECT_THAT(For(1, At(1)), SizeIs(1));
  EXPECT_THAT(For(2, At(1)), IsEmpty());
  host.labels = {{"role", "db"}};
  EXPECT_THAT(WaiversFor(*shelf_.Current().value(), host, At(1)), SizeIs(1));
  host.labels = {{"role", "web"}};
  EXPECT_THAT(WaiversFor(*shelf_.Current().value(), host, At(1)), IsEmpty());
}

// The way back is an operator's release, never a waiver.
TEST_F(Waivers, AHostThatIsShutOutHasNone) {
  Added();
  host::HostRecord host = Put(1, host::Trust::kTrusted);
  for (const host::Trust trust : {host::Trust::kQuarantined, host::Trust::kInvestigating}) {
    host.trust = trust;
    EXPECT_THAT(WaiversFor(*shelf_.Current().value(), host, At(1)), IsEmpty());
  }
  host.trust = host::Trust::kRemediated;  // released: judged as any other
  EXPECT_THAT(WaiversFor(*shelf_.Current().value(), host, At(1)), SizeIs(1));
}

TEST_F(Waivers, ASelectorIsStoredInItsOneForm) {
  Waiver waiver = Good();
  waiver.selector = "b=2,a=1";
  BG_ASSERT_OK_AND_ASSIGN(const RecordedWaiver added,
                          AddWaiver(*store_, waiver, "operator bob", At(0)));
  EXPECT_EQ(added.waiver.selector, "a=1,b=2");
  waiver.selector = "role";
  EXPECT_THAT(AddWaiver(*store_, waiver, "operator bob", At(0)), Refuses(Reason::kWaiver));
}

}  // namespace
}  // namespace bootgate::gatekeeper::quarantine

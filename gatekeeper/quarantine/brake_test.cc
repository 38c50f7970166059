#include "gatekeeper/quarantine/brake.h"

#include <thread>
#include <vector>

#include "gatekeeper/quarantine/acts.h"
#include "gatekeeper/quarantine/desk_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::quarantine {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::Contains;
using ::testing::HasSubstr;

using enum host::Trust;

// Two of twenty, or at least two.
const BrakeOptions kTwo = {
    .on = true, .share_percent = 10, .least = 2, .window = absl::Minutes(10)};

class BrakeTest : public Desk {
 protected:
  explicit BrakeTest(const BrakeOptions& options = kTwo) : brake_(options, *store_) {}

  void PutTrusted(int count) {
    for (int i = 1; i <= count; ++i) Put(i, kTrusted);
  }
  // As admission does it: asks, and commits what follows.
  host::Trust Fail(int number, absl::Time now, uint32_t boot = 7) {
    auto turn = brake_.Ask(absl::StrCat("host ", number), now);
    EXPECT_THAT(turn, IsOk());
    host::Judged deny = Deny(boot);
    deny.brake_holds = turn->holds();
    EXPECT_THAT(Judge(number, deny, now), IsOk());
    return TrustOf(number);
  }
  int64_t Count(host::Trust trust) {
    const auto hosts = store_->CountHosts().value();
    const auto found = hosts.find(trust);
    return found == hosts.end() ? 0 : found->second;
  }
  By Operator(absl::Time now) { return {"operator alice", now, 0}; }
  // Trips it: hosts 1 and 2 are quarantined, host 3 is the first suspect.
  void Trip() {
    PutTrusted(20);
    ASSERT_EQ(Fail(1, At(1)), kQuarantined);
    ASSERT_EQ(Fail(2, At(2)), kQuarantined);
    ASSERT_EQ(Fail(3, At(3)), kSuspect);
  }

  Brake brake_;
};

TEST_F(BrakeTest, TheOneThatWouldBeTooManyEngagesItAndIsHeldWithAllThatFollow) {
  Trip();
  EXPECT_EQ(Fail(4, At(4)), kSuspect);
  EXPECT_EQ(Fail(5, At(100000)), kSuspect) << "it does not let go by itself";
  EXPECT_FALSE(IsRevoked(3));
  EXPECT_TRUE(ReadBrake(*store_)->engaged);
  EXPECT_THAT(ReadBrake(*store_)->why, HasSubstr("host 3"));
}

TEST_F(BrakeTest, EngagingIsToldAndAudited) {
  Trip();
  std::vector<std::string> told;
  const auto changes = store_->ListChanges(0, 1000);
  for (const store::ChangeRow& row : changes.value())
    if (row.kind == kBrakeKind) told.push_back(row.after);
  EXPECT_THAT(told, ::testing::ElementsAre("engaged"));
  EXPECT_THAT(Audited(), Contains("brake.engage"));
}

TEST_F(BrakeTest, FailuresThatAreFarEnoughApartDoNotEngageIt) {
  PutTrusted(20);
  for (int i = 1; i <= 6; ++i) EXPECT_EQ(Fail(i, At(i * 400)), kQuarantined) << i;
}

TEST_F(BrakeTest, TheShareIsOfTheHostsThatWereTrusted) {
  PutTrusted(50);
  for (int i = 1; i <= 5; ++i) EXPECT_EQ(Fail(i, At(i)), kQuarantined) << i;
  EXPECT_EQ(Fail(6, At(6)), kSuspect);
}

TEST_F(BrakeTest, OperatorsAreNeitherCountedNorHeld) {
  PutTrusted(20);
  for (int i = 10; i <= 15; ++i)
    ASSERT_THAT(Quarantine(*store_, Operator(At(i)), HostId(i), "rack 7 was opened"), IsOk());
  EXPECT_EQ(Fail(1, At(20)), kQuarantined);
  EXPECT_EQ(Fail(2, At(21)), kQuarantined);
  EXPECT_EQ(Fail(3, At(22)), kSuspect);
  ASSERT_THAT(Quarantine(*store_, Operator(At(23)), HostId(3), "seen"), IsOk());
  ASSERT_THAT(Quarantine(*store_, Operator(At(24)), HostId(4), "seen"), IsOk());
  EXPECT_EQ(TrustOf(3), kQuarantined);
  EXPECT_EQ(TrustOf(4), kQuarantined);
  EXPECT_TRUE(IsRevoked(3));
}

TEST_F(BrakeTest, NeitherIsWhatOperatorsDoAboutEarlierFailures) {
  PutTrusted(20);
  for (int i = 10; i <= 15; ++i) {
    ASSERT_EQ(Fail(i, At(i * 1000)), kQuarantined);
    ASSERT_THAT(Investigate(*store_, Operator(At(i * 1000)), HostId(i), ""), IsOk());
  }
  for (int i = 10; i <= 15; ++i)
    ASSERT_THAT(Reopen(*store_, Operator(At(30000)), HostId(i), "it was not that"), IsOk());
  EXPECT_EQ(Fail(1, At(30001)), kQuarantined);
  EXPECT_EQ(Fail(2, At(30002)), kQuarantined);
  EXPECT_EQ(Fail(3, At(30003)), kSuspect);
}

TEST_F(BrakeTest, NobodyBecomesASuspectBehindARelease) {
  Trip();
  auto turn = brake_.Ask("host 4", At(5));
  ASSERT_TRUE(turn->holds());
  ASSERT_THAT(ReleaseBrake(*store_, Operator(At(6)), BrakeVerdict::kConfirm, "bad"), IsOk());
  host::Judged deny = Deny();
  deny.brake_holds = true;
  store::Commit commit = CommitOf(Host(4), deny, At(7));
  commit.step_seen = turn->seen();
  EXPECT_THAT(store_->Apply(commit), HasCode(absl::StatusCode::kAborted));
  EXPECT_EQ(TrustOf(4), kTrusted);
}

// A81: what passes while it is held does not wash itself clean.
TEST_F(BrakeTest, A81_ASuspectThatPassesStaysASuspect) {
  Trip();
  for (const uint32_t boot : {7u, 8u, 9u}) {
    ASSERT_THAT(Judge(3, Admit(boot), At(10 + boot)), IsOk());
    EXPECT_EQ(TrustOf(3), kSuspect);
  }
}

TEST_F(BrakeTest, ConfirmQuarantinesAllSuspectsAndRevokes) {
  Trip();
  ASSERT_EQ(Fail(4, At(4)), kSuspect);
  BG_ASSERT_OK_AND_ASSIGN(const BrakeReleased released,
                          ReleaseBrake(*store_, Operator(At(50)), BrakeVerdict::kConfirm, "bad"));
  EXPECT_EQ(released.hosts, 2);
  EXPECT_EQ(released.left, 0);
  for (const int number : {3, 4}) {
    EXPECT_EQ(TrustOf(number), kQuarantined);
    EXPECT_TRUE(IsRevoked(number));
    EXPECT_EQ(Incident(number).action, "isolate");
    EXPECT_EQ(Incident(number).state, "open");
  }
  EXPECT_FALSE(ReadBrake(*store_)->engaged);
  // What was confirmed is not counted: the next ones are judged by themselves.
  EXPECT_EQ(Fail(5, At(51)), kQuarantined);
  EXPECT_EQ(Fail(6, At(52)), kQuarantined);
  EXPECT_EQ(Fail(7, At(53)), kSuspect);
}

TEST_F(BrakeTest, ForgiveMakesAllSuspectsPendingAndTheirNextEvidenceDecides) {
  Trip();
  ASSERT_EQ(Fail(4, At(4)), kSuspect);
  BG_ASSERT_OK_AND_ASSIGN(
      const BrakeReleased released,
      ReleaseBrake(*store_, Operator(At(50)), BrakeVerdict::kForgive, "the policy was wrong"));
  EXPECT_EQ(released.hosts, 2);
  EXPECT_EQ(TrustOf(3), kPending);
  EXPECT_EQ(Incident(3).state, "closed");
  EXPECT_EQ(Host(3).incident_id, "");
  EXPECT_FALSE(IsRevoked(3));
  ASSERT_THAT(Judge(3, Admit(7), At(60)), IsOk());
  EXPECT_EQ(TrustOf(3), kTrusted);
  EXPECT_EQ(Fail(4, At(61)), kQuarantined) << "counted anew";
}

TEST_F(BrakeTest, ForgivingDoesNotTouchWhoWasQuarantinedBefore) {
  Trip();
  ASSERT_THAT(ReleaseBrake(*store_, Operator(At(50)), BrakeVerdict::kForgive, "x"), IsOk());
  EXPECT_EQ(TrustOf(1), kQuarantined);
  EXPECT_EQ(TrustOf(2), kQuarantined);
}

// Half of the suspects were done when the process died: the brake still holds, the rest are done by
// the next release.
TEST_F(BrakeTest, AReleaseThatWasInterruptedGoesOnWhereItWas) {
  Trip();
  for (int i = 4; i <= 8; ++i) ASSERT_EQ(Fail(i, At(i)), kSuspect);
  // What the first half of a release leaves.
  for (const int number : {3, 4}) {
    store::Commit commit;
    commit.host = Host(number);
    const auto move = host::NextMove(*commit.host, host::Act::kConfirm);
    commit.host = host::After(*commit.host, host::Act::kConfirm, *move, "operator alice", At(50));
    commit.audit.emplace_back();
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }
  OpenAgain();
  EXPECT_TRUE(ReadBrake(*store_)->engaged);
  BG_ASSERT_OK_AND_ASSIGN(const BrakeReleased released,
                          ReleaseBrake(*store_, Operator(At(60)), BrakeVerdict::kConfirm, "bad"));
  EXPECT_EQ(released.hosts, 4);
  EXPECT_EQ(Count(kSuspect), 0);
  EXPECT_EQ(Count(kQuarantined), 8);
}

TEST_F(BrakeTest, ThereMustBeSomethingToRelease) {
  PutTrusted(1);
  EXPECT_THAT(ReleaseBrake(*store_, Operator(At(1)), BrakeVerdict::kForgive, "x"),
              Refuses(Reason::kHostState));
  EXPECT_THAT(ReleaseBrake(*store_, Operator(At(1)), BrakeVerdict::kForgive, " "),
              HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_F(BrakeTest, StatusTellsStateCountAndSuspects) {
  Trip();
  BG_ASSERT_OK_AND_ASSIGN(const BrakeStatus status, StatusOfBrake(*store_, kTwo, At(5)));
  EXPECT_TRUE(status.state.engaged);
  EXPECT_EQ(status.state.since, At(3));
  EXPECT_EQ(status.count.failed, 2);
  EXPECT_EQ(status.count.trusted, 17);
  EXPECT_EQ(status.suspects, 1);
}

// An hour back: failures lie in the future, and are counted all the same. An hour ahead: the window
// begins anew, and an engaged brake stays engaged.
TEST_F(BrakeTest, AClockThatJumpsLetsNobodyGo) {
  PutTrusted(20);
  ASSERT_EQ(Fail(1, At(7200)), kQuarantined);
  ASSERT_EQ(Fail(2, At(3600)), kQuarantined);
  EXPECT_EQ(Fail(3, At(3601)), kSuspect);
  EXPECT_EQ(Fail(4, At(3601 + 3600)), kSuspect);
  ASSERT_THAT(Judge(4, Admit(8), At(1)), IsOk());
  EXPECT_EQ(TrustOf(4), kSuspect);
}

TEST_F(BrakeTest, AReleaseInTheFutureDoesNotBlindIt) {
  Trip();
  ASSERT_THAT(ReleaseBrake(*store_, Operator(At(3600)), BrakeVerdict::kConfirm, "x"), IsOk());
  // The clock is set back to where it was: the old failures count, so it holds at once.
  EXPECT_EQ(Fail(5, At(10)), kSuspect);
}

class BrakeOff : public BrakeTest {
 protected:
  BrakeOff() : BrakeTest({.on = false, .share_percent = 1, .least = 1}) {}
};

TEST_F(BrakeOff, HoldsNobody) {
  PutTrusted(10);
  for (int i = 1; i <= 10; ++i) EXPECT_EQ(Fail(i, At(i)), kQuarantined);
}

// All at once, from many threads: exactly as many as may.
TEST_F(BrakeTest, InOneProcessTheLimitIsExact) {
  PutTrusted(20);
  std::vector<std::thread> threads;
  for (int i = 1; i <= 12; ++i) threads.emplace_back([this, i] { Fail(i, At(1)); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Count(kQuarantined), 2);
  EXPECT_EQ(Count(kSuspect), 10);
}

// Two gatekeepers on one store, each with a brake of its own: at most one more for each.
TEST_F(BrakeTest, OfTwoProcessesEachCanLetOneMoreThrough) {
  PutTrusted(20);
  const auto other_store = store::OpenSqlite({.path = path_}).value();
  Brake other(kTwo, *other_store);
  const auto fail = [&](Brake& brake, store::Store& store, int number) {
    auto turn = brake.Ask("x", At(1));
    ASSERT_THAT(turn, IsOk());
    host::Judged deny = Deny();
    deny.brake_holds = turn->holds();
    EXPECT_THAT(store.Apply(CommitOf(store.GetHost(HostId(number)).value(), deny, At(1))), IsOk());
  };
  std::vector<std::thread> threads;
  for (int i = 1; i <= 6; ++i) {
    threads.emplace_back([&, i] { fail(brake_, *store_, i); });
    threads.emplace_back([&, i] { fail(other, *other_store, i + 10); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(Count(kQuarantined), 2);
  EXPECT_LE(Count(kQuarantined), 3);
  EXPECT_EQ(Count(kQuarantined) + Count(kSuspect), 12);
}

}  // namespace
}  // namespace bootgate::gatekeeper::quarantine

#include "gatekeeper/quarantine/acts.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gatekeeper/quarantine/desk_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::quarantine {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using enum host::Trust;

constexpr ReleaseOptions kAnyApprover = {}, kSecondApprover = {.second_approver = true};

class Acts : public Desk {
 protected:
  static By Alice(int64_t at, uint64_t revision = 0) {
    return {"operator alice", At(at), revision};
  }
  static By Bob(int64_t at, uint64_t revision = 0) { return {"operator bob", At(at), revision}; }

  // Denied in boot 7, investigated, resolved by alice.
  void Resolved(int number) {
    Put(number, kTrusted);
    ASSERT_THAT(Judge(number, Deny(), At(1)), IsOk());
    ASSERT_THAT(Investigate(*store_, Alice(2), HostId(number)), IsOk());
    Resolve(number, "operator alice");
  }
  std::vector<std::string> History(int number) {
    std::vector<std::string> lines;
    const auto events = store_->ListIncidentEvents(Incident(number).id);
    for (const store::IncidentEventRow& event : events.value())
      lines.push_back(absl::StrCat(event.actor, " ", event.kind, ": ", event.text));
    return lines;
  }
};

// ---- quarantine

TEST_F(Acts, AnOperatorsQuarantineCutsTheHostOffAsADenyDoes) {
  Put(1, kTrusted);
  BG_ASSERT_OK_AND_ASSIGN(const Acted acted,
                          Quarantine(*store_, Alice(5), HostId(1), "the lid was open"));
  EXPECT_TRUE(acted.changed);
  const host::HostRecord host = Host(1);
  EXPECT_EQ(host.trust, kQuarantined);
  EXPECT_EQ(host.trust_since, At(5));
  EXPECT_EQ(host.shut_out_by, "operator alice");
  EXPECT_EQ(host.why, "the lid was open");
  EXPECT_THAT(host.reasons, ElementsAre("OPERATOR_QUARANTINE"));
  EXPECT_EQ(host.quarantined_boot->reset_count, 7u);
  EXPECT_TRUE(IsRevoked(1));
  EXPECT_EQ(host.incident_id, Incident(1).id);
  EXPECT_EQ(Incident(1).opened_by, "operator alice");
  EXPECT_EQ(Incident(1).action, "isolate");
  EXPECT_EQ(host.revision, acted.host.revision);
  EXPECT_THAT(Audited(), Contains("quarantine.add"));
  const auto changes = store_->ListHostChanges(HostId(1)).value();
  EXPECT_EQ(changes.back().after, "open");
  EXPECT_THAT(store_->PendingEffects(10).value(), ::testing::SizeIs(3));
}

TEST_F(Acts, QuarantiningWhoIsQuarantinedChangesNothing) {
  Put(1, kTrusted);
  ASSERT_THAT(Quarantine(*store_, Alice(5), HostId(1), "first"), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const Acted again, Quarantine(*store_, Bob(6), HostId(1), "second"));
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(Host(1).why, "first");
}

// Its incident was closed while it was retired.
TEST_F(Acts, AShutOutHostWithoutAnIncidentGetsOneAndHasItsWayBack) {
  Put(1, kQuarantined);
  EXPECT_THAT(Investigate(*store_, Alice(1), HostId(1), ""),
              Refuses(Reason::kIncidentState));
  BG_ASSERT_OK_AND_ASSIGN(const Acted opened,
                          Quarantine(*store_, Alice(2), HostId(1), "its way back"));
  EXPECT_TRUE(opened.changed);
  EXPECT_EQ(Incident(1).state, "open");
  EXPECT_EQ(Host(1).incident_id, Incident(1).id);
  EXPECT_EQ(TrustOf(1), kQuarantined);
  EXPECT_THAT(Investigate(*store_, Alice(3), HostId(1), ""), IsOk());
  EXPECT_FALSE(Quarantine(*store_, Alice(4), HostId(1), "again")->changed);
}

TEST_F(Acts, AReleasedHostThatIsQuarantinedAgainWalksTheWholePathAgain) {
  Resolved(1);
  ASSERT_THAT(Release(*store_, Bob(4), HostId(1), kAnyApprover), IsOk());
  ASSERT_THAT(Quarantine(*store_, Alice(5), HostId(1), "on second thoughts"), IsOk());
  EXPECT_EQ(TrustOf(1), kQuarantined);
  EXPECT_EQ(Incident(1).state, "open");
  EXPECT_EQ(Incident(1).resolved_by, "");
  EXPECT_THAT(Release(*store_, Bob(6), HostId(1), kAnyApprover), Refuses(Reason::kHostState));
}

TEST_F(Acts, ReasonsAreNeededAndBounded) {
  Put(1, kTrusted);
  EXPECT_THAT(Quarantine(*store_, Alice(1), HostId(1), " \n"),
              HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Quarantine(*store_, Alice(1), HostId(1), std::string(kMaxReason + 1, 'x')),
              HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(TrustOf(1), kTrusted);
}

TEST_F(Acts, UnknownAndRetiredHostsAreRefused) {
  EXPECT_THAT(Quarantine(*store_, Alice(1), HostId(9), "x"), Refuses(Reason::kHostUnknown));
  Put(1, kRetired);
  EXPECT_THAT(Quarantine(*store_, Alice(1), HostId(1), "x"), Refuses(Reason::kHostState));
}

// ---- the way back

TEST_F(Acts, TheProperWayBackEndsWithALaterBootThatPasses) {
  Resolved(1);
  BG_ASSERT_OK_AND_ASSIGN(const Acted acted, Release(*store_, Bob(4), HostId(1), kSecondApprover));
  EXPECT_EQ(acted.host.trust, kRemediated);
  EXPECT_EQ(Incident(1).approved_by, "operator bob");
  EXPECT_EQ(Incident(1).approved_at, At(4));
  EXPECT_THAT(History(1),
              Contains("operator bob released: released by operator bob: a technician had the lid "
                       "open"));
  ASSERT_THAT(Judge(1, Admit(7), At(5)), IsOk());
  EXPECT_EQ(TrustOf(1), kRemediated) << "the same boot";
  ASSERT_THAT(Judge(1, Admit(8), At(6)), IsOk());
  EXPECT_EQ(TrustOf(1), kTrusted);
}

TEST_F(Acts, ReleaseNeedsAResolvedIncident) {
  Put(1, kTrusted);
  ASSERT_THAT(Judge(1, Deny(), At(1)), IsOk());
  EXPECT_THAT(Release(*store_, Bob(2), HostId(1), kAnyApprover), Refuses(Reason::kHostState));
  ASSERT_THAT(Investigate(*store_, Alice(2), HostId(1)), IsOk());
  EXPECT_EQ(Incident(1).state, "investigating");
  EXPECT_THAT(Release(*store_, Bob(3), HostId(1), kAnyApprover), Refuses(Reason::kIncidentState));
  EXPECT_EQ(TrustOf(1), kInvestigating);
}

TEST_F(Acts, WhoResolvedMayNotReleaseWhereASecondApproverIsAskedFor) {
  Resolved(1);
  EXPECT_THAT(Release(*store_, Alice(4), HostId(1), kSecondApprover),
              Refuses(Reason::kSecondApprover));
  EXPECT_EQ(TrustOf(1), kInvestigating);
  EXPECT_THAT(Release(*store_, Alice(4), HostId(1), kAnyApprover), IsOk());
}

TEST_F(Acts, NoOtherStateCanBeReleased) {
  int number = 1;
  for (const host::Trust trust :
       {kPending, kTrusted, kRemediated, kRetired, kRestricted, kSuspect}) {
    Put(number, trust);
    EXPECT_THAT(Release(*store_, Bob(4), HostId(number), kAnyApprover), Refuses(Reason::kHostState))
        << std::string(host::Name(trust));
    EXPECT_EQ(TrustOf(number), trust);
    ++number;
  }
}

TEST_F(Acts, AReleaseTakenBackIsAQuarantineWithAnOpenIncident) {
  Resolved(1);
  ASSERT_THAT(Release(*store_, Bob(4), HostId(1), kAnyApprover), IsOk());
  ASSERT_THAT(Reopen(*store_, Alice(5), HostId(1), "the disk was not replaced"), IsOk());
  EXPECT_EQ(TrustOf(1), kQuarantined);
  EXPECT_EQ(Incident(1).state, "open");
  EXPECT_EQ(Incident(1).approved_by, "");
  EXPECT_THAT(Reopen(*store_, Alice(6), HostId(1), "again"), Refuses(Reason::kHostState));
}

// ---- who is late

TEST_F(Acts, ARevisionThatIsNotTheStoredOneIsStale) {
  const uint64_t seen = Put(1, kTrusted).revision;
  ASSERT_THAT(Judge(1, Admit(7), At(1)), IsOk());
  const auto late = Quarantine(*store_, Alice(2, seen), HostId(1), "x");
  EXPECT_THAT(late, Refuses(Reason::kRevisionStale));
  EXPECT_THAT(late, HasCode(absl::StatusCode::kAborted));
  EXPECT_THAT(std::string(late.status().message()), HasSubstr("trusted"));
  EXPECT_THAT(Quarantine(*store_, Alice(2, seen + 1), HostId(1), "x"), IsOk());
}

TEST_F(Acts, OfTwoOperatorsWhoReleaseAtOnceOneDoes) {
  for (int round = 1; round <= 10; ++round) {
    Resolved(round);
    const uint64_t seen = round % 2 == 0 ? Host(round).revision : 0;
    std::atomic<int> done = 0, late = 0, other = 0;
    const auto release = [&](const By& by) {
      const auto acted = Release(*store_, by, HostId(round), kAnyApprover);
      const std::optional<Reason> reason = ReasonOf(acted.status());
      if (acted.ok()) {
        ++done;
      } else if (reason == Reason::kHostState || reason == Reason::kRevisionStale) {
        ++late;
      } else {
        ++other;
      }
    };
    std::thread alice(release, Alice(4, seen)), bob(release, Bob(4, seen));
    alice.join();
    bob.join();
    EXPECT_EQ(done, 1);
    EXPECT_EQ(late, 1);
    EXPECT_EQ(other, 0);
    EXPECT_EQ(TrustOf(round), kRemediated);
  }
  EXPECT_EQ(std::ranges::count(Audited(), std::string("quarantine.release")), 10);
}

// The host fails again while it is released. Judged before the release and committed after it, or
// the other way round: never trusted, and released only if the release was the later one.
TEST_F(Acts, A81_AReleaseDuringADenyNeverWashesTheDenyAway) {
  for (int round = 1; round <= 10; ++round) {
    Resolved(round);
    const auto deny = [&] {
      absl::Status status;
      do {
        status = Judge(round, Deny(8), At(5));  // admission tries again with the host as it is
      } while (absl::IsAborted(status));
      EXPECT_THAT(status, IsOk());
    };
    std::thread host(deny);
    const auto released = Release(*store_, Bob(4), HostId(round), kAnyApprover);
    host.join();
    EXPECT_THAT(released, IsOk());
    const host::HostRecord after = Host(round);
    EXPECT_TRUE(after.trust == kRemediated || after.trust == kQuarantined)
        << std::string(host::Name(after.trust));
    // Either way the boot that failed does not count as a later one.
    EXPECT_EQ(after.quarantined_boot->reset_count, 8u);
    ASSERT_THAT(Judge(round, Admit(8), At(9)), IsOk());
    EXPECT_NE(TrustOf(round), kTrusted);
  }
}

// ---- clocks

TEST_F(Acts, AClockThatJumpsAnHourEitherWayReleasesNobody) {
  Resolved(1);
  ASSERT_THAT(Release(*store_, Bob(3600), HostId(1), kAnyApprover), IsOk());
  EXPECT_EQ(Host(1).trust_since, At(3600));
  ASSERT_THAT(Judge(1, Admit(7), At(0)), IsOk());
  EXPECT_EQ(TrustOf(1), kRemediated);
  EXPECT_EQ(Host(1).trust_since, At(3600)) << "nothing moved";
  ASSERT_THAT(Reopen(*store_, Bob(-3600), HostId(1), "x"), IsOk());
  EXPECT_EQ(Host(1).trust_since, At(-3600));
  for (const int64_t at : {-7200, 0, 7200, 1000000}) {
    ASSERT_THAT(Judge(1, Admit(9), At(at)), IsOk());
    EXPECT_EQ(TrustOf(1), kQuarantined);
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::quarantine

#include <stdlib.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/fleet/changes.h"
#include "gatekeeper/fleet/hosts.h"
#include "gatekeeper/fleet/timeline.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::fleet {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using host::HostRecord;
using host::Trust;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1'800'000'000 + seconds); }

class FleetTest : public ::testing::Test {
 protected:
  FleetTest() {
    std::string pattern = ::testing::TempDir() + "/fleet.XXXXXX";
    store_ = store::OpenSqlite(
                 {.path = absl::StrCat(mkdtemp(pattern.data()), "/store.db"), .create = true})
                 .value();
  }

  static HostRecord Host(const std::string& id, Trust trust = Trust::kTrusted) {
    HostRecord host;
    host.id = id;
    host.trust = trust;
    host.approved = true;
    host.enrolled_at = host.last_seen_at = host.trust_since = At(0);
    host.hostname = absl::StrCat("Machine-", id);
    host.labels = {{"role", "db"}};
    return host;
  }
  void Put(const HostRecord& host) {
    store::Commit commit;
    commit.host = host;
    commit.audit.emplace_back();
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }
  static Act By(const std::string& reason = "because", uint64_t revision = 0) {
    Act act;
    act.actor = "operator alice";
    act.now = At(100);
    act.reason = reason;
    act.expected_revision = revision;
    return act;
  }
  static std::vector<std::string> Ids(const HostPage& page) {
    std::vector<std::string> out;
    for (const HostRecord& host : page.hosts) out.push_back(host.id);
    return out;
  }
  std::vector<std::string> Actions() {
    std::vector<std::string> out;
    const auto rows = store_->ListAudit(0, 1000).value();
    for (const store::AuditRow& row : rows)
      if (!row.action.empty()) out.push_back(row.action);
    return out;
  }

  std::unique_ptr<store::Store> store_;
};

TEST_F(FleetTest, ListsWhatFitsPageByPage) {
  for (const char* id : {"h-1", "h-2", "h-3", "h-4", "h-5"}) Put(Host(id));
  HostRecord other = Host("h-6");
  other.labels = {{"role", "web"}};
  Put(other);
  const Timing timing{.now = At(10)};
  const HostFilter db{.selector = "role=db"};
  const HostPage first = ListHosts(*store_, db, timing, "", 2).value();
  EXPECT_THAT(Ids(first), ElementsAre("h-1", "h-2"));
  const HostPage second = ListHosts(*store_, db, timing, first.next, 3).value();
  EXPECT_THAT(Ids(second), ElementsAre("h-3", "h-4", "h-5"));
  EXPECT_THAT(Ids(ListHosts(*store_, db, timing, second.next, 3).value()), IsEmpty());
}

TEST_F(FleetTest, FiltersHoldTogether) {
  Put(Host("h-1"));
  HostRecord shut = Host("h-2", Trust::kQuarantined);
  shut.reasons = {"SECURE_BOOT_OFF"};
  Put(shut);
  HostRecord silent = Host("h-3");
  silent.last_seen_at = At(-10'000);
  silent.enrolled_at = At(-20'000);
  Put(silent);
  const Timing timing{.now = At(10), .overdue_after = absl::Minutes(20)};
  const auto ids = [&](const HostFilter& filter) {
    return Ids(ListHosts(*store_, filter, timing, "", 10).value());
  };
  EXPECT_THAT(ids({.trusts = {Trust::kQuarantined}}), ElementsAre("h-2"));
  EXPECT_THAT(ids({.reason = "SECURE_BOOT_OFF"}), ElementsAre("h-2"));
  EXPECT_THAT(ids({.hostname_contains = "mACHINE-H-3"}), ElementsAre("h-3"));
  EXPECT_THAT(ids({.overdue = true}), ElementsAre("h-3"));
  EXPECT_THAT(ids({.trusts = {Trust::kTrusted}, .overdue = false}), ElementsAre("h-1"));
  EXPECT_THAT(ListHosts(*store_, {.selector = "role"}, timing, "", 1), Refuses(Reason::kSelector));
}

TEST_F(FleetTest, LabelsAreSetAndRemovedAtTheRevisionThatWasSeen) {
  Put(Host("h-1"));
  const LabelChange change{.set = {{"rack", "7"}}, .remove = {"role"}};
  const Changed done = SetLabels(*store_, "h-1", change, By("", 1)).value();
  EXPECT_TRUE(done.changed);
  EXPECT_THAT(store_->GetHost("h-1")->labels, ElementsAre(std::pair("rack", "7")));
  EXPECT_EQ(store_->GetHost("h-1")->revision, done.host.revision);
  EXPECT_FALSE(SetLabels(*store_, "h-1", change, By()).value().changed);
  EXPECT_THAT(SetLabels(*store_, "h-1", {.set = {{"rack", "8"}}}, By("", 1)),
              Refuses(Reason::kRevisionStale));
  EXPECT_THAT(SetLabels(*store_, "h-1", {.set = {{"ra\nck", "8"}}}, By()),
              Refuses(Reason::kSelector));
  EXPECT_THAT(Actions(), ElementsAre("host.label"));
}

TEST_F(FleetTest, ADryRunChecksEverythingAndWritesNothing) {
  Put(Host("h-1"));
  const int64_t before = store_->ChangeCounter().value();
  Act dry = By();
  dry.run = Run::kDry;
  const Changed would = Retire(*store_, "h-1", dry).value();
  EXPECT_TRUE(would.changed);
  EXPECT_EQ(would.host.trust, Trust::kRetired);
  EXPECT_EQ(store_->ChangeCounter().value(), before);
  EXPECT_THAT(Retire(*store_, "h-9", dry).status(), Refuses(Reason::kHostUnknown));
}

TEST_F(FleetTest, EachVerbIsIdempotentAndAudited) {
  HostRecord fresh = Host("h-1", Trust::kPending);
  fresh.approved = false;
  Put(fresh);
  EXPECT_TRUE(Approve(*store_, "h-1", By()).value().changed);
  EXPECT_FALSE(Approve(*store_, "h-1", By()).value().changed);
  EXPECT_TRUE(Retire(*store_, "h-1", By()).value().changed);
  EXPECT_FALSE(Retire(*store_, "h-1", By()).value().changed);
  EXPECT_THAT(Approve(*store_, "h-1", By()), Refuses(Reason::kHostRetired));
  EXPECT_TRUE(Reinstate(*store_, "h-1", By()).value().changed);
  EXPECT_EQ(store_->GetHost("h-1")->trust, Trust::kPending);
  EXPECT_FALSE(store_->GetHost("h-1")->approved);
  EXPECT_THAT(Actions(), ElementsAre("host.approve", "host.retire", "host.reinstate"));
}

TEST_F(FleetTest, A81_RetirementIsNoWayOutOfAQuarantine) {
  HostRecord shut = Host("h-1", Trust::kQuarantined);
  shut.quarantined_boot = host::BootMark{.reset_count = 5};
  Put(shut);
  Put(Host("h-2", Trust::kPending));
  EXPECT_THAT(SwapTpm(*store_, "h-1", "h-2", By()).status(), Refuses(Reason::kQuarantined));
  ASSERT_TRUE(Retire(*store_, "h-1", By()).value().changed);
  EXPECT_THAT(SwapTpm(*store_, "h-1", "h-2", By()).status(), Refuses(Reason::kQuarantined));
  ASSERT_TRUE(Reinstate(*store_, "h-1", By()).value().changed);
  EXPECT_EQ(store_->GetHost("h-1")->trust, Trust::kQuarantined);
}

TEST_F(FleetTest, AReinstatedHostBeginsItsWayBackAnew) {
  HostRecord released = Host("h-1", Trust::kRemediated);
  released.quarantined_boot = host::BootMark{.reset_count = 5};
  released.ak_certificate = {1};
  released.own_ek_certificate = {2};
  Put(released);
  store::Commit commit;
  commit.incident.emplace();
  commit.incident->id = "i-1";
  commit.incident->host_id = "h-1";
  commit.incident->state = "resolved";
  commit.incident->resolved_by = "alice";
  commit.incident->approved_by = "bob";
  commit.incident->approved_at = absl::UnixEpoch();
  commit.audit.emplace_back();
  ASSERT_THAT(store_->Apply(commit), IsOk());
  ASSERT_TRUE(Retire(*store_, "h-1", By()).value().changed);
  EXPECT_TRUE(store_->GetHost("h-1")->ak_certificate.empty()) << "revoked: never handed out again";
  EXPECT_TRUE(store_->GetHost("h-1")->own_ek_certificate.empty());
  ASSERT_TRUE(Reinstate(*store_, "h-1", By("needed")).value().changed);
  const store::IncidentRow incident = store_->GetIncident("i-1").value();
  EXPECT_EQ(incident.state, "open");
  EXPECT_EQ(incident.approved_by, "");
  EXPECT_FALSE(incident.approved_at.has_value());
  EXPECT_THAT(store_->ListIncidentEvents("i-1")->back().text, ::testing::HasSubstr("reinstated: needed"));
}

TEST_F(FleetTest, ASwapLinksBothAndIsFinishedByGivingItAgain) {
  Put(Host("h-1"));
  Put(Host("h-2", Trust::kPending));
  const Swapped done = SwapTpm(*store_, "h-1", "h-2", By()).value();
  EXPECT_EQ(done.old_host.host.trust, Trust::kRetired);
  EXPECT_EQ(done.new_host.host.replaces, "h-1");
  EXPECT_EQ(store_->GetHost("h-2")->trust, Trust::kPending);
  const Swapped again = SwapTpm(*store_, "h-1", "h-2", By()).value();
  EXPECT_FALSE(again.old_host.changed);
  EXPECT_FALSE(again.new_host.changed);
  EXPECT_THAT(SwapTpm(*store_, "h-1", "h-1", By()).status(), Refuses(Reason::kMessageMalformed));
}

TEST_F(FleetTest, TheTimelineIsInOrderAndOfOneHost) {
  Put(Host("h-1", Trust::kPending));
  Put(Host("h-2", Trust::kPending));
  ASSERT_THAT(Retire(*store_, "h-1", By("worn out")), IsOk());
  ASSERT_THAT(Retire(*store_, "h-2", By()), IsOk());
  const auto entries = TimelineOf(*store_, {.host_id = "h-1"}).value();
  ASSERT_GE(entries.size(), 2u);
  bool retired = false, acted = false;
  for (const TimelineEntry& entry : entries) {
    retired |= entry.kind == EntryKind::kTrust && entry.after == "retired" &&
               entry.text.find("worn out") != std::string::npos;
    acted |= entry.kind == EntryKind::kAudit && entry.subject == "host.retire" &&
             entry.actor == "operator alice";
  }
  EXPECT_TRUE(retired);
  EXPECT_TRUE(acted);
  EXPECT_TRUE(std::ranges::is_sorted(entries, {}, &TimelineEntry::at));
  const auto acts = TimelineOf(*store_, {.host_id = "h-1", .kinds = {EntryKind::kAudit}}).value();
  for (const TimelineEntry& entry : acts) EXPECT_EQ(entry.kind, EntryKind::kAudit);
  EXPECT_THAT(TimelineOf(*store_, {.host_id = "h-9"}).status(), Refuses(Reason::kHostUnknown));
}

}  // namespace
}  // namespace bootgate::gatekeeper::fleet

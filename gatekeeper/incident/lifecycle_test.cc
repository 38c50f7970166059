#include "gatekeeper/incident/lifecycle.h"

#include <stdlib.h>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/incident/view.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::incident {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::bootgate::testing::StatusOf;
using host::Trust;
using store::IncidentRow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Resolution kFixed = {.root_cause = "a test kernel was left in place",
                           .disposition = "misconfiguration",
                           .ticket = "OPS-17"};

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1'800'000'000 + seconds); }

class Lifecycle : public ::testing::Test {
 protected:
  Lifecycle() {
    std::string pattern = ::testing::TempDir() + "/incident.XXXXXX";
    store_ = store::OpenSqlite(
                 {.path = absl::StrCat(mkdtemp(pattern.data()), "/store.db"), .create = true})
                 .value();
    Open("1", Trust::kQuarantined, At(0));
  }

  // A host in that state with an open incident "i-NAME".
  void Open(const std::string& name, Trust trust, absl::Time at) {
    store::Commit commit;
    commit.host.emplace();
    commit.host->id = absl::StrCat("h-", name);
    commit.host->trust = trust;
    commit.host->incident_id = absl::StrCat("i-", name);
    IncidentRow row;
    row.id = commit.host->incident_id;
    row.host_id = commit.host->id;
    row.opened_at = row.last_at = at;
    row.state = "open";
    row.why = "the kernel is not the reference's";
    row.reasons = {"PCR_UNEXPLAINED"};
    commit.incident = row;
    commit.audit.emplace_back();
    commit.audit.back().at = at;
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }
  void MoveHost(const std::string& id, Trust trust) {
    store::Commit commit;
    commit.host = store_->GetHost(id).value();
    commit.host->trust = trust;
    commit.audit.emplace_back();
    commit.audit.back().at = At(100);
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }
  void SetState(const std::string& id, const std::string& state) {
    store::Commit commit;
    commit.incident = store_->GetIncident(id).value();
    commit.incident->state = state;
    commit.audit.emplace_back();
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }
  static Act By(const std::string& name, uint64_t revision = 0) {
    return {.actor = absl::StrCat("operator ", name), .now = At(100), .revision = revision};
  }
  std::string LastAudit() { return store_->ListAudit(0, 1000)->back().detail_json; }

  std::unique_ptr<store::Store> store_;
};

TEST_F(Lifecycle, FromOpenToClosed) {
  BG_ASSERT_OK_AND_ASSIGN(const IncidentRow assigned, Assign(*store_, "i-1", "bob", By("alice")));
  EXPECT_EQ(assigned.assignee, "bob");
  EXPECT_THAT(Note(*store_, "i-1", "asked the vendor", By("bob")), IsOk());
  MoveHost("h-1", Trust::kInvestigating);
  SetState("i-1", "investigating");
  BG_ASSERT_OK_AND_ASSIGN(const IncidentRow resolved, Resolve(*store_, "i-1", kFixed, By("bob")));
  EXPECT_EQ(resolved.state, kResolved);
  EXPECT_EQ(resolved.resolved_by, "operator bob");
  EXPECT_EQ(resolved.resolved_at, At(100));
  EXPECT_EQ(resolved.ticket, "OPS-17");
  MoveHost("h-1", Trust::kTrusted);
  BG_ASSERT_OK_AND_ASSIGN(const IncidentRow closed, Close(*store_, "i-1", "done", By("alice")));
  EXPECT_EQ(closed.state, kClosed);
  EXPECT_EQ(closed.closed_at, At(100));
  EXPECT_EQ(store_->GetHost("h-1")->incident_id, "");
  BG_ASSERT_OK_AND_ASSIGN(const Detail detail, Get(*store_, "i-1"));
  std::vector<std::string> kinds;
  for (const TimelineEntry& line : detail.timeline) kinds.push_back(line.kind);
  EXPECT_THAT(kinds, ElementsAre("opened", "trust", "assigned", "note", "state", "state", "trust",
                                 "trust"));
}

TEST_F(Lifecycle, EveryActIsAuditedWithBeforeAndAfterAndTold) {
  MoveHost("h-1", Trust::kInvestigating);
  BG_ASSERT_OK_AND_ASSIGN(const int64_t before, store_->LastChange());
  ASSERT_THAT(Resolve(*store_, "i-1", kFixed, By("bob")), IsOk());
  EXPECT_THAT(LastAudit(), HasSubstr(R"("before":{"state":"open")"));
  EXPECT_THAT(LastAudit(), HasSubstr(R"("after":{"state":"resolved")"));
  BG_ASSERT_OK_AND_ASSIGN(const auto changes, store_->ListChanges(before, 10));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].kind, "incident");
  EXPECT_EQ(changes[0].before, "open");
  EXPECT_EQ(changes[0].after, "resolved");
  EXPECT_EQ(changes[0].incident_id, "i-1");
  EXPECT_EQ(changes[0].host_id, "h-1");
}

TEST_F(Lifecycle, IllegalMovesNameTheStateAndWhatIsAllowed) {
  const absl::Status early = Resolve(*store_, "i-1", kFixed, By("bob")).status();
  EXPECT_THAT(early, Refuses(Reason::kIncidentState));
  EXPECT_THAT(std::string(early.message()), HasSubstr("quarantine investigate h-1"));
  const absl::Status close = Close(*store_, "i-1", "", By("bob")).status();
  EXPECT_THAT(close, Refuses(Reason::kIncidentState));
  EXPECT_THAT(std::string(close.message()), HasSubstr("is quarantined"));
  MoveHost("h-1", Trust::kTrusted);
  EXPECT_THAT(std::string(Close(*store_, "i-1", "", By("bob")).status().message()),
              HasSubstr("resolved first"));
  SetState("i-1", "closed");
  const absl::Status late = Resolve(*store_, "i-1", kFixed, By("bob")).status();
  EXPECT_THAT(late, Refuses(Reason::kIncidentState));
  EXPECT_THAT(std::string(late.message()), HasSubstr("is closed"));
  EXPECT_THAT(std::string(late.message()), HasSubstr("noted on"));
  EXPECT_THAT(Assign(*store_, "i-1", "bob", By("bob")), Refuses(Reason::kIncidentState));
  EXPECT_THAT(Note(*store_, "i-1", "afterwards", By("bob")), IsOk());
}

TEST_F(Lifecycle, ARetiredHostsIncidentIsClosedWithoutResolution) {
  MoveHost("h-1", Trust::kRetired);
  EXPECT_THAT(Close(*store_, "i-1", "scrapped", By("bob")), IsOk());
}

TEST_F(Lifecycle, WhatIsReleasedIsNotResolvedAnew) {
  MoveHost("h-1", Trust::kInvestigating);
  ASSERT_THAT(Resolve(*store_, "i-1", kFixed, By("bob")), IsOk());
  ASSERT_THAT(Resolve(*store_, "i-1", kFixed, By("carol")), IsOk());
  store::Commit release;
  release.incident = store_->GetIncident("i-1").value();
  release.incident->approved_at = At(200);
  release.audit.emplace_back();
  ASSERT_THAT(store_->Apply(release), IsOk());
  EXPECT_THAT(Resolve(*store_, "i-1", kFixed, By("bob")), Refuses(Reason::kIncidentState));
}

TEST_F(Lifecycle, TwoOperatorsAtOnceOneIsTold) {
  const uint64_t seen = store_->GetIncident("i-1")->revision;
  EXPECT_THAT(Assign(*store_, "i-1", "alice", By("alice", seen)), IsOk());
  EXPECT_THAT(Assign(*store_, "i-1", "bob", By("bob", seen)), Refuses(Reason::kRevisionStale));
  EXPECT_EQ(store_->GetIncident("i-1")->assignee, "alice");
}

TEST_F(Lifecycle, AgainIsFineAndWritesNothing) {
  ASSERT_THAT(Assign(*store_, "i-1", "bob", By("bob")), IsOk());
  const size_t rows = store_->ListAudit(0, 1000)->size();
  EXPECT_THAT(Assign(*store_, "i-1", "bob", By("bob")), IsOk());
  EXPECT_EQ(store_->ListAudit(0, 1000)->size(), rows);
}

struct BadResolution {
  const char* name;
  Resolution given;
  const char* says;
};

TEST_F(Lifecycle, EachPartOfAResolutionIsNeededBoundedAndPrintable) {
  MoveHost("h-1", Trust::kInvestigating);
  const std::string cause = "x", ticket = "T-1", kind = "compromise";
  for (const BadResolution& row : std::vector<BadResolution>{
           {"NoCause", {"", kind, ticket}, "root cause is empty"},
           {"BlankCause", {" \n", kind, ticket}, "root cause is empty"},
           {"NoTicket", {cause, kind, ""}, "ticket is empty"},
           {"NoDisposition", {cause, "", ticket}, "hardware-fault, misconfiguration"},
           {"OtherDisposition", {cause, "whatever", ticket}, "no disposition 'whatever'"},
           {"LongCause", {std::string(kMaxRootCause + 1, 'x'), kind, ticket}, "at most 2000"},
           {"LongTicket", {cause, kind, std::string(kMaxTicket + 1, 'x')}, "at most 128"},
           {"Escape", {"\x1b[2J", kind, ticket}, "cannot be printed"}}) {
    const absl::Status status = Resolve(*store_, "i-1", row.given, By("bob")).status();
    EXPECT_THAT(status, Refuses(Reason::kMessageMalformed)) << row.name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.says)) << row.name;
  }
  EXPECT_EQ(store_->GetIncident("i-1")->state, "open");
}

TEST_F(Lifecycle, NotesAreBounded) {
  EXPECT_THAT(Note(*store_, "i-1", "", By("bob")), Refuses(Reason::kMessageMalformed));
  EXPECT_THAT(Note(*store_, "i-1", std::string(kMaxNote + 1, 'x'), By("bob")),
              Refuses(Reason::kMessageMalformed));
  EXPECT_THAT(Note(*store_, "i-1", std::string(kMaxNote, 'x'), By("bob")), IsOk());
}

TEST_F(Lifecycle, UnknownIncidentsAreToldSo) {
  EXPECT_THAT(Note(*store_, "i-none", "x", By("bob")), Refuses(Reason::kIncidentUnknown));
  EXPECT_THAT(Get(*store_, "i-none"), Refuses(Reason::kIncidentUnknown));
}

TEST_F(Lifecycle, TheNextStepIsTold) {
  EXPECT_THAT(Get(*store_, "i-1")->next.front(), HasSubstr("quarantine investigate h-1"));
  MoveHost("h-1", Trust::kInvestigating);
  ASSERT_THAT(Resolve(*store_, "i-1", kFixed, By("bob")), IsOk());
  EXPECT_THAT(Get(*store_, "i-1")->next, ElementsAre("quarantine release h-1"));
}

class Listing : public Lifecycle {
 protected:
  Listing() {
    Open("2", Trust::kRestricted, At(10));
    Open("3", Trust::kQuarantined, At(20));
    EXPECT_THAT(Assign(*store_, "i-2", "bob", By("bob")), IsOk());
    SetState("i-3", "closed");
  }
  std::vector<std::string> Ids(const Filter& filter) {
    std::vector<std::string> ids;
    const std::vector<IncidentRow> rows = List(*store_, filter).value();
    for (const IncidentRow& row : rows) ids.push_back(row.id);
    return ids;
  }
};

TEST_F(Listing, NewestFirstAndByEachFilter) {
  EXPECT_THAT(Ids({}), ElementsAre("i-3", "i-2", "i-1"));
  EXPECT_THAT(Ids({.states = {"open"}}), ElementsAre("i-2", "i-1"));
  EXPECT_THAT(Ids({.host_id = "h-2"}), ElementsAre("i-2"));
  EXPECT_THAT(Ids({.assignee = "bob"}), ElementsAre("i-2"));
  EXPECT_THAT(Ids({.unassigned = true}), ElementsAre("i-3", "i-1"));
  EXPECT_THAT(Ids({.reason = "NO_POLICY"}), IsEmpty());
  EXPECT_THAT(Ids({.opened_after = At(10)}), ElementsAre("i-3", "i-2"));
  EXPECT_THAT(Ids({.opened_before = At(10)}), ElementsAre("i-1"));
  EXPECT_THAT(List(*store_, {.states = {"ajar"}}), Refuses(Reason::kIncidentState));
}

}  // namespace
}  // namespace bootgate::gatekeeper::incident

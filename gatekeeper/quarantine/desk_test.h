// Test only: a store in a file of its own, hosts in it in any state, and what became of them.
#pragma once

#include <stdlib.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/host/move.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::quarantine {

inline absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1'800'000'000 + seconds); }

inline std::string HostId(int number) { return absl::StrFormat("h-%032x", number); }

class Desk : public ::testing::Test {
 protected:
  Desk() {
    std::string pattern = ::testing::TempDir() + "/desk.XXXXXX";
    path_ = absl::StrCat(mkdtemp(pattern.data()), "/store.db");
    OpenAgain();
  }
  void OpenAgain() {
    store_.reset();
    store_ = store::OpenSqlite({.path = path_, .create = true}).value();
  }

  host::HostRecord Host(int number) { return store_->GetHost(HostId(number)).value(); }
  host::Trust TrustOf(int number) { return Host(number).trust; }

  // A host in this state, that has attested in boot 7 and holds a credential.
  host::HostRecord Put(int number, host::Trust trust) {
    store::Commit commit;
    commit.host.emplace();
    commit.host->id = HostId(number);
    commit.host->trust = trust;
    commit.host->trust_since = At(0);
    commit.host->approved = true;
    commit.host->last_boot = host::BootMark{.reset_count = 7, .restart_count = 0, .clock_ms = 1};
    if (host::IsShutOut(trust) || trust == host::Trust::kSuspect)
      commit.host->quarantined_boot = commit.host->last_boot;
    store::CredentialRow credential;
    credential.serial = absl::StrCat("0a", number);
    credential.host_id = HostId(number);
    credential.not_after = At(1'000'000);
    commit.issued = {credential};
    commit.audit.emplace_back();
    EXPECT_THAT(store_->Apply(commit), testing::IsOk());
    return Host(number);
  }

  // What admission would commit: the host's evidence was judged.
  absl::Status Judge(int number, const host::Judged& judged, absl::Time now) {
    const host::HostRecord read = Host(number);
    return store_->Apply(CommitOf(read, judged, now));
  }
  static store::Commit CommitOf(const host::HostRecord& read, const host::Judged& judged,
                                absl::Time now) {
    const host::Move move = host::NextMove(read, judged);
    store::Commit commit;
    commit.host = host::After(read, judged, move, "", now);
    commit.host->last_boot = judged.boot;
    if (judged.outcome == OutcomeClass::kDeny) {
      commit.incident.emplace();
      commit.incident->id = absl::StrCat("i-", read.id, "-", read.revision);
      commit.incident->host_id = read.id;
      commit.incident->opened_at = commit.incident->last_at = now;
      commit.incident->state = "open";
      commit.incident->action = move.next == host::Trust::kQuarantined ? "isolate" : "restrict";
      if (read.incident_id.empty()) commit.host->incident_id = commit.incident->id;
    }
    commit.verdict = {.id = absl::StrCat("v-", read.id, "-", read.revision),
                      .host_id = read.id,
                      .at = now,
                      .outcome = std::string(Name(judged.outcome)),
                      .body_json = "{}"};
    commit.audit.emplace_back();
    commit.audit.back().at = now;
    return commit;
  }
  static host::Judged Deny(uint32_t boot = 7) {
    return {.outcome = OutcomeClass::kDeny,
            .boot = {.reset_count = boot, .restart_count = 0, .clock_ms = 1}};
  }
  static host::Judged Admit(uint32_t boot) {
    return {.outcome = OutcomeClass::kAdmit,
            .boot = {.reset_count = boot, .restart_count = 0, .clock_ms = 1}};
  }

  store::IncidentRow Incident(int number) {
    const auto all = store_->ListIncidents(HostId(number)).value();
    EXPECT_FALSE(all.empty());
    return all.empty() ? store::IncidentRow() : all.back();
  }
  // As the incident's own verb does it.
  void Resolve(int number, const std::string& who) {
    store::Commit commit;
    commit.incident = Incident(number);
    commit.incident->state = "resolved";
    commit.incident->resolved_by = who;
    commit.incident->root_cause = "a technician had the lid open";
    commit.audit.emplace_back();
    ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  }

  bool IsRevoked(int number) { return store_->IsRevoked(absl::StrCat("0a", number)).value(); }
  std::vector<std::string> Audited() {
    std::vector<std::string> actions;
    const auto rows = store_->ListAudit(0, 100000);
    for (const store::AuditRow& row : rows.value())
      if (!row.action.empty()) actions.push_back(row.action);
    return actions;
  }

  std::string path_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace bootgate::gatekeeper::quarantine

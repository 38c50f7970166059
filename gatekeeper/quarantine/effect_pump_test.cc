#include "gatekeeper/quarantine/effect_pump.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::quarantine {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::ElementsAre;

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1'800'000'000 + seconds); }

class EffectPumpTest : public ::testing::Test {
 protected:
  EffectPumpTest() {
    std::string pattern = ::testing::TempDir() + "/quarantine.XXXXXX";
    path_ = absl::StrCat(mkdtemp(pattern.data()), "/store.db");
    Reopen();
  }
  void Reopen() {
    store_.reset();
    store_ = store::OpenSqlite({.path = path_, .create = true}).value();
  }

  static host::HostRecord Host(const std::string& id, host::Trust trust, int64_t since) {
    host::HostRecord host;
    host.id = id;
    host.trust = trust;
    host.trust_since = At(since);
    host.hostname = absl::StrCat("name-of-", id);
    host.reasons = {"SECURE_BOOT_OFF"};
    host.why = "Secure Boot was off";
    host.last_verdict_id = absl::StrCat("v-", id);
    return host;
  }

  void Store(store::Commit commit) {
    commit.audit.emplace_back();
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }
  // A host that was denied: verdict, incident and the effects of it.
  void Deny(const std::string& id, int64_t since) {
    store::Commit commit;
    commit.host = Host(id, host::Trust::kQuarantined, since);
    commit.host->quarantined_boot =
        host::BootMark{.reset_count = 7, .restart_count = 0, .clock_ms = 1};
    store::VerdictRow verdict;
    verdict.id = absl::StrCat("v-", id);
    verdict.host_id = id;
    verdict.outcome = "DENY";
    commit.verdict = verdict;
    store::IncidentRow incident;
    incident.id = absl::StrCat("i-", id);
    incident.host_id = id;
    incident.first_verdict_id = incident.last_verdict_id = verdict.id;
    incident.opened_at = At(since);
    incident.state = "open";
    incident.why = commit.host->why;
    incident.reasons = commit.host->reasons;
    commit.incident = incident;
    for (const host::Effect effect :
         {host::Effect::kRevokeCredentials, host::Effect::kNotifyQuarantine}) {
      commit.effects.push_back(
          {.kind = std::string(host::Name(effect)), .host_id = id, .verdict_id = verdict.id});
    }
    Store(commit);
  }

  std::string path_;
  std::unique_ptr<store::Store> store_;
};

TEST_F(EffectPumpTest, EffectsAreDoneOnceInOrder) {
  Deny("e", 5);
  Deny("f", 6);
  std::vector<std::string> done;
  EffectPump pump(*store_, [&](const store::EffectRow& effect) {
    done.push_back(absl::StrCat(effect.host_id, " ", effect.kind, " ", effect.verdict_id));
    return absl::OkStatus();
  });
  BG_ASSERT_OK_AND_ASSIGN(const Drained first, pump.Drain());
  EXPECT_EQ(first.done, 4);
  EXPECT_THAT(done, ElementsAre("e revoke-credentials v-e", "e notify-quarantine v-e",
                                "f revoke-credentials v-f", "f notify-quarantine v-f"));
  EXPECT_EQ(pump.Drain()->done, 0);
  EXPECT_EQ(done.size(), 4u);
}

TEST_F(EffectPumpTest, FailedEffectHoldsUpItsHostAloneAndIsTriedAgain) {
  Deny("e", 5);
  Deny("f", 6);
  bool broken = true;
  std::vector<std::string> done;
  EffectPump pump(*store_, [&](const store::EffectRow& effect) -> absl::Status {
    if (broken && effect.host_id == "e") return absl::UnavailableError("no network");
    done.push_back(absl::StrCat(effect.host_id, " ", effect.kind));
    return absl::OkStatus();
  });
  BG_ASSERT_OK_AND_ASSIGN(const Drained first, pump.Drain());
  EXPECT_EQ(first.done, 2);
  EXPECT_EQ(first.failed, 1);
  EXPECT_EQ(first.held_up, 1);
  broken = false;
  EXPECT_EQ(pump.Drain()->done, 2);
  EXPECT_THAT(done, ElementsAre("f revoke-credentials", "f notify-quarantine",
                                "e revoke-credentials", "e notify-quarantine"));
}

// A crash after the handler and before the mark repeats the effect; it is never lost.
TEST_F(EffectPumpTest, EffectsOutliveARestart) {
  Deny("e", 5);
  std::multiset<int64_t> tried;
  const auto handler = [&](const store::EffectRow& effect) -> absl::Status {
    tried.insert(effect.sequence);
    return tried.size() == 1 ? absl::InternalError("crashed half way") : absl::OkStatus();
  };
  EXPECT_EQ(EffectPump(*store_, handler).Drain()->done, 0);
  Reopen();
  EXPECT_EQ(EffectPump(*store_, handler).Drain()->done, 2);
  EXPECT_EQ(tried.count(*tried.begin()), 2u);
  EXPECT_TRUE(store_->PendingEffects(10)->empty());
}

}  // namespace
}  // namespace bootgate::gatekeeper::quarantine

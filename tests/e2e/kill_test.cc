// A gatekeeper that is killed at any point loses no verdict that it told anybody, and nobody ever
// held a credential that its store does not know.
#include <signal.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/files.h"
#include "common/config/join_file.h"
#include "common/crypto/hash.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/audit/verify.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "pki/authority.h"
#include "pki/host_certificate.h"
#include "tests/e2e/gatekeeper.h"
#include "tests/gate/soft_host.h"

namespace bootgate::e2e {
namespace {

using gate::SoftHost;
using gatekeeper::host::HostRecord;
using gatekeeper::store::AuditRow;
using gatekeeper::store::CredentialRow;
using gatekeeper::store::Store;
using gatekeeper::store::VerdictRow;
using testing::IsOk;

constexpr int kKills = 100;
constexpr int kLookEvery = 10;
constexpr int kJoins = 100000;
constexpr uint32_t kSeed = 20240607;

// What hosts were told, by whatever gatekeeper was alive.
struct Told {
  std::string host_id, outcome, verdict_id;
  std::vector<std::string> serials;
};

class Ledger {
 public:
  void Add(const std::string& host_id, const agent::AttestAnswer& answer) {
    Told told{host_id, answer.outcome, answer.verdict_id, {}};
    for (const Bytes& certificate : {answer.tpm_key.certificate, answer.sealed.certificate}) {
      if (certificate.empty()) continue;
      told.serials.push_back(
          pki::ReadHostCertificate(pki::DerToPem(certificate)).value().serial_hex);
    }
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(told));
  }
  void AddJoined(const std::string& host_id) {
    const std::lock_guard lock(mutex_);
    joined_.insert(host_id);
  }
  // What ended a host's talk with a gatekeeper, other than that nobody answered any more.
  void AddSurprise(const absl::Status& status) {
    if (absl::IsUnavailable(status)) return;
    const std::lock_guard lock(mutex_);
    surprises_.push_back(status.ToString());
  }

  // For the time when no host talks.
  const std::vector<Told>& told() const { return told_; }
  const std::set<std::string>& joined() const { return joined_; }
  const std::vector<std::string>& surprises() const { return surprises_; }

 private:
  std::mutex mutex_;
  std::vector<Told> told_;
  std::set<std::string> joined_;
  std::vector<std::string> surprises_;
};

std::vector<CredentialRow> CredentialsOf(Store& store, const std::string& host_id) {
  return store.ListCredentials(host_id).value();
}

// Attests until the gatekeeper is gone, or `times` times.
void AttestAgainAndAgain(SoftHost& host, const agent::Endpoint& endpoint, int times,
                         Ledger& ledger) {
  const auto client = agent::Connect(endpoint).value();
  for (int i = 0; i < times; ++i) {
    const absl::StatusOr<agent::AttestAnswer> answer = host.Attest(*client);
    if (!answer.ok()) return ledger.AddSurprise(answer.status());
    ledger.Add(host.id(), *answer);
  }
}

// New machines join until the gatekeeper is gone, or `times` of them have.
void JoinAgainAndAgain(const gatekeeper::enroll::TestCa& vendor, const gate::JoinToken& token,
                       const agent::Endpoint& endpoint, int times, Ledger& ledger) {
  const auto client = agent::Connect(endpoint).value();
  for (int i = 0; i < times; ++i) {
    const SoftHost host(vendor);
    const absl::StatusOr<agent::JoinAnswer> joined = host.Join(*client, token);
    if (!joined.ok()) return ledger.AddSurprise(joined.status());
    ledger.AddJoined(joined->host_id);
  }
}

class KillTest : public ::testing::Test {
 protected:
  KillTest() : vendor_(absl::Now()), gatekeeper_({WriteRoot()}) {
    JudgeBySecureBootAndReference(gatekeeper_);
    const absl::Time before = absl::Now();
    gatekeeper_.Start();
    start_takes_ = absl::Now() - before;
    const std::string file = gatekeeper_.JoinFile("hosts", kJoins);
    const auto join = config::ParseJoinFile(ReadTextFile(file, 1 << 20).value(), file).value();
    token_ = {join.token_id, std::string(AsText(join.token_secret.view()))};
    const auto client = agent::Connect(gatekeeper_.Endpoint()).value();
    for (const char* boot : {"good", "good", "good", "secure-boot-off"}) {
      SoftHost& host = hosts_.emplace_back(vendor_, gate::LoadCase(boot));
      ledger_.AddJoined(host.Join(*client, token_).value().host_id);
    }
    const absl::Time asked = absl::Now();
    AttestAgainAndAgain(hosts_.front(), gatekeeper_.Endpoint(), 1, ledger_);
    answer_takes_ = absl::Now() - asked;
    gatekeeper_.End(SIGKILL);
  }

  std::string WriteRoot() const {
    const std::string path = scratch_.path() + "/root.pem", pem = vendor_.RootPem();
    EXPECT_THAT(WriteFileAtomically(path, AsBytes(pem), 0600), IsOk());
    return path;
  }

  absl::Duration Random(absl::Duration most) {
    return std::uniform_real_distribution<>(0, 1)(random_) * most;
  }

  // Killed before it serves, or just when it does.
  void KillAtStart() {
    gatekeeper_.Spawn();
    absl::SleepFor(Random(1.2 * start_takes_));
    gatekeeper_.End(SIGKILL);
  }

  // Killed while hosts attest and join: at any point of anybody's talk.
  void KillAtWork() {
    constexpr int kUntilKilled = 1 << 20;
    gatekeeper_.Start();
    std::vector<std::thread> talks = StartTalks(kUntilKilled);
    absl::SleepFor(Random(6 * answer_takes_));
    gatekeeper_.End(SIGKILL);
    for (std::thread& talk : talks) talk.join();
  }

  // Killed when everybody has had an answer.
  void KillAtRest() {
    gatekeeper_.Start();
    for (std::thread& talk : StartTalks(1)) talk.join();
    gatekeeper_.End(SIGKILL);
  }

  std::vector<std::thread> StartTalks(int times) {
    const agent::Endpoint endpoint = gatekeeper_.Endpoint();
    std::vector<std::thread> talks;
    for (SoftHost& host : hosts_) {
      talks.emplace_back(
          [this, &host, endpoint, times] { AttestAgainAndAgain(host, endpoint, times, ledger_); });
    }
    talks.emplace_back(
        [this, endpoint, times] { JoinAgainAndAgain(vendor_, token_, endpoint, times, ledger_); });
    return talks;
  }

  // One of the good hosts boots badly: from its next verdict on nothing of it is valid.
  void LetOneGoBad() { hosts_.front().Reboot(gate::LoadCase("cmdline-changed")); }

  void CheckStore();
  void CheckTold(Store& store, const std::set<std::string>& audited);
  void CheckHosts(Store& store);
  std::set<std::string> CheckAudit(Store& store);

  const desk::ScratchFolder scratch_;
  const gatekeeper::enroll::TestCa vendor_;
  Gatekeeper gatekeeper_;
  gate::JoinToken token_;
  std::vector<SoftHost> hosts_;
  Ledger ledger_;
  absl::Duration start_takes_, answer_takes_;  // as this machine is: kills spread over both
  size_t untold_ = 0;  // verdicts that were stored, and their host never heard of
  std::mt19937 random_{kSeed};
};

void KillTest::CheckStore() {
  BG_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store,
                          gatekeeper::store::OpenSqlite({.path = gatekeeper_.store_path()}));
  const std::set<std::string> audited = CheckAudit(*store);
  CheckTold(*store, audited);
  untold_ = audited.size() - ledger_.told().size();
  CheckHosts(*store);
  EXPECT_THAT(ledger_.surprises(), ::testing::IsEmpty());
}

// The ids of all verdicts that have an audit row; each of them is stored.
std::set<std::string> KillTest::CheckAudit(Store& store) {
  constexpr int kPage = 1000;
  EXPECT_THAT(gatekeeper::audit::VerifyAuditChain(store), IsOk());
  std::set<std::string> verdicts;
  int64_t last = 0;
  for (std::vector<AuditRow> rows; !(rows = store.ListAudit(last, kPage).value()).empty();) {
    for (const AuditRow& row : rows) {
      if (row.action != "verdict") continue;
      const std::string id = nlohmann::json::parse(row.detail_json).at("verdict");
      EXPECT_THAT(store.GetVerdict(id), IsOk());
      EXPECT_TRUE(verdicts.insert(id).second) << id << " was audited twice";
    }
    last = rows.back().sequence;
  }
  return verdicts;
}

void KillTest::CheckTold(Store& store, const std::set<std::string>& audited) {
  std::map<std::string, CredentialRow> credentials;
  for (const SoftHost& host : hosts_) {
    for (const CredentialRow& row : CredentialsOf(store, host.id())) {
      credentials[row.serial] = row;
      if (row.kind != "host") continue;  // of the AK and the EK: no verdict is needed for them
      BG_ASSERT_OK_AND_ASSIGN(const VerdictRow verdict, store.GetVerdict(row.verdict_id));
      EXPECT_EQ(verdict.outcome, "ADMIT") << row.serial << " was issued for " << verdict.id;
    }
  }
  for (const Told& told : ledger_.told()) {
    BG_ASSERT_OK_AND_ASSIGN(const VerdictRow verdict, store.GetVerdict(told.verdict_id));
    EXPECT_EQ(verdict.host_id, told.host_id);
    EXPECT_EQ(verdict.outcome, told.outcome);
    EXPECT_TRUE(audited.contains(told.verdict_id)) << told.verdict_id;
    EXPECT_EQ(told.serials.empty(), told.outcome == "DENY") << told.verdict_id;
    for (const std::string& serial : told.serials) {
      ASSERT_TRUE(credentials.contains(serial)) << serial << " is not in the store";
      EXPECT_EQ(credentials[serial].verdict_id, told.verdict_id);
    }
  }
}

void KillTest::CheckHosts(Store& store) {
  std::vector<std::string> corrupt;
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<HostRecord> records, store.ListHosts(&corrupt));
  EXPECT_THAT(corrupt, ::testing::IsEmpty());
  std::set<std::string> ids;
  for (const HostRecord& record : records) {
    ids.insert(record.id);
    if (!record.last_verdict_id.empty()) {
      EXPECT_THAT(store.GetVerdict(record.last_verdict_id), IsOk());
    }
    if (record.trust != gatekeeper::host::Trust::kQuarantined) continue;
    for (const CredentialRow& row : CredentialsOf(store, record.id))
      EXPECT_TRUE(row.revoked || row.kind != "host")
          << row.serial << " of the quarantined host " << record.id;
  }
  EXPECT_TRUE(std::ranges::includes(ids, ledger_.joined())) << "a host that joined is not there";
  // Each use of the join token made exactly one host, told or not.
  const crypto::Digest secret = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(token_.secret));
  BG_ASSERT_OK_AND_ASSIGN(const gatekeeper::store::JoinToken token,
                          store.CheckJoinToken(token_.id, secret.view(), absl::Now()));
  EXPECT_EQ(kJoins - token.uses_left, static_cast<int>(records.size()));
}

TEST_F(KillTest, LosesNoVerdictAndIssuesNothingUncommittedThroughAHundredKills) {
  for (int i = 1; i <= kKills; ++i) {
    if (i == kKills / 2) LetOneGoBad();
    switch (i % 5) {
      case 0:
        KillAtRest();
        break;
      case 1:
        KillAtStart();
        break;
      default:
        KillAtWork();
    }
    if (i % kLookEvery == 0) {
      ASSERT_NO_FATAL_FAILURE(CheckStore()) << "after kill " << i;
    }
  }
  // The last gatekeeper, not killed, opens the same store and still answers as it should.
  gatekeeper_.Start();
  for (std::thread& talk : StartTalks(1)) talk.join();
  EXPECT_EQ(gatekeeper_.End(SIGTERM), 0);
  CheckStore();
  const auto of = [this](const std::string& outcome) {
    return std::ranges::count(ledger_.told(), outcome, &Told::outcome);
  };
  EXPECT_GT(of("ADMIT"), kKills / 2);
  EXPECT_GT(of("DENY"), kKills / 3);
  std::cout << "start takes " << start_takes_ << ", an answer " << answer_takes_ << "; told "
            << of("ADMIT") << " ADMIT, " << of("DENY") << " DENY, and " << untold_
            << " verdicts that died on their way; " << ledger_.joined().size() << " joined\n";
}

}  // namespace
}  // namespace bootgate::e2e

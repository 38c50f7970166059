#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "bootgate/v1/fleet.grpc.pb.h"
#include "bootgate/v1/quarantine.grpc.pb.h"
#include "common/base/hex.h"
#include "gatekeeper/operators/desk_test.h"

namespace bootgate::gatekeeper::operators {
namespace {

using ::bootgate::testing::IsOk;
using host::Trust;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kBound = absl::Seconds(30);  // for what must happen

// Reads a watch on a thread of its own, so that every wait is bounded.
class Watcher {
 public:
  Watcher(const std::shared_ptr<grpc::Channel>& channel, const v1::WatchQuarantineRequest& request)
      : stub_(v1::QuarantineService::NewStub(channel)),
        reader_(stub_->WatchQuarantine(&context_, request)),
        thread_([this] { Read(); }) {}
  ~Watcher() {
    context_.TryCancel();
    thread_.join();
  }

  // Waits until what was read satisfies `enough`.
  bool WaitFor(const std::function<bool(const Watcher&)>& enough) {
    std::unique_lock lock(mutex_);
    return news_.wait_for(lock, absl::ToChronoMilliseconds(kBound), [&] { return enough(*this); });
  }

  // Under the lock of WaitFor, or after the end.
  std::map<std::string, v1::TrustState> state;  // as a consumer keeps it
  std::vector<v1::QuarantineChange> changes;
  std::vector<int64_t> beats;
  std::vector<absl::Time> change_times;
  bool complete = false, ended = false;
  std::string token;
  Told end;

 private:
  void Read() {
    v1::WatchQuarantineResponse message;
    while (reader_->Read(&message)) {
      const std::lock_guard lock(mutex_);
      Take(message);
      news_.notify_all();
    }
    const Told told = ToldBy(reader_->Finish());
    const std::lock_guard lock(mutex_);
    end = told;
    ended = true;
    news_.notify_all();
  }

  void Take(const v1::WatchQuarantineResponse& message) {
    if (!message.resume_token().empty()) token = message.resume_token();
    for (const auto& entry : message.snapshot().entries()) state[entry.host_id()] = entry.trust();
    complete |= message.snapshot().snapshot_complete();
    if (message.has_heartbeat()) beats.push_back(message.heartbeat().number());
    if (!message.has_change()) return;
    changes.push_back(message.change());
    change_times.push_back(absl::Now());
    state[message.change().entry().host_id()] = message.change().after();
  }

  grpc::ClientContext context_;
  const std::unique_ptr<v1::QuarantineService::Stub> stub_;
  const std::unique_ptr<grpc::ClientReader<v1::WatchQuarantineResponse>> reader_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::thread thread_;
};

v1::WatchQuarantineRequest From(const std::string& token, int heartbeat = 0) {
  v1::WatchQuarantineRequest request;
  request.set_resume_token(token);
  request.set_heartbeat_seconds(heartbeat);
  return request;
}

bool IsComplete(const Watcher& watcher) { return watcher.complete; }
bool HasEnded(const Watcher& watcher) { return watcher.ended; }

TEST(Watch, TellsWhoIsCutOffAndThenEachChange) {
  Desk desk;
  desk.PutHost("h-1", Trust::kQuarantined);
  desk.PutHost("h-2", Trust::kTrusted);
  Watcher watcher(desk.Connect(desk.Operator({"incident-tool"})), From(""));
  ASSERT_TRUE(watcher.WaitFor(IsComplete));
  EXPECT_THAT(watcher.state, ElementsAre(std::pair("h-1", v1::TRUST_STATE_QUARANTINED)));
  desk.PutHost("h-2", Trust::kQuarantined);
  ASSERT_TRUE(watcher.WaitFor([](const Watcher& w) { return w.changes.size() == 1; }));
  const v1::QuarantineChange& change = watcher.changes[0];
  EXPECT_EQ(change.before(), v1::TRUST_STATE_TRUSTED);
  EXPECT_EQ(change.after(), v1::TRUST_STATE_QUARANTINED);
  EXPECT_EQ(change.entry().host_id(), "h-2");
  EXPECT_TRUE(change.entry().shut_out());
  EXPECT_EQ(change.why(), "as the test wants it");
}

TEST(Watch, ResumesWithoutLossAndWithoutRepetition) {
  Desk desk;
  desk.PutHost("h-1", Trust::kTrusted);
  const auto channel = desk.Connect(desk.Operator({"operator"}));
  std::string token;
  {
    Watcher first(channel, From(""));
    ASSERT_TRUE(first.WaitFor(IsComplete));
    desk.PutHost("h-1", Trust::kQuarantined);
    ASSERT_TRUE(first.WaitFor([](const Watcher& w) { return w.changes.size() == 1; }));
    token = first.token;
  }
  desk.PutHost("h-1", Trust::kInvestigating);
  desk.PutHost("h-1", Trust::kRemediated);
  Watcher second(channel, From(token));
  ASSERT_TRUE(second.WaitFor([](const Watcher& w) { return w.changes.size() == 2; }));
  EXPECT_EQ(second.changes[0].after(), v1::TRUST_STATE_INVESTIGATING);
  EXPECT_EQ(second.changes[1].after(), v1::TRUST_STATE_REMEDIATED);
  EXPECT_FALSE(second.complete);
}

TEST(Watch, ATokenOfAnotherStoreOrOfNobodyAsksForASnapshot) {
  Desk desk, other;
  store::AuditRow first;
  first.subject = "another store";
  ASSERT_THAT(other.store().PutAudit(first), IsOk());
  other.PutHost("h-1", Trust::kQuarantined);
  desk.PutHost("h-1", Trust::kQuarantined);
  std::string foreign;
  {
    Watcher elsewhere(other.Connect(other.Operator({"admin"})), From(""));
    ASSERT_TRUE(elsewhere.WaitFor(IsComplete));
    foreign = elsewhere.token;
  }
  const auto channel = desk.Connect(desk.Operator({"admin"}));
  for (const std::string& token :
       {foreign, ToBase64Url(AsBytes("x")), ToBase64Url(AsBytes("x.-1.0")),
        ToBase64Url(AsBytes("empty.999999999.00000000"))}) {
    Watcher watcher(channel, From(token));
    ASSERT_TRUE(watcher.WaitFor(HasEnded));
    EXPECT_EQ(watcher.end.code, grpc::StatusCode::FAILED_PRECONDITION) << token;
    EXPECT_EQ(watcher.end.reason, "WATCH_TOKEN");
  }
}

TEST(Watch, BeatsWithThePresentNumber) {
  Desk desk;
  desk.PutHost("h-1", Trust::kQuarantined);
  Watcher watcher(desk.Connect(desk.Operator({"admin"})), From("", 1));
  ASSERT_TRUE(watcher.WaitFor([](const Watcher& w) { return w.beats.size() >= 2; }));
  EXPECT_EQ(watcher.beats.back(), desk.store().LastChange().value());
}

TEST(Watch, TellsOnlyOfHostsThatBearTheLabels) {
  Desk desk;
  host::HostRecord host = desk.PutHost("h-1", Trust::kTrusted);
  host.labels = {{"role", "db"}};
  store::Commit commit;
  commit.host = host;
  commit.audit.emplace_back();
  ASSERT_THAT(desk.store().Apply(commit), IsOk());
  desk.PutHost("h-2", Trust::kTrusted);
  v1::WatchQuarantineRequest request = From("");
  request.set_selector("role=db");
  Watcher watcher(desk.Connect(desk.Operator({"admin"})), request);
  ASSERT_TRUE(watcher.WaitFor(IsComplete));
  desk.PutHost("h-2", Trust::kQuarantined);
  desk.PutHost("h-1", Trust::kQuarantined);
  ASSERT_TRUE(watcher.WaitFor([](const Watcher& w) { return !w.changes.empty(); }));
  EXPECT_EQ(watcher.changes[0].entry().host_id(), "h-1");
}

TEST(Attack, A80_AnOpenWatchEndsWithItsCertificate) {
  Desk desk;
  const ClientIdentity revoked = desk.Operator({"admin"});
  Watcher first(desk.Connect(revoked), From(""));
  Watcher second(desk.Connect(desk.Operator({"admin"})), From(""));
  ASSERT_TRUE(first.WaitFor(IsComplete));
  ASSERT_TRUE(second.WaitFor(IsComplete));
  const absl::Time at = absl::Now();
  desk.Revoke(revoked);
  ASSERT_TRUE(first.WaitFor(HasEnded));
  EXPECT_LT(absl::Now() - at, absl::Seconds(5));  // promised: 1 s, and a busy machine's share
  EXPECT_EQ(first.end.reason, "OPERATOR_CERTIFICATE");
  EXPECT_FALSE(second.ended);
  desk.clock().Advance(absl::Hours(2));
  ASSERT_TRUE(second.WaitFor(HasEnded));
  EXPECT_EQ(second.end.reason, "OPERATOR_CERTIFICATE");
}

// Hosts move while snapshots are taken: whoever begins with one and goes on from its token ends
// with what is true.
TEST(Watch, ASnapshotAndWhatFollowsItComeToWhatIsTrue) {
  Desk desk;
  constexpr int kHosts = 20, kMoves = 200, kWatchers = 8;
  const auto id = [](int i) { return absl::StrCat("h-", i % kHosts); };
  for (int i = 0; i < kHosts; ++i) desk.PutHost(id(i), Trust::kTrusted);
  const auto channel = desk.Connect(desk.Operator({"admin"}));
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < kMoves; ++i) {
    desk.PutHost(id(i * 7), i % 3 == 0 ? Trust::kQuarantined : Trust::kTrusted);
    if (i % (kMoves / kWatchers) == 0)
      watchers.push_back(std::make_unique<Watcher>(channel, From("")));
  }
  std::map<std::string, v1::TrustState> truth;
  const std::vector<host::HostRecord> hosts = desk.store().ListHosts(nullptr).value();
  for (const host::HostRecord& host : hosts) {
    if (host.trust == Trust::kQuarantined) truth[host.id] = v1::TRUST_STATE_QUARANTINED;
  }
  const auto shut_out = [](const Watcher& watcher) {
    std::map<std::string, v1::TrustState> out = watcher.state;
    std::erase_if(out, [](const auto& row) { return row.second == v1::TRUST_STATE_TRUSTED; });
    return out;
  };
  const int64_t last = desk.store().LastChange().value();
  for (const auto& watcher : watchers) {
    EXPECT_TRUE(watcher->WaitFor([&](const Watcher& w) {
      return w.complete && shut_out(w) == truth &&
             (w.changes.empty() || w.changes.back().number() == last);
    }));
    for (size_t i = 1; i < watcher->changes.size(); ++i)
      EXPECT_EQ(watcher->changes[i].number(), watcher->changes[i - 1].number() + 1);
  }
}

// What the numbers up to the token's were then, they are not now.
TEST(Watch, ATokenFromBeforeTheStoreWasPutBackIsNoPlaceInIt) {
  Desk desk;
  desk.PutHost("h-1", Trust::kQuarantined);
  const auto channel = desk.Connect(desk.Operator({"incident-tool"}));
  std::string token;
  {
    Watcher watcher(channel, From(""));
    ASSERT_TRUE(watcher.WaitFor(IsComplete));
    token = watcher.token;
  }
  desk.PutHost("h-1", Trust::kTrusted);
  {
    Watcher watcher(channel, From(token));
    EXPECT_TRUE(watcher.WaitFor([](const Watcher& w) { return w.changes.size() == 1; }));
  }
  desk.Tamper("UPDATE changes SET host_id = 'h-2' WHERE sequence = 1");
  Watcher watcher(channel, From(token));
  EXPECT_TRUE(watcher.WaitFor([](const Watcher& w) { return w.ended; }));
  EXPECT_EQ(watcher.end.reason, "WATCH_TOKEN");
  EXPECT_THAT(watcher.end.message, ::testing::HasSubstr("begin anew"));
}

TEST(Watch, AHostThatCannotBeReadStaysCutOffForEverybody) {
  Desk desk;
  desk.PutHost("h-1", Trust::kQuarantined);
  desk.PutHost("h-2", Trust::kQuarantined);
  desk.Tamper("UPDATE hosts SET body = substr(body, 1, 20) WHERE id = 'h-1'");
  const auto channel = desk.Connect(desk.Operator({"incident-tool"}));
  v1::WatchQuarantineRequest of_role = From("");
  of_role.set_selector("role=db");
  Watcher all(channel, From("")), some(channel, of_role);
  ASSERT_TRUE(all.WaitFor(IsComplete));
  ASSERT_TRUE(some.WaitFor(IsComplete));
  const std::map<std::string, v1::TrustState> both = {{"h-1", v1::TRUST_STATE_QUARANTINED},
                                                      {"h-2", v1::TRUST_STATE_QUARANTINED}};
  EXPECT_EQ(all.state, both);
  EXPECT_EQ(some.state.count("h-1"), 1u) << "what its labels are nobody knows";
  EXPECT_EQ(some.state.count("h-2"), 0u);
}

TEST(Watch, AChangeOfAHostThatCannotBeReadSaysSo) {
  Desk desk;
  desk.PutHost("h-1", Trust::kQuarantined);
  const auto channel = desk.Connect(desk.Operator({"incident-tool"}));
  std::string token;
  {
    Watcher watcher(channel, From(""));
    ASSERT_TRUE(watcher.WaitFor(IsComplete));
    token = watcher.token;
  }
  desk.PutHost("h-1", Trust::kInvestigating);
  desk.Tamper("UPDATE hosts SET body = substr(body, 1, 20) WHERE id = 'h-1'");
  Watcher watcher(channel, From(token));
  ASSERT_TRUE(watcher.WaitFor([](const Watcher& w) { return w.changes.size() == 1; }));
  const v1::QuarantineEntry& entry = watcher.changes[0].entry();
  EXPECT_THAT(entry.reasons(), ElementsAre("RECORD_CORRUPT"));
  EXPECT_TRUE(entry.shut_out());
  EXPECT_EQ(entry.trust(), v1::TRUST_STATE_INVESTIGATING);
}

// The promise is 1 s (p99) from the commit to every watcher.
TEST(Watch, ReachesManyWatchersWithinASecond) {
  Desk desk;
  constexpr size_t kWatchers = 200, kChannels = 4, kChanges = 15;
  desk.PutHost("h-1", Trust::kTrusted);
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (size_t i = 0; i < kChannels; ++i)
    channels.push_back(desk.Connect(desk.Operator({"incident-tool"})));
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (size_t i = 0; i < kWatchers; ++i)
    watchers.push_back(std::make_unique<Watcher>(channels[i % kChannels], From("", 300)));
  for (const auto& watcher : watchers) ASSERT_TRUE(watcher->WaitFor(IsComplete));
  std::vector<absl::Duration> latencies;
  for (size_t i = 0; i < kChanges; ++i) {
    desk.PutHost("h-1", i % 2 == 0 ? Trust::kQuarantined : Trust::kTrusted);
    const absl::Time committed = absl::Now();
    for (const auto& watcher : watchers) {
      ASSERT_TRUE(watcher->WaitFor([&](const Watcher& w) { return w.changes.size() > i; }));
      latencies.push_back(watcher->change_times[i] - committed);
    }
  }
  std::ranges::sort(latencies);
  const absl::Duration p99 = latencies[latencies.size() * 99 / 100];
  const absl::Duration p50 = latencies[latencies.size() / 2];
  RecordProperty("p99_ms", static_cast<int>(absl::ToInt64Milliseconds(p99)));
  std::cout << kWatchers << " watchers, " << latencies.size() << " deliveries: p50 " << p50
            << ", p99 " << p99 << ", worst " << latencies.back() << "\n";
  EXPECT_LT(p99, absl::Seconds(1));
}

// Ones that never read hold nobody up.
TEST(Watch, AWatcherThatDoesNotReadBlocksNobody) {
  Desk desk;
  const auto channel = desk.Connect(desk.Operator({"admin"}));
  const auto stub = v1::QuarantineService::NewStub(channel);
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::WatchQuarantineResponse>>> silent;
  for (int i = 0; i < 20; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    silent.push_back(stub->WatchQuarantine(contexts.back().get(), From("")));
  }
  Watcher reader(desk.Connect(desk.Operator({"admin"})), From(""));
  ASSERT_TRUE(reader.WaitFor(IsComplete));
  constexpr size_t kChanges = 300;
  for (size_t i = 0; i < kChanges; ++i)
    desk.PutHost("h-1", i % 2 == 0 ? Trust::kQuarantined : Trust::kTrusted);
  EXPECT_TRUE(reader.WaitFor([](const Watcher& w) { return w.changes.size() >= kChanges; }));
  for (const auto& context : contexts) context->TryCancel();
  for (const auto& one : silent) one->Finish();
}

TEST(Watch, AStopOfTheServerIsToldAtOnce) {
  Desk desk;
  Watcher watcher(desk.Connect(desk.Operator({"admin"})), From(""));
  ASSERT_TRUE(watcher.WaitFor(IsComplete));
  desk.server().Shutdown(absl::Now() + absl::Seconds(10));
  ASSERT_TRUE(watcher.WaitFor(HasEnded));
  EXPECT_EQ(watcher.end.code, grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace bootgate::gatekeeper::operators

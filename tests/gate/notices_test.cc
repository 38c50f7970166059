// A quarantine reaches the host on its open stream, whichever gatekeeper decided it.
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iostream>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/reason.h"
#include "common/testing/sanitizer.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/changes/change_hub.h"
#include "gatekeeper/revocation/publisher.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/server_identity.h"
#include "tests/gate/port_gate.h"

namespace bootgate::gate {
namespace {

using agent::Notice;
using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using gatekeeper::host::HostRecord;
using gatekeeper::host::Trust;
using ::testing::ElementsAre;

namespace store = gatekeeper::store;
namespace service = gatekeeper::service;

constexpr absl::Duration kLongEnough = absl::Seconds(20);
// One second; sanitizers on a busy machine have more.
const absl::Duration kPromise = absl::Seconds(testing::kAddressSanitizer ? 10 : 1);

// One more gatekeeper of the cluster: a process of its own in all but name, over the same store
// file and CA.
class Replica {
 public:
  explicit Replica(Gate& gate, service::NoticeOptions notices = {})
      : gate_(gate),
        store_(store::OpenSqlite({.path = gate.folder + "/gatekeeper.db"}).value()),
        hub_(gatekeeper::changes::ChangeHub::Open(*store_).value()),
        nonces_(gate.clock, {}),
        admission_(gate.admission_options, *store_, nonces_, gate.authority, gate.clock,
                   &gate.issuer) {
    const auto tls =
        pki::ServerIdentity::Make(gate.authority, {.names = {"127.0.0.1"}}, gate.clock.Now())
            .value();
    service::ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.server_chain_pem = tls.chain_pem();
    options.server_key_pem = std::string(AsText(tls.key_pem().view()));
    options.client_ca_pem = gate.authority.chain_pem();
    options.cluster_id = gate.admission_options.cluster_id;
    options.changes = hub_.get();
    options.store = store_.get();
    options.notices = notices;
    server_ =
        service::AgentsServer::Start(options, gate.enroller, admission_, gate.authority).value();
  }
  ~Replica() { server_->Shutdown(absl::Now()); }

  std::unique_ptr<agent::GatekeeperClient> Connect(const ClientCertificate& certificate = {}) {
    return agent::Connect({.address = absl::StrCat("127.0.0.1:", server_->port()),
                           .server_name = "",
                           .ca_pem = gate_.authority.root_pem(),
                           .client_chain_pem = certificate.chain_pem,
                           .client_key_pem = certificate.key_pem})
        .value();
  }
  service::AgentsServer& server() { return *server_; }

 private:
  Gate& gate_;
  const std::unique_ptr<store::Store> store_;
  const std::unique_ptr<gatekeeper::changes::ChangeHub> hub_;
  gatekeeper::session::NonceBook nonces_;
  gatekeeper::admission::Admission admission_;
  std::unique_ptr<service::AgentsServer> server_;
};

// A host's stream, and what came over it.
class Listening {
 public:
  Listening(std::unique_ptr<agent::GatekeeperClient> client, std::string host_id)
      : client_(std::move(client)),
        thread_([this, host_id = std::move(host_id)](const std::stop_token& stop) {
          const absl::Status ended = client_->WatchNotices(
              host_id, [this](const Notice& notice) { Put(notice); }, stop);
          const std::lock_guard lock(mutex_);
          ended_ = ended;
          changed_.notify_all();
        }) {}

  // The next notice of another standing than the last.
  std::optional<Notice> NextStanding() {
    const absl::Time until = absl::Now() + kLongEnough;
    std::unique_lock lock(mutex_);
    while (absl::Now() < until) {
      while (!notices_.empty()) {
        Notice next = notices_.front().first;
        heard_at_ = notices_.front().second;
        notices_.pop_front();
        // What led to the first standing may be told once more.
        if (!next.standing.has_value() || next.standing->trust == trust_) continue;
        trust_ = next.standing->trust;
        return next;
      }
      if (ended_.has_value()) return std::nullopt;
      changed_.wait_for(lock, std::chrono::milliseconds(100));
    }
    return std::nullopt;
  }
  std::optional<absl::Status> End() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, absl::ToChronoSeconds(kLongEnough),
                      [this] { return ended_.has_value(); });
    return ended_;
  }
  bool AwaitMessages(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, absl::ToChronoSeconds(kLongEnough),
                             [&] { return notices_.size() >= count; });
  }
  absl::Time heard_at() const { return heard_at_; }

 private:
  void Put(const Notice& notice) {
    const std::lock_guard lock(mutex_);
    notices_.emplace_back(notice, absl::Now());
    changed_.notify_all();
  }

  const std::unique_ptr<agent::GatekeeperClient> client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<Notice, absl::Time>> notices_;  // guarded by mutex_, as the next two
  std::optional<absl::Status> ended_;
  std::string trust_;
  absl::Time heard_at_;
  std::jthread thread_;  // last: it ends first
};

class Notices : public ::testing::Test {
 protected:
  // A host that was admitted, and the certificate it got.
  struct Admitted {
    SoftHost host;
    ClientCertificate certificate;
    std::string id() const { return host.id(); }
  };
  Admitted Admit() {
    Admitted out{gate_.NewHost(), {}};
    const auto client = gate_.Direct();
    const agent::AttestAnswer answer = out.host.Attest(*client).value();
    EXPECT_EQ(answer.outcome, "ADMIT");
    out.certificate = CertificateOf(out.host, answer.sealed);
    return out;
  }
  std::unique_ptr<Listening> Listen(Replica& replica, const Admitted& host) {
    auto stream = std::make_unique<Listening>(replica.Connect(host.certificate), host.id());
    const std::optional<Notice> first = stream->NextStanding();
    EXPECT_TRUE(first.has_value() && first->standing->trust == "trusted");
    return stream;
  }
  // As an operator's verb or a DENY does it: one commit.
  void Move(const std::string& id, Trust trust, const std::string& operator_name = "") {
    store::Commit commit;
    commit.host = gate_.Host(id);
    commit.host->trust = trust;
    commit.host->trust_since = gate_.clock.Now();
    commit.host->reasons = {"SECURE_BOOT_OFF"};
    commit.host->why = "Secure Boot was off";
    commit.host->shut_out_by = operator_name;
    commit.revoke_host_credentials = gatekeeper::host::IsShutOut(trust) || trust == Trust::kRetired;
    store::AuditRow row;
    row.at = gate_.clock.Now();
    row.actor = "operator test";
    row.action = "test";
    row.detail_json = "{}";
    commit.audit.push_back(row);
    ASSERT_THAT(gate_.store->Apply(commit), IsOk());
  }

  Gate gate_;
};

// A80: verdict on one gatekeeper, streams on both, one store file between them.
TEST_F(Notices, A80_AuthorisationDoesNotOutliveTheVerdict) {
  Replica here(gate_), there(gate_);
  Admitted host = Admit();
  const auto near = Listen(here, host);
  const auto far = Listen(there, host);
  const auto programs = there.Connect(host.certificate);  // a channel that is open already
  ASSERT_THAT(programs->FetchJwtSvid({"db"}).status(), IsOk());
  const auto other = Admit();
  const auto untouched = Listen(there, other);

  host.host.Reboot(LoadCase("secure-boot-off"));
  const auto client = here.Connect(host.certificate);
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer verdict, host.host.Attest(*client));
  const absl::Time decided = absl::Now();
  ASSERT_EQ(verdict.outcome, "DENY");
  EXPECT_TRUE(verdict.drop_credentials);
  EXPECT_EQ(verdict.standing.trust, "quarantined");

  for (Listening* const stream : {near.get(), far.get()}) {
    const std::optional<Notice> notice = stream->NextStanding();
    ASSERT_TRUE(notice.has_value());
    EXPECT_TRUE(notice->drop_credentials);
    EXPECT_EQ(notice->standing->trust, "quarantined");
    EXPECT_THAT(notice->standing->reasons, ::testing::Contains("POLICY_NOT_PERMITTED"));
    EXPECT_LT(stream->heard_at() - decided, kPromise);
    EXPECT_THAT(*stream->End(), Refuses(Reason::kQuarantined));
  }
  // The next message on every other open channel.
  EXPECT_THAT(programs->FetchJwtSvid({"db"}).status(), Refuses(Reason::kPeerCertRevoked));
  EXPECT_THAT(programs->FetchJwtKeys().status(), Refuses(Reason::kPeerCertRevoked));
  Listening again(there.Connect(host.certificate), host.id());
  EXPECT_THAT(*again.End(), Refuses(Reason::kPeerCertRevoked));
  // Renewal, with the certificate and without.
  EXPECT_THAT(host.host.Attest(*programs).status(), Refuses(Reason::kPeerCertRevoked));
  host.host.Reboot();
  const auto anonymous = there.Connect();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer renewal, host.host.Attest(*anonymous));
  EXPECT_EQ(renewal.trust, "quarantined");
  EXPECT_TRUE(renewal.sealed.payload.empty());
  // The list that others read.
  gatekeeper::revocation::Publisher publisher(*gate_.store, gate_.authority, gate_.clock);
  ASSERT_THAT(publisher.Refresh(), IsOk());
  EXPECT_GT(gate_.store->LastRevocation().value(), 0);
  // Nobody else was meant.
  EXPECT_THAT(there.Connect(other.certificate)->FetchJwtSvid({"db"}).status(), IsOk());
}

TEST_F(Notices, AnOperatorsReasonsAreNotForTheHost) {
  Replica replica(gate_);
  const Admitted host = Admit();
  const auto stream = Listen(replica, host);
  Move(host.id(), Trust::kQuarantined, "operator alice");
  const std::optional<Notice> notice = stream->NextStanding();
  ASSERT_TRUE(notice.has_value());
  EXPECT_TRUE(notice->drop_credentials);
  EXPECT_THAT(notice->standing->reasons, ElementsAre("OPERATOR_QUARANTINE"));
  EXPECT_EQ(notice->standing->why.find("alice"), std::string::npos);
}

TEST_F(Notices, RetiredHostsAreToldToDropWhatTheyHold) {
  Replica replica(gate_);
  const Admitted host = Admit();
  const auto stream = Listen(replica, host);
  Move(host.id(), Trust::kRetired);
  const std::optional<Notice> notice = stream->NextStanding();
  ASSERT_TRUE(notice.has_value());
  EXPECT_TRUE(notice->drop_credentials);
  EXPECT_THAT(*stream->End(), Refuses(Reason::kHostRetired));
}

TEST_F(Notices, AHostThatIsHeldBackKeepsWhatItHasAndIsToldWhenItGoesOn) {
  Replica replica(gate_);
  const Admitted host = Admit();
  const auto stream = Listen(replica, host);
  Move(host.id(), Trust::kSuspect);
  std::optional<Notice> notice = stream->NextStanding();
  ASSERT_TRUE(notice.has_value());
  EXPECT_EQ(notice->standing->trust, "suspect");
  EXPECT_FALSE(notice->drop_credentials);
  EXPECT_FALSE(notice->attest_now);
  Move(host.id(), Trust::kTrusted);
  notice = stream->NextStanding();
  ASSERT_TRUE(notice.has_value());
  EXPECT_TRUE(notice->attest_now);
  EXPECT_FALSE(notice->drop_credentials);
}

TEST_F(Notices, ACertificateRevokedByItselfEndsItsStream) {
  Replica replica(gate_);
  const Admitted host = Admit();
  const auto stream = Listen(replica, host);
  store::Commit commit;
  const auto rows = gate_.store->ListCredentials(host.id()).value();
  for (const store::CredentialRow& row : rows) {
    if (row.kind == "host") commit.revoke_serials.push_back(row.serial);
  }
  commit.audit.emplace_back();
  commit.audit.back().at = gate_.clock.Now();
  ASSERT_THAT(gate_.store->Apply(commit), IsOk());
  EXPECT_THAT(*stream->End(), Refuses(Reason::kPeerCertRevoked));
}

TEST_F(Notices, AreOnlyForTheHostOfTheCertificate) {
  Replica replica(gate_);
  const Admitted host = Admit();
  const Admitted other = Admit();
  Listening anothers(replica.Connect(host.certificate), other.id());
  EXPECT_THAT(*anothers.End(), Refuses(Reason::kPeerHostMismatch));
  Listening nobodys(replica.Connect(), host.id());
  EXPECT_THAT(*nobodys.End(), Refuses(Reason::kPeerHostMismatch));
  Listening nowhere(replica.Connect(host.certificate), std::string(100'000, 'h'));
  EXPECT_THAT(*nowhere.End(), Refuses(Reason::kPeerHostMismatch));
  EXPECT_EQ(replica.server().listening_hosts(), 0u);
}

TEST_F(Notices, StreamsAreBoundedPerHostAndInAll) {
  Replica replica(gate_, {.max_streams = 3});
  const Admitted host = Admit();
  const auto first = Listen(replica, host);
  const auto second = Listen(replica, host);
  const auto third = Listen(replica, host);
  EXPECT_THAT(*first->End(), Refuses(Reason::kTooManyRequests)) << "the oldest goes";
  const Admitted other = Admit();
  const auto last = Listen(replica, other);
  Listening too_many(replica.Connect(other.certificate), other.id());
  EXPECT_THAT(*too_many.End(), Refuses(Reason::kTooManyRequests));
}

TEST_F(Notices, HeartbeatsComeInBetween) {
  Replica replica(gate_, {.heartbeat = absl::Seconds(1)});
  const Admitted host = Admit();
  const auto stream = Listen(replica, host);
  EXPECT_TRUE(stream->AwaitMessages(2));
}

TEST_F(Notices, AGatekeeperThatGoesAwayEndsThemAtOnce) {
  const Admitted host = Admit();
  auto replica = std::make_unique<Replica>(gate_);
  const auto stream = Listen(*replica, host);
  const absl::Time before = absl::Now();
  replica->server().Shutdown(absl::Now() + absl::Minutes(5));
  EXPECT_LT(absl::Now() - before, absl::Minutes(1));
  EXPECT_TRUE(absl::IsUnavailable(*stream->End())) << *stream->End();
}

TEST_F(Notices, OldGatekeepersKnowNone) {
  PortGate old;
  SoftHost host = old.gate.NewHost();
  const auto direct = old.gate.Direct();
  const ClientCertificate certificate = CertificateOf(host, host.Attest(*direct).value().sealed);
  Listening stream(old.Connect(certificate), host.id());
  EXPECT_TRUE(absl::IsUnimplemented(*stream.End()));
}

// The promise in figures: from the commit on one replica to the notice at a host of the other.
TEST_F(Notices, OfManyQuarantinesNinetyNineInAHundredArriveWithinASecond) {
  Replica replica(gate_);
  constexpr int kHosts = 60;
  std::vector<Admitted> hosts;
  std::vector<std::unique_ptr<Listening>> streams;
  for (int i = 0; i < kHosts; ++i) {
    hosts.push_back(Admit());
    streams.push_back(Listen(replica, hosts.back()));
  }
  EXPECT_EQ(replica.server().listening_hosts(), static_cast<size_t>(kHosts));
  std::vector<absl::Duration> took;
  std::vector<absl::Time> decided;
  for (const Admitted& host : hosts) {
    Move(host.id(), Trust::kQuarantined);
    decided.push_back(absl::Now());
  }
  for (size_t i = 0; i < hosts.size(); ++i) {
    const std::optional<Notice> notice = streams[i]->NextStanding();
    ASSERT_TRUE(notice.has_value()) << i << ": " << streams[i]->End().value_or(absl::OkStatus());
    ASSERT_TRUE(notice->drop_credentials) << i << ": " << notice->standing->trust;
    took.push_back(streams[i]->heard_at() - decided[i]);
  }
  std::ranges::sort(took);
  std::cout << "commit to notice: median " << took[took.size() / 2] << ", worst " << took.back()
            << "\n";
  EXPECT_LT(took[took.size() * 99 / 100], kPromise);
}

}  // namespace
}  // namespace bootgate::gate

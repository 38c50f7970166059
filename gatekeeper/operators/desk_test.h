// Test only: an operators' port with its CA and store, and clients of all kinds.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/crypto/private_key.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/operators/caller.h"
#include "gatekeeper/operators/operators_server.h"
#include "gatekeeper/revocation/operator_certificates.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "google/rpc/error_info.pb.h"
#include "gtest/gtest.h"
#include "pki/authority.h"
#include "pki/ca_test.h"
#include "pki/operator_certificate.h"
#include "pki/pem.h"
#include "pki/server_identity.h"

namespace bootgate::gatekeeper::operators {

struct ClientIdentity {
  std::string chain_pem, key_pem, serial;
};

// A cluster's CA, in a folder of its own.
class Cluster {
 public:
  explicit Cluster(const std::string& cluster_id = "lab-1") {
    pki::CaPlan plan = pki::PlanIn(scratch_);
    plan.cluster_id = cluster_id;
    EXPECT_TRUE(pki::CreateCas(plan, absl::Now()).ok());
    authority_ = std::make_unique<pki::Authority>(
        pki::Authority::Open({.folder = scratch_.ca()}, absl::Now()).value());
  }
  const pki::Authority& authority() const { return *authority_; }
  const std::string& folder() const { return scratch_.path(); }

  ClientIdentity Operator(const std::vector<std::string>& roles,
                          absl::Time not_after = absl::Now() + absl::Hours(1)) const {
    const auto key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
    const Bytes der =
        authority_
            ->IssueOperator("alice", roles, key.Public(), absl::Now() - absl::Hours(2), not_after)
            .value();
    ClientIdentity out = Of(der, key);
    out.serial = pki::ReadOperatorCertificate(pki::DerToPem(der)).value().serial_hex;
    return out;
  }
  ClientIdentity Host() const {
    const auto key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
    return Of(authority_->IssueHost(pki::HostRequestAt(absl::Now()), key.Public()).value(), key);
  }

 private:
  ClientIdentity Of(const Bytes& der, const crypto::PrivateKey& key) const {
    const SecretBytes pem_bytes = key.Pem();
    const absl::string_view pem = AsText(pem_bytes.view());
    return {.chain_pem = pki::DerToPem(der) + authority_->ChainOf(der),
            .key_pem = std::string(pem.data(), pem.size()),
            .serial = ""};
  }

  pki::CaScratch scratch_;
  std::unique_ptr<pki::Authority> authority_;
};

// What came of a call, as a client sees it.
struct Told {
  grpc::StatusCode code;
  std::string reason, message;
};
inline Told ToldBy(const grpc::Status& status) {
  Told out{status.error_code(), "", status.error_message()};
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (details.ParseFromString(status.error_details()) && details.details_size() == 1 &&
      details.details(0).UnpackTo(&info)) {
    out.reason = info.reason();
  }
  return out;
}

class Desk {
 public:
  explicit Desk(ServerOptions options = {}) : clock_(absl::Now()) {
    store_ = store::OpenSqlite({.path = cluster_.folder() + "/store.db", .create = true}).value();
    identity_ = std::make_unique<pki::ServerIdentity>(
        pki::ServerIdentity::Make(cluster_.authority(), {.names = {"localhost", "127.0.0.1"}},
                                  absl::Now())
            .value());
    const absl::string_view key = AsText(identity_->key_pem().view());
    options.listen = "127.0.0.1:0";
    options.tls = {.chain_pem = identity_->chain_pem(),
                   .key_pem = std::string(key.data(), key.size()),
                   .client_ca_pem = cluster_.authority().client_ca_pem()};
    server_ = OperatorsServer::Start(options, backend()).value();
  }

  Backend backend() {
    return {.store = *store_,
            .clock = clock_,
            .authority = cluster_.authority(),
            .cluster_id = "lab-1",
            .version = "test",
            .ca_folder = cluster_.folder() + "/ca"};
  }

  ClientIdentity Operator(const std::vector<std::string>& roles,
                          absl::Time not_after = absl::Now() + absl::Hours(1)) {
    ClientIdentity out = cluster_.Operator(roles, not_after);
    store::AuditRow issued;
    issued.actor = "operator root";
    issued.at = clock_.Now();
    const Bytes der = pki::CertificatesFromPem(out.chain_pem).value().front();
    EXPECT_THAT(revocation::RecordOperator(*store_, der, issued), testing::IsOk());
    return out;
  }
  void Revoke(const ClientIdentity& identity) {
    EXPECT_THAT(revocation::RevokeOperator(*store_, identity.serial,
                                           {"operator root", clock_.Now(), {.text = "left"}})
                    .status(),
                testing::IsOk());
  }

  std::shared_ptr<grpc::Channel> Connect(const ClientIdentity& identity) const {
    return Connect(identity, cluster_.authority().roots_pem());
  }
  std::shared_ptr<grpc::Channel> Connect(const ClientIdentity& identity,
                                         const std::string& roots) const {
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("localhost");
    // Each client has a connection of its own.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(
        absl::StrCat("127.0.0.1:", server_->port()),
        grpc::SslCredentials({roots, identity.key_pem, identity.chain_pem}), arguments);
  }

  host::HostRecord PutHost(const std::string& id, host::Trust trust = host::Trust::kTrusted) {
    host::HostRecord host;
    const auto known = store_->GetHost(id);
    if (known.ok()) host = *known;
    host.id = id;
    host.trust = trust;
    host.approved = true;
    host.enrolled_at = host.last_seen_at = host.trust_since = clock_.Now();
    store::Commit commit;
    commit.host = host;
    commit.why = "as the test wants it";
    commit.audit.emplace_back();
    EXPECT_THAT(store_->Apply(commit), testing::IsOk());
    ++host.revision;
    return host;
  }

  // By somebody who has the store's file.
  void Tamper(const char* sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((cluster_.folder() + "/store.db").c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  store::Store& store() { return *store_; }
  const Cluster& cluster() const { return cluster_; }
  OperatorsServer& server() { return *server_; }
  testing::FakeClock& clock() { return clock_; }

 private:
  Cluster cluster_;
  testing::FakeClock clock_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<pki::ServerIdentity> identity_;
  std::unique_ptr<OperatorsServer> server_;
};

// Any method by its path; nothing of the services' own stubs.
inline Told CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& path,
                    const std::string& request) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  const grpc::Slice slice(request);
  const grpc::ByteBuffer in(&slice, 1);
  grpc::ByteBuffer out;
  std::mutex mutex;
  std::condition_variable done;
  bool is_done = false;
  grpc::Status status;
  stub.UnaryCall(&context, path, grpc::StubOptions(), &in, &out, [&](grpc::Status ended) {
    const std::lock_guard lock(mutex);
    status = std::move(ended);
    is_done = true;
    done.notify_one();
  });
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return is_done; });
  return ToldBy(status);
}

}  // namespace bootgate::gatekeeper::operators

#include "gatekeeper/service/agents_server.h"

#include <grpcpp/grpcpp.h>

#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bootgate/v1/agents.grpc.pb.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/base/worker_pool.h"
#include "gatekeeper/service/agents_codec.h"
#include "gatekeeper/service/byte_budget.h"
#include "gatekeeper/service/guard.h"
#include "gatekeeper/service/host_slots.h"
#include "gatekeeper/service/peer.h"
#include "gatekeeper/service/peer_counter.h"
#include "gatekeeper/service/renewable_tls.h"
#include "gatekeeper/service/status_codec.h"

namespace bootgate::gatekeeper::service {
namespace {

constexpr int kMaxMessageBytes = 1 << 20;
constexpr int kMaxStreamsPerConnection = 64;
constexpr int kMaxConnectionAgeMs = 60 * 60 * 1000;  // certificates change; peers shake hands again
constexpr size_t kMaxSubmissionsPerHost = 2;  // the second may follow a connection that broke
// A submission must say when it is given up, so that nobody holds our memory by sending nothing.
// gRPC keeps to it on our side, too.
constexpr absl::Duration kLongestSubmission = absl::Minutes(5);

absl::Status QueueFull() {
  return Refuse(absl::StatusCode::kResourceExhausted, Reason::kTooManyRequests,
                "the gatekeeper is busy; try again later");
}

constexpr char kSubmit[] = "Attestation.Submit";

// Counts what methods end in. What every refusal leaves behind: a log line with the peer, how often
// it was refused by now, the code and the reason.
class Refusals {
 public:
  grpc::Status Tell(const char* method, const std::string& peer, const absl::Status& status) {
    const Reason reason = ReasonOf(status).value_or(Reason::kInternal);
    Count(method, status.ok(), Info(reason).outcome);
    if (status.ok()) return grpc::Status::OK;
    const bool ours = Info(reason).outcome == OutcomeClass::kError;
    Log(ours ? LogLevel::kError : LogLevel::kWarning, "refused",
        {{"method", method},
         {"peer", peer},
         {"refusals", absl::StrCat(counter_.Count(peer))},
         {"reason", std::string(Code(reason))},
         {"text", std::string(status.message())}});
    return ToGrpc(status);
  }

  // What became of evidence that was judged.
  void TellDecision(OutcomeClass outcome) {
    const std::lock_guard lock(mutex_);
    ++counts_.submissions[outcome];
  }

  ServerCounts counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  void Count(const char* method, bool answered, OutcomeClass refusal) {
    const std::lock_guard lock(mutex_);
    ServerCounts::Method& row = counts_.methods[method];
    ++(answered ? row.answered : row.refused);
    if (!answered && absl::string_view(method) == kSubmit) ++counts_.submissions[refusal];
  }

  PeerCounter counter_;
  mutable std::mutex mutex_;
  ServerCounts counts_;  // under mutex_
};

class EnrollmentService final : public v1::Enrollment::CallbackService {
 public:
  EnrollmentService(const ServerOptions& options, enroll::Enroller& enroller,
                    const pki::Authority& authority, WorkerPool& pool, Refusals& refusals)
      : options_(options),
        enroller_(enroller),
        authority_(authority),
        pool_(pool),
        refusals_(refusals) {}

  grpc::ServerUnaryReactor* Begin(grpc::CallbackServerContext* context,
                                  const v1::BeginEnrollmentRequest* request,
                                  v1::BeginEnrollmentResponse* response) override {
    return Run(context, "Enrollment.Begin", [this, request, response]() -> absl::Status {
      BG_ASSIGN_OR_RETURN(const enroll::BeginRequest decoded, Decode(*request));
      BG_ASSIGN_OR_RETURN(const enroll::ActivationChallenge challenge, enroller_.Begin(decoded));
      Encode(challenge, response);
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* Complete(grpc::CallbackServerContext* context,
                                     const v1::CompleteEnrollmentRequest* request,
                                     v1::CompleteEnrollmentResponse* response) override {
    return Run(context, "Enrollment.Complete", [this, request, response]() -> absl::Status {
      BG_ASSIGN_OR_RETURN(const enroll::CompleteRequest decoded, Decode(*request));
      BG_ASSIGN_OR_RETURN(const host::HostRecord host, enroller_.Complete(decoded));
      Encode({host, options_.cluster_id, authority_.chain_pem(pki::CaUse::kAks)}, response);
      return absl::OkStatus();
    });
  }

 private:
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext* context, const char* method,
                                std::function<absl::Status()> work) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    const std::string peer = context->peer();
    const bool queued = pool_.TryRun([this, reactor, method, peer, work = std::move(work)] {
      reactor->Finish(refusals_.Tell(method, peer, Guarded(work)));
    });
    if (!queued) reactor->Finish(refusals_.Tell(method, peer, QueueFull()));
    return reactor;
  }

  const ServerOptions& options_;
  enroll::Enroller& enroller_;
  const pki::Authority& authority_;
  WorkerPool& pool_;
  Refusals& refusals_;
};

// Reads one submission, then judges it on the pool. Deletes itself when gRPC is done with it.
class SubmitReactor final : public grpc::ServerReadReactor<v1::SubmitRequest> {
 public:
  SubmitReactor(grpc::CallbackServerContext* context, v1::SubmitResponse* response,
                const ServerOptions& options, ByteBudget& budget, HostSlots& slots,
                admission::Admission& admission, const pki::Authority& authority, WorkerPool& pool,
                Refusals& refusals)
      : response_(response),
        peer_address_(context->peer()),
        peer_(PeerOf(*context, authority)),
        assembler_({.boot_log = options.max_boot_log_bytes,
                    .user_log = options.max_user_log_bytes,
                    .ima = options.max_ima_bytes},
                   budget),
        slots_(slots),
        admission_(admission),
        authority_(authority),
        pool_(pool),
        refusals_(refusals) {
    Continue(CheckDeadline(absl::FromChrono(context->deadline()) - absl::Now()));
  }

  void OnReadDone(bool more) override {
    if (!more) return Queue([this] { Finish(Judged()); });
    switch (message_.part_case()) {
      case v1::SubmitRequest::kHeader:
        // Nothing more is read before the quote's signature is known to be the host's.
        return Queue([this] { Continue(Guarded([this] { return TakeHeader(); })); });
      case v1::SubmitRequest::kChunk:
        return Continue(Guarded([this] { return assembler_.Add(message_.chunk()); }));
      case v1::SubmitRequest::PART_NOT_SET:
        return Continue(Malformed(Reason::kMessageMalformed, "an empty part"));
    }
    Continue(Malformed(Reason::kMessageMalformed, "a part of unknown kind"));
  }

  void OnDone() override { delete this; }

 private:
  static absl::Status CheckDeadline(absl::Duration left) {
    if (left <= kLongestSubmission) return absl::OkStatus();
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat("a submission needs a deadline of at most ",
                                  absl::FormatDuration(kLongestSubmission)));
  }

  absl::Status TakeHeader() {
    BG_RETURN_IF_ERROR(assembler_.Add(message_.header()));
    trust_bundle_sha256_ = message_.header().trust_bundle_sha256();
    BG_ASSIGN_OR_RETURN(const admission::Peer peer, peer_);
    const std::string& host_id = assembler_.evidence().host_id;
    BG_RETURN_IF_ERROR(admission_.Screen(peer, host_id, assembler_.evidence().quote));
    if (std::optional<HostSlots::Slot> slot = slots_.Take(host_id)) {
      slot_.emplace(*std::move(slot));
      return absl::OkStatus();
    }
    return Refuse(absl::StatusCode::kResourceExhausted, Reason::kTooManyRequests,
                  "other evidence of this host is being judged");
  }

  void Continue(const absl::Status& status) {
    if (!status.ok()) return Finish(refusals_.Tell(kSubmit, peer_address_, status));
    StartRead(&message_);
  }

  void Queue(std::function<void()> work) {
    if (!pool_.TryRun(std::move(work))) Finish(refusals_.Tell(kSubmit, peer_address_, QueueFull()));
  }

  grpc::Status Judged() {
    return refusals_.Tell(kSubmit, peer_address_, Guarded([this]() -> absl::Status {
                            BG_RETURN_IF_ERROR(assembler_.CheckWhole());
                            BG_RETURN_IF_ERROR(assembler_.Rebuild(admission_.entries()));
                            BG_ASSIGN_OR_RETURN(const admission::Peer peer, peer_);
                            BG_ASSIGN_OR_RETURN(const admission::Decision decision,
                                                admission_.Decide(peer, assembler_.evidence(),
                                                                  &assembler_.known_templates(),
                                                                  AsBytes(trust_bundle_sha256_)));
                            refusals_.TellDecision(decision.verdict.outcome);
                            Encode(decision, response_);
                            TellTrustBundle();
                            return absl::OkStatus();
                          }));
  }

  // An agent that named what it trusts is told when that is no longer right.
  void TellTrustBundle() {
    if (trust_bundle_sha256_.empty()) return;
    const auto bundle = authority_.trust_bundle();
    if (trust_bundle_sha256_ == AsText(bundle->sha256.view())) return;
    response_->set_trust_bundle(bundle->pem);
  }

  v1::SubmitResponse* const response_;
  const std::string peer_address_;
  const absl::StatusOr<admission::Peer> peer_;
  EvidenceAssembler assembler_;
  HostSlots& slots_;
  std::optional<HostSlots::Slot> slot_;  // once the host's AK has signed
  admission::Admission& admission_;
  const pki::Authority& authority_;
  WorkerPool& pool_;
  Refusals& refusals_;
  v1::SubmitRequest message_;
  std::string trust_bundle_sha256_;  // as the agent says; empty: it wants none
};

// Work for a peer as TLS has verified it, on the pool.
grpc::ServerUnaryReactor* RunForPeer(grpc::CallbackServerContext* context, const char* method,
                                     const pki::Authority& authority, WorkerPool& pool,
                                     Refusals& refusals,
                                     std::function<absl::Status(const admission::Peer&)> work) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const std::string address = context->peer();
  const absl::StatusOr<admission::Peer> peer = PeerOf(*context, authority);
  const bool queued =
      pool.TryRun([&refusals, reactor, method, address, peer, work = std::move(work)] {
        reactor->Finish(refusals.Tell(method, address, Guarded([&]() -> absl::Status {
                                        BG_RETURN_IF_ERROR(peer.status());
                                        return work(*peer);
                                      })));
      });
  if (!queued) reactor->Finish(refusals.Tell(method, address, QueueFull()));
  return reactor;
}

class AttestationService final : public v1::Attestation::CallbackService {
 public:
  AttestationService(const ServerOptions& options, admission::Admission& admission,
                     const pki::Authority& authority, WorkerPool& pool, Refusals& refusals)
      : options_(options),
        budget_(options.max_bytes_in_flight),
        admission_(admission),
        authority_(authority),
        pool_(pool),
        refusals_(refusals) {}

  grpc::ServerUnaryReactor* GetChallenge(grpc::CallbackServerContext* context,
                                         const v1::ChallengeRequest* request,
                                         v1::Challenge* response) override {
    return RunForPeer(context, "Attestation.GetChallenge", authority_, pool_, refusals_,
                      [this, request, response](const admission::Peer& peer) -> absl::Status {
                        BG_ASSIGN_OR_RETURN(const admission::Challenge challenge,
                                            admission_.NewChallenge(peer, request->host_id(),
                                                                    AsBytes(request->ak_name())));
                        Encode(challenge, response);
                        return absl::OkStatus();
                      });
  }

  grpc::ServerUnaryReactor* KnownEntries(grpc::CallbackServerContext* context,
                                         const v1::KnownEntriesRequest* request,
                                         v1::KnownEntriesResponse* response) override {
    return RunForPeer(context, "Attestation.KnownEntries", authority_, pool_, refusals_,
                      [this, request, response](const admission::Peer& peer) -> absl::Status {
                        BG_ASSIGN_OR_RETURN(const ByteView names, NamesIn(*request));
                        BG_ASSIGN_OR_RETURN(
                            const Bytes known,
                            admission_.KnownEntries(peer, request->host_id(),
                                                    AsBytes(request->ak_name()), names));
                        response->set_known(std::string(AsText(known)));
                        return absl::OkStatus();
                      });
  }

  grpc::ServerReadReactor<v1::SubmitRequest>* Submit(grpc::CallbackServerContext* context,
                                                     v1::SubmitResponse* response) override {
    return new SubmitReactor(context, response, options_, budget_, slots_, admission_, authority_,
                             pool_, refusals_);
  }

 private:
  const ServerOptions& options_;
  ByteBudget budget_;
  HostSlots slots_{kMaxSubmissionsPerHost};
  admission::Admission& admission_;
  const pki::Authority& authority_;
  WorkerPool& pool_;
  Refusals& refusals_;
};

// What programs of admitted hosts need.
class WorkloadService final : public v1::Workload::CallbackService {
 public:
  WorkloadService(admission::Admission& admission, const pki::Authority& authority,
                  WorkerPool& pool, Refusals& refusals)
      : admission_(admission), authority_(authority), pool_(pool), refusals_(refusals) {}

  grpc::ServerUnaryReactor* FetchJwtSvid(grpc::CallbackServerContext* context,
                                         const v1::JwtSvidRequest* request,
                                         v1::JwtSvidResponse* response) override {
    return RunForPeer(context, "Workload.FetchJwtSvid", authority_, pool_, refusals_,
                      [this, request, response](const admission::Peer& peer) -> absl::Status {
                        BG_ASSIGN_OR_RETURN(
                            const token::JwtSvid made,
                            admission_.FetchJwtSvid(
                                peer, {request->audiences().begin(), request->audiences().end()}));
                        Encode(made, response);
                        return absl::OkStatus();
                      });
  }

  grpc::ServerUnaryReactor* FetchJwtKeys(grpc::CallbackServerContext* context,
                                         const v1::JwtKeysRequest*,
                                         v1::JwtKeysResponse* response) override {
    return RunForPeer(context, "Workload.FetchJwtKeys", authority_, pool_, refusals_,
                      [this, response](const admission::Peer& peer) -> absl::Status {
                        BG_ASSIGN_OR_RETURN(*response->mutable_jwks(), admission_.JwtKeys(peer));
                        return absl::OkStatus();
                      });
  }

 private:
  admission::Admission& admission_;
  const pki::Authority& authority_;
  WorkerPool& pool_;
  Refusals& refusals_;
};

class Server final : public AgentsServer {
 public:
  Server(ServerOptions options, enroll::Enroller& enroller, admission::Admission& admission,
         const pki::Authority& authority)
      : options_(std::move(options)),
        tls_(TlsMaterial{options_.server_chain_pem, options_.server_key_pem,
                         options_.client_ca_pem}),
        pool_(options_.workers, options_.queue),
        enrollment_(options_, enroller, authority, pool_, refusals_),
        attestation_(options_, admission, authority, pool_, refusals_),
        workload_(admission, authority, pool_, refusals_) {
    if (options_.changes == nullptr || options_.store == nullptr) return;
    notices_ = NoticeBoard::Make(
        options_.notices, {.hub = *options_.changes,
                           .store = *options_.store,
                           .admission = admission,
                           .authority = authority,
                           .pool = pool_,
                           .tell = [this](const std::string& peer, const absl::Status& status) {
                             (void)refusals_.Tell("Notices.Watch", peer, status);
                           }});
  }

  ~Server() override {
    if (notices_ != nullptr) notices_->Close();
    if (server_ != nullptr) server_->Shutdown(absl::ToChronoTime(absl::InfinitePast()));
  }

  absl::Status Start() {
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kMaxConnectionAgeMs);
    // Two gatekeepers on one port would share its connections in silence.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort(options_.listen, tls_.credentials(), &port_);
    builder.RegisterService(&enrollment_);
    builder.RegisterService(&attestation_);
    builder.RegisterService(&workload_);
    if (notices_ != nullptr) builder.RegisterService(notices_->service());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", Printable(options_.listen),
                       ": is the address right, and is no other gatekeeper running?"));
    }
    return absl::OkStatus();
  }

  void Renew(TlsMaterial tls) override { tls_.Renew(std::move(tls)); }
  int port() const override { return port_; }
  ServerCounts counts() const override { return refusals_.counts(); }
  size_t listening_hosts() const override { return notices_ == nullptr ? 0 : notices_->streams(); }
  void Shutdown(absl::Time deadline) override {
    if (notices_ != nullptr) notices_->Close();  // they would last until the deadline
    server_->Shutdown(absl::ToChronoTime(deadline));
  }

 private:
  const ServerOptions options_;
  RenewableTls tls_;
  Refusals refusals_;
  WorkerPool pool_;
  EnrollmentService enrollment_;
  AttestationService attestation_;
  WorkloadService workload_;
  std::unique_ptr<NoticeBoard> notices_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AgentsServer>> AgentsServer::Start(const ServerOptions& options,
                                                                  enroll::Enroller& enroller,
                                                                  admission::Admission& admission,
                                                                  const pki::Authority& authority) {
  auto server = std::make_unique<Server>(options, enroller, admission, authority);
  BG_RETURN_IF_ERROR(server->Start());
  return server;
}

}  // namespace bootgate::gatekeeper::service

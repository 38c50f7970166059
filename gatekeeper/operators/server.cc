#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/changes/change_hub.h"
#include "gatekeeper/operators/open_call.h"
#include "gatekeeper/operators/operators_server.h"
#include "gatekeeper/operators/watch_hub.h"
#include "gatekeeper/service/renewable_tls.h"

namespace bootgate::gatekeeper::operators {
namespace {

constexpr size_t kMostMemory = size_t{256} << 20;  // bytes of requests and answers under way
constexpr int kMaxStreamsPerConnection = 256;
constexpr int kMaxConnectionAgeMs = 24 * 60 * 60 * 1000;
constexpr int kKeepaliveMs = 30 * 1000, kKeepaliveTimeoutMs = 20 * 1000;
constexpr int kMinPingIntervalMs = 10 * 1000;
constexpr absl::Duration kWakeInterval = absl::Seconds(1);

class AnyMethod final : public grpc::CallbackGenericService {
 public:
  explicit AnyMethod(CallHall& hall) : hall_(hall) {}

 private:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return hall_.Enter(context);
  }
  CallHall& hall_;
};

class Server final : public OperatorsServer {
 public:
  explicit Server(const Backend& backend) : backend_(backend), hub_(backend_.store) {}

  ~Server() override { Shutdown(absl::InfinitePast()); }

  absl::Status Start(const ServerOptions& options, CallHall::CallerFinder caller_of) {
    if (backend_.changes == nullptr) {
      BG_ASSIGN_OR_RETURN(own_changes_, changes::ChangeHub::Open(backend_.store));
      backend_.changes = own_changes_.get();
    }
    BG_ASSIGN_OR_RETURN(dispatcher_, Dispatcher::Make(backend_, hub_));
    hall_.emplace(backend_, *dispatcher_, std::move(caller_of),
                  CallHall::Limits{options.workers, options.queue, options.max_streams});
    service_.emplace(*hall_);
    grpc::ServerBuilder builder;
    Configure(builder);
    if (!options.listen.empty()) {
      tls_.emplace(options.tls, service::ClientCertificate::kRequired);
      builder.AddListeningPort(options.listen, tls_->credentials(), &port_);
    }
    builder.RegisterCallbackGenericService(&*service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || (!options.listen.empty() && port_ == 0)) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", Printable(options.listen),
                       ": is the address right, and is no other gatekeeper running?"));
    }
    Listen();
    return absl::OkStatus();
  }

  CallHall::CallerFinder CallersByCertificate() {
    return [this](const grpc::GenericCallbackServerContext& context) {
      return CallerOf(context, backend_.authority);
    };
  }

  std::shared_ptr<grpc::Channel> Channel() override {
    return server_->InProcessChannel(grpc::ChannelArguments());
  }
  void Renew(service::TlsMaterial tls) override {
    if (tls_.has_value()) tls_->Renew(std::move(tls));
  }
  int port() const override { return port_; }
  ServerCounts counts() const override {
    return {.answered = hall_->answered(),
            .refused = hall_->refused(),
            .open_streams = static_cast<int64_t>(hall_->open_streams())};
  }

  void Shutdown(absl::Time deadline) override {
    if (server_ == nullptr) return;
    hall_->StopStreams();
    server_->Shutdown(absl::ToChronoTime(deadline));
    subscription_.reset();
    server_.reset();
  }

 private:
  // Streams look at once when there is something new, and each second.
  void Listen() {
    subscription_.emplace(*backend_.changes,
                          changes::Listener{.changed =
                                                [this](const changes::Batch& batch) {
                                                  hub_.Take(batch);
                                                  hall_->WakeStreams();
                                                },
                                            .tick = [this] { Tick(); }});
    hub_.Begin(subscription_->from());
  }

  void Tick() {
    const absl::Time now = absl::Now();
    if (now < next_wake_ && now > next_wake_ - 2 * kWakeInterval) return;
    next_wake_ = now + kWakeInterval;
    hall_->WakeStreams();
  }

  static void Configure(grpc::ServerBuilder& builder) {
    builder.SetMaxReceiveMessageSize(static_cast<int>(kMaxDocumentBytes));
    builder.SetResourceQuota(grpc::ResourceQuota("operators").Resize(kMostMemory));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kMaxConnectionAgeMs);
    // A watcher's machine that has gone is noticed; one that pings without need is sent away.
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                               kMinPingIntervalMs);
    // Two gatekeepers on one port would share its connections in silence.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  }

  Backend backend_;
  WatchHub hub_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::optional<service::RenewableTls> tls_;
  std::optional<CallHall> hall_;
  std::optional<AnyMethod> service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<changes::ChangeHub> own_changes_;               // where nobody gave us one
  absl::Time next_wake_;                                          // of the change hub's thread
  std::optional<changes::ChangeHub::Subscription> subscription_;  // last: it calls into the above
};

}  // namespace

absl::StatusOr<std::unique_ptr<OperatorsServer>> OperatorsServer::Start(
    const ServerOptions& options, const Backend& backend) {
  auto server = std::make_unique<Server>(backend);
  BG_RETURN_IF_ERROR(server->Start(options, server->CallersByCertificate()));
  return server;
}

absl::StatusOr<std::unique_ptr<OperatorsServer>> OperatorsServer::StartLocal(
    const Backend& backend, const std::string& actor) {
  auto server = std::make_unique<Server>(backend);
  BG_RETURN_IF_ERROR(
      server->Start(ServerOptions{},
                    [actor](const grpc::GenericCallbackServerContext&) -> absl::StatusOr<Caller> {
                      return LocalCaller(actor);
                    }));
  return server;
}

}  // namespace bootgate::gatekeeper::operators

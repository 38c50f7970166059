#include "agent/workload/socket_server.h"

#include <fcntl.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/workload/grpc_status.h"
#include "agent/workload/socket_file.h"
#include "agent/workload/token_bucket.h"
#include "common/base/descriptor.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::workload {
namespace {

constexpr absl::Duration kTick = absl::Seconds(1);
constexpr int kMaxMessageBytes = 256 << 10;
constexpr int kMaxStreamsPerConnection = 32;
// One who was refused has this long to ask and be told.
constexpr int kRefusedConnectionMs = 2000;
// Log lines about refusals: so many a second, so that nobody fills the journal.
constexpr double kLinesPerSecond = 2, kLinesAtOnce = 20;
constexpr absl::Duration kEnd = absl::Milliseconds(500);  // what calls get at the end

// Says the same to everybody.
class RefusingService final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    class Reactor final : public grpc::ServerGenericBidiReactor {
     public:
      Reactor() {
        Finish(ToGrpc(NotPermitted(
            Reason::kWorkloadDenied,
            "this process may not use the socket: workload.allow of the agent's configuration")));
      }
      void OnDone() override { delete this; }
    };
    return new Reactor;
  }
};

// A gRPC server that is handed its connections.
class HandedServer {
 public:
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

  absl::Status Start(grpc::ServerBuilder& builder) {
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
    acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        grpc::InsecureServerCredentials());
    server_ = builder.BuildAndStart();
    return server_ != nullptr ? absl::OkStatus()
                              : absl::InternalError("cannot start a server for the unix socket");
  }
  // The connection is the server's from now on.
  void Take(int fd) {
    Acceptor::NewConnectionParameters connection;
    connection.fd = fd;
    acceptor_->HandleNewConnection(&connection);
  }
  void Shutdown() {
    if (server_ != nullptr) server_->Shutdown(absl::ToChronoTime(absl::Now() + kEnd));
  }

 private:
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
};

// A connection that the server has. We keep a descriptor of it to hear of its end; closing ours
// ends nothing.
struct Connection {
  Connection(int own, uid_t who) : fd(own), uid(who) {}
  const Descriptor fd;
  const uid_t uid;
};

class Server final : public SocketServer {
 public:
  Server(SocketOptions options, PeerRules rules)
      : options_(std::move(options)), rules_(std::move(rules)), wake_(eventfd(0, EFD_CLOEXEC)) {}

  ~Server() override {
    if (thread_.joinable()) {
      stop_ = true;
      const uint64_t one = 1;
      (void)!write(wake_.get(), &one, sizeof(one));
      thread_.join();
    }
    socket_.reset();
    allowed_.Shutdown();
    refused_.Shutdown();
  }

  absl::Status Start(const std::vector<grpc::Service*>& services) {
    if (wake_.get() < 0) return SystemError("make", "an event", errno);
    BG_ASSIGN_OR_RETURN(socket_, ListeningSocket::Open(options_.path, options_.folder_mode));
    grpc::ServerBuilder for_allowed;
    for (grpc::Service* const service : services) for_allowed.RegisterService(service);
    BG_RETURN_IF_ERROR(allowed_.Start(for_allowed));
    grpc::ServerBuilder for_refused;
    for_refused.RegisterCallbackGenericService(&refusing_);
    for_refused.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kRefusedConnectionMs);
    for_refused.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kRefusedConnectionMs);
    BG_RETURN_IF_ERROR(refused_.Start(for_refused));
    report_.path = options_.path;
    thread_ = std::thread([this] { Loop(); });
    return absl::OkStatus();
  }

  SocketReport report() const override {
    const std::lock_guard lock(mutex_);
    return report_;
  }

 private:
  void Loop() {
    Report();
    absl::Time next_tick = absl::Now() + kTick;
    while (!stop_) {
      Wait(next_tick - absl::Now());
      DropEnded();
      if (stop_ || absl::Now() < next_tick) continue;
      next_tick = absl::Now() + kTick;
      if (has_news_) Report();
      if (options_.tick) options_.tick();
    }
  }

  void Report() {
    has_news_ = false;
    if (options_.on_report) options_.on_report(report());
  }

  // Until somebody connects or goes, or `longest` is over; takes one who connected.
  void Wait(absl::Duration longest) {
    std::vector<pollfd> waits = {{wake_.get(), POLLIN, 0}, {socket_->fd(), POLLIN, 0}};
    // Nothing is read here: only hang-ups are heard.
    for (const Connection& connection : connections_)
      waits.push_back({connection.fd.get(), POLLRDHUP, 0});
    const auto milliseconds = absl::ToInt64Milliseconds(std::max(longest, absl::ZeroDuration()));
    if (poll(waits.data(), waits.size(), static_cast<int>(milliseconds) + 1) <= 0) return;
    if ((waits[1].revents & POLLIN) != 0) Accept();
  }

  void DropEnded() {
    const size_t before = connections_.size();
    connections_.remove_if([](const Connection& connection) {
      pollfd now = {connection.fd.get(), POLLRDHUP, 0};
      return poll(&now, 1, 0) > 0;
    });
    if (connections_.size() == before) return;
    has_news_ = true;
    const std::lock_guard lock(mutex_);
    report_.connections = connections_.size();
  }

  void Accept() {
    const int fd = accept4(socket_->fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    const absl::StatusOr<Peer> peer = PeerOfSocket(fd);
    absl::Status verdict = peer.status();
    if (peer.ok()) verdict = rules_.Check(*peer);
    if (verdict.ok()) verdict = HasRoom(*peer);
    has_news_ = true;
    if (!verdict.ok()) return Refuse(fd, peer.ok() ? *peer : Peer{}, verdict);
    // Room for our own descriptor of it, or it is not taken.
    const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0) return Refuse(fd, *peer, SystemError("keep", "a connection", errno));
    connections_.emplace_back(own, peer->uid);
    {
      const std::lock_guard lock(mutex_);
      ++report_.accepted;
      report_.connections = connections_.size();
    }
    allowed_.Take(fd);
  }

  absl::Status HasRoom(const Peer& peer) const {
    const auto of_user =
        static_cast<size_t>(std::ranges::count(connections_, peer.uid, &Connection::uid));
    if (of_user < options_.max_connections_per_user &&
        connections_.size() < options_.max_connections)
      return absl::OkStatus();
    return bootgate::Refuse(absl::StatusCode::kResourceExhausted, Reason::kTooManyRequests,
                            absl::StrCat("uid ", peer.uid, " has ", of_user, " connections of ",
                                         connections_.size(), " in all"));
  }

  void Refuse(int fd, const Peer& peer, const absl::Status& why) {
    const absl::Time now = absl::Now();
    {
      const std::lock_guard lock(mutex_);
      ++report_.refused;
      report_.last_refusals.insert(report_.last_refusals.begin(),
                                   {now, peer.uid, peer.gid, peer.pid, std::string(why.message())});
      if (report_.last_refusals.size() > kRefusalsKept) report_.last_refusals.pop_back();
    }
    const bool shown = lines_.Take(now);
    if (shown) {
      Log(LogLevel::kWarning, "refused at the socket",
          {{"reason", std::string(Code(ReasonOf(why).value_or(Reason::kWorkloadDenied)))},
           {"uid", absl::StrCat(peer.uid)},
           {"gid", absl::StrCat(peer.gid)},
           {"pid", absl::StrCat(peer.pid)},
           {"text", std::string(why.message())}});
    }
    // To be told is for those who come at a decent pace; the others are cut off.
    if (shown && ReasonOf(why) == Reason::kWorkloadDenied) return refused_.Take(fd);
    close(fd);
  }

  const SocketOptions options_;
  const PeerRules rules_;
  const Descriptor wake_;
  std::unique_ptr<ListeningSocket> socket_;
  RefusingService refusing_;
  HandedServer allowed_, refused_;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  SocketReport report_;  // guarded by mutex_
  // Of the thread.
  std::list<Connection> connections_;
  TokenBucket lines_{kLinesPerSecond, kLinesAtOnce};
  bool has_news_ = false;
  std::thread thread_;  // last
};

}  // namespace

absl::StatusOr<std::unique_ptr<SocketServer>> SocketServer::Start(
    SocketOptions options, PeerRules rules, const std::vector<grpc::Service*>& services) {
  auto server = std::make_unique<Server>(std::move(options), std::move(rules));
  BG_RETURN_IF_ERROR(server->Start(services));
  return server;
}

}  // namespace bootgate::agent::workload

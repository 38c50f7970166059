#include "gatekeeper/webhook/scripted_server_test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace bootgate::gatekeeper::webhook {
namespace {

constexpr size_t kMaxRequest = size_t{1} << 20;
constexpr int kReadTimeoutMs = 30000;
constexpr std::chrono::seconds kPatience(30);

// True when `fd` is ready for `events` before the stop.
bool Await(int fd, int stop_fd, short events, int timeout_ms) {  // NOLINT(google-runtime-int)
  pollfd both[] = {{.fd = fd, .events = events, .revents = 0},
                   {.fd = stop_fd, .events = POLLIN, .revents = 0}};
  return poll(both, 2, timeout_ms) > 0 && both[1].revents == 0;
}

TlsPtr TlsWith(const std::string& certificate, const std::string& key) {
  if (certificate.empty()) return nullptr;
  TlsPtr tls(SSL_CTX_new(TLS_server_method()));
  if (SSL_CTX_use_certificate_chain_file(tls.get(), certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(tls.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    abort();
  }
  return tls;
}

void ParseHead(absl::string_view head, Received* request) {
  const std::vector<std::string> lines = absl::StrSplit(head, "\r\n");
  const std::vector<std::string> first = absl::StrSplit(lines[0], ' ');
  if (first.size() > 1) request->path = first[1];
  for (const std::string& line : lines) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    request->headers[absl::AsciiStrToLower(line.substr(0, colon))] =
        std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
}

}  // namespace

ssize_t Connection::ReadSome(char* to, size_t size) const {
  if (ssl_ != nullptr) return SSL_read(ssl_, to, static_cast<int>(size));
  if (!Await(fd_, stop_fd_, POLLIN, kReadTimeoutMs)) return -1;
  return recv(fd_, to, size, 0);
}

bool Connection::Write(absl::string_view bytes) const {
  while (!bytes.empty()) {
    ssize_t sent = 0;
    if (ssl_ != nullptr) {
      sent = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    } else {
      if (!Await(fd_, stop_fd_, POLLOUT, kReadTimeoutMs)) return false;
      sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool Connection::ReadRequest(Received* request) const {
  std::string text;
  char buffer[4096];
  size_t head = std::string::npos;
  size_t wanted = 0;
  while (head == std::string::npos || text.size() < wanted) {
    const ssize_t got = ReadSome(buffer, sizeof buffer);
    if (got <= 0 || text.size() > kMaxRequest) return false;
    text.append(buffer, static_cast<size_t>(got));
    if (head != std::string::npos) continue;
    head = text.find("\r\n\r\n");
    if (head == std::string::npos) continue;
    ParseHead(absl::string_view(text).substr(0, head), request);
    size_t length = 0;
    if (!absl::SimpleAtoi(request->headers["content-length"], &length)) return false;
    wanted = head + 4 + length;
  }
  request->body = text.substr(head + 4);
  request->at = absl::Now();
  return true;
}

void Connection::Hang() const {
  pollfd stop = {.fd = stop_fd_, .events = POLLIN, .revents = 0};
  poll(&stop, 1, -1);
}

bool Connection::SleepFor(absl::Duration span) const {
  pollfd both[] = {{.fd = fd_, .events = POLLRDHUP, .revents = 0},
                   {.fd = stop_fd_, .events = POLLIN, .revents = 0}};
  return poll(both, 2, static_cast<int>(absl::ToInt64Milliseconds(span))) == 0;
}

int ListenOnLoopback(int* port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, any, size) != 0 || listen(fd, 64) != 0 || getsockname(fd, any, &size) != 0) abort();
  *port = ntohs(address.sin_port);
  return fd;
}

int AcceptOne(int listening, absl::Duration at_most) {
  pollfd readable = {.fd = listening, .events = POLLIN, .revents = 0};
  if (poll(&readable, 1, static_cast<int>(absl::ToInt64Milliseconds(at_most))) != 1) return -1;
  return accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
}

ScriptedServer::Behaviour ScriptedServer::Answers(std::string text) {
  return [text = std::move(text)](const Connection& to, const Received&) { to.Write(text); };
}

ScriptedServer::ScriptedServer(Behaviour behaviour, const std::string& certificate,
                               const std::string& key)
    : tls_(TlsWith(certificate, key)),
      listening_(ListenOnLoopback(&port_)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      behaviour_(std::move(behaviour)) {
  thread_ = std::thread([this] { Serve(); });
}

ScriptedServer::~ScriptedServer() {
  const uint64_t one = 1;
  if (write(stop_.get(), &one, sizeof one) != sizeof one) abort();
  thread_.join();
}

std::string ScriptedServer::Url(absl::string_view path) const {
  return absl::StrCat(tls_ == nullptr ? "http" : "https", "://127.0.0.1:", port_, path);
}

void ScriptedServer::Behave(Behaviour behaviour) {
  const std::lock_guard lock(mutex_);
  behaviour_ = std::move(behaviour);
}

std::vector<Received> ScriptedServer::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

bool ScriptedServer::AwaitReceived(size_t count) const {
  std::unique_lock lock(mutex_);
  return news_.wait_for(lock, kPatience, [&] { return received_.size() >= count; });
}

void ScriptedServer::Serve() {
  sigset_t pipe;  // clients that hang up
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (Await(listening_.get(), stop_.get(), POLLIN, -1)) {
    const Descriptor connection(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.get() >= 0) Handle(connection.get());
  }
}

void ScriptedServer::Handle(int fd) {
  std::unique_ptr<SSL, void (*)(SSL*)> ssl(nullptr, SSL_free);
  if (tls_ != nullptr) {
    ssl.reset(SSL_new(tls_.get()));
    SSL_set_fd(ssl.get(), fd);
    if (SSL_accept(ssl.get()) != 1) return;
  }
  const Connection connection(fd, stop_.get(), ssl.get());
  Received request;
  if (!connection.ReadRequest(&request)) return;
  Behaviour behaviour;
  {
    const std::lock_guard lock(mutex_);
    received_.push_back(request);
    behaviour = behaviour_;
  }
  news_.notify_all();
  behaviour(connection, request);
  if (ssl != nullptr) SSL_shutdown(ssl.get());
}

}  // namespace bootgate::gatekeeper::webhook

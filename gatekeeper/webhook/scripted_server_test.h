// Test only: an HTTP server that may do anything, on loopback, with or without TLS.
#pragma once

#include <openssl/ssl.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/descriptor.h"

namespace bootgate::gatekeeper::webhook {

struct Received {
  std::string path;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  absl::Time at;
};

// One connection; writing fails (false) once the other side or the server is gone.
class Connection {
 public:
  Connection(int fd, int stop_fd, SSL* ssl) : fd_(fd), stop_fd_(stop_fd), ssl_(ssl) {}
  bool Write(absl::string_view bytes) const;
  bool ReadRequest(Received* request) const;
  void Hang() const;                         // until the server stops
  bool SleepFor(absl::Duration span) const;  // false: the server stops, or the client has left

 private:
  ssize_t ReadSome(char* to, size_t size) const;
  const int fd_, stop_fd_;
  SSL* const ssl_;
};

struct FreeTls {
  void operator()(SSL_CTX* tls) const { SSL_CTX_free(tls); }
};
using TlsPtr = std::unique_ptr<SSL_CTX, FreeTls>;

inline constexpr char kFine[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

// Listens on a free port of 127.0.0.1; the caller owns the descriptor.
int ListenOnLoopback(int* port);
// Waits for a connection, at most so long; -1: none came.
int AcceptOne(int listening, absl::Duration at_most);

// One connection at a time, one request each.
class ScriptedServer {
 public:
  using Behaviour = std::function<void(const Connection&, const Received&)>;
  static Behaviour Answers(std::string text);

  // With `certificate` and `key` (PEM files): TLS.
  explicit ScriptedServer(Behaviour behaviour = Answers(kFine), const std::string& certificate = "",
                          const std::string& key = "");
  ~ScriptedServer();

  int port() const { return port_; }
  std::string Url(absl::string_view path = "/hook") const;
  void Behave(Behaviour behaviour);
  std::vector<Received> received() const;
  // False when so many requests have not come within half a minute.
  bool AwaitReceived(size_t count) const;

 private:
  void Serve();
  void Handle(int fd);

  const TlsPtr tls_;
  int port_ = 0;
  Descriptor listening_, stop_;
  mutable std::mutex mutex_;
  mutable std::condition_variable news_;
  Behaviour behaviour_;
  std::vector<Received> received_;
  std::thread thread_;
};

}  // namespace bootgate::gatekeeper::webhook

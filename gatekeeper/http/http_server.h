// The gatekeeper's HTTP port: small answers to small questions, for relying parties and monitoring.
//
// Whoever can reach it may be hostile: a request has a bounded size and a deadline for all of it,
// one connection carries one request, a few threads answer, and connections that wait are counted.
// No TLS and no authentication: nothing is served here that is not public. It listens on loopback
// unless configured; a proxy goes before it where TLS is wanted.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace bootgate::gatekeeper::http {

enum class Method { kGet, kPost };  // HEAD is answered where GET is

struct Request {
  std::string path;               // decoded, without query
  std::string body;               // POST; at most ServerOptions::max_request_bytes
  std::string content_type = {};  // of the body, as sent
};

// What caches on the way may do with an answer.
enum class Keeping {
  kFor,          // keep it for Response::max_age; zero: not at all
  kWhileItHolds  // keep it, and ask each time whether it still holds, by its tag
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
  absl::Duration max_age = absl::ZeroDuration();
  Keeping keeping = Keeping::kFor;
  // Names this very body: who has it already gets 304. There is no Last-Modified: two bodies of one
  // second must not be taken for each other.
  std::string tag = {};
  // Served in the place of `body`, without a copy: for what is large and kept.
  std::shared_ptr<const std::string> kept = nullptr;
};

// Called on any of the server's threads, several at once.
using Handler = std::function<Response(const Request&)>;

// One line of the table of what is served. `path` must equal the request's, or with a final '*'
// begin it.
struct Route {
  Method method;
  std::string path;
  Handler handler;
};

struct ServerOptions {
  std::string listen = "127.0.0.1:9746";  // port 0 takes a free one
  size_t threads = 4;
  size_t max_waiting = 64;                      // connections; further ones are closed
  size_t max_request_bytes = size_t{64} << 10;  // line, headers and body together
  absl::Duration deadline = absl::Seconds(10);  // for reading the request and sending the answer
};

class HttpServer {
 public:
  // Binds. kInvalidArgument: `listen` is no HOST:PORT; kUnavailable: it cannot be bound.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Bind(const ServerOptions& options);
  virtual ~HttpServer() = default;  // stops

  virtual int port() const = 0;
  // Serves from now on, on threads of its own. Call once.
  virtual void Serve(std::vector<Route> routes) = 0;
  // Takes no more connections and waits for the answers under way, not longer than a deadline.
  virtual void Stop() = 0;
};

}  // namespace bootgate::gatekeeper::http

#include "gatekeeper/http/http_server.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "gatekeeper/http/bounded_stream.h"

namespace bootgate::gatekeeper::http {
namespace {

constexpr int kOkCode = 200, kNotModifiedCode = 304, kNotFoundCode = 404, kNotAllowedCode = 405,
              kUriTooLongCode = 414, kUnsupportedCode = 415, kInternalCode = 500;
// The library takes requests apart with regular expressions that recurse: what they see is short.
constexpr size_t kMaxHeadBytes = 4096;  // request line and headers
constexpr size_t kMaxPathBytes = 512;
constexpr absl::string_view kHeadEnd = "\r\n\r\n";

// The library's view of a bounded connection. It asks for lines byte by byte, so reads are
// buffered.
class Stream final : public httplib::Stream {
 public:
  explicit Stream(BoundedSocket& socket) : socket_(socket) {}

  bool is_readable() const override { return begin_ < end_ || socket_.AwaitReadable(); }
  bool is_writable() const override { return socket_.AwaitWritable(); }
  ssize_t read(char* to, size_t size) override {
    if (begin_ == end_) {
      const ssize_t got = socket_.Read(buffer_, sizeof buffer_);
      if (got <= 0) return got;
      begin_ = 0;
      end_ = static_cast<size_t>(got);
    }
    size_t taken = 0;
    while (taken < size && begin_ < end_) {
      if (!CountHead(buffer_[begin_])) return -1;
      to[taken++] = buffer_[begin_++];
    }
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* from, size_t size) override { return socket_.Write(from, size); }
  // Nobody here looks at addresses.
  void get_remote_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  void get_local_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  socket_t socket() const override { return socket_.get(); }

 private:
  // False when the head of the request is longer than we want to look at.
  bool CountHead(char next) {
    if (matched_ == kHeadEnd.size()) return true;
    matched_ = next == kHeadEnd[matched_] ? matched_ + 1 : (next == kHeadEnd[0] ? 1 : 0);
    return ++head_bytes_ <= kMaxHeadBytes;
  }

  BoundedSocket& socket_;
  size_t head_bytes_ = 0, matched_ = 0;  // of kHeadEnd
  char buffer_[4096];
  size_t begin_ = 0, end_ = 0;
};

// A fixed number of threads and a bounded queue. Whom there is no room for waits for nothing: the
// task runs without serving, which closes its connection.
class Workers final : public httplib::TaskQueue {
 public:
  Workers(size_t threads, size_t max_waiting) : max_waiting_(max_waiting) {
    for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  }
  ~Workers() override { Finish(); }

  void enqueue(std::function<void()> task) override {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() < max_waiting_) {
        waiting_.push_back(std::move(task));
        wake_.notify_one();
        return;
      }
    }
    turn_away = true;
    task();
    turn_away = false;
  }
  void shutdown() override { Finish(); }

  static thread_local bool turn_away;  // this task is to close its connection unserved

 private:
  void Work() {
    for (;;) {
      std::function<void()> task;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        task = std::move(waiting_.front());
        waiting_.pop_front();
      }
      task();
    }
  }
  void Finish() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    threads_.clear();  // joins
  }

  const size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool ending_ = false;
  std::vector<std::jthread> threads_;
};

thread_local bool Workers::turn_away = false;

// The library, with its sockets under our bounds.
class Library final : public httplib::Server {
 public:
  explicit Library(const ServerOptions& options) : options_(options) {
    new_task_queue = [this] { return new Workers(options_.threads, options_.max_waiting); };
    set_payload_max_length(options_.max_request_bytes);
  }

 private:
  bool process_and_close_socket(socket_t socket) override {
    bool served = false;
    if (!Workers::turn_away) {
      BoundedSocket bounded(socket, options_.max_request_bytes, options_.deadline);
      Stream stream(bounded);
      bool closed = false;
      served = process_request(stream, /*close_connection=*/true, closed, nullptr);
    }
    ::shutdown(socket, SHUT_RDWR);
    ::close(socket);
    return served;
  }

  const ServerOptions options_;
};

struct Address {
  std::string host;
  int port = 0;
};

absl::StatusOr<Address> ParseAddress(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  Address out;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(listen.substr(colon + 1), &out.port) || out.port < 0 || out.port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Printable(listen, 64), "' is no HOST:PORT"));
  }
  out.host = listen.substr(0, colon);
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']') {
    out.host = out.host.substr(1, out.host.size() - 2);
  }
  return out;
}

bool Matches(const Route& route, const std::string& path) {
  if (route.path.back() != '*') return path == route.path;
  return absl::StartsWith(path, absl::string_view(route.path).substr(0, route.path.size() - 1));
}

class Server final : public HttpServer {
 public:
  explicit Server(const ServerOptions& options) : library_(options) {}
  ~Server() override { Stop(); }

  absl::Status Listen(const Address& address, const std::string& listen) {
    library_.set_socket_options([](socket_t socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    port_ = address.port == 0 ? library_.bind_to_any_port(address.host)
            : library_.bind_to_port(address.host, address.port) ? address.port
                                                                : -1;
    if (port_ > 0) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat("cannot listen on ", Printable(listen, 64)));
  }

  int port() const override { return port_; }

  void Serve(std::vector<Route> routes) override {
    routes_ = std::move(routes);
    // Before the library's own routing, which matches by regular expressions. It has read no body
    // yet, so what is to be posted where somebody takes it goes on to Post.
    library_.set_pre_routing_handler([this](const httplib::Request& in, httplib::Response& out) {
      if (in.method == "POST" && Find(in) != nullptr && !IsOdd(in)) {
        return httplib::Server::HandlerResponse::Unhandled;
      }
      Answer(in, out);
      return httplib::Server::HandlerResponse::Handled;
    });
    library_.Post(".*",
                  [this](const httplib::Request& in, httplib::Response& out) { Answer(in, out); });
    thread_ = std::jthread([this] {
      library_.listen_after_bind();
      ended_ = true;
    });
    while (!library_.is_running() && !ended_) std::this_thread::yield();
  }

  void Stop() override {
    if (!thread_.joinable()) return;
    library_.stop();
    thread_.join();
  }

 private:
  // What no honest client sends: a body in disguise, a path of no end.
  static bool IsOdd(const httplib::Request& in) {
    return in.path.size() > kMaxPathBytes || in.has_header("Content-Encoding");
  }

  // The line of the table that serves this request.
  const Route* Find(const httplib::Request& in) const {
    const bool get = in.method == "GET" || in.method == "HEAD";
    for (const Route& route : routes_) {
      if (!Matches(route, in.path)) continue;
      if (route.method == Method::kGet ? get : in.method == "POST") return &route;
    }
    return nullptr;
  }

  void Answer(const httplib::Request& in, httplib::Response& out) const {
    // Parts of answers are not served: a thousand overlapping ones would be a thousand copies.
    const_cast<httplib::Request&>(in).ranges.clear();
    const Response response = ResponseTo(in);
    out.status = response.status;
    SetKeeping(response, out);
    out.set_header("X-Content-Type-Options", "nosniff");
    if (response.status == kOkCode && HasIt(in, response)) {
      out.status = kNotModifiedCode;
      return;
    }
    SetBody(response, out);
  }

  static void SetKeeping(const Response& response, httplib::Response& out) {
    const int64_t seconds = absl::ToInt64Seconds(response.max_age);
    if (response.keeping == Keeping::kWhileItHolds) {
      out.set_header("Cache-Control", "public, no-cache, no-transform");
    } else if (seconds > 0) {
      out.set_header("Cache-Control", absl::StrCat("public, max-age=", seconds));
      out.set_header("Expires", HttpDate(absl::Now() + response.max_age));
    } else {
      out.set_header("Cache-Control", "no-store");
    }
    if (!response.tag.empty()) out.set_header("ETag", absl::StrCat("\"", response.tag, "\""));
  }

  static std::string HttpDate(absl::Time time) {
    return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", time, absl::UTCTimeZone());
  }

  // RFC 9110, 13.1.2: a list of tags, weak ones with W/ before them, or a star.
  static bool HasIt(const httplib::Request& in, const Response& response) {
    if (response.tag.empty() || !in.has_header("If-None-Match")) return false;
    const std::string quoted = absl::StrCat("\"", response.tag, "\"");
    const std::string header = in.get_header_value("If-None-Match");
    for (absl::string_view tag : absl::StrSplit(header, ',')) {
      tag = absl::StripAsciiWhitespace(tag);
      absl::ConsumePrefix(&tag, "W/");
      if (tag == quoted || tag == "*") return true;
    }
    return false;
  }

  static void SetBody(const Response& response, httplib::Response& out) {
    if (response.kept == nullptr || response.kept->empty()) {
      out.set_content(response.body, response.content_type.c_str());
      return;
    }
    out.set_content_provider(
        response.kept->size(), response.content_type.c_str(),
        [kept = response.kept](size_t offset, size_t length, httplib::DataSink& sink) {
          sink.write(kept->data() + offset, length);
          return true;
        });
  }

  Response ResponseTo(const httplib::Request& in) const {
    if (in.path.size() > kMaxPathBytes) return {.status = kUriTooLongCode, .body = "too long\n"};
    if (IsOdd(in)) return {.status = kUnsupportedCode, .body = "no encoded bodies\n"};
    if (const Route* const route = Find(in)) return Called(*route, in);
    for (const Route& route : routes_) {
      if (Matches(route, in.path)) {
        return {.status = kNotAllowedCode, .body = "another method is served here\n"};
      }
    }
    return {.status = kNotFoundCode, .body = "nothing is served here\n"};
  }

  static Response Called(const Route& route, const httplib::Request& in) {
    try {
      return route.handler({in.path, in.body, in.get_header_value("Content-Type")});
    } catch (const std::exception& error) {
      Log(LogLevel::kError, "http", {{"path", in.path}, {"text", error.what()}});
    }
    return {.status = kInternalCode, .body = "the gatekeeper failed\n"};
  }

  Library library_;
  int port_ = -1;
  std::vector<Route> routes_;
  std::atomic<bool> ended_{false};
  std::jthread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Bind(const ServerOptions& options) {
  BG_ASSIGN_OR_RETURN(const Address address, ParseAddress(options.listen));
  auto server = std::make_unique<Server>(options);
  BG_RETURN_IF_ERROR(server->Listen(address, options.listen));
  return server;
}

}  // namespace bootgate::gatekeeper::http

#include "gatekeeper/http/http_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/descriptor.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::http {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  void Start(ServerOptions options = {}) {
    options.listen = "127.0.0.1:0";
    server_ = HttpServer::Bind(options).value();
    server_->Serve(
        {{Method::kGet, "/a", [](const Request&) { return Response{.body = "A\n"}; }},
         {Method::kPost, "/echo", [](const Request& in) { return Response{.body = in.body}; }},
         {Method::kGet, "/tree/*", [](const Request& in) { return Response{.body = in.path}; }},
         {Method::kGet, "/cached",
          [](const Request&) { return Response{.body = "c", .max_age = absl::Minutes(5)}; }},
         {Method::kGet, "/tagged",
          [](const Request&) {
            return Response{.keeping = Keeping::kWhileItHolds,
                            .tag = "t1",
                            .kept = std::make_shared<const std::string>("kept body")};
          }},
         {Method::kPost, "/typed",
          [](const Request& in) { return Response{.body = "[" + in.content_type + "]"}; }},
         {Method::kGet, "/throws",
          [](const Request&) -> Response { throw std::runtime_error("x"); }}});
  }

  int Connect() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(server_->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  static std::string ReadAll(int fd) {
    std::string out;
    char buffer[4096];
    for (ssize_t got = 0; (got = recv(fd, buffer, sizeof buffer, 0)) > 0;) {
      out.append(buffer, static_cast<size_t>(got));
    }
    return out;
  }
  // The whole answer to what is sent as it is.
  std::string Send(const std::string& text) const {
    const Descriptor connection(Connect());
    EXPECT_GE(send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL), 0);
    return ReadAll(connection.get());
  }
  std::string Get(const std::string& path, const std::string& headers = "") const {
    return Send(absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: a\r\n", headers, "\r\n"));
  }

  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, ServesItsTableAndNothingElse) {
  Start();
  EXPECT_THAT(Get("/a"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get("/a"), HasSubstr("\r\n\r\nA\n"));
  EXPECT_THAT(Get("/a?x=1"), HasSubstr("A\n"));
  EXPECT_THAT(Get("/tree/x/y"), HasSubstr("/tree/x/y"));
  EXPECT_THAT(Get("/ab"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Get("/"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Get("/../../etc/passwd"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Get("/echo"), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(Send("DELETE /a HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405"));
}

TEST_F(HttpServerTest, TakesABodyWhereTheTableSaysSo) {
  Start();
  EXPECT_THAT(Send("POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
              HasSubstr("\r\n\r\nhello"));
  EXPECT_THAT(Send("POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
              StartsWith("HTTP/1.1 405"));
}

TEST_F(HttpServerTest, SaysHowLongAnAnswerMayBeKept) {
  Start();
  EXPECT_THAT(Get("/a"), HasSubstr("Cache-Control: no-store"));
  EXPECT_THAT(Get("/cached"), HasSubstr("Cache-Control: public, max-age=300"));
}

TEST_F(HttpServerTest, SaysWhenAKeptAnswerEnds) {
  Start();
  EXPECT_THAT(Get("/cached"),
              ContainsRegex("Expires: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} "
                            "[0-9:]{8} GMT"));
  EXPECT_THAT(Get("/a"), Not(HasSubstr("Expires")));
}

TEST_F(HttpServerTest, WhoHasABodyAlreadyIsTold) {
  Start();
  const std::string whole = Get("/tagged");
  EXPECT_THAT(whole, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(whole, HasSubstr("Cache-Control: public, no-cache, no-transform\r\n"));
  EXPECT_THAT(whole, HasSubstr("ETag: \"t1\"\r\n"));
  EXPECT_THAT(whole, EndsWith("\r\n\r\nkept body"));
  for (const char* const tags : {"\"t1\"", "W/\"t1\"", "*", "\"x\", \"t1\""}) {
    const std::string answer = Get("/tagged", absl::StrCat("If-None-Match: ", tags, "\r\n"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 304")) << tags;
    EXPECT_THAT(answer, HasSubstr("ETag: \"t1\"")) << tags;
    EXPECT_THAT(answer, EndsWith("\r\n\r\n")) << tags;
  }
  for (const char* const tags : {"\"t2\"", "t1", "\"t1", ""}) {
    EXPECT_THAT(Get("/tagged", absl::StrCat("If-None-Match: ", tags, "\r\n")),
                StartsWith("HTTP/1.1 200"))
        << tags;
  }
}

TEST_F(HttpServerTest, HeadIsGetWithoutTheBody) {
  Start();
  const std::string answer = Send("HEAD /tagged HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 9\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, TellsTheTypeOfABody) {
  Start();
  EXPECT_THAT(Send("POST /typed HTTP/1.1\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\nx"),
              HasSubstr("[a/b]"));
}

TEST_F(HttpServerTest, AHandlerThatThrowsIsOurFault) {
  Start();
  EXPECT_THAT(Get("/throws"), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(Get("/a"), StartsWith("HTTP/1.1 200"));
}

// ---- hostile clients

TEST_F(HttpServerTest, OneConnectionCarriesOneRequest) {
  Start();
  const std::string two = "GET /a HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\n\r\n";
  const std::string answer = Send(two);
  EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << answer;
}

TEST_F(HttpServerTest, AnEndlessHeadIsCutOff) {
  Start();
  std::string lines;
  for (int i = 0; i < 100'000; ++i) absl::StrAppend(&lines, "X-", i, ": y\r\n");
  EXPECT_THAT(Send(absl::StrCat("GET /a HTTP/1.1\r\n", lines, "\r\n")), Not(HasSubstr("200 OK")));
  EXPECT_THAT(Send(absl::StrCat("GET /", std::string(100'000, 'a'), " HTTP/1.1\r\n\r\n")),
              Not(HasSubstr("200 OK")));
  EXPECT_THAT(Get(absl::StrCat("/tree/", std::string(1000, 'a'))), StartsWith("HTTP/1.1 414"));
  EXPECT_THAT(Get("/a"), StartsWith("HTTP/1.1 200")) << "and others are served on";
}

TEST_F(HttpServerTest, ALargeBodyIsCutOff) {
  Start({.max_request_bytes = 5000});
  const std::string body(20'000, 'b');
  EXPECT_THAT(
      Send(absl::StrCat("POST /echo HTTP/1.1\r\nContent-Length: ", body.size(), "\r\n\r\n", body)),
      Not(HasSubstr("200 OK")));
  EXPECT_THAT(Send(absl::StrCat("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n",
                                body, "\r\n0\r\n\r\n")),
              Not(HasSubstr("200 OK")));
}

TEST_F(HttpServerTest, ACompressedBodyIsNotUnpacked) {
  Start();
  EXPECT_THAT(Send("POST /echo HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"),
              StartsWith("HTTP/1.1 415"));
}

TEST_F(HttpServerTest, PartsOfAnAnswerAreNotServed) {
  Start();
  std::string ranges = "Range: bytes=0-0";
  for (int i = 0; i < 800; ++i) absl::StrAppend(&ranges, ",0-1");
  EXPECT_THAT(Get("/a", ranges + "\r\n"), Not(HasSubstr("multipart")));
  EXPECT_THAT(Get("/a", "Range: bytes=0-0\r\n"), HasSubstr("A\n"));
}

// A client that sends a byte now and then gets its deadline, not our thread.
TEST_F(HttpServerTest, ASlowClientDoesNotHoldAThread) {
  Start({.threads = 1, .deadline = absl::Milliseconds(200)});
  const Descriptor slow(Connect());
  ASSERT_EQ(send(slow.get(), "GET /a", 6, MSG_NOSIGNAL), 6);
  EXPECT_THAT(Get("/a"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ReadAll(slow.get()), Not(HasSubstr("200 OK")));
}

TEST_F(HttpServerTest, WhoFindsNoRoomIsTurnedAway) {
  Start({.threads = 1, .max_waiting = 1, .deadline = absl::Seconds(2)});
  std::vector<std::unique_ptr<Descriptor>> idle;
  for (int i = 0; i < 20; ++i) idle.push_back(std::make_unique<Descriptor>(Connect()));
  // At most one is being read and one waits: of the last ones, most are closed by now or soon.
  const absl::Time before = absl::Now();
  EXPECT_EQ(ReadAll(idle.back()->get()), "");
  EXPECT_LT(absl::Now() - before, absl::Seconds(2));
}

TEST_F(HttpServerTest, GarbageIsRefused) {
  Start({.deadline = absl::Milliseconds(300)});
  for (const std::string& text :
       {std::string("\r\n\r\n"), std::string("GET\r\n\r\n"), std::string("\0\0\0\0\r\n\r\n", 8),
        std::string("GET /a HTTP/9.9\r\n\r\n"), std::string("\x16\x03\x01\x02\r\n\r\n"),
        std::string("GET /%00%ff%zz HTTP/1.1\r\n\r\n"),
        std::string("POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
        std::string("POST /echo HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n")}) {
    EXPECT_THAT(Send(text), Not(HasSubstr("200 OK"))) << text;
  }
  EXPECT_THAT(Get("/a"), StartsWith("HTTP/1.1 200"));
}

// ---- life

TEST_F(HttpServerTest, StopsWhileClientsHang) {
  Start({.deadline = absl::Seconds(2)});
  const Descriptor hanging(Connect());
  const absl::Time before = absl::Now();
  server_->Stop();
  EXPECT_LT(absl::Now() - before, absl::Seconds(10));
  server_->Stop();  // again: fine
}

TEST(HttpServer, SaysWhatIsWrongWithItsAddress) {
  EXPECT_THAT(HttpServer::Bind({.listen = "nowhere"}), HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(HttpServer::Bind({.listen = "127.0.0.1:70000"}),
              HasCode(absl::StatusCode::kInvalidArgument));
  const auto first = HttpServer::Bind({.listen = "127.0.0.1:0"});
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(HttpServer::Bind({.listen = absl::StrCat("127.0.0.1:", (*first)->port())}),
              HasCode(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace bootgate::gatekeeper::http

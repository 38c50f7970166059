#include "gatekeeper/webhook/delivery.h"

#include <nlohmann/json.hpp>

#include "gatekeeper/webhook/scripted_server_test.h"
#include "gatekeeper/webhook/signature.h"
#include "gatekeeper/webhook/webhook_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::webhook {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

const absl::Time kAt = absl::FromUnixMillis(1'800'000'000'123);

Message SomeMessage() {
  Message message;
  message.cluster = "prod-a";
  message.change = {.sequence = 42,
                    .at = kAt,
                    .kind = "trust",
                    .host_id = kHost,
                    .before = "trusted",
                    .after = "quarantined",
                    .incident_id = "i-0011223344556677",
                    .why = "Secure Boot is off"};
  message.hostname = "web-7";
  message.labels = {{"rack", "r12"}};
  message.reasons = {"SECURE_BOOT_OFF"};
  return message;
}

TEST(Body, IsTheDocumentedObject) {
  EXPECT_EQ(BodyOf(SomeMessage()),
            R"({"version":1,"sequence":42,"at":"2027-01-15T08:00:00.123Z","cluster":"prod-a",)"
            R"("kind":"trust","host":"h-00112233445566778899aabbccddeeff","hostname":"web-7",)"
            R"("labels":{"rack":"r12"},"before":"trusted","after":"quarantined",)"
            R"("why":"Secure Boot is off","reasons":["SECURE_BOOT_OFF"],)"
            R"("incident":"i-0011223344556677"})");
}

TEST(Body, HasEveryMemberAlsoWhereThereIsNothingToSay) {
  const auto body = nlohmann::json::parse(BodyOf(Message{}));
  EXPECT_TRUE(body["labels"].is_object());
  EXPECT_TRUE(body["reasons"].is_array());
  EXPECT_EQ(body["host"], "");
  EXPECT_EQ(body.size(), 13);
}

TEST(Attack, A73_TextOfAHostCannotBreakOutOfTheBody) {
  Message message = SomeMessage();
  message.hostname = "x\",\"after\":\"trusted\r\n\xff";
  message.labels = {{"a\"b", "\x01"}};
  const std::string text = BodyOf(message);
  const auto body = nlohmann::json::parse(text);
  EXPECT_EQ(body["after"], "quarantined");
  EXPECT_EQ(body["labels"]["a\"b"], "\x01");
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(Signature, IsTheOneOfTheStandard) {
  // openssl dgst -sha256 -mac HMAC -macopt hexkey:0101... over "prod-a:42.1800000000.{}"
  std::vector<SecretBytes> keys;
  keys.emplace_back(ByteView(Bytes(32, 1)));
  const std::string one = Signatures(keys, "prod-a:42", 1'800'000'000, "{}");
  EXPECT_EQ(one, "v1,hoI2H9HNIrokGpRLwbc7BU9eJ9zR6hHRyyoEvDZtafQ=");
  keys.emplace_back(ByteView(Bytes(32, 2)));
  const std::string both = Signatures(keys, "prod-a:42", 1'800'000'000, "{}");
  EXPECT_THAT(both, ::testing::StartsWith(one + " v1,"));
}

class DeliverTest : public WebhookTest {
 protected:
  Attempt DeliverTo(const ScriptedServer& server, absl::Duration timeout = absl::Seconds(5)) {
    Endpoint endpoint = EndpointAt(server.Url());
    endpoint.timeout = timeout;
    return Deliver(client_, endpoint, SomeMessage(), kAt);
  }
  // The same, to a server that does this.
  Attempt Told(ScriptedServer::Behaviour behaviour, absl::Duration timeout = absl::Seconds(5)) {
    const ScriptedServer server(std::move(behaviour));
    return DeliverTo(server, timeout);
  }
  HttpClient client_;
};

TEST(DeliveryId, IsAnotherWhereAStoreThatWasPutBackGivesANumberAgain) {
  Message again = SomeMessage();
  EXPECT_EQ(DeliveryId(again), DeliveryId(SomeMessage()));
  again.change.host_id += "0";
  EXPECT_NE(DeliveryId(again), DeliveryId(SomeMessage()));
  again = SomeMessage();
  again.change.at += absl::Nanoseconds(1000);
  EXPECT_NE(DeliveryId(again), DeliveryId(SomeMessage()));
}

TEST_F(DeliverTest, SaysWhoWhenAndSigns) {
  const ScriptedServer server;
  EXPECT_EQ(DeliverTo(server).outcome, Outcome::kDone);
  ASSERT_EQ(server.received().size(), 1);
  const Received got = server.received()[0];
  EXPECT_EQ(got.path, "/hook");
  EXPECT_EQ(got.body, BodyOf(SomeMessage()));
  EXPECT_EQ(got.headers.at("content-type"), "application/json");
  EXPECT_THAT(got.headers.at("webhook-id"), MatchesRegex("prod-a:42:[0-9a-f]{8}"));
  EXPECT_EQ(got.headers.at("webhook-timestamp"), "1800000000");
  std::vector<SecretBytes> keys;
  keys.emplace_back(ByteView(Bytes(32, 1)));
  EXPECT_EQ(got.headers.at("webhook-signature"),
            Signatures(keys, DeliveryId(SomeMessage()), 1'800'000'000, got.body));
}

TEST_F(DeliverTest, TwoKeysSignWhileReceiversChangeOver) {
  const ScriptedServer server;
  WriteFile("key", absl::StrCat("# old, new\n", kKey, "\n", kNextKey, "\n"));
  EXPECT_EQ(DeliverTo(server).outcome, Outcome::kDone);
  EXPECT_THAT(server.received().at(0).headers.at("webhook-signature"), HasSubstr(" v1,"));
}

TEST_F(DeliverTest, AKeyFileThatIsOpenToAllIsNotUsed) {
  const ScriptedServer server;
  WriteFile("key", kKey, 0644);
  const Attempt attempt = DeliverTo(server);
  EXPECT_EQ(attempt.outcome, Outcome::kAgain);
  EXPECT_THAT(attempt.error, HasSubstr("chmod o-rwx"));
  EXPECT_TRUE(server.received().empty());
}

TEST_F(DeliverTest, BadKeyFilesAreNamedWithoutTheirText) {
  for (const char* const text : {"", "sEcReT\n", "whsec_c2hvcnQ=\n", "whsec_!!!!\n"}) {
    const std::string path = WriteFile("bad", text);
    const absl::Status status = ReadKeys(path).status();
    EXPECT_THAT(status, HasCode(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
    EXPECT_THAT(std::string(status.message()), HasSubstr("openssl rand"));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("sEcReT")));
  }
  WriteFile("bad", absl::StrCat(kKey, "\n", kKey, "\n", kKey, "\n"));
  EXPECT_THAT(ReadKeys(folder_ + "/bad").status(), HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadKeys(folder_ + "/none").status(), HasCode(absl::StatusCode::kNotFound));
}

struct Status {
  int status;
  Outcome outcome;
};
TEST_F(DeliverTest, StatusDecidesWhatFollows) {
  const Status rows[] = {
      {200, Outcome::kDone},      {202, Outcome::kDone},      {204, Outcome::kDone},
      {301, Outcome::kPermanent}, {400, Outcome::kPermanent}, {401, Outcome::kPermanent},
      {404, Outcome::kPermanent}, {410, Outcome::kPermanent}, {408, Outcome::kAgain},
      {425, Outcome::kAgain},     {429, Outcome::kAgain},     {500, Outcome::kAgain},
      {503, Outcome::kAgain}};
  for (const Status& row : rows) {
    const Attempt attempt = Told(ScriptedServer::Answers(
        absl::StrCat("HTTP/1.1 ", row.status, " X\r\nContent-Length: 2\r\n\r\nno")));
    EXPECT_EQ(attempt.outcome, row.outcome) << row.status;
    EXPECT_EQ(attempt.status, row.status);
    EXPECT_EQ(attempt.error.empty(), row.outcome == Outcome::kDone) << attempt.error;
  }
}

TEST_F(DeliverTest, RetryAfterIsHeard) {
  EXPECT_EQ(Told(ScriptedServer::Answers(
                     "HTTP/1.1 503 X\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"))
                .wait,
            absl::Minutes(2));
}

TEST_F(DeliverTest, RedirectsAreNotFollowed) {
  const ScriptedServer other;
  const Attempt attempt = Told(ScriptedServer::Answers(
      absl::StrCat("HTTP/1.1 307 X\r\nLocation: ", other.Url(), "\r\nContent-Length: 0\r\n\r\n")));
  EXPECT_EQ(attempt.outcome, Outcome::kPermanent);
  EXPECT_THAT(attempt.error, HasSubstr("redirects are not followed"));
  EXPECT_TRUE(other.received().empty());
}

TEST_F(DeliverTest, AnAnswerOfAGigabyteIsCut) {
  for (const bool endless_head : {false, true}) {
    std::atomic<size_t> sent = 0;
    const absl::Time begin = absl::Now();
    const Attempt attempt = Told([&](const Connection& to, const Received&) {
      const std::string line = "X-Filler: " + std::string(60'000, 'x') + "\r\n";
      if (!to.Write("HTTP/1.1 500 X\r\n")) return;
      if (!endless_head && !to.Write("Content-Length: 1073741824\r\n\r\n")) return;
      while (sent < size_t{1} << 30 && to.Write(line)) sent += line.size();
    });
    EXPECT_EQ(attempt.outcome, Outcome::kAgain);
    EXPECT_LT(attempt.error.size(), 1000);
    EXPECT_LT(sent, size_t{32} << 20) << "what the sockets' buffers took, and no more";
    EXPECT_LT(absl::Now() - begin, absl::Seconds(4));
  }
}

TEST_F(DeliverTest, A2xxCountsHoweverItsBodyEnds) {
  EXPECT_EQ(
      Told(ScriptedServer::Answers("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx")).outcome,
      Outcome::kDone);
}

TEST_F(DeliverTest, AHeadThatBreaksOffIsNoAnswer) {
  for (const char* const text : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nX: y\r\n",
                                 "HTTP/1.1 100 Continue\r\n\r\n", "hello\n", "SSH-2.0-x\r\n"}) {
    const Attempt attempt = Told(ScriptedServer::Answers(text));
    EXPECT_EQ(attempt.outcome, Outcome::kAgain) << text;
    EXPECT_EQ(attempt.status, 0) << text;
    EXPECT_FALSE(attempt.error.empty());
  }
}

TEST_F(DeliverTest, AServerThatHangsIsLeftAtTheDeadline) {
  const absl::Time begin = absl::Now();
  const Attempt attempt =
      Told([](const Connection& to, const Received&) { to.Hang(); }, absl::Milliseconds(300));
  EXPECT_EQ(attempt.outcome, Outcome::kAgain);
  EXPECT_THAT(attempt.error, HasSubstr("timed out"));
  EXPECT_LT(absl::Now() - begin, absl::Seconds(4));
}

TEST_F(DeliverTest, AnAnswerByteByByteIsLeftAtTheDeadline) {
  const absl::Time begin = absl::Now();
  const Attempt attempt = Told(
      [](const Connection& to, const Received&) {
        to.Write("HTTP/1.1 200 OK\r\nX: ");
        while (to.SleepFor(absl::Milliseconds(20)) && to.Write("y")) {
        }
      },
      absl::Milliseconds(500));
  EXPECT_EQ(attempt.outcome, Outcome::kAgain);
  EXPECT_THAT(attempt.error, HasSubstr("timed out"));
  EXPECT_LT(absl::Now() - begin, absl::Seconds(4));
}

TEST_F(DeliverTest, NobodyListensIsTriedAgain) {
  std::string url;
  {
    const ScriptedServer gone;
    url = gone.Url();
  }
  const Attempt attempt = Deliver(client_, EndpointAt(url), SomeMessage(), kAt);
  EXPECT_EQ(attempt.outcome, Outcome::kAgain);
  EXPECT_THAT(attempt.error, HasSubstr("connect"));
}

TEST_F(DeliverTest, AStopEndsWhatIsUnderWay) {
  std::stop_source stop;
  const ScriptedServer server([&](const Connection& to, const Received&) {
    stop.request_stop();
    to.Hang();
  });
  Endpoint endpoint = EndpointAt(server.Url());
  endpoint.timeout = absl::Minutes(1);
  const absl::Time begin = absl::Now();
  EXPECT_EQ(Deliver(client_, endpoint, SomeMessage(), kAt, stop.get_token()).outcome,
            Outcome::kAgain);
  EXPECT_LT(absl::Now() - begin, absl::Seconds(10));
}

// Certificates as an operator would make them.
class TlsDeliverTest : public DeliverTest {
 protected:
  void MakeCertificate(const std::string& name, const std::string& san) {
    const std::string command = absl::StrCat(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=t "
        "-addext subjectAltName=",
        san, " -keyout ", folder_, "/", name, ".key -out ", folder_, "/", name, ".pem 2>/dev/null");
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  Attempt ToldWith(const std::string& served, const std::string& trusted) {
    const std::string base = folder_ + "/" + served;
    const ScriptedServer server(ScriptedServer::Answers(kFine), base + ".pem", base + ".key");
    Endpoint endpoint = EndpointAt(server.Url());
    endpoint.ca_file = trusted.empty() ? "" : folder_ + "/" + trusted + ".pem";
    const Attempt attempt = Deliver(client_, endpoint, SomeMessage(), kAt);
    EXPECT_EQ(server.received().empty(), attempt.outcome != Outcome::kDone);
    return attempt;
  }
};

TEST_F(TlsDeliverTest, OnlyTheServerOfTheUrlIsTold) {
  MakeCertificate("right", "IP:127.0.0.1");
  MakeCertificate("wrong-name", "DNS:pager.example");
  EXPECT_EQ(ToldWith("right", "right").outcome, Outcome::kDone);
  EXPECT_THAT(ToldWith("wrong-name", "wrong-name").error, HasSubstr("subject name"));
  EXPECT_THAT(ToldWith("right", "wrong-name").error, HasSubstr("certificate"));
  EXPECT_THAT(ToldWith("right", "").error, HasSubstr("certificate"))
      << "the system's CAs did not sign it";
  EXPECT_EQ(ToldWith("right", "none").outcome, Outcome::kAgain) << "no such CA file";
}

TEST_F(TlsDeliverTest, AServerThatHangsUpInTheMiddleEndsTheTryAlone) {
  MakeCertificate("right", "IP:127.0.0.1");
  const std::string base = folder_ + "/right";
  const ScriptedServer server(ScriptedServer::Answers(kFine), base + ".pem", base + ".key");
  for (int i = 0; i < 20; ++i) {
    const Answer answer = client_.Send({.url = server.Url(),
                                        .ca_file = base + ".pem",
                                        .timeout = absl::Seconds(5),
                                        .headers = {},
                                        .body = std::string(size_t{16} << 20, 'x')});
    EXPECT_EQ(answer.status, 0);
    EXPECT_NE(answer.error, "");
  }
}

TEST(DelayAfter, DoublesUpToALimitWithJitter) {
  EXPECT_EQ(DelayAfter(1, 1), kFirstDelay);
  EXPECT_EQ(DelayAfter(1, 0), kFirstDelay / 2);
  EXPECT_EQ(DelayAfter(4, 1), kFirstDelay * 8);
  EXPECT_EQ(DelayAfter(100, 1), kLongestDelay);
  EXPECT_EQ(DelayAfter(int64_t{1} << 60, 0), kLongestDelay / 2);
}

TEST(IsGivenUp, ByTimeOrByAPermanentAnswer) {
  const Attempt passing = {.outcome = Outcome::kAgain, .status = 500, .error = "x"};
  const Attempt permanent = {.outcome = Outcome::kPermanent, .status = 404, .error = "x"};
  const Attempt gone = {.outcome = Outcome::kPermanent, .status = 410, .error = "x"};
  const absl::Duration day = absl::Hours(24);
  EXPECT_FALSE(IsGivenUp(passing, {1000, 0}, day - absl::Seconds(1), day));
  EXPECT_TRUE(IsGivenUp(passing, {kLeastTries, 0}, day, day));
  EXPECT_FALSE(IsGivenUp(passing, {kLeastTries - 1, 0}, day * 10, day))
      << "a start after a long stop";
  EXPECT_FALSE(IsGivenUp(permanent, {1000, kPermanentTries - 1}, day * 10, day))
      << "one 404 while a receiver comes back says nothing";
  EXPECT_TRUE(IsGivenUp(permanent, {kPermanentTries, kPermanentTries}, absl::ZeroDuration(), day));
  EXPECT_TRUE(IsGivenUp(gone, {kLeastTries, kLeastTries}, absl::ZeroDuration(), day));
}

}  // namespace
}  // namespace bootgate::gatekeeper::webhook

#include "gatekeeper/webhook/outbox.h"

#include <algorithm>
#include <atomic>
#include <atomic>
#include <nlohmann/json.hpp>

#include "gatekeeper/webhook/dead_letters.h"
#include "gatekeeper/webhook/scripted_server_test.h"
#include "gatekeeper/webhook/webhook_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::webhook {
namespace {

using ::bootgate::testing::FakeClock;
using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const By kAlice = {.actor = "operator alice", .now = kNow};

constexpr char kBroken[] = "HTTP/1.1 500 X\r\nContent-Length: 6\r\n\r\nbroken";
constexpr char kMissingPage[] = "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n";
constexpr char kGonePage[] = "HTTP/1.1 410 X\r\nContent-Length: 0\r\n\r\n";

std::vector<int64_t> Sequences(const ScriptedServer& server) {
  std::vector<int64_t> out;
  for (const Received& got : server.received()) {
    out.push_back(nlohmann::json::parse(got.body)["sequence"].get<int64_t>());
  }
  return out;
}

class OutboxTest : public WebhookTest {
 protected:
  OutboxTest() : clock_(kNow), hub_(changes::ChangeHub::Open(*store_).value()) {}
  ~OutboxTest() override { hub_.reset(); }  // before the store

  std::unique_ptr<Outbox> Started(const std::vector<Endpoint>& endpoints) {
    return Outbox::Start(*store_, *hub_, clock_, "prod-a", endpoints).value();
  }
  void Change(int count = 1) { MakeChanges(*store_, count, clock_.Now()); }
  bool AwaitTold(const std::string& name, int64_t sequence) const {
    return Eventually([&] { return PlaceOf(name).told >= sequence; });
  }
  // Lets time pass until it is so: a good deal faster than the machine's, and on a slow one still
  // slow enough that nothing is given up meanwhile.
  template <typename Condition>
  bool EventuallyAsTimePasses(Condition holds, absl::Duration step = absl::Seconds(1)) {
    return Eventually([&] {
      clock_.Advance(step);
      return holds();
    });
  }
  std::vector<DeadLetter> DeadLetters() const { return ListDeadLetters(*store_, "").value(); }

  FakeClock clock_;
  std::unique_ptr<changes::ChangeHub> hub_;
};

TEST_F(OutboxTest, TellsWhatTheStoreHasAboutAChange) {
  const ScriptedServer server;
  const auto outbox = Started({EndpointAt(server.Url())});
  MoveTrust(*store_, host::Trust::kQuarantined, kNow, "Secure Boot is off");
  ASSERT_TRUE(server.AwaitReceived(1));
  const auto body = nlohmann::json::parse(server.received()[0].body);
  EXPECT_EQ(body["sequence"], 1);
  EXPECT_EQ(body["cluster"], "prod-a");
  EXPECT_EQ(body["host"], kHost);
  EXPECT_EQ(body["hostname"], "web-7");
  EXPECT_EQ(body["labels"]["rack"], "r12");
  EXPECT_EQ(body["after"], "quarantined");
  EXPECT_EQ(body["why"], "Secure Boot is off");
  EXPECT_THAT(body["reasons"], ElementsAre("SECURE_BOOT_OFF"));
  EXPECT_THAT(server.received()[0].headers.at("webhook-id"), StartsWith("prod-a:1:"));
}

TEST_F(OutboxTest, EveryChangeOnceAndInOrder) {
  const ScriptedServer server;
  const auto outbox = Started({EndpointAt(server.Url())});
  constexpr int kChanges = 150;  // several reads of the feed
  Change(kChanges);
  ASSERT_TRUE(server.AwaitReceived(kChanges));
  ASSERT_TRUE(AwaitTold("pager", kChanges));
  std::vector<int64_t> wanted(kChanges);
  for (int64_t i = 0; i < kChanges; ++i) wanted[static_cast<size_t>(i)] = i + 1;
  EXPECT_EQ(Sequences(server), wanted);
}

TEST_F(OutboxTest, ANewEndpointBeginsAtThePresent) {
  Change(3);
  const ScriptedServer server;
  const auto outbox = Started({EndpointAt(server.Url())});
  Change();
  ASSERT_TRUE(server.AwaitReceived(1));
  EXPECT_THAT(Sequences(server), ElementsAre(4));
}

TEST_F(OutboxTest, AnEndpointThatWasRemovedKeepsItsPlace) {
  const ScriptedServer server;
  Started({EndpointAt(server.Url())})->Stop();
  Change(2);
  Started({})->Stop();
  EXPECT_THAT(server.received(), IsEmpty());
  const auto again = Started({EndpointAt(server.Url())});
  ASSERT_TRUE(server.AwaitReceived(2));
  EXPECT_THAT(Sequences(server), ElementsAre(1, 2));
}

TEST_F(OutboxTest, AStoreThatWasPutBackFromACopyLosesNothingNew) {
  const ScriptedServer server;
  store::ConsumerRow ahead;
  ahead.name = ConsumerOf("pager");
  ahead.told = 1000;
  ASSERT_THAT(store_->PutConsumer(ahead), IsOk());
  const auto outbox = Started({EndpointAt(server.Url())});
  Change();
  ASSERT_TRUE(server.AwaitReceived(1));
  EXPECT_THAT(Sequences(server), ElementsAre(1));
}

TEST_F(OutboxTest, KindsThatAreNotWantedAreDoneWithUntold) {
  const ScriptedServer server;
  Endpoint endpoint = EndpointAt(server.Url());
  endpoint.kinds = {"brake"};
  const auto outbox = Started({endpoint});
  Change(3);
  store::Commit commit;
  commit.audit.emplace_back();
  commit.changes.emplace_back();
  commit.changes[0].at = kNow;
  commit.changes[0].kind = "brake";
  ASSERT_THAT(store_->Apply(commit), IsOk());
  ASSERT_TRUE(AwaitTold("pager", 4));
  EXPECT_THAT(Sequences(server), ElementsAre(4));
}

TEST_F(OutboxTest, FailuresAreTriedAgainAndHoldUpTheLaterOnes) {
  ScriptedServer server(ScriptedServer::Answers(kBroken));
  const auto outbox = Started({EndpointAt(server.Url())});
  Change(2);
  ASSERT_TRUE(EventuallyAsTimePasses([&] { return server.received().size() >= 3; }));
  const store::ConsumerRow place = PlaceOf("pager");
  EXPECT_EQ(place.told, 0);
  EXPECT_GE(place.attempts, 2);
  EXPECT_THAT(place.last_error, HasSubstr("HTTP 500: broken"));
  EXPECT_GT(outbox->figures().at(0).failed, 0);
  server.Behave(ScriptedServer::Answers(kFine));
  ASSERT_TRUE(EventuallyAsTimePasses([&] { return PlaceOf("pager").told == 2; }));
  const std::vector<int64_t> got = Sequences(server);
  EXPECT_TRUE(std::ranges::is_sorted(got));
  EXPECT_EQ(got.back(), 2);
  EXPECT_EQ(PlaceOf("pager").last_error, "");
  EXPECT_THAT(DeadLetters(), IsEmpty());
}

TEST_F(OutboxTest, TriesAreCountedOverARestart) {
  ScriptedServer server(ScriptedServer::Answers(kBroken));
  {
    const auto outbox = Started({EndpointAt(server.Url())});
    Change();
    ASSERT_TRUE(EventuallyAsTimePasses([&] { return PlaceOf("pager").attempts >= 2; }));
  }
  const int64_t before = PlaceOf("pager").attempts;
  const auto again = Started({EndpointAt(server.Url())});
  ASSERT_TRUE(EventuallyAsTimePasses([&] { return PlaceOf("pager").attempts > before; }));
}

TEST_F(OutboxTest, WhatIsTooOldIsADeadLetterAndTheNextOneIsTold) {
  ScriptedServer server([](const Connection& to, const Received& request) {
    const bool first = nlohmann::json::parse(request.body)["sequence"] == 1;
    to.Write(first ? kBroken : kFine);
  });
  const auto outbox = Started({EndpointAt(server.Url())});
  Change(2);
  ASSERT_TRUE(EventuallyAsTimePasses([&] { return PlaceOf("pager").told == 2; }, absl::Hours(1)));
  ASSERT_THAT(DeadLetters(), SizeIs(1));
  const DeadLetter dead = DeadLetters()[0];
  EXPECT_EQ(dead.endpoint, "pager");
  EXPECT_EQ(dead.row.change, 1);
  EXPECT_GE(dead.row.attempts, kLeastTries);
  EXPECT_THAT(dead.row.error, HasSubstr("HTTP 500"));
  EXPECT_EQ(dead.change->host_id, kHost);
  EXPECT_EQ(outbox->figures().at(0).given_up, 1);
}

TEST_F(OutboxTest, PermanentAnswersAreGivenUpAfterAFewTries) {
  ScriptedServer server(ScriptedServer::Answers(kGonePage));
  const auto outbox = Started({EndpointAt(server.Url())});
  Change();
  ASSERT_TRUE(EventuallyAsTimePasses([&] { return DeadLetters().size() == 1; }));
  EXPECT_EQ(server.received().size(), static_cast<size_t>(kLeastTries));
}

// As a receiver answers that was down and comes back piece by piece.
TEST_F(OutboxTest, OnePermanentAnswerAfterManyPassingOnesGivesNothingUp) {
  const auto seen = std::make_shared<std::atomic<int64_t>>(0);
  ScriptedServer server([seen](const auto& connection, const auto& request) {
    const int64_t before = (*seen)++;
    const char* const answer = before <= kPermanentTries       ? kBroken
                               : before == kPermanentTries + 1 ? kMissingPage
                                                               : kFine;
    ScriptedServer::Answers(answer)(connection, request);
  });
  const auto outbox = Started({EndpointAt(server.Url())});
  Change();
  ASSERT_TRUE(EventuallyAsTimePasses([&] { return PlaceOf("pager").told == 1; }));
  EXPECT_THAT(DeadLetters(), IsEmpty());
  EXPECT_EQ(*seen, kPermanentTries + 3);
}

TEST_F(OutboxTest, AClockThatJumpsAnHourBackDelaysNothing) {
  ScriptedServer server(ScriptedServer::Answers(kBroken));
  const auto outbox = Started({EndpointAt(server.Url())});
  Change();
  ASSERT_TRUE(Eventually([&] { return PlaceOf("pager").attempts == 1; }));
  clock_.Advance(-absl::Hours(1));
  server.Behave(ScriptedServer::Answers(kFine));
  ASSERT_TRUE(AwaitTold("pager", 1)) << "by the delay that was meant";
}

TEST_F(OutboxTest, AClockThatJumpsAnHourAheadGivesNothingUpEarly) {
  ScriptedServer server(ScriptedServer::Answers(kBroken));
  const auto outbox = Started({EndpointAt(server.Url())});
  Change();
  ASSERT_TRUE(Eventually([&] { return PlaceOf("pager").attempts == 1; }));
  clock_.Advance(absl::Hours(1));
  ASSERT_TRUE(EventuallyAsTimePasses([&] { return PlaceOf("pager").attempts >= 4; }));
  EXPECT_THAT(DeadLetters(), IsEmpty());
}

TEST_F(OutboxTest, AnEndpointThatHangsDelaysNoOtherAndNoStop) {
  const ScriptedServer hanging([](const Connection& to, const Received&) { to.Hang(); });
  const ScriptedServer good;
  Endpoint slow = EndpointAt(hanging.Url(), "slow");
  slow.timeout = absl::Minutes(1);
  const auto outbox = Started({slow, EndpointAt(good.Url())});
  Change();
  ASSERT_TRUE(hanging.AwaitReceived(1));
  Change(20);
  ASSERT_TRUE(good.AwaitReceived(21));
  EXPECT_THAT(hanging.received(), SizeIs(1));
  const absl::Time begin = absl::Now();
  outbox->Stop();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(10));
  EXPECT_EQ(PlaceOf("slow").told, 0);
  EXPECT_EQ(PlaceOf("slow").attempts, 0) << "a try that was called off counts for nothing";
}

TEST_F(OutboxTest, AChangeIsToldWithinASecond) {
  const ScriptedServer server;
  const auto outbox = Started({EndpointAt(server.Url())});
  std::vector<absl::Duration> took;
  for (size_t i = 0; i < 100; ++i) {
    Change();
    const absl::Time committed = absl::Now();
    ASSERT_TRUE(server.AwaitReceived(i + 1));
    took.push_back(server.received()[i].at - committed);
  }
  std::ranges::sort(took);
  RecordProperty("median_ms", static_cast<int>(absl::ToInt64Milliseconds(took[50])));
  RecordProperty("p99_ms", static_cast<int>(absl::ToInt64Milliseconds(took[98])));
  EXPECT_LT(took[98], absl::Seconds(1));
}

TEST_F(OutboxTest, ChangesOfAnotherProcessAreTold) {
  const ScriptedServer server;
  const auto outbox = Started({EndpointAt(server.Url())});
  const auto other = store::OpenSqlite({.path = store_path()}).value();
  MoveTrust(*other, host::Trust::kQuarantined, kNow);
  EXPECT_TRUE(server.AwaitReceived(1));
}

TEST_F(OutboxTest, AKeyThatCannotBeReadAtTheStartIsSaid) {
  Endpoint endpoint = EndpointAt("http://127.0.0.1:1/");
  endpoint.secret_file = folder_ + "/none";
  const absl::Status status = Outbox::Start(*store_, *hub_, clock_, "c", {endpoint}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("webhook 'pager'"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("/none"));
}

class DeadLetterTest : public OutboxTest {
 protected:
  // A dead letter about a change of the host; its number.
  int64_t Bury(const std::string& endpoint = "pager") {
    Change();
    store::ConsumerRow place = PlaceOf(endpoint);
    place.name = ConsumerOf(endpoint);
    place.told = store_->LastChange().value();
    store::DeadLetterRow dead = {.consumer = place.name,
                                 .change = place.told,
                                 .at = kNow,
                                 .attempts = 7,
                                 .error = "HTTP 500"};
    EXPECT_THAT(store_->PutConsumer(place, dead), IsOk());
    return DeadLetters().back().row.sequence;
  }
  std::string LastAudit() const {
    const auto rows = store_->ListAudit(store_->GetAuditHead()->sequence - 1, 1).value();
    return absl::StrCat(rows[0].actor, " ", rows[0].action, " ", rows[0].subject, " ",
                        rows[0].detail_json);
  }
  HttpClient client_;
};

TEST_F(DeadLetterTest, ToldAtLastItIsGoneAndAudited) {
  const ScriptedServer server;
  const int64_t letter = Bury();
  const auto attempt =
      RetryDeadLetter(*store_, client_, {EndpointAt(server.Url())}, "prod-a", letter, kAlice);
  ASSERT_THAT(attempt, IsOk());
  EXPECT_EQ(attempt->outcome, Outcome::kDone);
  EXPECT_THAT(Sequences(server), ElementsAre(1));
  EXPECT_THAT(DeadLetters(), IsEmpty());
  EXPECT_THAT(LastAudit(), HasSubstr("operator alice webhook.dead.retry webhook pager"));
}

TEST_F(DeadLetterTest, StaysWhenItFailsAgain) {
  const ScriptedServer server(ScriptedServer::Answers(kBroken));
  const int64_t letter = Bury();
  const auto attempt =
      RetryDeadLetter(*store_, client_, {EndpointAt(server.Url())}, "prod-a", letter, kAlice);
  ASSERT_THAT(attempt, IsOk());
  EXPECT_EQ(attempt->outcome, Outcome::kAgain);
  EXPECT_THAT(DeadLetters(), SizeIs(1));
}

TEST_F(DeadLetterTest, OfAnEndpointThatIsGoneCanOnlyBeDropped) {
  const int64_t letter = Bury();
  EXPECT_THAT(RetryDeadLetter(*store_, client_, {}, "prod-a", letter, kAlice).status(),
              HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(DropDeadLetter(*store_, letter, "the pager was replaced", kAlice), IsOk());
  EXPECT_THAT(DeadLetters(), IsEmpty());
  EXPECT_THAT(LastAudit(), HasSubstr("the pager was replaced"));
  EXPECT_THAT(DropDeadLetter(*store_, letter, "again", kAlice),
              HasCode(absl::StatusCode::kNotFound));
}

TEST_F(DeadLetterTest, AreListedByEndpoint) {
  Bury("pager");
  Bury("chat");
  EXPECT_THAT(ListDeadLetters(*store_, "chat").value(), SizeIs(1));
  EXPECT_THAT(DeadLetters(), SizeIs(2));
}

TEST_F(DeadLetterTest, ATestStoresNothing) {
  const ScriptedServer server;
  EXPECT_EQ(SendTest(client_, EndpointAt(server.Url()), "prod-a", kNow).outcome, Outcome::kDone);
  const Received got = server.received().at(0);
  EXPECT_EQ(nlohmann::json::parse(got.body)["kind"], "test");
  EXPECT_EQ(got.headers.at("webhook-id"), "prod-a:test-1800000000000");
  EXPECT_THAT(store_->ListConsumers().value(), IsEmpty());
}

}  // namespace
}  // namespace bootgate::gatekeeper::webhook

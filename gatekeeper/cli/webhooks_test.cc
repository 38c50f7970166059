#include "gatekeeper/cli/webhooks.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "gatekeeper/webhook/dead_letters.h"
#include "gatekeeper/webhook/scripted_server_test.h"
#include "gatekeeper/webhook/webhook_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::cli {
namespace {

using ::bootgate::testing::FakeClock;
using ::bootgate::testing::IsOk;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using webhook::ScriptedServer;

constexpr char kBroken[] = "HTTP/1.1 500 X\r\nContent-Length: 6\r\n\r\nbroken";

class WebhookVerbsTest : public webhook::WebhookTest {
 protected:
  WebhookVerbsTest() : clock_(absl::FromUnixSeconds(1'800'000'000)) {}

  Operator Op(OutputFormat format = OutputFormat::kTable) {
    out_.str("");
    err_.str("");
    return {.store = *store_,
            .clock = clock_,
            .actor = "operator alice",
            .format = format,
            .out = out_,
            .err = err_};
  }
  nlohmann::json Json() const { return nlohmann::json::parse(out_.str()); }
  Webhooks Hooks(const std::string& url) const { return {"prod-a", {EndpointAt(url)}}; }

  // A dead letter of an endpoint about a change of the host.
  void Bury(const std::string& endpoint) {
    webhook::MakeChanges(*store_, 1, clock_.Now());
    store::ConsumerRow place;
    place.name = webhook::ConsumerOf(endpoint);
    place.told = store_->LastChange().value();
    store::DeadLetterRow dead;
    dead.consumer = place.name;
    dead.change = place.told;
    dead.at = clock_.Now();
    dead.attempts = 7;
    dead.error = "HTTP 500: broken";
    ASSERT_THAT(store_->PutConsumer(place, dead), IsOk());
  }

  FakeClock clock_;
  std::ostringstream out_, err_;
};

TEST_F(WebhookVerbsTest, ListSaysHowEachIsDoing) {
  EXPECT_EQ(WebhookList(Op(), {"prod-a", {}}), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("[[webhook]]"));
  Bury("gone");
  store::ConsumerRow failing;
  failing.name = webhook::ConsumerOf("pager");
  failing.attempts = 3;
  failing.last_error = "HTTP 503";
  ASSERT_THAT(store_->PutConsumer(failing), IsOk());
  Webhooks hooks = Hooks("https://pager.example/x");
  hooks.endpoints.push_back(EndpointAt("https://new.example/", "new"));
  EXPECT_EQ(WebhookList(Op(), hooks), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("failing (3 tries)"), HasSubstr("not configured"),
                                HasSubstr("not begun"), HasSubstr("https://pager.example/x")));
  EXPECT_EQ(WebhookList(Op(OutputFormat::kJson), hooks), ExitCode::kSuccess);
  ASSERT_EQ(Json().size(), 3);
  EXPECT_EQ(Json()[0]["name"], "pager");
  EXPECT_EQ(Json()[0]["behind"], 1);
  EXPECT_EQ(Json()[0]["error"], "HTTP 503");
  EXPECT_EQ(Json()[2]["name"], "gone");
  EXPECT_EQ(Json()[2]["dead_letters"], 1);
}

TEST_F(WebhookVerbsTest, TestSaysWhatCameBack) {
  ScriptedServer server;
  EXPECT_EQ(cli::WebhookTest(Op(), Hooks(server.Url()), "pager"), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("HTTP 204"));
  server.Behave(ScriptedServer::Answers(kBroken));
  EXPECT_EQ(cli::WebhookTest(Op(), Hooks(server.Url()), "pager"), ExitCode::kUnreachable);
  EXPECT_THAT(err_.str(), HasSubstr("HTTP 500: broken"));
  EXPECT_EQ(cli::WebhookTest(Op(), Hooks(server.Url()), "pagre"), ExitCode::kNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("no webhook 'pagre'"));
}

TEST_F(WebhookVerbsTest, DeadLettersAreListedWithWhatTheyAreAbout) {
  EXPECT_EQ(WebhookDeadList(Op(), ""), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("nothing was given up"));
  Bury("pager");
  EXPECT_EQ(WebhookDeadList(Op(), ""), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr(webhook::kHost), HasSubstr("HTTP 500: broken")));
  EXPECT_EQ(WebhookDeadList(Op(OutputFormat::kJson), "pager"), ExitCode::kSuccess);
  EXPECT_EQ(Json()[0]["host"], webhook::kHost);
  EXPECT_EQ(WebhookDeadList(Op(OutputFormat::kJson), "chat"), ExitCode::kSuccess);
  EXPECT_THAT(Json(), IsEmpty());
}

TEST_F(WebhookVerbsTest, RetryTellsWhatBecameOfEach) {
  Bury("pager");
  Bury("gone");
  ScriptedServer server(ScriptedServer::Answers(kBroken));
  const Webhooks hooks = Hooks(server.Url());
  EXPECT_EQ(WebhookDeadRetry(Op(), hooks, {.number = 1}), ExitCode::kUnreachable);
  EXPECT_THAT(err_.str(), HasSubstr("HTTP 500: broken"));
  server.Behave(ScriptedServer::Answers(webhook::kFine));
  EXPECT_EQ(WebhookDeadRetry(Op(), hooks, {.all = true}), ExitCode::kPartial);
  EXPECT_THAT(out_.str(), HasSubstr("dead letter 1 delivered"));
  EXPECT_THAT(err_.str(), HasSubstr("dead letter 2: the webhook 'gone' is not configured"));
  EXPECT_EQ(WebhookDeadRetry(Op(), hooks, {.number = 2}), ExitCode::kConflict);
  EXPECT_EQ(WebhookDeadDrop(Op(OutputFormat::kJson), {.all = true, .endpoint = "gone"}, "old"),
            ExitCode::kSuccess);
  EXPECT_EQ(Json()[0]["state"], "dropped");
  EXPECT_EQ(WebhookDeadRetry(Op(), hooks, {.all = true}), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("no dead letters"));
}

TEST_F(WebhookVerbsTest, BadInputIsSaid) {
  Bury("pager");
  EXPECT_EQ(WebhookDeadRetry(Op(), {}, {}), ExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("NUMBER"));
  EXPECT_EQ(WebhookDeadRetry(Op(), {}, {.number = 1, .all = true}), ExitCode::kUsage);
  EXPECT_EQ(WebhookDeadDrop(Op(), {.number = 1, .endpoint = "pager"}, "x"), ExitCode::kUsage);
  EXPECT_EQ(WebhookDeadDrop(Op(), {.number = 1}, ""), ExitCode::kUsage);
  EXPECT_EQ(WebhookDeadDrop(Op(), {.number = 9}, "x"), ExitCode::kNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("webhook dead list"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli

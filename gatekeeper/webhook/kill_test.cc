// The outbox against the power switch: a child tells a receiver of changes and is killed at every
// step of a delivery. The receiver must have heard of each change, in order.

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <random>

#include "gatekeeper/webhook/outbox.h"
#include "gatekeeper/webhook/scripted_server_test.h"
#include "gatekeeper/webhook/webhook_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::webhook {
namespace {

constexpr int kChanges = 60;
constexpr absl::Duration kPatience = absl::Seconds(60);

enum class KillAt {
  kConnected,     // before the request is read
  kRead,          // the receiver has it, and has not answered
  kAnswered,      // at once after the answer
  kSoonAfter,     // up to some milliseconds after the answer: around the commit of the place
  kNextConnected  // the place is stored, the next change is on its way
};
constexpr KillAt kSteps[] = {KillAt::kConnected, KillAt::kRead, KillAt::kAnswered,
                             KillAt::kSoonAfter, KillAt::kNextConnected};

// No threads in this process: children are forked from it.
class KillTest : public WebhookTest {
 protected:
  KillTest() : listening_(ListenOnLoopback(&port_)) {}

  [[noreturn]] void TellForEver() const {
    auto store = store::OpenSqlite({.path = store_path()});
    if (!store.ok()) _exit(2);
    const auto hub = changes::ChangeHub::Open(**store);
    if (!hub.ok()) _exit(3);
    const auto outbox = Outbox::Start(**store, **hub, SystemClock(), "prod-a",
                                      {EndpointAt(absl::StrCat("http://127.0.0.1:", port_))});
    if (!outbox.ok()) _exit(4);
    for (;;) pause();
  }
  pid_t Child() const {
    const pid_t child = fork();
    if (child == 0) TellForEver();
    return child;
  }
  static void Kill(pid_t child) {
    kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
  }
  // Reads one request and answers; what it was about is kept.
  bool Take(int fd, bool answer) {
    const Connection connection(fd, -1, nullptr);
    Received request;
    if (!connection.ReadRequest(&request)) return false;
    heard_.push_back(nlohmann::json::parse(request.body)["sequence"].get<int64_t>());
    if (answer) connection.Write(kFine);
    return true;
  }
  void Nap() {
    std::uniform_int_distribution<int> microseconds(0, 5000);
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds(random_)));
  }
  // One life of a child.
  void Round(KillAt step) {
    const pid_t child = Child();
    const Descriptor first(AcceptOne(listening_.get(), kPatience));
    ASSERT_GE(first.get(), 0) << "the child tells nothing";
    if (step != KillAt::kConnected) {
      EXPECT_TRUE(Take(first.get(), step != KillAt::kRead));
    }
    if (step == KillAt::kSoonAfter) Nap();
    if (step == KillAt::kNextConnected && heard_.back() < kChanges) {
      const Descriptor second(AcceptOne(listening_.get(), kPatience));
      EXPECT_GE(second.get(), 0);
    }
    Kill(child);
    DropWaiting();
  }
  // Connections of the dead that were not taken.
  void DropWaiting() const {
    for (int fd = 0; (fd = AcceptOne(listening_.get(), absl::ZeroDuration())) >= 0;) close(fd);
  }

  int port_ = 0;
  const Descriptor listening_;
  std::minstd_rand random_{20261123};
  std::vector<int64_t> heard_;
};

TEST_F(KillTest, EveryChangeArrivesAtLeastOnceAndInOrder) {
  store::ConsumerRow begun;
  begun.name = ConsumerOf("pager");
  ASSERT_THAT(store_->PutConsumer(begun), testing::IsOk());
  MakeChanges(*store_, kChanges, absl::Now());
  store_.reset();
  size_t rounds = 0;
  const auto done = [&] { return !heard_.empty() && heard_.back() == kChanges; };
  for (; !done() && rounds < 10 * kChanges; ++rounds) {
    Round(kSteps[rounds % std::size(kSteps)]);
    if (HasFatalFailure()) return;
  }
  RecordProperty("kills", static_cast<int>(rounds));
  RecordProperty("repeats", static_cast<int>(heard_.size()) - kChanges);
  ASSERT_TRUE(done());
  ASSERT_EQ(heard_.front(), 1);
  for (size_t i = 1; i < heard_.size(); ++i) {
    EXPECT_TRUE(heard_[i] == heard_[i - 1] || heard_[i] == heard_[i - 1] + 1)
        << heard_[i - 1] << " and then " << heard_[i];
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::webhook

#include "gatekeeper/changes/change_hub.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::changes {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kLongEnough = absl::Seconds(20);
constexpr absl::Duration kNeverByItself = absl::Hours(1);

// What a subscription was told, for a test to wait on.
class Heard {
 public:
  Listener listener() {
    return {.changed =
                [this](const Batch& batch) {
                  const std::lock_guard lock(mutex_);
                  for (const store::ChangeRow& row : *batch) hosts_.push_back(row.host_id);
                  changed_.notify_all();
                },
            .tick =
                [this] {
                  const std::lock_guard lock(mutex_);
                  ++ticks_;
                  changed_.notify_all();
                }};
  }

  // As many as there are when `count` were heard, or when that took too long.
  std::vector<std::string> Await(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, absl::ToChronoSeconds(kLongEnough),
                      [&] { return hosts_.size() >= count; });
    return hosts_;
  }
  bool AwaitTick() {
    std::unique_lock lock(mutex_);
    const int before = ticks_;
    return changed_.wait_for(lock, absl::ToChronoSeconds(kLongEnough),
                             [&] { return ticks_ > before; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> hosts_;
  int ticks_ = 0;
};

class ChangeHubTest : public ::testing::Test {
 protected:
  ChangeHubTest() {
    std::string pattern = ::testing::TempDir() + "/changes.XXXXXX";
    path_ = absl::StrCat(mkdtemp(pattern.data()), "/store.db");
    store_ = OpenStore();
  }
  std::unique_ptr<store::Store> OpenStore() {
    return store::OpenSqlite({.path = path_, .create = true}).value();
  }

  // A change that is of no host's record.
  static void Change(store::Store& store, const std::string& host_id) {
    store::Commit commit;
    store::ChangeRow row;
    row.at = absl::FromUnixSeconds(1'800'000'000);
    row.kind = "brake";
    row.host_id = host_id;
    commit.changes.push_back(row);
    commit.audit.emplace_back();
    ASSERT_THAT(store.Apply(commit), IsOk());
  }

  std::string path_;
  std::unique_ptr<store::Store> store_;
};

TEST_F(ChangeHubTest, TellsEveryListenerOfEachChangeOnceInOrder) {
  const auto hub = ChangeHub::Open(*store_).value();
  Heard first, second;
  const ChangeHub::Subscription a(*hub, first.listener());
  const ChangeHub::Subscription b(*hub, second.listener());
  for (int i = 0; i < 5; ++i) Change(*store_, absl::StrCat("h-", i));
  EXPECT_THAT(first.Await(5), ElementsAre("h-0", "h-1", "h-2", "h-3", "h-4"));
  EXPECT_THAT(second.Await(5), SizeIs(5));
}

TEST_F(ChangeHubTest, HearsWhatAnotherProcessHasWritten) {
  const auto hub = ChangeHub::Open(*store_).value();
  Heard heard;
  const ChangeHub::Subscription subscription(*hub, heard.listener());
  const auto other = OpenStore();
  const absl::Time before = absl::Now();
  Change(*other, "h-theirs");
  EXPECT_THAT(heard.Await(1), ElementsAre("h-theirs"));
  EXPECT_LT(absl::Now() - before, absl::Seconds(5));
}

TEST_F(ChangeHubTest, ANudgeMakesOneHearAtOnce) {
  const auto hub = ChangeHub::Open(*store_, {.poll = kNeverByItself}).value();
  Heard heard;
  const ChangeHub::Subscription subscription(*hub, heard.listener());
  Change(*store_, "h-mine");
  hub->Nudge();
  EXPECT_THAT(heard.Await(1), ElementsAre("h-mine"));
}

TEST_F(ChangeHubTest, TellsNothingThatLiesBeforeTheSubscription) {
  Change(*store_, "h-old");
  const auto hub = ChangeHub::Open(*store_).value();
  EXPECT_EQ(hub->last(), 1);
  Heard early, late;
  const ChangeHub::Subscription first(*hub, early.listener());
  Change(*store_, "h-new");
  EXPECT_THAT(early.Await(1), ElementsAre("h-new"));
  const ChangeHub::Subscription second(*hub, late.listener());
  EXPECT_EQ(first.from(), 1);
  EXPECT_EQ(second.from(), 2);
  Change(*store_, "h-newest");
  EXPECT_THAT(late.Await(1), ElementsAre("h-newest"));
}

TEST_F(ChangeHubTest, MoreThanOnePageComesWhole) {
  const auto hub = ChangeHub::Open(*store_, {.poll = kNeverByItself}).value();
  Heard heard;
  const ChangeHub::Subscription subscription(*hub, heard.listener());
  store::Commit commit;
  for (int i = 0; i < 1300; ++i) {
    store::ChangeRow row;
    row.at = absl::FromUnixSeconds(1'800'000'000);
    row.kind = "brake";
    row.host_id = absl::StrCat(i);
    commit.changes.push_back(row);
  }
  commit.audit.emplace_back();
  ASSERT_THAT(store_->Apply(commit), IsOk());
  hub->Nudge();
  const std::vector<std::string> hosts = heard.Await(1300);
  ASSERT_THAT(hosts, SizeIs(1300));
  for (size_t i = 0; i < hosts.size(); ++i) ASSERT_EQ(hosts[i], absl::StrCat(i));
}

TEST_F(ChangeHubTest, WhoHasGoneIsNotToldAnyMore) {
  const auto hub = ChangeHub::Open(*store_, {.poll = kNeverByItself}).value();
  Heard gone, there;
  const ChangeHub::Subscription stays(*hub, there.listener());
  { const ChangeHub::Subscription goes(*hub, gone.listener()); }
  Change(*store_, "h-1");
  hub->Nudge();
  EXPECT_THAT(there.Await(1), ElementsAre("h-1"));
  EXPECT_THAT(gone.Await(0), IsEmpty());
}

TEST_F(ChangeHubTest, TicksWhileNothingHappens) {
  const auto hub = ChangeHub::Open(*store_, {.poll = absl::Milliseconds(1)}).value();
  Heard heard;
  const ChangeHub::Subscription subscription(*hub, heard.listener());
  EXPECT_TRUE(heard.AwaitTick());
  EXPECT_TRUE(heard.AwaitTick());
  EXPECT_LT(hub->silence(), kLongEnough);
}

}  // namespace
}  // namespace bootgate::gatekeeper::changes

#include "gatekeeper/incident/sweeper.h"

#include <stdlib.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "common/crypto/hash.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::incident {
namespace {

using ::bootgate::testing::IsOk;

absl::Time Start() { return absl::FromUnixSeconds(1'800'000'000); }

class SweeperTest : public ::testing::Test {
 protected:
  SweeperTest() {
    std::string pattern = ::testing::TempDir() + "/sweeper.XXXXXX";
    store_ = store::OpenSqlite(
                 {.path = absl::StrCat(mkdtemp(pattern.data()), "/store.db"), .create = true})
                 .value();
    store::Commit commit;
    commit.host.emplace();
    commit.host->id = "h-1";
    commit.audit.emplace_back();
    EXPECT_THAT(store_->Apply(commit), IsOk());
  }
  void Judge(int number) {
    store::Commit commit;
    commit.verdict.emplace();
    commit.verdict->id = absl::StrCat("v-", number);
    commit.verdict->host_id = "h-1";
    commit.verdict->at = Start() + absl::Seconds(number);
    commit.audit.emplace_back();
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }
  // An incident with one part of evidence; its text is its state.
  void Freeze(const std::string& state, absl::Time closed_at) {
    const Bytes text = ToBytes(AsBytes(state));
    store::Commit commit;
    commit.incident.emplace();
    commit.incident->id = "i-" + state;
    commit.incident->host_id = "h-1";
    commit.incident->state = state;
    if (state == "closed") commit.incident->closed_at = closed_at;
    const std::string digest = crypto::Hash(crypto::HashAlg::kSha256, text).hex();
    commit.blobs = {{digest, text}};
    commit.incident_evidence = {{"quote", digest}};
    commit.audit.emplace_back();
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }
  size_t Verdicts() { return store_->ListVerdicts("", "", 10000)->size(); }

  std::unique_ptr<store::Store> store_;
};

TEST_F(SweeperTest, A88_WhatIsOldGoesAndWhatIsOpenStays) {
  Judge(1);
  Judge(2);
  Freeze("closed", Start());
  Freeze("open", {});
  Sweeper sweeper(*store_, {});
  ASSERT_THAT(sweeper.Tend(Start() + absl::Hours(24 * 89)), IsOk());
  EXPECT_EQ(Verdicts(), 2u);
  ASSERT_THAT(sweeper.Tend(Start() + absl::Hours(24 * 91)), IsOk());
  EXPECT_EQ(Verdicts(), 1u);
  EXPECT_EQ(store_->GetEvidence("i-closed")->size(), 1u);
  ASSERT_THAT(sweeper.Tend(Start() + absl::Hours(24 * 366)), IsOk());
  EXPECT_TRUE(store_->GetEvidence("i-closed")->empty());
  EXPECT_EQ(store_->GetEvidence("i-open")->size(), 1u);
}

TEST_F(SweeperTest, ALotGoesStepByStep) {
  for (int i = 0; i < kSweptAtOnce + 10; ++i) Judge(i);
  Sweeper sweeper(*store_, {});
  const absl::Time late = Start() + absl::Hours(24 * 100);
  ASSERT_THAT(sweeper.Tend(late), IsOk());
  EXPECT_EQ(Verdicts(), 10u);
  ASSERT_THAT(sweeper.Tend(late + absl::Seconds(1)), IsOk());
  EXPECT_EQ(Verdicts(), 1u);
}

TEST_F(SweeperTest, RestsInBetweenAndIsNotStoppedByAClockThatWentBack) {
  Judge(1);
  Sweeper sweeper(*store_, {.verdicts = absl::Seconds(1)});
  ASSERT_THAT(sweeper.Tend(Start()), IsOk());
  Judge(2);
  ASSERT_THAT(sweeper.Tend(Start() + absl::Minutes(59)), IsOk());
  EXPECT_EQ(Verdicts(), 2u);
  ASSERT_THAT(sweeper.Tend(Start() + absl::Hours(24)), IsOk());
  EXPECT_EQ(Verdicts(), 1u);
  Judge(3);
  ASSERT_THAT(sweeper.Tend(Start() + absl::Hours(2)), IsOk());
  EXPECT_EQ(Verdicts(), 1u);
}

}  // namespace
}  // namespace bootgate::gatekeeper::incident

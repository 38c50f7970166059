#include "gatekeeper/incident/admitted.h"

#include <stdlib.h>

#include "absl/strings/str_cat.h"
#include "common/ima/list_builder.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::incident {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::ListBuilder;
using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

Bytes ListOf(const std::vector<std::string>& paths) {
  ListBuilder builder;
  for (const std::string& path : paths) builder.Ng(path, path);
  return builder.Finish();
}

evidence::Evidence Sample() {
  evidence::Evidence e;
  e.host_id = "h-1";
  e.boot_log = {1, 2, 3};
  e.ima.before_quote = ListOf({"/bin/a", "/bin/b"});
  e.quote.values = {{crypto::HashAlg::kSha256, 0, Bytes(32, 1)},
                    {crypto::HashAlg::kSha256, 10, Bytes(32, 2)}};
  return e;
}

class AdmittedTest : public ::testing::Test {
 protected:
  AdmittedTest() {
    std::string pattern = ::testing::TempDir() + "/admitted.XXXXXX";
    store_ = store::OpenSqlite(
                 {.path = absl::StrCat(mkdtemp(pattern.data()), "/store.db"), .create = true})
                 .value();
    store::Commit commit;
    commit.host.emplace();
    commit.host->id = "h-1";
    commit.audit.emplace_back();
    EXPECT_THAT(store_->Apply(commit), IsOk());
  }

  void Commit(const AdmittedBook::Change& change) {
    store::Commit commit;
    commit.host = store_->GetHost("h-1").value();
    commit.blobs = change.blobs;
    commit.admitted_evidence = change.parts;
    commit.audit.emplace_back();
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }

  std::unique_ptr<store::Store> store_;
};

TEST_F(AdmittedTest, IsWrittenOnceWhileNothingChanges) {
  AdmittedBook book(*store_);
  BG_ASSERT_OK_AND_ASSIGN(const auto first, book.ChangeFor(Sample()));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->blobs.size(), 3u);
  EXPECT_THAT(first->parts, Not(Contains(Key("user_log"))));
  Commit(*first);
  EXPECT_FALSE(book.ChangeFor(Sample())->has_value());
  AdmittedBook restarted(*store_);
  EXPECT_FALSE(restarted.ChangeFor(Sample())->has_value());
}

TEST_F(AdmittedTest, Pcr10AndEntriesThatComeAlongChangeNothing) {
  AdmittedBook book(*store_);
  Commit(**book.ChangeFor(Sample()));
  evidence::Evidence later = Sample();
  later.quote.values[1].value = Bytes(32, 9);
  later.ima.first_entry = 2;
  later.ima.before_quote = ListOf({"/bin/c"});
  EXPECT_FALSE(book.ChangeFor(later)->has_value());
}

TEST_F(AdmittedTest, OnlyWhatChangedIsStoredAnew) {
  AdmittedBook book(*store_);
  BG_ASSERT_OK_AND_ASSIGN(const auto first, book.ChangeFor(Sample()));
  Commit(*first);
  evidence::Evidence later = Sample();
  later.boot_log = {9};
  later.ima.first_entry = 2;
  BG_ASSERT_OK_AND_ASSIGN(const auto second, book.ChangeFor(later));
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->blobs.size(), 1u);
  EXPECT_THAT(second->parts, Contains(Pair("ima_files", first->parts.at("ima_files"))));
  Commit(*second);
  book.Remember("h-1", second->parts);
  EXPECT_FALSE(book.ChangeFor(later)->has_value());
}

TEST(FilePrints, TellFilesApartAndTakeNoneTwice) {
  BG_ASSERT_OK_AND_ASSIGN(const auto both,
                          ReadFilePrints(FilePrints(ListOf({"/bin/a", "/bin/b", "/bin/a"}))));
  ASSERT_EQ(both.size(), 2u);
  EXPECT_TRUE(std::ranges::is_sorted(both));
  BG_ASSERT_OK_AND_ASSIGN(const auto one, ReadFilePrints(FilePrints(ListOf({"/bin/b"}))));
  EXPECT_THAT(both, Contains(one.at(0)));
  EXPECT_THAT(ReadFilePrints(Bytes(7, 0)), HasCode(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace bootgate::gatekeeper::incident

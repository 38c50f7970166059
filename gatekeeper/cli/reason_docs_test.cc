#include "gatekeeper/cli/reason_docs.h"

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::cli {
namespace {

using ::testing::HasSubstr;

TEST(ReasonDocs, HaveEveryCodeOnceWithItsWayOut) {
  const std::string docs = ReasonDocs();
  for (const ReasonInfo& row : AllReasons()) {
    if (row.outcome == OutcomeClass::kAdmit) continue;
    const std::string cell = absl::StrCat("| `", row.code, "` |");
    const size_t first = docs.find(cell);
    ASSERT_NE(first, std::string::npos) << row.code;
    EXPECT_EQ(docs.find(cell, first + 1), std::string::npos) << row.code;
  }
}

// scripts/reason_docs makes it so.
TEST(ReasonDocs, ThePageHasWhatTheTableSays) {
  BG_ASSERT_OK_AND_ASSIGN(
      const std::string page,
      ReadTextFile(::bootgate::testing::SourcePath("docs/incidents.md"), size_t{1} << 20));
  EXPECT_EQ(WithReasonDocs(page), page) << "run scripts/reason_docs";
}

TEST(ReasonDocs, APageWithoutItsMarksIsNotTouched) {
  EXPECT_EQ(WithReasonDocs("no marks"), "");
  EXPECT_EQ(WithReasonDocs(absl::StrCat(kReasonDocsEnd, kReasonDocsBegin)), "");
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli

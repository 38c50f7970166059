#include "common/base/reason.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate {
namespace {

TEST(ReasonTable, EveryCodeIsUniqueAndExplained) {
  std::set<std::string> seen;
  for (const ReasonInfo& row : AllReasons()) {
    EXPECT_TRUE(seen.insert(std::string(row.code)).second) << row.code;
    EXPECT_FALSE(row.meaning.empty()) << row.code;
    EXPECT_FALSE(row.way_out.empty()) << row.code;
    EXPECT_EQ(ReasonFromCode(row.code), row.reason);
  }
}

TEST(ReasonTable, NamesInEnumAndTableAgree) {
#define BOOTGATE_CHECK_(id, name) EXPECT_EQ(Code(Reason::id), name);
  BOOTGATE_REASONS(BOOTGATE_CHECK_)
#undef BOOTGATE_CHECK_
  EXPECT_EQ(ReasonFromCode("NO_SUCH_CODE"), std::nullopt);
}

TEST(Refuse, CarriesItsReasonAndKeepsTheFirst) {
  const absl::Status status = Malformed(Reason::kQuoteMagic, "bytes 0-3 are 00000000");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), Reason::kQuoteMagic);
  EXPECT_EQ(ReasonOf(WithReason(status, Reason::kInternal)), Reason::kQuoteMagic);
  EXPECT_EQ(ReasonOf(absl::InternalError("x")), std::nullopt);
  EXPECT_TRUE(WithReason(absl::OkStatus(), Reason::kInternal).ok());
}

}  // namespace
}  // namespace bootgate

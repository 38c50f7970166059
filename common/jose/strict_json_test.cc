#include "common/jose/strict_json.h"

#include <string>

#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::jose {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;

constexpr size_t kBound = 1000;

TEST(CheckStrictJson, TakesObjectsWithEachMemberOnce) {
  EXPECT_THAT(CheckStrictJson(R"({"a":[{"b":1},{"b":2}],"b":{"a":null}})", kBound, "it"), IsOk());
}

TEST(CheckStrictJson, TakesOtherValuesOnlyWhereTheyAreWanted) {
  EXPECT_THAT(CheckStrictJson("[1]", kBound, "it", TopLevel::kAny), IsOk());
  EXPECT_THAT(CheckStrictJson("[1]", kBound, "it"), Refuses(Reason::kJwsParse));
  EXPECT_THAT(CheckStrictJson("[{}]", kBound, "it"), Refuses(Reason::kJwsParse));
}

struct Row {
  const char* name;
  std::string text;
  const char* says;
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.name; }
class CheckStrictJsonRefuses : public ::testing::TestWithParam<Row> {};

TEST_P(CheckStrictJsonRefuses, WithAReason) {
  const absl::Status status = CheckStrictJson(GetParam().text, kBound, "the header");
  EXPECT_THAT(status, Refuses(Reason::kJwsParse));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, CheckStrictJsonRefuses,
    ::testing::ValuesIn(std::vector<Row>{
        {"Twice", R"({"alg":"ES256","alg":"none"})", "stands twice"},
        {"TwiceByAnEscape", R"({"alg":"ES256","\u0061lg":"none"})", "stands twice"},
        {"TwiceDeeper", R"({"a":[{"b":{"c":1,"c":1}}]})", "stands twice"},
        {"Cut", R"({"alg":)", "no JSON"},
        {"After", R"({} {})", "no JSON"},
        {"Empty", "", "no JSON"},
        {"BadUtf8", "{\"a\":\"\xff\"}", "no JSON"},
        {"ByteOrderMark", "\xef\xbb\xbf{}", "byte order mark"},
        {"HugeNumber", R"({"a":1e999})", "no JSON"},
        {"TooDeep", "{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}", "deeper"},
        {"TooLong", "{\"a\":\"" + std::string(kBound, 'x') + "\"}", "at most"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace bootgate::jose

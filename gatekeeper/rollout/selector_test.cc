#include "gatekeeper/rollout/selector.h"

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::rollout {
namespace {

using testing::HasCode;

TEST(ReadSelector, WritesEverySelectorInOneWay) {
  EXPECT_EQ(ReadSelector("").value(), "");
  EXPECT_EQ(ReadSelector("role=db").value(), "role=db");
  EXPECT_EQ(ReadSelector("role=db,rack=7,role=db").value(), "rack=7,role=db");
  EXPECT_EQ(ReadSelector("a=b=c").value(), "a=b=c") << "a value may have what a name cannot";
}

TEST(ReadSelector, RefusesWhatNamesNoLabel) {
  std::string many = "l0=v";
  for (size_t i = 1; i <= kMaxSelectorLabels; ++i) absl::StrAppend(&many, ",l", i, "=v");
  for (const std::string& text :
       {std::string("role"), std::string("role="), std::string("=db"), std::string("role=db,"),
        std::string(","), std::string("role=db,role=web"), many,
        absl::StrCat("a=", std::string(kMaxSelectorBytes, 'x'))}) {
    EXPECT_THAT(ReadSelector(text), HasCode(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(Fits, WantsEveryLabel) {
  const std::map<std::string, std::string> host = {{"role", "db"}, {"rack", "7"}};
  for (const char* text : {"", "role=db", "rack=7,role=db"}) EXPECT_TRUE(Fits(text, host)) << text;
  for (const char* text : {"role=web", "rack=7,role=web", "rack=7,zone=a", "role=d", "role"}) {
    EXPECT_FALSE(Fits(text, host)) << text;
  }
}

TEST(IsMoreSpecific, CountsLabelsThenGoesByAlphabet) {
  EXPECT_TRUE(IsMoreSpecific("a=1,b=2", "a=1"));
  EXPECT_TRUE(IsMoreSpecific("a=1", ""));
  EXPECT_TRUE(IsMoreSpecific("a=1", "b=1"));
  EXPECT_FALSE(IsMoreSpecific("z=1", "a=1,b=2"));
  EXPECT_FALSE(IsMoreSpecific("", ""));
}

}  // namespace
}  // namespace bootgate::gatekeeper::rollout

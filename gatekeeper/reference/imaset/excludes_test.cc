#include "gatekeeper/reference/imaset/excludes.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;

TEST(Excludes, MatchAnywhereUnlessTheyAreAnchored) {
  Excludes excludes;
  ASSERT_THAT(excludes.Add({"^/tmp/", "\\.pyc$"}), IsOk());
  EXPECT_TRUE(excludes.Match("/tmp/x"));
  EXPECT_TRUE(excludes.Match("/usr/lib/a.pyc"));
  EXPECT_FALSE(excludes.Match("/tmpx"));
  EXPECT_FALSE(excludes.Match("/var/tmp/x"));
  EXPECT_FALSE(excludes.Match("/usr/lib/a.pyc.so"));
}

// What such a path stands for cannot be told, so that no pattern lets it pass.
TEST(Excludes, A53_PathsThatAreNotPlainMatchNone) {
  Excludes excludes;
  ASSERT_THAT(excludes.Add({"^/tmp/"}), IsOk());
  EXPECT_FALSE(excludes.Match("/tmp/../usr/bin/x"));
  EXPECT_FALSE(excludes.Match("/tmp//x"));
  EXPECT_FALSE(excludes.Match("/tmp/./x"));
  EXPECT_FALSE(excludes.Match("/tmp/.."));
  EXPECT_TRUE(excludes.Match("/tmp/..x"));
}

TEST(Excludes, NoneExcludesNothing) { EXPECT_FALSE(Excludes().Match("/tmp/x")); }

TEST(Excludes, WhatIsNoPatternIsNamed) {
  Excludes excludes;
  const absl::Status added = excludes.Add({"^/ok/", "(unclosed"});
  EXPECT_TRUE(absl::IsInvalidArgument(added));
  EXPECT_THAT(std::string(added.message()), HasSubstr("'(unclosed'"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference

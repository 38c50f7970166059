#include "common/base/nearest.h"

#include "gtest/gtest.h"

namespace bootgate {
namespace {

TEST(NearestName, FindsTheTypo) {
  const std::vector<std::string> known = {"listen.agents", "listen.names", "store.path"};
  EXPECT_EQ(NearestName("listen.agent", known), "listen.agents");
  EXPECT_EQ(NearestName("store.pth", known), "store.path");
  EXPECT_EQ(NearestName("completely.different", known), "");
  EXPECT_EQ(NearestName("", known), "");
  EXPECT_EQ(NearestName(std::string(100000, 'x'), known), "");
}

}  // namespace
}  // namespace bootgate

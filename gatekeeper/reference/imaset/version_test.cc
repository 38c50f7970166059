#include "gatekeeper/reference/imaset/version.h"

#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using Order = std::strong_ordering;

struct Pair {
  const char *older, *newer;
};
void PrintTo(const Pair& row, std::ostream* os) { *os << row.older << " < " << row.newer; }

class DebianOrder : public ::testing::TestWithParam<Pair> {};
TEST_P(DebianOrder, HoldsBothWays) {
  const auto [older, newer] = GetParam();
  EXPECT_EQ(CompareDebianVersions(older, newer), Order::less);
  EXPECT_EQ(CompareDebianVersions(newer, older), Order::greater);
  EXPECT_EQ(CompareDebianVersions(older, older), Order::equal);
}
// As `dpkg --compare-versions` says.
INSTANTIATE_TEST_SUITE_P(Versions, DebianOrder,
                         ::testing::ValuesIn(std::vector<Pair>{
                             {"1.0", "1.1"},
                             {"1.9", "1.10"},
                             {"1.0-1", "1.0-2"},
                             {"1.0-1", "1.0-1+deb12u1"},
                             {"1.0-1+deb12u2", "1.0-1+deb12u10"},
                             {"1.0~rc1-1", "1.0-1"},
                             {"1.0~~", "1.0~"},
                             {"1.0~~a", "1.0~"},
                             {"2.0-1~bpo12+1", "2.0-1"},
                             {"9:1.0", "10:0.1"},
                             {"99.0", "1:0.1"},
                             {"1.0", "1.0a"},
                             {"1.0a", "1.0+"},
                             {"1.0-1", "1.0.1-1"},
                             {"1.2-3-4", "1.2-3.1-1"},
                             {"1", "1-1"},
                             {"99999999999999999998", "99999999999999999999"},
                             {"", "1"},
                         }));

TEST(DebianVersions, ThatMeanTheSameAreEqual) {
  EXPECT_EQ(CompareDebianVersions("1.0", "0:1.0"), Order::equal);
  EXPECT_EQ(CompareDebianVersions("1.01", "1.1"), Order::equal);
  EXPECT_EQ(CompareDebianVersions("1.0-0", "1.0"), Order::equal);
  EXPECT_EQ(CompareDebianVersions("", ""), Order::equal);
}

class RpmOrder : public ::testing::TestWithParam<Pair> {};
TEST_P(RpmOrder, HoldsBothWays) {
  const auto [older, newer] = GetParam();
  EXPECT_EQ(CompareRpmVersions(older, newer), Order::less);
  EXPECT_EQ(CompareRpmVersions(newer, older), Order::greater);
  EXPECT_EQ(CompareRpmVersions(older, older), Order::equal);
}
// As `rpmdev-vercmp` says.
INSTANTIATE_TEST_SUITE_P(Versions, RpmOrder,
                         ::testing::ValuesIn(std::vector<Pair>{
                             {"1.0-1", "1.1-1"},
                             {"1.9-1", "1.10-1"},
                             {"1.0-1.el9", "1.0-2.el9"},
                             {"5.14.0-362.8.1.el9", "5.14.0-362.18.1.el9"},
                             {"9:1.0-1", "10:0.1-1"},
                             {"99.0-1", "1:0.1-1"},
                             {"1.0~rc1-1", "1.0-1"},
                             {"1.0~rc1-1", "1.0~rc2-1"},
                             {"1.0-1", "1.0^git1-1"},
                             {"1.0^git1-1", "1.0.1-1"},
                             {"1.0~rc1^git1-1", "1.0-1"},
                             {"1.0a-1", "1.0.1-1"},
                             {"a", "1"},
                             {"10xyz", "10.1xyz"},
                             {"xyz.4", "2"},
                             {"5.5p1", "5.5p10"},
                             {"1.0", "1.0.0"},
                         }));

TEST(RpmVersions, ThatMeanTheSameAreEqual) {
  EXPECT_EQ(CompareRpmVersions("1.0-1", "0:1.0-1"), Order::equal);
  EXPECT_EQ(CompareRpmVersions("1_0-1", "1.0-1"), Order::equal);
  EXPECT_EQ(CompareRpmVersions("1.01-1", "1.1-1"), Order::equal);
  EXPECT_EQ(CompareRpmVersions("1.0.-1", "1.0-1"), Order::equal);
}

TEST(Packages, AreNewerOnlyThanTheSamePackage) {
  const Package old_deb{"a", "1.9", "deb:amd64"}, new_deb{"a", "1.10", "deb:amd64"};
  EXPECT_TRUE(IsNewer(new_deb, old_deb));
  EXPECT_FALSE(IsNewer(old_deb, new_deb));
  EXPECT_FALSE(IsNewer(old_deb, old_deb));
  EXPECT_FALSE(IsNewer({"b", "1.10", "deb:amd64"}, old_deb));
  EXPECT_FALSE(IsNewer({"a", "1.10", "deb:arm64"}, old_deb));
  EXPECT_FALSE(IsNewer({"a", "1.10", "rpm:amd64"}, old_deb));
  EXPECT_TRUE(IsNewer({"k", "1.0^1-1", "rpm:x86_64"}, {"k", "1.0-1", "rpm:x86_64"}));
  EXPECT_FALSE(IsNewer({"k", "2", "folder"}, {"k", "1", "folder"}));
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference

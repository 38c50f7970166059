#include "gatekeeper/cli/table.h"

#include "gtest/gtest.h"

namespace bootgate::gatekeeper::cli {
namespace {

TEST(FormatTable, ColumnsLineUp) {
  EXPECT_EQ(FormatTable({"HOST", "STATE"}, {{"h-1", "trusted"}, {"h-longer", "pending"}}),
            "HOST      STATE\n"
            "h-1       trusted\n"
            "h-longer  pending\n");
}

TEST(FormatTable, CellsCannotBreakTheTable) {
  EXPECT_EQ(FormatTable({"A", "B"}, {{"x\ny", "\x1b[2J"}, {"short"}, {"1", "2", "too many"}}),
            "A       B\n"
            "x\\x0ay  \\x1b[2J\n"
            "short\n"
            "1       2\n");
}

class TerminalTest : public ::testing::Test {
 protected:
  ~TerminalTest() override { SetTableWidth(0); }
};

TEST_F(TerminalTest, LastColumnIsCutToFit) {
  SetTableWidth(26);
  EXPECT_EQ(FormatTable({"HOST", "WHY"}, {{"h-123456", "Secure Boot is öff today"}, {"h-2", "ok"}}),
            "HOST      WHY\n"
            "h-123456  Secure Boot is …\n"
            "h-2       ok\n");
  EXPECT_EQ(FormatTable({"HOST", "WHY"}, {{"h-123456", "ööööööööööööööööö"}}),
            "HOST      WHY\n"
            "h-123456  ööööööööööööööö…\n");
}

TEST_F(TerminalTest, NarrowTerminalsCutNoIds) {
  SetTableWidth(4);
  EXPECT_EQ(FormatTable({"HOST", "WHY"}, {{"h-1234567890", "a reason of many words"}}),
            "HOST          WHY\n"
            "h-1234567890  a reason of man…\n");
}

TEST(FormatPairs, ValuesLineUp) {
  EXPECT_EQ(FormatPairs({{"host", "h-1"}, {"state", "ok"}}), "host:  h-1\nstate: ok\n");
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli

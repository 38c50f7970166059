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

TEST(FormatPairs, ValuesLineUp) {
  EXPECT_EQ(FormatPairs({{"host", "h-1"}, {"state", "ok"}}), "host:  h-1\nstate: ok\n");
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli

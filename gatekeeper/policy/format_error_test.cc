#include "gatekeeper/policy/format_error.h"

#include "gatekeeper/policy/test_policies.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Shown(absl::string_view text, int line, int column) {
  return FormatError("p.policy", text, {"syntax", line, column, "no"});
}

TEST(FormatErrorTest, NamesThePlaceAndPointsAtIt) {
  EXPECT_EQ(Shown("version=1.0;\n\tab c\r\n", 2, 5),
            "p.policy:2:5: error: no [syntax]\n"
            "   ab c\n"
            "      ^\n");
}

TEST(FormatErrorTest, TheCaretCountsCodePoints) {
  EXPECT_EQ(Shown("\u00e9\u00e9\u00e9x", 1, 4),
            "p.policy:1:4: error: no [syntax]\n  \u00e9\u00e9\u00e9x\n     ^\n");
}

TEST(FormatErrorTest, AtTheEndOfTheTextTheCaretStandsBehindTheLine) {
  EXPECT_THAT(Shown("ab", 1, 3), HasSubstr("\n  ab\n    ^\n"));
  EXPECT_THAT(Shown("ab\n", 2, 1), HasSubstr("\n  \n  ^\n"));
}

TEST(FormatErrorTest, HostileTextCannotDriveTheTerminal) {
  const std::string shown =
      FormatError("\x1b]0;f", "\x1b[2J\u009b2J\u202ex\xff?", {"syntax", 1, 9, "\x1b"});
  for (const char* bad : {"\x1b", "\u009b", "\u202e", "\xff"}) {
    EXPECT_THAT(shown, Not(HasSubstr(bad)));
  }
  EXPECT_THAT(shown, HasSubstr("\n  \\x1b[2J?2J?x\\xff?\n"));
}

TEST(FormatErrorTest, TheCaretStaysUnderThePlaceBehindEscapedCharacters) {
  EXPECT_THAT(Shown("\x01?", 1, 2), HasSubstr("\n  \\x01?\n      ^\n"));
}

TEST(FormatErrorTest, OfALongLineThePartAroundThePlaceIsShown) {
  const std::string line(100'000, 'a');
  const std::string shown = Shown(line, 1, 50'000);
  EXPECT_LT(shown.size(), 400u);
  EXPECT_THAT(shown, HasSubstr("\n  ...aaa"));
}

TEST(FormatErrorTest, APlaceThatIsNotInTheTextIsHarmless) {
  EXPECT_THAT(Shown("a", 7, 9), HasSubstr("p.policy:7:9: error"));
  EXPECT_THAT(Shown("", 1, 1), HasSubstr("\n  \n  ^\n"));
}

TEST(FormatErrorTest, WarningsLookTheSame) {
  EXPECT_EQ(FormatWarning("p", "[type=\"a\"]", {"W001", 1, 6, "no"}),
            "p:1:6: warning: no [W001]\n  [type=\"a\"]\n       ^\n");
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy

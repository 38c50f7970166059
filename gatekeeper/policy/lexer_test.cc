#include "gatekeeper/policy/lexer.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// "TEXT@LINE:COLUMN" of each token up to the end or a bad one.
std::vector<std::string> Lex(absl::string_view text) {
  WarningList warnings;
  Lexer lexer(text, &warnings);
  std::vector<std::string> out;
  while (true) {
    const Token token = lexer.Next();
    if (token.kind == TokenKind::kEnd) return out;
    const bool bad = token.kind == TokenKind::kBad;
    out.push_back(absl::StrCat(bad ? absl::string_view(token.bad_kind) : token.text, "@",
                               token.place.line, ":", token.place.column));
    if (bad) return out;
  }
}

Token First(absl::string_view text) {
  WarningList warnings;
  return Lexer(text, &warnings).Next();
}

std::vector<std::string> WarningsOf(absl::string_view text) {
  WarningList warnings;
  Lexer lexer(text, &warnings);
  for (Token token = lexer.Next();
       token.kind != TokenKind::kEnd && token.kind != TokenKind::kBad;) {
    token = lexer.Next();
  }
  std::vector<std::string> out;
  for (const Warning& warning : warnings.Take()) {
    out.push_back(absl::StrCat(warning.code, "@", warning.line, ":", warning.column));
  }
  return out;
}

TEST(LexerTest, ColumnsCountCodePointsAndATabIsOne) {
  EXPECT_THAT(Lex("\t\"\u65e5\u672c\" a"), ElementsAre("\"\u65e5\u672c\"@1:2", "a@1:7"));
}

TEST(LexerTest, LinesEndWithALineFeedAlsoAfterACarriageReturn) {
  EXPECT_THAT(Lex("a\r\nb\n c"), ElementsAre("a@1:1", "b@2:1", "c@3:2"));
}

TEST(LexerTest, TheLongestPunctuationIsTaken) {
  EXPECT_THAT(Lex("= == => >= != ! <=<"), ElementsAre("=@1:1", "==@1:3", "=>@1:6", ">=@1:9",
                                                      "!=@1:12", "!@1:15", "<=@1:17", "<@1:19"));
}

TEST(LexerTest, ACommentRunsToTheEndOfItsLineAndNeverBeginsInAString) {
  EXPECT_THAT(Lex("a // } \"\nb \"//\" c//"), ElementsAre("a@1:1", "b@2:1", "\"//\"@2:3", "c@2:8"));
}

TEST(LexerTest, OnlyQuoteAndBackslashAreEscaped) {
  EXPECT_EQ(First(R"("a\"b\\c\n`")").string, R"(a"b\c\n`)");
  EXPECT_THAT(WarningsOf(R"("\\ \" \n")"), ElementsAre("W005@1:8"));
}

TEST(LexerTest, ABackslashBeforeABackslashCannotEscapeTheClosingQuote) {
  EXPECT_THAT(Lex(R"("\\" a)"), ElementsAre(R"("\\"@1:1)", "a@1:6"));
}

TEST(LexerTest, AStringThatDoesNotEndIsBlamedAtItsOpeningQuote) {
  EXPECT_THAT(Lex("a \"b"), ElementsAre("a@1:1", "syntax@1:3"));
  EXPECT_THAT(Lex("\"b\n\""), ElementsAre("syntax@1:1"));
  EXPECT_THAT(Lex("\"b\\"), ElementsAre("syntax@1:1"));
  EXPECT_THAT(Lex("\"b\\\""), ElementsAre("syntax@1:1"));
}

struct IntegerRow {
  const char* text;
  int64_t value;
};
TEST(LexerTest, IntegersCoverSigned64Bits) {
  for (const IntegerRow& row : {IntegerRow{"0", 0},
                                {"-1", -1},
                                {"007", 7},
                                {"9223372036854775807", INT64_MAX},
                                {"-9223372036854775808", INT64_MIN},
                                {"0xff", 255},
                                {"0X7fffffffffffffff", INT64_MAX}}) {
    const Token token = First(row.text);
    ASSERT_EQ(token.kind, TokenKind::kInteger) << row.text;
    EXPECT_EQ(token.integer, row.value) << row.text;
  }
  EXPECT_THAT(Lex("9223372036854775808"), ElementsAre("overflow@1:1"));
  EXPECT_THAT(Lex("-9223372036854775809"), ElementsAre("overflow@1:1"));
  EXPECT_THAT(Lex("0x8000000000000000"), ElementsAre("overflow@1:1"));
}

TEST(LexerTest, HexadecimalIsWarnedOf) {
  EXPECT_THAT(WarningsOf("1 0x1"), ElementsAre("W007@1:3"));
  EXPECT_THAT(WarningsOf("0 x1"), IsEmpty());
}

TEST(LexerTest, TypographicQuotesAreNamedInTheMessage) {
  for (const char* quote : {"\u201c", "\u201d", "\u2018", "\u00ab"}) {
    const Token token = First(quote);
    EXPECT_EQ(token.kind, TokenKind::kBad);
    EXPECT_THAT(token.bad_message, HasSubstr("typographic quote"));
  }
}

TEST(LexerTest, ACharacterOutsideTheLanguageIsShownSafely) {
  EXPECT_THAT(First("\x1b[2J").bad_message, HasSubstr("\\x1b"));
  EXPECT_THAT(Lex("a & b"), ElementsAre("a@1:1", "syntax@1:3"));
  EXPECT_THAT(Lex(absl::string_view("\0", 1)), ElementsAre("syntax@1:1"));
}

TEST(LexerTest, AVersionIsATokenOnlyWhereItIsAskedFor) {
  WarningList warnings;
  Lexer version("1.20;", &warnings);
  const Token token = version.NextVersion();
  EXPECT_EQ(token.kind, TokenKind::kVersion);
  EXPECT_EQ(token.text, "1.20");
  EXPECT_THAT(Lex("1.2"), ElementsAre("1@1:1", ".@1:2", "2@1:3"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy

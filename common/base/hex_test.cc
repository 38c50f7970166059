#include "common/base/hex.h"

#include "common/base/json_text.h"
#include "common/base/secret_bytes.h"
#include "gtest/gtest.h"

namespace bootgate {
namespace {

TEST(Hex, GoesBothWays) {
  EXPECT_EQ(ToHex(Bytes{0x00, 0xff, 0x1a}), "00ff1a");
  EXPECT_EQ(*FromHex("00FF1a"), (Bytes{0x00, 0xff, 0x1a}));
  EXPECT_FALSE(FromHex("0").ok());
  EXPECT_FALSE(FromHex("0g").ok());
}

TEST(Base64, UrlFormHasNoPadding) {
  EXPECT_EQ(ToBase64(Bytes{1}), "AQ==");
  EXPECT_EQ(ToBase64Url(Bytes{1}), "AQ");
  EXPECT_EQ(*FromBase64("AQ=="), Bytes{1});
  EXPECT_FALSE(FromBase64("!").ok());
}

TEST(Printable, NothingMovesTheCursorOrStartsALine) {
  EXPECT_EQ(Printable("a\nb\x1b[31m"), "a\\x0ab\\x1b[31m");
  EXPECT_EQ(Printable("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(Printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(Printable("\xe2\x80\xae"), "\\xe2\\x80\\xae") << "right-to-left override";
  EXPECT_EQ(Printable("abcdef", 3), "abc...");
}

TEST(JsonString, IsOneQuotedToken) { EXPECT_EQ(JsonString("a\"b\\c\n"), "\"a\\\"b\\\\c\\\\x0a\""); }

TEST(SameInConstantTime, TellsContentAndSizeApart) {
  EXPECT_TRUE(SameInConstantTime(Bytes{1, 2}, Bytes{1, 2}));
  EXPECT_TRUE(SameInConstantTime({}, {}));
  EXPECT_FALSE(SameInConstantTime(Bytes{1, 2}, Bytes{1, 3}));
  EXPECT_FALSE(SameInConstantTime(Bytes{1, 2}, Bytes{1, 2, 0}));
}

TEST(SecretBytes, ComparesByContentAndMovesAway) {
  SecretBytes a(Bytes{1, 2, 3});
  EXPECT_TRUE(a.ConstantTimeEquals(Bytes{1, 2, 3}));
  EXPECT_FALSE(a.ConstantTimeEquals(Bytes{1, 2, 4}));
  EXPECT_FALSE(a.ConstantTimeEquals(Bytes{1, 2}));
  const SecretBytes b = std::move(a);
  EXPECT_EQ(b.size(), 3u);
}

// Two spellings of one value would make two texts with one meaning, and signatures are over texts.
TEST(FromBase64Url, TakesOneSpellingOnly) {
  ASSERT_TRUE(FromBase64Url("_-8").ok());
  EXPECT_EQ(*FromBase64Url("_-8"), (Bytes{0xff, 0xef}));
  EXPECT_EQ(*FromBase64Url(""), Bytes{});
  for (const char* text : {"_-8=", "_-9", "/+8", "_-8 ", " _-8", "_-\n8", "A", "_-8\n", "a.b"}) {
    EXPECT_FALSE(FromBase64Url(text).ok()) << text;
  }
}

TEST(FromStrictBase64, TakesOneSpellingOnly) {
  ASSERT_TRUE(FromStrictBase64("/+8=").ok());
  EXPECT_EQ(*FromStrictBase64("/+8="), (Bytes{0xff, 0xef}));
  for (const char* text : {"/+8", "/+9=", "_-8=", "/+8= ", "/+\n8=", "/+8==", "="}) {
    EXPECT_FALSE(FromStrictBase64(text).ok()) << text;
  }
}

}  // namespace
}  // namespace bootgate

#include "gatekeeper/appraisal/json/values.h"

#include "gatekeeper/json/canonical.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

class ValuesTest : public ::testing::Test {
 protected:
  static std::string Text(model::Value value) {
    model::Budget budget;
    return model::CanonicalText(value, budget).value();
  }
  model::Arena arena_;
};

TEST_F(ValuesTest, BytesAreHexAndBase64WithoutPadding) {
  EXPECT_EQ(HexValue(Bytes{0x00, 0xaf, 0xFF}, arena_).text(), "00afff");
  EXPECT_EQ(HexValue({}, arena_).text(), "");
  const Bytes bytes = {0xfb, 0xff, 0xbf, 0x01};
  EXPECT_EQ(Base64UrlValue(ByteView(bytes).first(0), arena_).text(), "");
  EXPECT_EQ(Base64UrlValue(ByteView(bytes).first(1), arena_).text(), "-w");
  EXPECT_EQ(Base64UrlValue(ByteView(bytes).first(2), arena_).text(), "-_8");
  EXPECT_EQ(Base64UrlValue(ByteView(bytes).first(3), arena_).text(), "-_-_");
  EXPECT_EQ(Base64UrlValue(bytes, arena_).text(), "-_-_AQ");
}

TEST_F(ValuesTest, NumbersAreWholeUpTo64Bits) {
  EXPECT_EQ(Text(NumberValue(0, arena_)), "0");
  EXPECT_EQ(Text(NumberValue(9223372036854775807u, arena_)), "9223372036854775807");
  EXPECT_EQ(Text(NumberValue(9223372036854775808u, arena_)), "9223372036854775808");
  EXPECT_EQ(Text(NumberValue(18446744073709551615u, arena_)), "18446744073709551615");
}

TEST_F(ValuesTest, WhatIsNoUtf8IsReplaced) {
  EXPECT_EQ(TextValue("Z\xc3\xbcrich", arena_).text(), "Z\xc3\xbcrich");
  EXPECT_EQ(TextValue("a\xff"
                      "b\xc3",
                      arena_)
                .text(),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
  EXPECT_EQ(TextValue("\xed\xa0\x80", arena_).text(), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")
      << "a surrogate";
}

TEST_F(ValuesTest, TextThatStaysIsNotCopied) {
  const std::string good = "/usr/bin/true", bad = "/usr/\xff";
  EXPECT_EQ(BorrowedText(good, arena_).text().data(), good.data());
  EXPECT_EQ(BorrowedText(bad, arena_).text(), "/usr/\xef\xbf\xbd");
}

TEST_F(ValuesTest, ANamedDigestIsItsNameAndHex) {
  EXPECT_EQ(NamedDigest("sha256", Bytes{0x0a, 0xff}, arena_).text(), "sha256:0aff");
  EXPECT_EQ(NamedDigest("", {}, arena_).text(), ":");
  EXPECT_EQ(NamedDigest("\xff", Bytes{1}, arena_).text(), "\xef\xbf\xbd:01");
}

// Whoever fills an arena asks once, at the end.
TEST_F(ValuesTest, AFullArenaIsNoDisaster) {
  model::Arena small(16);
  HexValue(Bytes(100, 1), small);
  Base64UrlValue(Bytes(100, 1), small);
  TextValue(std::string(100, 'x'), small);
  EXPECT_TRUE(small.exhausted());
}

}  // namespace
}  // namespace bootgate::gatekeeper::appraisal::json

#include "gatekeeper/appraisal/json/json_text.h"

#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

std::string StringOf(absl::string_view value) {
  JsonText out;
  out.String(value);
  return out.Finish();
}

TEST(JsonTextTest, CommasComeByThemselves) {
  JsonText out;
  out.BeginObject();
  out.Key("a");
  out.Number(18446744073709551615u);
  out.Key("b");
  out.BeginArray();
  out.Boolean(true);
  out.Boolean(false);
  out.BeginObject();
  out.EndObject();
  out.BeginObject();
  out.Key("c");
  out.String(",");
  out.EndObject();
  out.EndArray();
  out.Key("d");
  out.String("");
  out.EndObject();
  EXPECT_EQ(out.Finish(), R"({"a":18446744073709551615,"b":[true,false,{},{"c":","}],"d":""})");
}

// A text that ends like an opening bracket must not swallow the comma after it.
TEST(JsonTextTest, TextThatLooksLikeSyntaxDoesNotMatter) {
  JsonText out;
  out.BeginArray();
  for (const char* const text : {"[", "{", ":", "\"", "\\"}) out.String(text);
  out.EndArray();
  EXPECT_EQ(out.Finish(), R"(["[","{",":","\"","\\"])");
}

struct StringRow {
  const char* name;
  std::string value, json;
};

TEST(JsonTextTest, StringsAreEscapedAndAlwaysUtf8) {
  for (const StringRow& row : std::vector<StringRow>{
           {"path", R"(\EFI\BOOT)", R"("\\EFI\\BOOT")"},
           {"quotes", R"(say "no")", R"("say \"no\"")"},
           {"lines", "a\nb\tc", R"("a\nb\tc")"},
           {"control", std::string("\0\x01\x1f", 3), R"("\u0000\u0001\u001f")"},
           {"delete", "\x7f", "\"\x7f\""},
           {"umlaut", "Gr\xc3\xbc\xc3\x9f", "\"Gr\xc3\xbc\xc3\x9f\""},
           {"four bytes", "\xf0\x9f\x92\xa9", "\"\xf0\x9f\x92\xa9\""},
           {"stray continuation", "a\x80z", "\"a\xef\xbf\xbdz\""},
           {"cut sequence", "a\xc3", "\"a\xef\xbf\xbd\""},
           {"overlong", "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
           {"surrogate", "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
           {"too high", "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
       }) {
    EXPECT_EQ(StringOf(row.value), row.json) << row.name;
    EXPECT_FALSE(nlohmann::json::parse(row.json, nullptr, false).is_discarded()) << row.name;
  }
}

TEST(JsonTextTest, EveryTwoBytesGiveAStringThatReadsBack) {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      const std::string value = {static_cast<char>(a), static_cast<char>(b)};
      const std::string text = StringOf(value);
      ASSERT_FALSE(nlohmann::json::parse(text, nullptr, false).is_discarded()) << a << " " << b;
    }
  }
}

TEST(JsonTextTest, BytesAreAsTheOtherWritersWriteThem) {
  Bytes bytes;
  for (unsigned size = 0; size < 70; ++size) {
    JsonText base64, hex;
    base64.Base64Url(bytes);
    hex.Hex(bytes);
    EXPECT_EQ(base64.Finish(), '"' + ToBase64Url(bytes) + '"');
    EXPECT_EQ(hex.Finish(), '"' + ToHex(bytes) + '"');
    bytes.push_back(static_cast<uint8_t>(size * 61 + 200));
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::appraisal::json

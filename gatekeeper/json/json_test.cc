#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/compare.h"
#include "gatekeeper/json/parse.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::json {
namespace {

// The canonical text of JSON text, or the name of the refusal's code.
std::string Reread(absl::string_view text, const ParseLimits& limits = {}) {
  Arena arena;
  const auto value = Parse(text, arena, limits);
  if (!value.ok()) return absl::StatusCodeToString(value.status().code());
  Budget budget;
  return CanonicalText(*value, budget).value_or("spent");
}

struct Row {
  std::string text;
  const char* canonical;
};

TEST(JsonTest, CanonicalTextKeepsValuesAndOrderAndDropsSpace) {
  for (const Row& row : {
           Row{" null ", "null"},
           {"true", "true"},
           {"false", "false"},
           {"[ ]", "[]"},
           {"{ }", "{}"},
           {"\t[1 ,\r\n[ true,{\"a\" : [ ] } ] ]", "[1,[true,{\"a\":[]}]]"},
           {"{\"z\":1,\"a\":{\"b\":\"c\"},\"m\":null}", "{\"z\":1,\"a\":{\"b\":\"c\"},\"m\":null}"},
           {"\"\\u0041\\/\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\"",
            "\"A/\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\""},
           {"\"\\u00e4\\u20ac\\ud83d\\ude00\x7f\"", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\x7f\""},
           {"\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 and enough text to scan words\"",
            "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 and enough text to scan words\""},
           {"\"\\u0000\"", "\"\\u0000\""},
       }) {
    EXPECT_EQ(Reread(row.text), row.canonical) << row.text;
  }
}

TEST(JsonTest, NumbersHaveOneFormForEachValue) {
  for (const Row& row : {
           Row{"0", "0"},
           {"-0", "0"},
           {"-0.0", "0"},
           {"3.0", "3"},
           {"1e3", "1000"},
           {"1.25e2", "125"},
           {"100e-2", "1"},
           {"-7", "-7"},
           {"9223372036854775807", "9223372036854775807"},
           {"-9223372036854775808", "-9223372036854775808"},
           {"9223372036854775808", "9223372036854775808"},
           {"-123456789012345678901234567890", "-123456789012345678901234567890"},
           {"9007199254740993.0", "9007199254740993"},
           {"9223372036854775807.000", "9223372036854775807"},
           {"922337203685477580700e-2", "9223372036854775807"},
           {"0.1", "0.1"},
           {"1.5e-7", "1.5e-07"},
           {"0.0001", "0.0001"},
           {"1e300", "1e+300"},
           {"123456789012345678e2", "1.2345678901234567e+19"},
           {"5e-324", "5e-324"},
           {"1e-400", "0"},
           {"-1e-99999999999999999999", "0"},
           {"0e99999999999999999999", "0"},
           {"1e400", "OUT_OF_RANGE"},
           {"-1e99999999999999999999", "OUT_OF_RANGE"},
       }) {
    EXPECT_EQ(Reread(row.text), row.canonical) << row.text;
  }
}

TEST(JsonTest, WhatIsNotJsonIsRefused) {
  for (const std::string text : {"",
                                 " ",
                                 "abc",
                                 "nul",
                                 "truex",
                                 "[1",
                                 "[1,",
                                 "[1,]",
                                 "[,1]",
                                 "[1 2]",
                                 "{",
                                 "{\"a\"",
                                 "{\"a\":",
                                 "{\"a\":1",
                                 "{\"a\":1,",
                                 "{\"a\":1,}",
                                 "{a:1}",
                                 "{1:1}",
                                 "{\"a\" 1}",
                                 "[}",
                                 "{]",
                                 "[1}",
                                 "{\"a\":1]",
                                 "1 2",
                                 "'a'",
                                 "01",
                                 "-",
                                 "+1",
                                 "1.",
                                 ".5",
                                 "1e",
                                 "1e+",
                                 "0x1",
                                 "NaN",
                                 "Infinity",
                                 "\"",
                                 "\"abc",
                                 "\"\\",
                                 "\"\\\"",
                                 "\"\\x\"",
                                 "\"\\u12\"",
                                 "\"\\u12g4\"",
                                 "\"\\ud800\"",
                                 "\"\\udc00\"",
                                 "\"\\ud800\\u0041\"",
                                 "\"\\ud800x\"",
                                 "\"a\nb\"",
                                 "\"tab\tinside\"",
                                 "\"\xff\"",
                                 "\"\xc3\"",
                                 "\"\xc0\x80\"",
                                 "\"\xed\xa0\x80\"",
                                 "\"\xf5\x80\x80\x80\"",
                                 "\"\xe2\x82\"",
                                 "// x\n1",
                                 "\xef\xbb\xbf"
                                 "1",
                                 "]",
                                 ",",
                                 "\"\\\x80\""}) {
    EXPECT_EQ(Reread(text), "INVALID_ARGUMENT") << text;
  }
  EXPECT_EQ(Reread(std::string("1\0", 2)), "INVALID_ARGUMENT");
  EXPECT_EQ(Reread(std::string("\"a\0\"", 4)), "INVALID_ARGUMENT");
}

TEST(JsonTest, LastOfRepeatedMembersWinsAtThePlaceOfTheFirst) {
  EXPECT_EQ(Reread("{\"a\":1,\"b\":2,\"a\":3,\"\\u0061\":4}"), "{\"a\":4,\"b\":2}");
  std::vector<std::string> many;
  for (int at = 0; at < 1000; ++at) many.push_back(absl::StrCat("\"n", at % 100, "\":", at));
  std::vector<std::string> last;
  for (int at = 0; at < 100; ++at) last.push_back(absl::StrCat("\"n", at, "\":", 900 + at));
  EXPECT_EQ(Reread(absl::StrCat("{", absl::StrJoin(many, ","), "}")),
            absl::StrCat("{", absl::StrJoin(last, ","), "}"));
}

TEST(JsonTest, LimitsAreLimits) {
  const std::string deep = std::string(256, '[') + std::string(256, ']');
  EXPECT_EQ(Reread(deep), deep);
  EXPECT_EQ(Reread("[" + deep + "]"), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(Reread(std::string(1'000'000, '[')), "RESOURCE_EXHAUSTED");
  ParseLimits few;
  few.nodes = 3;
  EXPECT_EQ(Reread("[1,2]", few), "[1,2]");
  EXPECT_EQ(Reread("[1,2,3]", few), "RESOURCE_EXHAUSTED");
  ParseLimits little;
  little.text_bytes = 3;
  EXPECT_EQ(Reread("1234", little), "RESOURCE_EXHAUSTED");
  Arena arena(100);
  EXPECT_EQ(Parse("[1,2,3,4,5,6,7,8,9]", arena).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(arena.exhausted());
}

TEST(JsonTest, ErrorsNameTheOffset) {
  Arena arena;
  EXPECT_EQ(Parse("[1, x]", arena).status().message(), "not a number at offset 4");
  EXPECT_EQ(Parse("[1, \"a", arena).status().message(),
            "the text ends inside a string at offset 6");
}

std::string Compared(absl::string_view a, absl::string_view b) {
  Arena arena;
  Budget budget;
  const auto equal = Equal(*Parse(a, arena), *Parse(b, arena), budget);
  const auto back = Equal(*Parse(b, arena), *Parse(a, arena), budget);
  EXPECT_EQ(equal, back) << a << " " << b;
  return !equal ? "spent" : *equal ? "equal" : "different";
}

TEST(JsonTest, EqualityIsDeepAndExact) {
  struct Two {
    const char* a;
    const char* b;
    const char* result;
  };
  for (const Two& row : {
           Two{"1", "1.0", "equal"},
           {"1", "true", "different"},
           {"0", "false", "different"},
           {"null", "false", "different"},
           {"1", "1.0000000000000002", "different"},
           {"9007199254740993", "9007199254740992.0", "different"},
           {"9223372036854775808", "9223372036854775808.0", "equal"},
           {"9223372036854775809", "9223372036854775808.0", "different"},
           {"100000000000000000000", "1e20", "equal"},
           {"-100000000000000000000", "-1e20", "equal"},
           {"100000000000000000001", "1e20", "different"},
           {"\"a\"", "\"\\u0061\"", "equal"},
           {"{\"a\":1,\"b\":[2]}", "{\"b\":[2.0],\"a\":1}", "equal"},
           {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", "different"},
           {"[1,2]", "[2,1]", "different"},
           {"[]", "{}", "different"},
       }) {
    EXPECT_EQ(Compared(row.a, row.b), row.result) << row.a << " " << row.b;
  }
}

TEST(JsonTest, NumbersAreOrderedByValueWhateverTheirForm) {
  Arena arena;
  const std::vector<std::string> ascending = {"-1e300",
                                              "-100000000000000000000",
                                              "-9223372036854775809",
                                              "-9223372036854775808",
                                              "-1.5",
                                              "-1",
                                              "-0.5",
                                              "0",
                                              "5e-324",
                                              "1",
                                              "1.5",
                                              "2",
                                              "9223372036854775807",
                                              "9223372036854775808",
                                              "1e19",
                                              "10000000000000000001",
                                              "1e20",
                                              "1e300"};
  for (size_t a = 0; a < ascending.size(); ++a) {
    for (size_t b = 0; b < ascending.size(); ++b) {
      EXPECT_EQ(CompareNumbers(*ParseNumber(ascending[a]), *ParseNumber(ascending[b])), a <=> b)
          << ascending[a] << " " << ascending[b];
    }
  }
}

// A value of 2 to the 40th nulls that holds forty nodes.
Value Doubling(Arena& arena) {
  Value value;
  for (int level = 0; level < 40; ++level) value = MakeArray({value, value}, arena);
  return value;
}

TEST(JsonTest, SharedPartsCostTheirTextEachTime) {
  Arena arena;
  Budget budget(100'000);
  EXPECT_EQ(CanonicalText(Doubling(arena), budget), std::nullopt);
  Budget second(100'000);
  EXPECT_EQ(Equal(Doubling(arena), Doubling(arena), second), std::nullopt);
}

class Counter : public ObjectSource {
 public:
  absl::Span<const Member> MakeMembers(uint64_t key, Arena& arena) const override {
    ++made_;
    ObjectBuilder object(arena);
    object.Add("key", Value::Integer(static_cast<int64_t>(key)));
    return object.FinishMembers();
  }
  int made() const { return made_; }

 private:
  mutable int made_ = 0;
};

TEST(JsonTest, DeferredObjectsAreMadeOnceWhenLookedAt) {
  Arena arena;
  const Counter source;
  const Value value =
      MakeArray({Value::Deferred(source, 7, arena), Value::Deferred(source, 8, arena)}, arena);
  EXPECT_TRUE(value.items()[0].is_object());
  EXPECT_TRUE(value.items()[0].is_waiting());
  EXPECT_EQ(source.made(), 0);
  EXPECT_EQ(value.items()[0].Find("key")->integer(), 7);
  EXPECT_EQ(value.items()[0].Find("other"), nullptr);
  EXPECT_EQ(source.made(), 1);
  EXPECT_TRUE(value.items()[1].is_waiting());
  Budget budget;
  EXPECT_EQ(CanonicalText(value, budget), "[{\"key\":7},{\"key\":8}]");
  EXPECT_EQ(source.made(), 2);
}

TEST(JsonTest, ADeferredObjectThatDoesNotFitIsNoText) {
  Arena arena(100);
  const Counter source;
  const Value value = Value::Deferred(source, 7, arena);
  ASSERT_TRUE(value.is_waiting());
  arena.Keep(std::string(60, 'x'));
  Budget budget;
  EXPECT_FALSE(value.Force());
  EXPECT_EQ(CanonicalText(value, budget), std::nullopt);
}

TEST(JsonTest, IndentedTextIsForPeople) {
  Arena arena;
  Budget budget;
  EXPECT_EQ(IndentedText(*Parse("{\"a\":[1,{}],\"b\":[]}", arena), budget),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
}

TEST(JsonTest, StringsWithoutEscapesBorrowTheText) {
  Arena arena;
  const std::string text = "\"plain\"";
  const Value value = *Parse(text, arena);
  EXPECT_EQ(value.text().data(), text.data() + 1);
  EXPECT_EQ(arena.used_bytes(), 0u);
}

}  // namespace
}  // namespace bootgate::gatekeeper::json

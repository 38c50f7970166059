#include "gatekeeper/policy/jmespath/expression.h"

#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/parse.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

using ::testing::ElementsAre;

// The canonical text of the result, or "KIND@POSITION" of the error.
std::string Answer(absl::string_view query, absl::string_view document,
                   Dialect dialect = Dialect::kPolicy) {
  const auto describe = [](const Error& error) {
    return std::string(Name(error.kind)) + "@" + std::to_string(error.position);
  };
  const auto compiled = Expression::Compile(query, dialect);
  if (const auto* error = std::get_if<Error>(&compiled)) return describe(*error);
  json::Arena arena;
  json::Budget budget;
  const auto given = json::Parse(document, arena);
  if (!given.ok()) return given.status().ToString();
  const auto result = Evaluate(std::get<Expression>(compiled), *given, arena, budget);
  if (const auto* error = std::get_if<Error>(&result)) return describe(*error);
  return json::CanonicalText(std::get<json::Value>(result), budget).value_or("too much");
}

struct Row {
  const char* query;
  const char* given;
  const char* answer;
};

TEST(JmesPathTest, ErrorsNameThePosition) {
  for (const Row& row : {
           Row{"a.", "{}", "syntax@2"},
           {"a b", "{}", "syntax@2"},
           {"a[?b", "{}", "syntax@4"},
           {"a | foo(b)", "{}", "unknown-function@4"},
           {"a | abs(b, c)", "{}", "invalid-arity@4"},
           {"length(@) == `1` && abs('x')", "[1]", "invalid-type@20"},
           {"a == 'open", "{}", "syntax@5"},
           {"a == `{]`", "{}", "syntax@5"},
           {"@[1:2:0]", "[]", "invalid-value@1"},
           {"a[99999999999999999999]", "{}", "syntax@2"},
           {"a.\xff", "{}", "syntax@2"},
           {"\xe2\x80\x9c"
            "a",
            "{}", "syntax@0"},
           {"&a", "{}", "syntax@0"},
           {"[&a]", "{}", "syntax@1"},
           {"abs(a,)", "{}", "syntax@6"},
           {"\"abs\"(a)", "{}", "syntax@0"},
           {"a[*][b, c]", "{}", "syntax@5"},
           {"", "{}", "syntax@0"},
       }) {
    EXPECT_EQ(Answer(row.query, row.given), row.answer) << row.query;
  }
}

TEST(JmesPathTest, J1EqualsIgnoreCaseFoldsAndNeverFails) {
  for (const Row& row : {
           Row{"equals_ignore_case(@, 'STRASSE')", "\"strasse\"", "true"},
           {"equals_ignore_case(@, '\xc3\x84\xce\xa3')", "\"\xc3\xa4\xcf\x82\"", "true"},
           {"equals_ignore_case(@, 'K')", "\"\xe2\x84\xaa\"", "true"},  // Kelvin sign
           {"equals_ignore_case(@, 'ss')", "\"\xc3\x9f\"", "false"},    // simple folding
           {"equals_ignore_case(@, 'i')", "\"\xc4\xb0\"", "false"},     // no locale
           {"equals_ignore_case(@, 'ab')", "\"a\"", "false"},
           {"equals_ignore_case(@, 'null')", "null", "false"},
           {"equals_ignore_case(@, @)", "null", "false"},
           {"equals_ignore_case(@, @)", "[\"a\"]", "false"},
           {"equals_ignore_case(@, '')", "\"\"", "true"},
           {"equals_ignore_case(@)", "1", "invalid-arity@0"},
       }) {
    EXPECT_EQ(Answer(row.query, row.given), row.answer) << row.query;
  }
  EXPECT_EQ(Answer("equals_ignore_case(@, @)", "1", Dialect::kStandard), "unknown-function@0");
}

TEST(JmesPathTest, J2BareWordsAreLiteralsAsWholeOperandsOnly) {
  constexpr char kGiven[] = R"({"a": true, "n": null, "true": 5, "null": 6})";
  for (const Row& row : {
           Row{"a == true", kGiven, "true"},
           {"true == a", kGiven, "true"},
           {"a != false", kGiven, "true"},
           {"n == null", kGiven, "true"},
           {"missing == null", kGiven, "true"},
           {"\"true\" == `5`", kGiven, "true"},
           {"@.true == `5`", kGiven, "true"},
           {"true", kGiven, "5"},
           {"[true, null]", kGiven, "[5,6]"},
           {"{null: a}", kGiven, "{\"null\":true}"},
           {"a && true == a", kGiven, "true"},
           {"!true == false", kGiven, "true"},
           {"true.x == null", kGiven, "true"},
           {"a == true | @", kGiven, "true"},
       }) {
    EXPECT_EQ(Answer(row.query, row.given), row.answer) << row.query;
  }
  EXPECT_EQ(Answer("a == true", kGiven, Dialect::kStandard), "false");
  EXPECT_EQ(Answer("true == `5`", kGiven, Dialect::kStandard), "true");
}

TEST(JmesPathTest, J3TheCurrentEmptyArrayIsNullOnlyInThatComparison) {
  for (const Row& row : {
           Row{"@ != null", "[]", "null"},
           {"@ == null", "[]", "true"},
           {"null != @", "[]", "null"},
           {"@ != `null`", "[]", "null"},
           {"@ != null", "[1]", "true"},
           {"@ == null", "[1]", "false"},
           {"@ != null", "{}", "true"},
           {"@ != null", "null", "false"},
           {"[?a] | @ != null", "[{\"b\": 1}]", "null"},
           {"[?a] | @ != null", "[{\"a\": 1}]", "true"},
           {"x == `null`", "{\"x\": []}", "false"},
           {"@.x == null", "{\"x\": []}", "false"},
           {"@ == `[]`", "[]", "true"},
       }) {
    EXPECT_EQ(Answer(row.query, row.given), row.answer) << row.query << " on " << row.given;
  }
  EXPECT_EQ(Answer("@ != `null`", "[]", Dialect::kStandard), "true");
  EXPECT_EQ(Answer("@ == `null`", "[]", Dialect::kStandard), "false");
}

TEST(JmesPathTest, NumbersAreExactWhereverTheyCanBe) {
  for (const Row& row : {
           Row{"[0]", "[123456789012345678901234567890]", "123456789012345678901234567890"},
           {"@ == `9007199254740993`", "9007199254740993", "true"},
           {"@ == `9007199254740992`", "9007199254740993", "false"},
           {"@ < `18446744073709551616`", "18446744073709551615", "true"},
           {"sum(@)", "[9007199254740993, 2]", "9007199254740995"},
           {"sum(@)", "[9223372036854775807, 1]", "9.223372036854776e+18"},
           {"sum(@)", "[0.5, 1]", "1.5"},
           {"avg(@)", "[1, 3]", "2"},
           {"avg(@)", "[1, 2]", "1.5"},
           {"abs(@)", "-9223372036854775808", "9223372036854775808"},
           {"abs(@)", "-123456789012345678901", "123456789012345678901"},
           {"abs(@)", "-0.5", "0.5"},
           {"ceil(@)", "-0.5", "0"},
           {"floor(@)", "-0.5", "-1"},
           {"to_number(@)", "\"1e2\"", "100"},
           {"to_number(@)", "\" 1\"", "null"},
           {"to_number(@)", "\"0x1\"", "null"},
           {"to_string(@)", "[1.0, 1.50, \"a\"]", "\"[1,1.5,\\\"a\\\"]\""},
           {"max(@)", "[1, 1.5, 18446744073709551616]", "18446744073709551616"},
           {"sum(@)", "[1e308, 1e308]", "invalid-value@0"},
       }) {
    EXPECT_EQ(Answer(row.query, row.given), row.answer) << row.query << " on " << row.given;
  }
}

TEST(JmesPathTest, SlicesTakeAnyNumbers) {
  for (const Row& row : {
           Row{"[9223372036854775807:]", "[1,2,3]", "[]"},
           {"[-9223372036854775808:]", "[1,2,3]", "[1,2,3]"},
           {"[::9223372036854775807]", "[1,2,3]", "[1]"},
           {"[::-9223372036854775808]", "[1,2,3]", "[3]"},
           {"[::-1]", "[1,2,3]", "[3,2,1]"},
           {"[::2]", "[1,2,3]", "[1,3]"},
           {"[2:0:-2]", "[1,2,3]", "[3]"},
           {"[::-1]", "[]", "[]"},
           {"[-9223372036854775808]", "[1]", "null"},
           {"[-0]", "[1]", "1"},
       }) {
    EXPECT_EQ(Answer(row.query, row.given), row.answer) << row.query;
  }
}

TEST(JmesPathTest, OrderIsByCodePointsAndStable) {
  for (const Row& row : {
           Row{"sort(@)", "[\"b\", \"\xc3\xa4\", \"a\", \"\xf0\x9f\x98\x80\", \"\xef\xbf\xbd\"]",
               "[\"a\",\"b\",\"\xc3\xa4\",\"\xef\xbf\xbd\",\"\xf0\x9f\x98\x80\"]"},
           {"sort_by(@, &a)[].b", "[{\"a\":1,\"b\":1},{\"a\":0,\"b\":2},{\"a\":1.0,\"b\":3}]",
            "[2,1,3]"},
           {"max_by(@, &a).b", "[{\"a\":1,\"b\":1},{\"a\":1,\"b\":2}]", "1"},
           {"min_by(@, &a).b", "[{\"a\":1,\"b\":1},{\"a\":1,\"b\":2}]", "1"},
           {"sort_by(@, &a)", "[{\"a\":1},{\"a\":\"1\"}]", "invalid-type@0"},
           {"sort(@)", "[1, \"1\"]", "invalid-type@0"},
           {"reverse(@)", "\"a\xc3\xa4\xf0\x9f\x98\x80\"",
            "\"\xf0\x9f\x98\x80\xc3\xa4"
            "a\""},
           {"length(@)", "\"a\xc3\xa4\xf0\x9f\x98\x80\"", "3"},
           {"{b: a, a: b, b: @.b}", "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":2}"},
       }) {
    EXPECT_EQ(Answer(row.query, row.given), row.answer) << row.query << " on " << row.given;
  }
}

TEST(JmesPathTest, RawStringsEscapeOnlyTheirQuote) {
  EXPECT_EQ(Answer(R"('\\windows\system32')", "0"), R"("\\\\windows\\system32")");
  EXPECT_EQ(Answer(R"('it\'s')", "0"), R"("it's")");
  EXPECT_EQ(Answer(R"(`"a\`b\\"`)", "0"), R"("a`b\\")");
}

TEST(JmesPathTest, A84_TextThatIsNotUtf8EqualsItselfAlone) {
  const auto compiled = Expression::Compile("equals_ignore_case([0], [1])", Dialect::kPolicy);
  const auto same = [&compiled](absl::string_view a, absl::string_view b) {
    json::Arena arena;
    json::Budget budget;
    const json::Value given =
        json::MakeArray({json::Value::String(a), json::Value::String(b)}, arena);
    const auto result = Evaluate(std::get<Expression>(compiled), given, arena, budget);
    return std::get<json::Value>(result).is_true();
  };
  EXPECT_TRUE(same("a\xc4", "A\xc4"));
  EXPECT_FALSE(same("\xc4", "\xe4"));
  EXPECT_FALSE(same("\xc4", "\xc3\x84"));
  EXPECT_FALSE(same("\xc4\xc4", "\xc4"));
}

// Counts the objects that it makes.
class Counter : public json::ObjectSource {
 public:
  absl::Span<const json::Member> MakeMembers(uint64_t key, json::Arena& arena) const override {
    ++made_;
    json::ObjectBuilder object(arena);
    object.Add("Key", json::Value::Integer(static_cast<int64_t>(key)));
    return object.FinishMembers();
  }
  int made() const { return made_; }

 private:
  mutable int made_ = 0;
};

TEST(JmesPathTest, OnlyObjectsThatTheQueryLooksIntoAreMade) {
  json::Arena arena;
  const Counter source;
  json::ArrayBuilder events(arena);
  for (uint64_t at = 0; at < 10; ++at) {
    json::ObjectBuilder event(arena);
    event.Add("Pcr", json::Value::Integer(static_cast<int64_t>(at)));
    event.Add("Data", json::Value::Deferred(source, at, arena));
    events.Add(event.Finish());
  }
  const auto compiled =
      Expression::Compile("[?Data != null && Pcr > `6`].Data.Key | [1]", Dialect::kPolicy);
  json::Budget budget;
  const auto result = Evaluate(std::get<Expression>(compiled), events.Finish(), arena, budget);
  EXPECT_EQ(std::get<json::Value>(result).integer(), 8);
  EXPECT_EQ(source.made(), 3);
}

TEST(JmesPathTest, FieldNamesAreThoseLookedUp) {
  const auto compiled = Expression::Compile(
      "Events[?PcrIndex == `7` && ProcessedData.\"Unicode Name\" == true].{x: EventSeq, y: Events}",
      Dialect::kPolicy);
  EXPECT_THAT(std::get<Expression>(compiled).FieldNames(),
              ElementsAre("EventSeq", "Events", "PcrIndex", "ProcessedData", "Unicode Name"));
}

TEST(JmesPathTest, ThePositionIsShownByACaret) {
  EXPECT_EQ(MarkPosition("a b", 2), "a b\n  ^");
  EXPECT_EQ(MarkPosition("\xc3\xa4\tb", 3), "\xc3\xa4 b\n  ^");
  EXPECT_EQ(MarkPosition("a\nbc\nd", 3), "bc\n ^");
  EXPECT_EQ(MarkPosition("a\xff\x1b", 3), "a? \n   ^");
  EXPECT_EQ(MarkPosition("", 0), "\n^");
  EXPECT_EQ(MarkPosition(std::string(200, 'x'), 100),
            "..." + std::string(100, 'x') + "...\n" + std::string(63, ' ') + "^");
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy::jmespath

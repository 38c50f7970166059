// Queries and documents made to hurt end in an error within the budget.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/parse.h"
#include "gatekeeper/policy/jmespath/expression.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

constexpr int64_t kSteps = 200'000;
constexpr int64_t kBytes = 4 << 20;

std::string Repeat(absl::string_view part, int times, absl::string_view between = "") {
  return absl::StrJoin(std::vector<absl::string_view>(static_cast<size_t>(times), part), between);
}

std::string Outcome(absl::string_view query, const json::Value& given) {
  const auto compiled = Expression::Compile(query, Dialect::kPolicy);
  if (const auto* error = std::get_if<Error>(&compiled)) return std::string(Name(error->kind));
  json::Arena arena;
  json::Budget budget(kSteps, kBytes);
  const auto result = Evaluate(std::get<Expression>(compiled), given, arena, budget);
  if (const auto* error = std::get_if<Error>(&result)) {
    EXPECT_TRUE(error->kind != ErrorKind::kBudget || budget.spent() || arena.exhausted());
    return std::string(Name(error->kind));
  }
  const auto text = json::CanonicalText(std::get<json::Value>(result), budget);
  return text ? "result" : "long text";
}

std::string OutcomeOn(absl::string_view query, absl::string_view document) {
  json::Arena arena;
  const auto given = json::Parse(document, arena);
  return given.ok() ? Outcome(query, *given) : "bad document";
}

std::string Numbers(int count) {
  std::vector<int> numbers;
  for (int at = 0; at < count; ++at) numbers.push_back(at * 7919 % count);
  return absl::StrCat("[", absl::StrJoin(numbers, ","), "]");
}

struct Bomb {
  const char* name;
  std::string query;
  std::string document;
  const char* outcome;
};
void PrintTo(const Bomb& row, std::ostream* out) { *out << row.name; }

class HostileTest : public ::testing::TestWithParam<Bomb> {};

TEST_P(HostileTest, A84_EndsWithinTheBudget) {
  EXPECT_EQ(OutcomeOn(GetParam().query, GetParam().document), GetParam().outcome);
}

INSTANTIATE_TEST_SUITE_P(
    Bombs, HostileTest,
    ::testing::Values(
        Bomb{"DoublingPrinted", Repeat("[@,@]", 40, "|"), "0", "long text"},
        Bomb{"DoublingToString", Repeat("[@,@]", 40, "|") + "|to_string(@)", "0", "budget"},
        Bomb{"DoublingText", "'x' | " + Repeat("[@,@]|join('',@)", 60, "|"), "0", "budget"},
        Bomb{"DoublingFlattened", "[@] | " + Repeat("[@,@]|[]", 60, "|"), "0", "budget"},
        Bomb{"DoublingCompared",
             absl::StrCat("[", Repeat("[@,@]", 40, "|"), ",", Repeat("[@,@]", 40, "|"),
                          "] | [0] == [1]"),
             "0", "budget"},
        Bomb{"DoublingInHashes", Repeat("{a:@,b:@}", 40, "|") + "|to_string(@)", "0", "budget"},
        Bomb{"Merged", Repeat("merge({a:@}, {b:@})", 40, "|"), "{}", "long text"},
        Bomb{"Quadratic", "@[?contains(`" + Numbers(2000) + "`, @)]", Numbers(2000), "budget"},
        Bomb{"SortedOften", Repeat("sort(@)", 100, "|"), Numbers(5000), "budget"},
        Bomb{"LongSearch", "[*].contains('" + std::string(20'000, 'a') + "b', 'aaaaaaab')",
             Numbers(2000), "budget"},
        Bomb{"LongNames", "[" + Repeat("@", 2000, ",") + "] | [*]." + std::string(50'000, 'x'),
             "{\"" + std::string(49'999, 'x') + "y\": 1}", "budget"},
        Bomb{"LongNumbers", "[*][?@ > `" + std::string(50'000, '1') + "`]",
             "[[" + Repeat(std::string(50'000, '1'), 400, ",") + "]]", "budget"},
        Bomb{"LongEqualNumbers", "[*][?@ == `" + std::string(50'000, '1') + "`]",
             "[[" + Repeat(std::string(50'000, '1'), 400, ",") + "]]", "budget"},
        Bomb{"LongChain", "a" + Repeat(".a", 30'000), "{}", "result"},
        Bomb{"LongPipe", "a" + Repeat("|a", 30'000), "{}", "result"},
        Bomb{"LongOr", "a" + Repeat("||a", 30'000), "{}", "result"},
        Bomb{"DeepParens", Repeat("(", 30'000), "{}", "syntax"},
        Bomb{"DeepBrackets", Repeat("[", 30'000) + "a", "{}", "syntax"},
        Bomb{"DeepNot", Repeat("!", 30'000) + "a", "{}", "syntax"},
        Bomb{"DeepProjections", "a" + Repeat("[*]", 30'000), "{}", "syntax"},
        Bomb{"DeepFlatten", "a" + Repeat("[]", 30'000), "{}", "syntax"},
        Bomb{"DeepCompare", "a" + Repeat("==a", 30'000), "{}", "syntax"},
        Bomb{"DeepFilters", Repeat("[?", 30'000), "{}", "syntax"},
        Bomb{"DeepLiteral", "`" + Repeat("[", 30'000) + "`", "{}", "syntax"},
        Bomb{"AllowedNesting", Repeat("(", 60) + "a" + Repeat(")", 60), "{}", "result"},
        Bomb{"WideHash", "{" + Repeat("a:b", 30'000, ",") + "}", "{}", "result"},
        Bomb{"HugeNumbers", "sum([*])", "[" + std::string(400, '9') + "]", "invalid-value"},
        Bomb{"DeepResult", Repeat("[@]", 20'000, "|"), "0", "result"}),
    [](const auto& row) { return std::string(row.param.name); });

// As many events as the largest boot and IMA logs have together.
std::string Events(int count) {
  std::vector<std::string> events;
  for (int at = 0; at < count; ++at) {
    events.push_back(absl::StrCat("{\"EventSeq\":", at, ",\"PcrIndex\":10,\"ProcessedData\":{}}"));
  }
  return absl::StrCat("{\"Events\":[", absl::StrJoin(events, ","), "]}");
}

TEST(HostileQueryTest, A84_OnTheLongestLogQueriesEndInTheBudget) {
  const std::string text = Events(65536);
  json::Arena arena;
  const auto events = json::Parse(text, arena);
  ASSERT_TRUE(events.ok()) << events.status();
  for (const char* query : {
           "Events[?PcrIndex == `10` && ProcessedData.A == null && EventSeq > `5`] | length(@)",
           "sort_by(Events, &EventSeq)",
           "[Events, Events, Events, Events] | [] | []",
           "map(&to_string(@), Events)",
           "join('', Events[].to_string(@))",
           "Events[].[@, @].[@, @] | [] | to_string(@)",
       }) {
    EXPECT_EQ(Outcome(query, *events), "budget") << query;
  }
}

TEST(HostileQueryTest, TooLongAQueryIsRefused) {
  const auto compiled = Expression::Compile(std::string(kMaxQueryBytes + 1, 'a'), Dialect::kPolicy);
  EXPECT_EQ(std::get<Error>(compiled).kind, ErrorKind::kSyntax);
}

TEST(HostileQueryTest, ASmallArenaEndsTheEvaluation) {
  const auto compiled = Expression::Compile("[@,@,@,@,@,@,@,@]", Dialect::kPolicy);
  json::Arena arena(64);
  json::Budget budget;
  const auto result =
      Evaluate(std::get<Expression>(compiled), json::Value::Bool(true), arena, budget);
  ASSERT_TRUE(std::holds_alternative<Error>(result));
  EXPECT_EQ(std::get<Error>(result).kind, ErrorKind::kBudget);
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy::jmespath

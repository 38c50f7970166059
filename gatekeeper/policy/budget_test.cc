// A84: whatever a policy and evidence hold, an evaluation ends within its budget, and never as a
// permit.
//
// Time is CPU time of this thread. The promise of 100 ms is for builds without sanitizers; under
// them the same work takes several times as long, and only the outcome is checked.
#include <time.h>

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/sanitizer.h"
#include "gatekeeper/json/value.h"
#include "gatekeeper/policy/limits.h"
#include "gatekeeper/policy/test_policies.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

constexpr int64_t kMaxMilliseconds = 100;
constexpr int64_t kManyEvents = 65'536;
constexpr int64_t kLongLog = 20'000;  // entries of an IMA list that a busy server has

#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)
constexpr bool kThreadSanitizer = __has_feature(thread_sanitizer);
#else
constexpr bool kThreadSanitizer = false;
#endif
constexpr bool kSanitized = testing::kAddressSanitizer || kThreadSanitizer;

int64_t CpuMilliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// A log of many entries, as a document.
Document Events(int64_t count = kManyEvents) {
  return {"events", Issuer::kAttestationService, false, [count](json::Arena& arena) {
            json::ArrayBuilder events(arena);
            for (int64_t seq = 0; seq < count; ++seq) {
              json::ObjectBuilder event(arena);
              event.Add("EventSeq", json::Value::Integer(seq));
              event.Add("PcrIndex", json::Value::Integer(seq % 24));
              event.Add("EventTypeString", json::Value::String("IMA_MEASUREMENT_EVENT"));
              events.Add(event.Finish());
            }
            json::ObjectBuilder root(arena);
            root.Add("Events", events.Finish());
            return root.Finish();
          }};
}

// The evaluation alone: what a document costs to make is its maker's affair.
struct Hostile {
  std::string name, rules;
  std::vector<Claim> claims;
  bool with_events = false;
};
void PrintTo(const Hostile& row, std::ostream* os) { *os << row.name; }

std::string Repeated(absl::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out.append(text.data(), text.size());
  return out;
}

std::string Query(absl::string_view query) {
  return absl::StrCat("c:[type==\"events\"] => issue(type=\"x\", value=JmesPath(c.value, \"", query,
                      "\"));");
}

std::vector<Hostile> HostileRows() {
  std::string many_rules;
  for (int i = 0; i < 200; ++i) many_rules += Query(absl::StrCat("Events[?EventSeq > `", i, "`]"));
  std::string doubling = "=> add(type=\"t0\", value=\"0123456789\");\n";
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&doubling, "c:[type==\"t", i, "\"] => add(type=\"t", i + 1,
                    "\", value=AppendString(c.value, c.value));");
  }
  std::string nested_json = "=> add(type=\"n0\", value=\"[1,2]\");";
  for (int i = 0; i < 60; ++i) {
    absl::StrAppend(&nested_json, "c:[type==\"n", i, "\"] => add(type=\"n", i + 1,
                    "\", value=JmesPath(c.value, \"[@,@,@,@]\"));");
  }
  nested_json += "c:[type==\"n60\"] => issue(type=\"out\", value=c.value);";
  std::string conditions = "[type==\"a\"]";
  for (int i = 0; i < 300; ++i) conditions += "&&[value==true]";
  const std::string big = absl::StrCat("[", Repeated("1,", 2'000'000), "1]");
  return {
      {"NestedFilters",
       Query(absl::StrCat("Events[?length([@, @]) > `0`]", Repeated(".[@] | []", 8))),
       {},
       true},
      {"QuadraticFilter",
       Query("Events[?contains(map(&EventSeq, [@,@,@,@,@,@,@,@]), `1`)]"),
       {},
       true},
      {"Products", Query("Events[].[@,@,@,@,@,@,@,@][].[@,@,@,@,@,@,@,@][].EventSeq"), {}, true},
      {"SortAndReverse",
       Query("reverse(sort_by(Events, &EventTypeString))[*].EventSeq | sort(@) | "
             "reverse(@) | sort(@) | map(&to_string(@), @) | join('', @)"),
       {},
       true},
      {"Flattening", Query(absl::StrCat("Events", Repeated(" | [@,@][]", 40))), {}, true},
      {"ManyRules", many_rules, {}, true},
      {"TheWholeTextAgainAndAgain",
       Query("map(&to_string(@), Events) | join(',', @) | [@,@,@,@,@,@,@,@] | join(',', @) | "
             "[@,@,@,@,@,@,@,@] | join(',', @)"),
       {},
       true},
      {"DoublingText", doubling, {}, false},
      {"DoublingJson", nested_json, {}, false},
      {"ManyConditions", absl::StrCat(conditions, " => issue(type=\"x\", value=1);"),
       std::vector<Claim>(20'000, Proven("a", true)), false},
      {"AHugeText",
       "c:[type==\"j\"] => issue(type=\"x\", value=JmesPath(c.value, \"length(@)\"));",
       {Proven("j", big)},
       false},
      {"DeepNesting",
       "c:[type==\"j\"] => issue(type=\"x\", value=JmesPath(c.value, \"@\"));",
       {Proven("j", std::string(500'000, '['))},
       false},
      {"AHugeQuery",
       "c:[type==\"j\"] => issue(type=\"x\", value=JmesPath(\"{}\", c.value));",
       {Proven("j", Repeated("a|", 4'000'000) + "a")},
       false},
  };
}

class A84_HostileTest : public ::testing::TestWithParam<Hostile> {};

TEST_P(A84_HostileTest, EndsInTheBudgetAndNotInAPermit) {
  const Hostile& row = GetParam();
  const Policy policy = ReadOrThrow(Issuing(row.rules));
  json::Arena arena;
  json::Value events;
  std::vector<Document> documents;
  if (row.with_events) {
    events = Events().make(arena);
    documents.push_back(
        {"events", Issuer::kAttestationService, false, [&events](json::Arena&) { return events; }});
  }
  const int64_t before = CpuMilliseconds();
  const Evaluation evaluation = Evaluate(policy, {.claims = row.claims, .documents = documents});
  const int64_t spent = CpuMilliseconds() - before;
  EXPECT_EQ(evaluation.decision, Decision::kError);
  EXPECT_EQ(evaluation.error_kind, kLimitKind);
  RecordProperty("milliseconds", static_cast<int>(spent));
  if (!kSanitized) {
    EXPECT_LT(spent, kMaxMilliseconds);
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, A84_HostileTest, ::testing::ValuesIn(HostileRows()),
                         [](const auto& row) { return row.param.name; });

TEST(A84_BudgetTest, AQuestionToAVeryLongLogFits) {
  const Policy policy = ReadOrThrow(
      Issuing(Query("Events[?EventTypeString == 'IMA_MEASUREMENT_EVENT'] | length(@)")));
  const std::vector<Document> documents = {Events()};
  const Evaluation evaluation = Evaluate(policy, {.claims = {}, .documents = documents});
  EXPECT_EQ(OutcomeOf(evaluation), "permit");
  EXPECT_EQ(evaluation.outgoing.at(0).value, ClaimValue("65536"));
}

TEST(A84_BudgetTest, ThePublishedLinuxPolicyFitsTheLogOfABusyServer) {
  const Policy policy = ReadOrThrow(
      ReadTextFile(testing::CorpusPath("policies/seed-3-linux-ima.txt"), 1 << 20).value());
  const std::vector<Claim> claims = {Proven("aikValidated", true)};
  const std::vector<Document> documents = {Events(kLongLog)};
  EXPECT_EQ(OutcomeOf(Evaluate(policy, {.claims = claims, .documents = documents})), "permit");
}

TEST(A84_BudgetTest, AsMuchTextAsIsReadIsReadInTime) {
  const Policy policy = ReadOrThrow(
      Issuing("c:[type==\"j\"] => issue(type=\"x\", value=JmesPath(c.value, \"type(@)\"));"));
  constexpr int kElements = kMaxSteps / (2 * kStepsPerParsedValue);
  constexpr size_t kLength = kMaxSteps * kParsedBytesPerStep / 2;
  for (const std::string& text : {absl::StrCat("[", Repeated("1,", kElements), "1]"),
                                  absl::StrCat("\"", std::string(kLength, 'x'), "\"")}) {
    const int64_t before = CpuMilliseconds();
    const Evaluation evaluation = Evaluate(policy, {Proven("j", text)});
    const int64_t spent = CpuMilliseconds() - before;
    EXPECT_EQ(OutcomeOf(evaluation), "permit");
    if (!kSanitized) {
      EXPECT_LT(spent, kMaxMilliseconds);
    }
  }
}

struct OddJson {
  const char *json, *outcome;
};
TEST(A84_BudgetTest, OddJsonHasADefinedEnd) {
  for (const OddJson& row : {
           OddJson{"\"\xff\"", "error json 2"},
           {"\"\\ud800\"", "error json 2"},
           {"", "error json 2"},
           {"{\"a\":1}x", "error json 2"},
           {"1e999999999999", "error overflow 2"},
           {"{\"a\":123456789012345678901234567890}", "permit"},
           {"{\"a\":1,\"a\":2}", "permit"},
       }) {
    EXPECT_EQ(OutcomeOf(Evaluate(
                  ReadOrThrow(Issuing(
                      "c:[type==\"j\"] => issue(type=\"x\", value=JmesPath(c.value, \"a\"));")),
                  {Proven("j", row.json)})),
              row.outcome)
        << row.json;
  }
}

TEST(A84_BudgetTest, WhatIsNotUtf8InAComparisonIsNeitherEqualNorAnError) {
  const Policy policy = ReadOrThrow(Issuing(
      "c:[type==\"bad\"] => issue(type=\"same\", value=ContainsOnlyValue(c.value, \"\u00ff\"));"
      "c:[type==\"bad\"] => issue(type=\"more\", value=AppendString(c.value, \"x\"));"));
  const Evaluation evaluation = Evaluate(policy, {Proven("bad", "\xff")});
  EXPECT_EQ(OutcomeOf(evaluation), "permit");
  EXPECT_EQ(evaluation.outgoing.at(0).value, ClaimValue(false));
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy

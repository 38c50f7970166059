// The official JMESPath suite, in both dialects.
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/testing/corpus.h"
#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/compare.h"
#include "gatekeeper/json/parse.h"
#include "gatekeeper/policy/jmespath/expression.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

constexpr size_t kCases = 892;  // with a result or an error; the README of the suite says so

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string Text(const json::Value& value) {
  json::Budget budget;
  return json::CanonicalText(value, budget).value_or("too much");
}

class SuiteTest : public ::testing::TestWithParam<Dialect> {
 protected:
  // The result, or the name of the error.
  std::variant<json::Value, std::string> Outcome(absl::string_view query,
                                                 const json::Value& given) {
    const auto compiled = Expression::Compile(query, GetParam());
    if (const auto* error = std::get_if<Error>(&compiled)) return std::string(Name(error->kind));
    const Expression& expression = kept_.emplace_back(std::get<Expression>(compiled));
    ExpectPrints(expression);
    const auto result = Evaluate(expression, given, arena_, budget_);
    if (const auto* error = std::get_if<Error>(&result)) return std::string(Name(error->kind));
    return std::get<json::Value>(result);
  }

  void ExpectPrints(const Expression& expression) {
    const std::string text = Print(expression);
    const auto again = Expression::Compile(text, GetParam());
    ASSERT_TRUE(std::holds_alternative<Expression>(again)) << expression.text() << " as " << text;
    EXPECT_TRUE(SameTree(expression, std::get<Expression>(again)))
        << expression.text() << " as " << text;
  }

  void RunCase(const json::Value& test, const json::Value& given) {
    const std::string query(test.Find("expression")->text());
    const auto outcome = Outcome(query, given);
    const auto* error = std::get_if<std::string>(&outcome);
    if (const json::Value* expected = test.Find("error")) {
      EXPECT_EQ(error == nullptr ? "" : *error, std::string(expected->text())) << query;
      return;
    }
    ASSERT_EQ(error, nullptr) << query << ": " << *error;
    const json::Value& result = *test.Find("result");
    const auto& value = std::get<json::Value>(outcome);
    EXPECT_EQ(json::Equal(value, result, budget_), true)
        << query << "\n  gives " << Text(value) << "\n  not   " << Text(result);
  }

  std::deque<Expression> kept_;  // results borrow them
  json::Arena arena_;
  json::Budget budget_{int64_t{1} << 40};
};

TEST_P(SuiteTest, EveryCaseHasItsResultOrError) {
  size_t cases = 0;
  const std::filesystem::path folder =
      std::filesystem::path(testing::SourcePath("tests/corpus/jmespath"));
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json" || entry.path().filename() == "schema.json") continue;
    const std::string text = ReadText(entry.path());
    const auto suites = json::Parse(arena_.Keep(text), arena_);
    ASSERT_TRUE(suites.ok()) << entry.path() << suites.status();
    for (const json::Value& suite : suites->items()) {
      for (const json::Value& test : suite.Find("cases")->items()) {
        if (test.Find("bench") != nullptr) continue;
        SCOPED_TRACE(entry.path().filename().string());
        RunCase(test, *suite.Find("given"));
        ++cases;
      }
    }
  }
  EXPECT_EQ(cases, kCases);
}

INSTANTIATE_TEST_SUITE_P(Dialects, SuiteTest,
                         ::testing::Values(Dialect::kStandard, Dialect::kPolicy),
                         [](const auto& row) {
                           return row.param == Dialect::kPolicy ? "Policy" : "Standard";
                         });

}  // namespace
}  // namespace bootgate::gatekeeper::policy::jmespath

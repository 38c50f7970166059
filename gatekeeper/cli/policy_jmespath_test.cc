#include "gatekeeper/cli/policy_jmespath.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::cli {
namespace {

struct Answer {
  ExitCode code;
  std::string out;
  std::string err;
};

Answer Query(const std::string& query, const std::string& input,
             OutputFormat format = OutputFormat::kJson, const std::string& dialect = "policy") {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const ExitCode code = PolicyJmesPath({query, dialect}, format, in, out, err);
  return {code, out.str(), err.str()};
}

constexpr char kEvents[] = R"({"Events": [{"PcrIndex": 7, "Name": "db"}, {"PcrIndex": 4}]})";

TEST(PolicyJmesPathTest, JsonOutputIsWhatAPolicyWouldGet) {
  const Answer run = Query("Events[?PcrIndex == `7`].Name | [0]", kEvents);
  EXPECT_EQ(run.code, ExitCode::kSuccess);
  EXPECT_EQ(run.out, "\"db\"\n");
  EXPECT_EQ(Query("missing", kEvents).out, "null\n");
}

TEST(PolicyJmesPathTest, PeopleGetOneElementALine) {
  EXPECT_EQ(Query("Events[].PcrIndex", kEvents, OutputFormat::kTable).out, "[\n  7,\n  4\n]\n");
}

TEST(PolicyJmesPathTest, TheDialectIsChosen) {
  EXPECT_EQ(Query("[] | @ != null", "[]").out, "null\n");
  EXPECT_EQ(Query("[] | @ != `null`", "[]", OutputFormat::kJson, "standard").out, "true\n");
}

TEST(PolicyJmesPathTest, ErrorsInTheQueryHaveACaret) {
  const Answer run = Query("Events[?PcrIndex = `7`]", kEvents);
  EXPECT_EQ(run.code, ExitCode::kUsage);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err,
            "error: syntax: a character that has no meaning here\n"
            "  Events[?PcrIndex = `7`]\n"
            "                   ^\n");
}

TEST(PolicyJmesPathTest, AQueryThatFailsOnTheInputSaysWhereAndWhy) {
  const Answer run = Query("Events | sum(@)", kEvents);
  EXPECT_EQ(run.code, ExitCode::kRejected);
  EXPECT_EQ(run.err,
            "error: invalid-type: sum takes an array of numbers as argument 1, here is an array "
            "with others\n"
            "  Events | sum(@)\n"
            "           ^\n");
}

TEST(PolicyJmesPathTest, InputThatIsNoJsonIsRefused) {
  const Answer run = Query("a", "{\"a\": 1,}");
  EXPECT_EQ(run.code, ExitCode::kRejected);
  EXPECT_EQ(run.err, "error: standard input: no JSON: no member name at offset 8\n");
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli

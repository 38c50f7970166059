#include "gatekeeper/policy/json_value.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

// "VALUETYPE:VALUE," for each value, or the kind of the failure.
std::string Read(absl::string_view text) {
  Workspace workspace;
  StringValue string(text);
  const auto json = string.Json(workspace);
  if (const auto* failure = std::get_if<Failure>(&json)) return failure->kind;
  const Computed computed = ValuesFromJson(std::get<json::Value>(json), workspace);
  if (const auto* failure = std::get_if<Failure>(&computed)) return failure->kind;
  std::string out;
  for (const Value& value : std::get<Values>(computed)) {
    absl::StrAppend(&out, TypeNameOf(value.held), ":",
                    DisplayText(ClaimValueOf(value.held, workspace).value()), ",");
  }
  return out;
}

struct Row {
  std::string json;
  const char* result;
};

TEST(JsonValueTest, ReadsScalarsAndFlatArraysAndNothingElse) {
  for (const Row& row : {
           Row{"true", "Boolean:true,"},
           {" false ", "Boolean:false,"},
           {"\"a\\u0062\\n\"", "String:ab\\x0a,"},
           {"[]", ""},
           {"null", ""},
           {"[null, 1, null, 1]", "Integer:1,Integer:1,"},
           {"[0, \"abc\", true]", "Integer:0,String:abc,Boolean:true,"},
           {"{}", "type"},
           {"[{}]", "type"},
           {"[[]]", "type"},
           {"1.5", "type"},
           {"", "json"},
           {"abc", "json"},
           {"[1", "json"},
           {"[[1] 2", "json"},
           {"1 2", "json"},
           {"'a'", "json"},
           {"01", "json"},
           {"\"\xff\"", "json"},
           {"\"\\ud800\"", "json"},
           {"// x\n1", "json"},
       }) {
    EXPECT_EQ(Read(row.json), row.result) << row.json;
  }
}

TEST(JsonValueTest, WholeNumbersAreExactHoweverTheyAreWritten) {
  for (const Row& row : {
           Row{"3.0", "Integer:3,"},
           {"1e3", "Integer:1000,"},
           {"-0", "Integer:0,"},
           {"-0.0e5", "Integer:0,"},
           {"1.25e2", "Integer:125,"},
           {"1.25e1", "type"},
           {"100e-2", "Integer:1,"},
           {"9007199254740993.0", "Integer:9007199254740993,"},
           {"9223372036854775807", "Integer:9223372036854775807,"},
           {"-9223372036854775808", "Integer:-9223372036854775808,"},
           {"9223372036854775808", "overflow"},
           {"-9223372036854775809", "overflow"},
           {"18446744073709551616", "overflow"},
           {"1e19", "overflow"},
           {"1e400", "overflow"},
           {"1e99999999999999999999", "overflow"},
           {"1e-99999999999999999999", "Integer:0,"},  // as the nearest double
           {"0e99999999999999999999", "Integer:0,"},
       }) {
    EXPECT_EQ(Read(row.json), row.result) << row.json;
  }
}

TEST(JsonValueTest, DeepNestingNeitherRecursesNorPasses) {
  const std::string deep(1'000'000, '[');
  EXPECT_EQ(Read(deep), "limit");
  EXPECT_EQ(Read(deep + std::string(1'000'000, ']')), "limit");
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy

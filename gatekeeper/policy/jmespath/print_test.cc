#include "gatekeeper/policy/jmespath/expression.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

std::string Printed(absl::string_view query, Dialect dialect = Dialect::kPolicy) {
  const auto compiled = Expression::Compile(query, dialect);
  if (const auto* error = std::get_if<Error>(&compiled)) return error->message;
  return Print(std::get<Expression>(compiled));
}

struct Row {
  const char* query;
  const char* printed;
};

class PrintTest : public ::testing::TestWithParam<Row> {};

TEST_P(PrintTest, IsReadBackToTheSameTree) {
  const std::string printed = Printed(GetParam().query);
  EXPECT_EQ(printed, GetParam().printed);
  const auto first = Expression::Compile(GetParam().query, Dialect::kPolicy);
  const auto again = Expression::Compile(printed, Dialect::kPolicy);
  ASSERT_TRUE(std::holds_alternative<Expression>(again)) << std::get<Error>(again).message;
  EXPECT_TRUE(SameTree(std::get<Expression>(first), std::get<Expression>(again)));
}

INSTANTIATE_TEST_SUITE_P(
    Queries, PrintTest,
    ::testing::Values(
        Row{"@", "@"}, Row{"a.b.c", "a.b.c"}, Row{"a . \"b c\" [ 0 ]", "a.\"b c\"[0]"},
        Row{"[0][1].a", "[0][1].a"}, Row{"@[0]", "@[0]"}, Row{"@.a", "@.a"},
        Row{"a[*].b[*].c", "a[*].b[*].c"}, Row{"(a[*].b)[0]", "(a[*].b)[0]"},
        Row{"(a[*])[*].b", "(a[*])[*].b"}, Row{"a[*].b[].c[]", "a[*].b[].c[]"}, Row{"[].a", "[].a"},
        Row{"[][]", "[][]"}, Row{"*.a.*", "*.a.*"}, Row{"@.*", "*"}, Row{"a.*.b", "a.*.b"},
        Row{"a[*].*", "a[*].*"}, Row{"a[*][*]", "a[*][*]"}, Row{"a[*][0]", "a[*][0]"},
        Row{"a[*][1:2].c", "a[*][1:2].c"}, Row{"a[:].b", "a[:].b"}, Row{"[::-1]", "[::-1]"},
        Row{"(a[0:1])[*]", "(a[0:1])[*]"},
        Row{"[?a == `1` && b].c | [0]", "[?a == `1` && b].c | [0]"}, Row{"a[?b][?c]", "a[?b][?c]"},
        Row{"a[*].[b, c].{d: e}", "a[*].[b, c].{d: e}"}, Row{"!a.b", "(!a).b"},
        Row{"!(a.b)", "!(a.b)"}, Row{"!!a", "!(!a)"}, Row{"!a[0]", "!(a[0])"},
        Row{"a || b && c", "a || b && c"}, Row{"(a || b) && c", "(a || b) && c"},
        Row{"a || (b || c)", "a || (b || c)"}, Row{"a | (b | c)", "a | (b | c)"},
        Row{"a == (b == c)", "a == (b == c)"}, Row{"a == b == c", "(a == b) == c"},
        Row{"a == true", "a == `true`"}, Row{"a == \"true\"", "a == \"true\""},
        Row{"@ != null", "@ != `null`"}, Row{"a.true", "a.\"true\""},
        Row{"sort_by(a, &b.c)[0]", "sort_by(a, &b.c)[0]"}, Row{"a.length(@).b", "a.length(@).b"},
        Row{"map(&(a || b), @)", "map(&a || b, @)"}, Row{"'it\\'s'", "'it\\'s'"},
        Row{"'a\\b'", "`\"a\\\\b\"`"}, Row{"`\"a\\`\\n\"`", "`\"a\\`\\n\"`"},
        Row{"`{\"a\": [1.0, null]}`.a", "`{\"a\":[1,null]}`.a"},
        Row{"{\"a-b\": c, d: `1`}", "{\"a-b\": c, d: `1`}"}, Row{"(a.b)[*].c", "a.b[*].c"},
        Row{"(a || b).c", "(a || b).c"}, Row{"(a.b)[1:]", "(a.b)[1:]"}, Row{"a[]", "a[]"},
        Row{"(a[?b])[]", "a[?b][]"}, Row{"a[*].b.{c: d}.c", "a[*].b.{c: d}.c"}));

TEST(PrintTest, StandardDialectKeepsBareWordsAsNames) {
  EXPECT_EQ(Printed("a == true", Dialect::kStandard), "a == \"true\"");
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy::jmespath

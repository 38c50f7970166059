#include "common/config/config_file.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::config {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;

ConfigFile Parsed(const char* text) { return *ConfigFile::Parse(text, "f.toml"); }
std::string Complaints(ConfigFile& file) { return std::string(file.Finish().message()); }

TEST(ConfigFile, TakesWhatIsThereAndLeavesTheRest) {
  ConfigFile file = Parsed(
      "name = \"x\"\n[a]\nn = 3\nspan = \"90s\"\nlist = [\"p\", \"q\"]\non = true\nbits = [1, "
      "2]\n");
  std::string name, absent = "default";
  int64_t n = 0;
  absl::Duration span;
  std::vector<std::string> list;
  std::vector<int64_t> bits;
  bool on = false;
  file.Text("name", &name);
  file.Text("absent", &absent);
  file.Integer("a.n", 0, 9, &n);
  file.Span("a.span", absl::Seconds(1), absl::Hours(1), &span);
  file.Texts("a.list", &list);
  file.Flag("a.on", &on);
  file.Integers("a.bits", 0, 23, &bits);
  EXPECT_THAT(file.Finish(), IsOk());
  EXPECT_EQ(name, "x");
  EXPECT_EQ(absent, "default");
  EXPECT_EQ(n, 3);
  EXPECT_EQ(span, absl::Seconds(90));
  EXPECT_THAT(list, ::testing::ElementsAre("p", "q"));
  EXPECT_TRUE(on);
  EXPECT_THAT(bits, ::testing::ElementsAre(1, 2));
}

TEST(ConfigFile, TablesOfAnArrayAreReadOneByOne) {
  ConfigFile file = Parsed("[[hook]]\nname = \"a\"\n[[hook]]\nname = \"b\"\nn = 99\n");
  ASSERT_EQ(file.Tables("hook"), 2);
  EXPECT_EQ(file.Tables("absent"), 0);
  std::string first, second;
  int64_t n = 0;
  file.Text("hook[0].name", &first);
  file.Text("hook[1].name", &second);
  file.Integer("hook[1].n", 0, 9, &n);
  EXPECT_EQ(first + second, "ab");
  EXPECT_EQ(Complaints(file), "f.toml:5: hook[1].n: 99 is not between 0 and 9");
}

TEST(ConfigFile, UnknownKeysOfAnArraysTablesAreFound) {
  ConfigFile file = Parsed("[[hook]]\nname = \"a\"\nnaem = \"b\"\n");
  std::string name;
  ASSERT_EQ(file.Tables("hook"), 1);
  file.Text("hook[0].name", &name);
  EXPECT_THAT(Complaints(file), HasSubstr("f.toml:3: unknown key hook[0].naem; did you mean "));
}

TEST(ConfigFile, WhatIsNoArrayOfTablesIsSaid) {
  for (const char* const text : {"hook = 3\n", "hook = []\n", "hook = [1]\n", "[hook]\nn = 1\n"}) {
    ConfigFile file = Parsed(text);
    EXPECT_EQ(file.Tables("hook"), 0);
    EXPECT_THAT(Complaints(file), HasSubstr("hook: expected tables, each under [[hook]]")) << text;
  }
}

TEST(ConfigFile, UnknownKeyNamesTheNearest) {
  ConfigFile file = Parsed("[listen]\nagent = \"x\"\n");
  std::string value;
  file.Text("listen.agents", &value);
  EXPECT_THAT(Complaints(file),
              HasSubstr("f.toml:2: unknown key listen.agent; did you mean listen.agents?"));
}

TEST(ConfigFile, KeyUnderTheWrongHeadingIsFound) {
  ConfigFile file = Parsed("[ek]\nselektion = \"x\"\n");
  std::string value;
  file.Text("ek.mode", &value);
  file.Text("quote.selection", &value);
  EXPECT_THAT(Complaints(file), HasSubstr("did you mean quote.selection?"));
}

TEST(ConfigFile, WrongTypesAndRangesNameTheLine) {
  ConfigFile file = Parsed("text = 3\n\nnumber = 99\nspan = \"soon\"\nword = \"c\"\nlist = [1]\n");
  std::string text, word = "a";
  int64_t number = 1;
  absl::Duration span = absl::Seconds(5);
  std::vector<std::string> list;
  file.Text("text", &text);
  file.Integer("number", 0, 10, &number);
  file.Span("span", absl::Seconds(1), absl::Hours(1), &span);
  file.Choice("word", {"a", "b"}, &word);
  file.Texts("list", &list);
  const std::string complaints = Complaints(file);
  EXPECT_THAT(complaints, HasSubstr("f.toml:1: text: expected a text"));
  EXPECT_THAT(complaints, HasSubstr("f.toml:3: number: 99 is not between 0 and 10"));
  EXPECT_THAT(complaints, HasSubstr("f.toml:4: span: 'soon' is no time span"));
  EXPECT_THAT(complaints, HasSubstr("f.toml:5: word: 'c' is none of a, b"));
  EXPECT_THAT(complaints, HasSubstr("f.toml:6: list: expected a text"));
  EXPECT_EQ(number, 1);
  EXPECT_EQ(word, "a");
}

TEST(ConfigFile, BrokenTomlNamesLineAndColumn) {
  const absl::Status status = ConfigFile::Parse("a = \n", "f.toml").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("f.toml:1:"));
}

}  // namespace
}  // namespace bootgate::config

// Completion scripts, asked by the shells themselves where they are installed.
#include "gatekeeper/app/completion.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::app {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;

class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() : root_("a program") {
    std::string pattern = ::testing::TempDir() + "/completion.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    CLI::App* const host = root_.add_subcommand("host", "hosts; it's \"theirs\"");
    CLI::App* const list = host->add_subcommand("list", "all of $(them) `here`");
    list->add_option("-o,--output", text_, "table or json")
        ->check(CLI::IsMember({"table", "json"}));
    list->add_flag("--overdue", overdue_, "silent ones");
    host->add_subcommand("show", "one");
    root_.add_subcommand("whoami", "who");
  }

  // What bash offers for these words, the last of them unfinished.
  std::string Bash(const std::string& words) {
    const std::string script = folder_ + "/script";
    EXPECT_THAT(WriteFileAtomically(
                    script, AsBytes(CompletionScript(root_, "bootgate-x", Shell::kBash)), 0600),
                IsOk());
    const std::string command = absl::StrCat(
        "bash -c 'set -u; source ", script, "; COMP_WORDS=(bootgate-x ", words,
        "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _bootgate_x; echo \"${COMPREPLY[*]}\"' > ",
        folder_, "/out 2>&1");
    EXPECT_EQ(std::system(command.c_str()), 0);  // NOLINT(concurrency-mt-unsafe)
    return ReadTextFile(folder_ + "/out", 65536).value();
  }

  // True when the shell reads the script without complaint, or is not here.
  bool Parses(const std::string& shell, Shell kind) {
    const std::string script = folder_ + "/script." + shell;
    EXPECT_THAT(
        WriteFileAtomically(script, AsBytes(CompletionScript(root_, "bootgate-x", kind)), 0600),
        IsOk());
    const std::string command =
        absl::StrCat("! command -v ", shell, " > /dev/null || ", shell, " -n ", script);
    return std::system(command.c_str()) == 0;  // NOLINT(concurrency-mt-unsafe)
  }

  CLI::App root_;
  std::string text_, folder_;
  bool overdue_ = false;
};

TEST_F(CompletionTest, BashOffersVerbsOptionsAndWords) {
  EXPECT_EQ(Bash("\"\""), "host whoami\n");
  EXPECT_EQ(Bash("ho"), "host\n");
  EXPECT_EQ(Bash("host \"\""), "list show\n");
  EXPECT_EQ(Bash("host list --o"), "--output --overdue\n");
  EXPECT_EQ(Bash("host list -o \"\""), "table json\n");
  EXPECT_EQ(Bash("host list --output j"), "json\n");
  EXPECT_EQ(Bash("host show \"\""), "\n") << "the shell goes on with files";
}

TEST_F(CompletionTest, ScriptsAreGoodCode) {
  EXPECT_TRUE(Parses("bash", Shell::kBash));
  EXPECT_TRUE(Parses("zsh", Shell::kZsh));
  EXPECT_TRUE(Parses("fish", Shell::kFish));
}

TEST_F(CompletionTest, HelpTextsStayInTheirQuotes) {
  for (const Shell shell : {Shell::kZsh, Shell::kFish}) {
    const std::string script = CompletionScript(root_, "bootgate-x", shell);
    EXPECT_THAT(script, HasSubstr("it’s \"theirs\"'"));
    EXPECT_THAT(script, HasSubstr("all of $(them) `here`'"));
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::app

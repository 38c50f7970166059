#include "gatekeeper/claims/claim_names.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper {
namespace {

// Every row "| `a`, `b` | Kind | ..." of a page, by name.
std::map<std::string, std::string> KindsOnThePage() {
  constexpr size_t kMaxPage = size_t{1} << 20;
  const auto page = ReadFile(testing::SourcePath("docs/policies.md"), kMaxPage);
  std::map<std::string, std::string> kinds;
  for (const absl::string_view line : absl::StrSplit(AsText(page.value()), '\n')) {
    const std::vector<absl::string_view> cells = absl::StrSplit(line, '|');
    if (cells.size() < 4 || !absl::StartsWith(cells[1], " `")) continue;
    const absl::string_view kind = absl::StripAsciiWhitespace(cells[2]);
    for (const absl::string_view name : absl::StrSplit(cells[1], ", ")) {
      kinds.emplace(absl::StrReplaceAll(absl::StripAsciiWhitespace(name), {{"`", ""}}), kind);
    }
  }
  return kinds;
}

std::string KindText(const ClaimName& row) {
  std::string text(Name(row.kind));
  if (row.occurrence == Occurrence::kSeveral) text += ", several";
  return text;
}

TEST(ClaimNames, AreWhatTheDocumentationSays) {
  const std::map<std::string, std::string> page = KindsOnThePage();
  for (const ClaimName& row : ClaimNames()) {
    const auto on_page = page.find(std::string(row.name));
    ASSERT_NE(on_page, page.end()) << row.name << " is not in docs/policies.md";
    EXPECT_EQ(on_page->second, KindText(row)) << row.name;
  }
}

TEST(ClaimNames, ThePageNamesNoClaimThatIsNotInTheTable) {
  for (const auto& [name, kind] : KindsOnThePage()) {
    EXPECT_NE(FindClaimName(name), nullptr) << name << " is in docs/policies.md alone";
  }
}

// The sources of the rooms that make claims, without their tests.
std::vector<std::string> MakersOfClaims() {
  constexpr size_t kMaxSource = size_t{1} << 20;
  std::vector<std::string> texts;
  for (const char* room : {"appraisal", "admission", "judge"}) {
    const std::filesystem::path folder(absl::StrCat(testing::SourcePath("gatekeeper/"), room));
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
      const std::string path = file.path().string();
      if (absl::EndsWith(path, ".cc") && !absl::EndsWith(path, "_test.cc"))
        texts.push_back(ReadTextFile(path, kMaxSource).value());
    }
  }
  return texts;
}

TEST(ClaimNames, AreWhatTheCodeMakes) {
  const std::vector<std::string> texts = MakersOfClaims();
  ASSERT_GT(texts.size(), 20u);
  const std::regex made("(AddClaim|AddOnce|add_not)\\(\\s*\"([^\"]+)\"|\\.type = \"([^\"]+)\"");
  for (const std::string& text : texts) {
    for (std::sregex_iterator it(text.begin(), text.end(), made), end; it != end; ++it) {
      const std::string name = (*it)[2].matched ? (*it)[2].str() : (*it)[3].str();
      EXPECT_NE(FindClaimName(name), nullptr) << name << " is made and not in the table";
    }
  }
  for (const ClaimName& row : ClaimNames()) {
    const std::string literal = absl::StrCat("\"", row.name, "\"");
    EXPECT_TRUE(std::ranges::any_of(
        texts, [&](const std::string& text) { return absl::StrContains(text, literal); }))
        << row.name << " is in the table and made nowhere";
  }
}

TEST(ClaimNames, StandOnceAndHaveAMeaning) {
  std::set<absl::string_view> seen;
  for (const ClaimName& row : ClaimNames()) {
    EXPECT_TRUE(seen.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.meaning.empty()) << row.name;
    EXPECT_FALSE(absl::StartsWith(row.name, kCustomPrefix)) << row.name;
    EXPECT_EQ(FindClaimName(row.name), &row);
  }
  EXPECT_EQ(FindClaimName("secureboot"), nullptr);
}

}  // namespace
}  // namespace bootgate::gatekeeper

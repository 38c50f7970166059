// A25: nothing outside the configuration switches a check off: no environment variable, no field of
// a message. Reads the sources; a new use of either must be entered here, with its reason.
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::attack {
namespace {

// What the programs read from their environment, and why it weakens nothing.
const std::map<std::string, const char*>& AllowedVariables() {
  static const std::map<std::string, const char*> kAllowed = {
      {"SUDO_USER", "only the name in the audit trail, beside \"(root)\""},
      {"CREDENTIALS_DIRECTORY", "where systemd puts the passphrase of a CA key"},
      {"NOTIFY_SOCKET", "whom to tell that we are ready"},
      {"TSS2_LOG", "how loudly the TPM library logs"},
  };
  return kAllowed;
}

std::string Source(const std::string& path) { return ReadTextFile(path, 4 << 20).value_or(""); }

bool IsTestOnly(const std::string& path) {
  return absl::StrContains(path, "_test.") || absl::StrContains(path, "/testing/") ||
         absl::StrContains(path, "/soft_tpm/");
}

// The literal behind "getenv("; "?" where there is none.
std::string NameBehind(absl::string_view text, size_t at) {
  const size_t open = text.find_first_not_of(" \n", text.find('(', at) + 1);
  if (open == absl::string_view::npos || text[open] != '"') return "?";
  return std::string(text.substr(open + 1, text.find('"', open + 1) - open - 1));
}

// Every name given to getenv or secure_getenv, and where.
std::multimap<std::string, std::string> VariablesRead() {
  std::multimap<std::string, std::string> found;
  for (const char* const room : {"agent", "common", "gatekeeper", "pki"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(testing::SourcePath(room))) {
      const std::string path = entry.path().string();
      const bool is_source = absl::EndsWith(path, ".cc") || absl::EndsWith(path, ".h");
      if (!is_source || IsTestOnly(path)) continue;
      const std::string text = Source(path);
      for (size_t at = text.find("getenv("); at != std::string::npos;
           at = text.find("getenv(", at + 1)) {
        found.emplace(NameBehind(text, at), path);
      }
    }
  }
  return found;
}

TEST(HiddenSwitches, A25_EveryEnvironmentVariableIsKnownAndWeakensNothing) {
  const std::multimap<std::string, std::string> read = VariablesRead();
  EXPECT_FALSE(read.empty()) << "the scan finds SUDO_USER at least";
  for (const auto& [name, path] : read) {
    EXPECT_TRUE(AllowedVariables().contains(name)) << path << " reads " << name;
  }
}

// Words of a switch. "test_purpose" was a real one elsewhere.
TEST(HiddenSwitches, A25_NoMessageHasAFieldThatAsksForLess) {
  static const std::regex kField(R"((?:^|\n)\s*(?:repeated |optional )?[\w.]+ (\w+) = \d+)");
  const std::set<std::string> words = {"test",    "debug",   "skip",    "insecure", "unsafe",
                                       "allow",   "force",   "disable", "bypass",   "ignore",
                                       "trusted", "trustme", "verify",  "verified", "noverify",
                                       "dev",     "mock",    "fake"};
  // An operator's own word, with a reason, by a role of its own, in the audit trail.
  const std::set<std::string> operators_words = {"policies.proto: force", "admin.proto: force"};
  size_t fields = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(testing::SourcePath("proto"))) {
    const std::string path = entry.path().string();
    if (!absl::EndsWith(path, ".proto")) continue;
    const std::string text = Source(path);
    for (std::sregex_iterator at(text.begin(), text.end(), kField), end; at != end; ++at) {
      ++fields;
      std::string word;
      for (const char c : (*at)[1].str() + "_") {
        if (c != '_') {
          word.push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
          continue;
        }
        const std::string where = entry.path().filename().string() + ": " + (*at)[1].str();
        if (!operators_words.contains(where)) {
          EXPECT_FALSE(words.contains(word)) << where;
        }
        word.clear();
      }
    }
  }
  EXPECT_GT(fields, 50u) << "the scan reads the messages";
}

}  // namespace
}  // namespace bootgate::attack

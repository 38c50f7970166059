#include "gatekeeper/cli/policy_test_verb.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/cli/policy_files.h"
#include "gatekeeper/policy/limits.h"

namespace bootgate::gatekeeper::cli {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kInput = ".in.json";
constexpr size_t kMaxCases = 100'000;
constexpr int kMaxFolderDepth = 16;

struct TestCase {
  fs::path folder;
  std::string name;

  std::string file(absl::string_view suffix) const {
    return (folder / absl::StrCat(name, suffix)).string();
  }
};

struct CaseResult {
  std::string name, description;
  std::vector<std::string> differences;
};

absl::StatusOr<std::vector<TestCase>> FindCases(const std::string& folder) {
  std::error_code failed;
  fs::recursive_directory_iterator at(folder, failed);
  if (failed) return absl::NotFoundError(absl::StrCat(folder, ": ", failed.message()));
  std::vector<TestCase> cases;
  for (; at != fs::recursive_directory_iterator(); at.increment(failed)) {
    if (failed) return absl::UnavailableError(absl::StrCat(folder, ": ", failed.message()));
    if (at.depth() >= kMaxFolderDepth) at.disable_recursion_pending();
    const std::string name = at->path().filename().string();
    if (!absl::EndsWith(name, kInput)) continue;
    cases.push_back({at->path().parent_path(), std::string(absl::StripSuffix(name, kInput))});
    if (cases.size() > kMaxCases) {
      return absl::ResourceExhaustedError(
          absl::StrCat(folder, ": more than ", kMaxCases, " cases"));
    }
  }
  std::sort(cases.begin(), cases.end(), [](const TestCase& a, const TestCase& b) {
    return std::tie(a.folder, a.name) < std::tie(b.folder, b.name);
  });
  return cases;
}

std::string Outcome(const std::string& policy_text, const CaseInput& input) {
  policy::ParseError error;
  const auto policy = policy::Policy::Read(policy_text, &error);
  if (!policy) return RefusalText(error);
  return OutcomeText(*policy, policy::Evaluate(*policy, input.claims));
}

absl::StatusOr<CaseResult> RunCase(const TestCase& test, bool update) {
  BG_ASSIGN_OR_RETURN(const CaseInput input, ReadCaseFile(test.file(kInput)));
  const std::string policy_file =
      input.policy ? (test.folder / *input.policy).string() : test.file(".policy");
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(policy_file, policy::kMaxTextBytes));
  const std::string outcome = Outcome(text, input);
  CaseResult result{.name = test.name, .description = input.description, .differences = {}};
  if (update) {
    BG_RETURN_IF_ERROR(WriteFileAtomically(test.file(".out.json"), AsBytes(outcome), 0644));
    return result;
  }
  BG_ASSIGN_OR_RETURN(const std::string expected,
                      ReadTextFile(test.file(".out.json"), kMaxCaseBytes));
  absl::StatusOr<std::vector<std::string>> differences = DiffOutcomes(expected, outcome);
  if (!differences.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(test.file(".out.json"), ": ", differences.status().message()));
  }
  result.differences = *std::move(differences);
  return result;
}

absl::StatusOr<std::vector<CaseResult>> RunAll(const PolicyTestOptions& options) {
  std::vector<CaseResult> results;
  for (const std::string& folder : options.folders) {
    BG_ASSIGN_OR_RETURN(const std::vector<TestCase> cases, FindCases(folder));
    if (cases.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(folder, ": no test case (NAME", kInput, ") in it"));
    }
    for (const TestCase& test : cases) {
      BG_ASSIGN_OR_RETURN(CaseResult result, RunCase(test, options.update));
      results.push_back(std::move(result));
    }
  }
  return results;
}

size_t Failed(const std::vector<CaseResult>& results) {
  return static_cast<size_t>(
      std::count_if(results.begin(), results.end(),
                    [](const CaseResult& result) { return !result.differences.empty(); }));
}

void PrintResults(const PolicyTestOptions& options, const std::vector<CaseResult>& results,
                  std::ostream& out) {
  for (const CaseResult& result : results) {
    out << (options.update               ? "wrote"
            : result.differences.empty() ? "ok   "
                                         : "FAIL ")
        << " " << Printable(result.name);
    if (!result.description.empty()) out << ": " << Printable(result.description);
    out << "\n";
    for (const std::string& line : result.differences) out << "        " << line << "\n";
  }
  if (options.update) return;
  out << results.size() - Failed(results) << " of " << results.size() << " cases as expected\n";
}

void PrintJson(const std::vector<CaseResult>& results, std::ostream& out) {
  nlohmann::ordered_json json = {{"cases", nlohmann::ordered_json::array()},
                                 {"passed", results.size() - Failed(results)},
                                 {"failed", Failed(results)}};
  for (const CaseResult& result : results) {
    json["cases"].push_back({{"name", result.name},
                             {"passed", result.differences.empty()},
                             {"differences", result.differences}});
  }
  out << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace

ExitCode PolicyTest(const PolicyTestOptions& options, std::ostream& out, std::ostream& err) {
  const absl::StatusOr<std::vector<CaseResult>> results = RunAll(options);
  if (!results.ok()) return Fail(err, results.status());
  if (options.format == OutputFormat::kJson) {
    PrintJson(*results, out);
  } else {
    PrintResults(options, *results, out);
  }
  return Failed(*results) == 0 ? ExitCode::kSuccess : ExitCode::kDenied;
}

}  // namespace bootgate::gatekeeper::cli

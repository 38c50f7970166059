#include "gatekeeper/enroll/ek_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::enroll {
namespace {

constexpr size_t kMaxFilesInAFolder = 10'000;

bool HasEnding(const std::string& name, const std::vector<std::string>& endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](const std::string& ending) { return absl::EndsWith(name, ending); });
}

absl::StatusOr<std::vector<std::string>> FilesIn(const std::string& folder,
                                                 const std::vector<std::string>& endings) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string path = at->path().string();
    if (!HasEnding(path, endings)) continue;
    if (files.size() == kMaxFilesInAFolder) {
      return absl::ResourceExhaustedError(
          absl::StrCat(folder, ": more than ", kMaxFilesInAFolder, " files"));
    }
    files.push_back(path);
  }
  if (error) return absl::UnavailableError(absl::StrCat(folder, ": ", error.message()));
  if (files.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, ": no file with a name in ", endings.front(), " is in this folder"));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

absl::StatusOr<std::vector<NamedText>> ReadFilesAndFolders(const std::vector<std::string>& paths,
                                                           const std::vector<std::string>& endings,
                                                           size_t max_bytes) {
  std::vector<NamedText> out;
  for (const std::string& path : paths) {
    std::vector<std::string> files = {path};
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      BG_ASSIGN_OR_RETURN(files, FilesIn(path, endings));
    }
    for (const std::string& file : files) {
      BG_ASSIGN_OR_RETURN(std::string text, ReadTextFile(file, max_bytes));
      out.push_back({file, std::move(text)});
    }
  }
  return out;
}

}  // namespace bootgate::gatekeeper::enroll

#include "pki/trust_anchor_files.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/pem.h"

namespace bootgate::pki {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFilesOfFolder = 1000;

absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  fs::directory_iterator entries(path, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    if (!absl::EndsWith(entries->path().native(), ".pem")) continue;
    if (files.size() == kMaxFilesOfFolder) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": more than ", kMaxFilesOfFolder, " files"));
    }
    files.push_back(entries->path());
  }
  if (error) return absl::UnavailableError(absl::StrCat(path, ": ", error.message()));
  if (files.empty()) return absl::NotFoundError(absl::StrCat(path, ": no file ends in .pem"));
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

absl::StatusOr<TrustAnchors> ReadTrustAnchors(const std::vector<std::string>& paths) {
  TrustAnchors anchors = TrustAnchors::None();
  for (const std::string& path : paths) {
    BG_ASSIGN_OR_RETURN(const std::vector<std::string> files, FilesOf(path));
    for (const std::string& file : files) {
      BG_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(file, kMaxPemSize));
      const absl::Status added = anchors.Add(pem);
      if (!added.ok()) {
        return Malformed(ReasonOf(added).value_or(Reason::kCertParse),
                         absl::StrCat(file, ": ", added.message()));
      }
    }
  }
  return anchors;
}

}  // namespace bootgate::pki

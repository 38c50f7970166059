#include "gatekeeper/reference/sources/package_folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/reference/sources/deb.h"
#include "gatekeeper/reference/sources/rpm.h"

namespace bootgate::gatekeeper::reference {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<std::vector<std::string>> PackagesBelow(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error), end;
  for (; !error && at != end; at.increment(error)) {
    const std::string extension = at->path().extension().string();
    if (extension != ".deb" && extension != ".rpm") continue;
    if (at->is_regular_file(error)) files.push_back(at->path().string());
  }
  if (error) {
    return absl::NotFoundError(
        absl::StrCat("read below ", Printable(folder), ": ", error.message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool IsDeb(const std::string& file) { return fs::path(file).extension() == ".deb"; }

}  // namespace

absl::Status AddPackageFolder(const std::string& folder, WhichFiles which, SetDraft* draft,
                              PackageFolderCounts* counts) {
  BG_ASSIGN_OR_RETURN(const std::vector<std::string> files, PackagesBelow(folder));
  if (files.empty()) {
    return absl::NotFoundError(absl::StrCat("no .deb and no .rpm below ", Printable(folder)));
  }
  for (const std::string& file : files) {
    const absl::Status added =
        IsDeb(file) ? AddDeb(file, which, draft) : AddRpm(file, which, draft);
    if (absl::IsFailedPrecondition(added)) {
      counts->skipped.push_back(file);
      continue;
    }
    BG_RETURN_IF_ERROR(added);
    ++counts->packages;
  }
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::reference

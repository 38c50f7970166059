#include "agent/identity/state_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::identity {
namespace {

constexpr mode_t kForOthers = S_IRWXG | S_IRWXO;

absl::Status CheckOwnership(const std::string& path) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return absl::NotFoundError(path);
    return absl::UnavailableError(path);
  }
  if (!S_ISREG(info.st_mode)) return Corrupt(absl::StrCat(path, " is not a plain file"));
  if (info.st_uid != geteuid()) return Corrupt(absl::StrCat(path, " belongs to another user"));
  if ((info.st_mode & kForOthers) != 0) return Corrupt(absl::StrCat(path, " is open to others"));
  return absl::OkStatus();
}

}  // namespace

absl::Status Corrupt(absl::string_view what) {
  return Refuse(absl::StatusCode::kDataLoss, Reason::kStateCorrupt, what);
}

absl::StatusOr<std::string> ReadStateFile(const std::string& path) {
  BG_RETURN_IF_ERROR(CheckOwnership(path));
  absl::StatusOr<std::string> text = ReadTextFile(path, kMaxStateFile);
  if (absl::IsResourceExhausted(text.status())) return Corrupt(absl::StrCat(path, " is too long"));
  return text;
}

absl::Status WriteStateFile(const std::string& folder, const std::string& name,
                            const std::string& text) {
  BG_RETURN_IF_ERROR(MakeFolder(folder, 0700));
  return WriteFileAtomically(absl::StrCat(folder, "/", name), AsBytes(text), 0600);
}

}  // namespace bootgate::agent::identity

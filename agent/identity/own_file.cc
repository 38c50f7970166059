#include "agent/identity/own_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "agent/identity/state_file.h"
#include "common/base/descriptor.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::identity {
namespace {

constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;

absl::Status Bad(const std::string& path, absl::string_view what) {
  return Corrupt(absl::StrCat(Printable(path, path.size()), " ", what));
}

// The owner of a folder that is ours to trust.
absl::StatusOr<uid_t> OwnerOfFolder(const std::string& folder) {
  struct stat info = {};
  if (lstat(folder.c_str(), &info) != 0) {
    if (errno == ENOENT) return absl::NotFoundError(folder);
    return SystemError("look at", folder, errno);
  }
  if (!S_ISDIR(info.st_mode)) return Bad(folder, "is not a folder");
  if (info.st_uid != geteuid() && geteuid() != 0) return Bad(folder, "belongs to another user");
  if ((info.st_mode & kWritableByOthers) != 0) return Bad(folder, "may be written by others");
  return info.st_uid;
}

absl::Status CheckOpen(int fd, const std::string& path, uid_t owner, Others others) {
  struct stat info = {};
  if (fstat(fd, &info) != 0) return SystemError("look at", path, errno);
  if (!S_ISREG(info.st_mode)) return Bad(path, "is not a plain file");
  if (info.st_uid != owner && info.st_uid != geteuid()) return Bad(path, "belongs to another user");
  const mode_t forbidden = others == Others::kNothing ? S_IRWXG | S_IRWXO : kWritableByOthers;
  if ((info.st_mode & forbidden) != 0) return Bad(path, "is open to others");
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAll(int fd, const std::string& path, size_t max_bytes) {
  std::string text(max_bytes + 1, '\0');
  size_t have = 0;
  while (have < text.size()) {
    const ssize_t n = read(fd, text.data() + have, text.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("read", path, errno);
    if (n == 0) break;
    have += static_cast<size_t>(n);
  }
  if (have > max_bytes) return Bad(path, "is too long");
  text.resize(have);
  return text;
}

}  // namespace

absl::StatusOr<std::string> ReadOwnFile(const std::string& path, size_t max_bytes, Others others) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  BG_ASSIGN_OR_RETURN(const uid_t owner, OwnerOfFolder(folder.empty() ? "." : folder));
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT) return absl::NotFoundError(path);
    if (errno == ELOOP) return Bad(path, "is not a plain file");
    return SystemError("open", path, errno);
  }
  BG_RETURN_IF_ERROR(CheckOpen(fd.get(), path, owner, others));
  return ReadAll(fd.get(), path, max_bytes);
}

}  // namespace bootgate::agent::identity

#include "gatekeeper/reference/sources/folder.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/descriptor.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/hasher.h"
#include "gatekeeper/reference/imaset/ima_set.h"

namespace bootgate::gatekeeper::reference {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPiece = size_t{256} << 10;  // bytes read at once

// File systems whose files the kernel makes up.
constexpr int64_t kMadeUp[] = {PROC_SUPER_MAGIC,    SYSFS_MAGIC,         CGROUP_SUPER_MAGIC,
                               CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC,  DEBUGFS_MAGIC,
                               TRACEFS_MAGIC,       SECURITYFS_MAGIC,    BPF_FS_MAGIC,
                               EFIVARFS_MAGIC,      HUGETLBFS_MAGIC,     SELINUX_MAGIC,
                               SMACK_MAGIC,         PSTOREFS_MAGIC,      AUTOFS_SUPER_MAGIC,
                               BINFMTFS_MAGIC,      RDTGROUP_SUPER_MAGIC};

// nullopt: not a regular file, or none that counts.
absl::StatusOr<std::optional<Bytes>> HashOf(const std::string& path, WhichFiles which) {
  const Descriptor fd(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK));
  if (fd.get() < 0 && (errno == ELOOP || errno == ENXIO)) return std::nullopt;
  if (fd.get() < 0) return SystemError("open", Printable(path), errno);
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) return SystemError("look at", Printable(path), errno);
  if (!S_ISREG(info.st_mode)) return std::nullopt;
  constexpr mode_t kExecutable = S_IXUSR | S_IXGRP | S_IXOTH;
  if (which == WhichFiles::kExecutables && (info.st_mode & kExecutable) == 0) return std::nullopt;
  crypto::Hasher hasher(crypto::HashAlg::kSha256);
  Bytes piece(kPiece);
  while (true) {
    const ssize_t n = read(fd.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("read", Printable(path), errno);
    if (n == 0) return ToBytes(hasher.Finish().view());
    hasher.Add(ByteView(piece).first(static_cast<size_t>(n)));
  }
}

bool IsMadeUp(const std::string& folder) {
  struct statfs info = {};
  if (statfs(folder.c_str(), &info) != 0) return false;
  return std::ranges::find(kMadeUp, static_cast<int64_t>(info.f_type)) != std::end(kMadeUp);
}

class FolderReader {
 public:
  FolderReader(const std::string& root, WhichFiles which, SetDraft* draft)
      : root_(root), which_(which), draft_(draft) {}

  absl::Status Run() {
    std::error_code error;
    if (!fs::is_directory(root_, error)) {
      return absl::NotFoundError(absl::StrCat(Printable(root_.string()), " is no folder"));
    }
    fs::recursive_directory_iterator at(root_, error), end;
    for (; !error && at != end; at.increment(error)) {
      const fs::file_status status = at->symlink_status(error);
      if (error) break;
      if (fs::is_directory(status) && IsMadeUp(at->path().string())) at.disable_recursion_pending();
      if (fs::is_regular_file(status)) BG_RETURN_IF_ERROR(Add(at->path()));
    }
    if (error) return SystemError("read below", Printable(root_.string()), error.value());
    return absl::OkStatus();
  }

 private:
  absl::Status Add(const fs::path& file) {
    BG_ASSIGN_OR_RETURN(std::optional<Bytes> digest, HashOf(file.string(), which_));
    if (!digest.has_value()) return absl::OkStatus();
    if (draft_->items.size() >= kMaxSetItems) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", kMaxSetItems, " files below ", Printable(root_.string())));
    }
    SetItem item;
    item.path = absl::StrCat("/", file.lexically_relative(root_).string());
    item.digest = *std::move(digest);
    draft_->items.push_back(std::move(item));
    return absl::OkStatus();
  }

  const fs::path root_;
  const WhichFiles which_;
  SetDraft* const draft_;
};

}  // namespace

absl::Status AddFolder(const std::string& root, WhichFiles which, SetDraft* draft) {
  return FolderReader(root, which, draft).Run();
}

}  // namespace bootgate::gatekeeper::reference

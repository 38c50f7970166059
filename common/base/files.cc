#include "common/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/descriptor.h"
#include "common/base/status_macros.h"

namespace bootgate {
namespace {

absl::Status WriteAll(int fd, ByteView bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("write", path, errno);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

absl::Status SyncFolderOf(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const Descriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return SystemError("open folder", folder, errno);
  if (fsync(fd.get()) != 0 && errno != EINVAL) return SystemError("sync folder", folder, errno);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Bytes> ReadFile(const std::string& path, size_t max_bytes) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0) return SystemError("open", path, errno);
  Bytes out;
  constexpr size_t kStep = size_t{64} * 1024;
  while (true) {
    const size_t have = out.size();
    // One byte more than allowed is asked for, so that a file of exactly the bound passes.
    const size_t want = std::min(kStep, max_bytes - std::min(have, max_bytes) + 1);
    out.resize(have + want);
    const ssize_t n = read(fd.get(), out.data() + have, want);
    if (n < 0 && errno == EINTR) {
      out.resize(have);
      continue;
    }
    if (n < 0) return SystemError("read", path, errno);
    out.resize(have + static_cast<size_t>(n));
    if (n == 0) return out;
    if (out.size() > max_bytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat(path, " is larger than ", max_bytes, " bytes"));
    }
  }
}

absl::StatusOr<std::string> ReadTextFile(const std::string& path, size_t max_bytes) {
  BG_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path, max_bytes));
  return std::string(bytes.begin(), bytes.end());
}

absl::Status WriteFileAtomically(const std::string& path, ByteView bytes, mode_t mode) {
  const std::string temporary = absl::StrCat(path, ".new");
  unlink(temporary.c_str());
  {
    const Descriptor fd(
        open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (fd.get() < 0) return SystemError("create", temporary, errno);
    if (fchmod(fd.get(), mode) != 0) return SystemError("set mode of", temporary, errno);
    absl::Status written = WriteAll(fd.get(), bytes, temporary);
    if (written.ok() && fsync(fd.get()) != 0) written = SystemError("sync", temporary, errno);
    if (!written.ok()) {
      unlink(temporary.c_str());
      return written;
    }
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    return SystemError("rename to", path, error);
  }
  return SyncFolderOf(path);
}

absl::Status MakeFolder(const std::string& path, mode_t mode) {
  std::error_code error;
  const std::filesystem::path target(path);
  if (target.has_parent_path()) std::filesystem::create_directories(target.parent_path(), error);
  if (error) return SystemError("make folder", path, error.value());
  if (mkdir(path.c_str(), mode) == 0) {
    return chmod(path.c_str(), mode) == 0 ? absl::OkStatus()
                                          : SystemError("set mode of", path, errno);
  }
  if (errno == EEXIST && std::filesystem::is_directory(target, error)) return absl::OkStatus();
  return SystemError("make folder", path, errno);
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return SystemError("remove", path, errno);
}

bool FileExists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

}  // namespace bootgate

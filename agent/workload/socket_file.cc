#include "agent/workload/socket_file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::workload {
namespace {

constexpr int kBacklog = 64;
// Who may connect is decided by the folder and by us; connecting needs write permission.
constexpr mode_t kSocketMode = 0666;
constexpr mode_t kWritableToOthers = S_IWGRP | S_IWOTH;

absl::StatusOr<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": a socket's path has 1 to ", sizeof(address.sun_path) - 1, " bytes"));
  }
  std::ranges::copy(path, address.sun_path);
  return address;
}

// As the system's calls take addresses.
const sockaddr* Plain(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

absl::Status CheckFolder(const std::string& folder) {
  struct stat info = {};
  if (lstat(folder.c_str(), &info) != 0) return SystemError("look at", folder, errno);
  if (!S_ISDIR(info.st_mode))
    return absl::FailedPreconditionError(absl::StrCat(folder, " is no folder"));
  if (info.st_uid != geteuid() && info.st_uid != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder, " belongs to uid ", info.st_uid, ", not to the agent"));
  }
  if ((info.st_mode & kWritableToOthers) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder, " is writable to others: chmod go-w ", folder));
  }
  return absl::OkStatus();
}

// What an agent that was killed left behind goes; all else stays.
absl::Status ClearWay(const std::string& path, const sockaddr_un& address) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0)
    return errno == ENOENT ? absl::OkStatus() : SystemError("look at", path, errno);
  if (!S_ISSOCK(info.st_mode))
    return absl::FailedPreconditionError(absl::StrCat(path, " is there and is no socket"));
  const Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (probe.get() < 0) return SystemError("make a socket for", path, errno);
  if (connect(probe.get(), Plain(address), sizeof(address)) == 0) {
    return absl::AlreadyExistsError(absl::StrCat("somebody answers at ", path, " already"));
  }
  if (errno != ECONNREFUSED) return SystemError("look who answers at", path, errno);
  return RemoveFile(path);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ListeningSocket>> ListeningSocket::Open(const std::string& path,
                                                                       mode_t folder_mode) {
  BG_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  const std::string folder = std::filesystem::path(path).parent_path().string();
  BG_RETURN_IF_ERROR(MakeFolder(folder, folder_mode));
  BG_RETURN_IF_ERROR(CheckFolder(folder));
  BG_RETURN_IF_ERROR(ClearWay(path, address));
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return SystemError("make a socket for", path, errno);
  std::unique_ptr<ListeningSocket> out(new ListeningSocket(fd, path));
  if (bind(fd, Plain(address), sizeof(address)) != 0)
    return SystemError("bind a socket to", path, errno);
  if (chmod(path.c_str(), kSocketMode) != 0) return SystemError("set mode of", path, errno);
  if (listen(fd, kBacklog) != 0) return SystemError("listen at", path, errno);
  return out;
}

ListeningSocket::~ListeningSocket() { unlink(path_.c_str()); }

}  // namespace bootgate::agent::workload

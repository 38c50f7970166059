#include "agent/sources/user_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/cel/log.h"

namespace bootgate::agent::sources {
namespace {

absl::Status TryAgain(const std::string& path, absl::string_view why) {
  return Refuse(absl::StatusCode::kAborted, Reason::kRetryLogBehind, absl::StrCat(path, " ", why));
}

// -1 when there is no such file.
absl::StatusOr<int> OpenLog(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd >= 0 || errno == ENOENT || errno == ENOTDIR) return fd;
  const std::string message =
      absl::StrCat("open ", path, ": ", std::generic_category().message(errno));
  if (errno == EACCES || errno == EPERM) return absl::PermissionDeniedError(message);
  return absl::UnavailableError(message);
}

absl::StatusOr<Bytes> ReadIfThere(const std::string& path) {
  absl::StatusOr<Bytes> bytes = ReadFile(path, cel::kMaxLogBytes);
  if (absl::IsNotFound(bytes.status())) return Bytes();
  return bytes;
}

}  // namespace

absl::StatusOr<HeldUserLog> HeldUserLog::Hold(const Paths& paths) {
  BG_ASSIGN_OR_RETURN(const int fd, OpenLog(paths.user_log));
  HeldUserLog held(paths.user_log, fd);
  if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0)
    return TryAgain(paths.user_log, "is being written");
  BG_ASSIGN_OR_RETURN(held.bytes_, ReadIfThere(held.path_));
  return held;
}

HeldUserLog::HeldUserLog(HeldUserLog&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      bytes_(std::move(other.bytes_)) {}

HeldUserLog::~HeldUserLog() { Close(); }

// Closing gives up the lock.
void HeldUserLog::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

absl::Status HeldUserLog::Release() {
  BG_ASSIGN_OR_RETURN(const Bytes now, ReadIfThere(path_));
  Close();
  if (now != bytes_) return TryAgain(path_, "moved while the TPM quoted");
  return absl::OkStatus();
}

}  // namespace bootgate::agent::sources

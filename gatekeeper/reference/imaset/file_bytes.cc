#include "gatekeeper/reference/imaset/file_bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace bootgate::gatekeeper::reference {
namespace {

absl::Status SystemError(absl::string_view doing, const std::string& path) {
  const int error = errno;
  const std::string message =
      absl::StrCat(doing, " ", path, ": ", std::generic_category().message(error));
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(message);
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(message);
  return absl::UnavailableError(message);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

absl::StatusOr<FileBytes> FileBytes::Map(const std::string& path, size_t max_bytes) {
  // Without O_NONBLOCK a pipe of that name would be waited for.
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (fd.get() < 0) return SystemError("open", path);
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) return SystemError("look at", path);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file"));
  }
  const auto size = static_cast<size_t>(info.st_size);
  if (size > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, " is larger than ", max_bytes, " bytes"));
  }
  if (size == 0) return FileBytes(Bytes());
  void* const mapping = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd.get(), 0);
  if (mapping == MAP_FAILED) return SystemError("map", path);
  return FileBytes(mapping, ByteView(static_cast<const uint8_t*>(mapping), size));
}

FileBytes::~FileBytes() {
  if (mapping_ != nullptr) munmap(mapping_, view_.size());
}

}  // namespace bootgate::gatekeeper::reference

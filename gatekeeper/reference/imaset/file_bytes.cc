#include "gatekeeper/reference/imaset/file_bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/base/descriptor.h"

namespace bootgate::gatekeeper::reference {
absl::StatusOr<FileBytes> FileBytes::Map(const std::string& path, size_t max_bytes) {
  // Without O_NONBLOCK a pipe of that name would be waited for.
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (fd.get() < 0) return SystemError("open", path, errno);
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) return SystemError("look at", path, errno);
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
  if (mapping == MAP_FAILED) return SystemError("map", path, errno);
  return FileBytes(mapping, ByteView(static_cast<const uint8_t*>(mapping), size));
}

FileBytes::~FileBytes() {
  if (mapping_ != nullptr) munmap(mapping_, view_.size());
}

}  // namespace bootgate::gatekeeper::reference

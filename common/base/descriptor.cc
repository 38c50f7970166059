#include "common/base/descriptor.h"

#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace bootgate {

absl::Status SystemError(absl::string_view doing, const std::string& path, int error) {
  const std::string message =
      absl::StrCat(doing, " ", path, ": ", std::generic_category().message(error));
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(message);
  if (error == EISDIR) return absl::InvalidArgumentError(message);
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(message);
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(message);
  return absl::UnavailableError(message);
}

}  // namespace bootgate

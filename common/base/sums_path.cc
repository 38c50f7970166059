#include "common/base/sums_path.h"

#include "absl/status/status.h"

namespace bootgate {

absl::StatusOr<std::string> UnescapeSumsPath(absl::string_view path) {
  std::string out;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '\\') {
      out.push_back(path[i]);
      continue;
    }
    const char escaped = ++i < path.size() ? path[i] : '\0';
    if (escaped == 'n') {
      out.push_back('\n');
    } else if (escaped == 'r') {
      out.push_back('\r');
    } else if (escaped == '\\') {
      out.push_back('\\');
    } else {
      return absl::InvalidArgumentError("an escape that is none");
    }
  }
  return out;
}

}  // namespace bootgate

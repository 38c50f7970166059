// Which paths a rule is about: regular expressions (RE2, linear time) that a whole path must match.
//
// "/opt/app" is that file alone, "/opt/app/.*" all that is in that folder and nothing beside it. A
// path that is not plain ("//", "/./", "/../" in it) is matched by no rule: what it stands for
// cannot be told. Immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace re2 {
class RE2;
}

namespace bootgate::gatekeeper::reference {

inline constexpr size_t kMaxPatterns = 1000;
inline constexpr size_t kMaxPatternBytes = size_t{256} << 10;  // of all together

bool IsPlainPath(absl::string_view path);

class PathPatterns {
 public:
  PathPatterns() = default;  // matches nothing
  // kInvalidArgument says which pattern is none and why.
  static absl::StatusOr<PathPatterns> Make(std::vector<std::string> patterns);

  bool Match(absl::string_view path) const { return all_ != nullptr && MatchesAny(path); }
  bool empty() const { return texts_.empty(); }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  bool MatchesAny(absl::string_view path) const;

  std::vector<std::string> texts_;
  std::shared_ptr<const re2::RE2> all_;
};

}  // namespace bootgate::gatekeeper::reference

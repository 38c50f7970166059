#include "gatekeeper/reference/path_patterns.h"

#include <re2/re2.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::reference {
namespace {

re2::StringPiece Piece(absl::string_view text) { return {text.data(), text.size()}; }

// Paths are bytes.
RE2::Options BytesOptions() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  return options;
}

absl::StatusOr<std::shared_ptr<const RE2>> Compile(const std::string& pattern) {
  auto compiled = std::make_shared<const RE2>(pattern, BytesOptions());
  if (!compiled->ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", Printable(pattern, 200), "\" is no pattern: ", Printable(compiled->error(), 200)));
  }
  return compiled;
}

}  // namespace

bool IsPlainPath(absl::string_view path) {
  return !absl::StrContains(path, "//") && !absl::StrContains(path, "/./") &&
         !absl::StrContains(path, "/../") && !absl::EndsWith(path, "/..") &&
         !absl::EndsWith(path, "/.") && !absl::StartsWith(path, "../") &&
         !absl::StartsWith(path, "./");
}

absl::StatusOr<PathPatterns> PathPatterns::Make(std::vector<std::string> patterns) {
  PathPatterns out;
  size_t bytes = 0;
  for (const std::string& pattern : patterns) bytes += pattern.size();
  if (patterns.size() > kMaxPatterns || bytes > kMaxPatternBytes)
    return absl::InvalidArgumentError(absl::StrCat("has more than ", kMaxPatterns, " patterns or ",
                                                   kMaxPatternBytes, " bytes of them"));
  // Each by itself first: a lone parenthesis must not close the group of another.
  for (const std::string& pattern : patterns) BG_RETURN_IF_ERROR(Compile(pattern).status());
  if (!patterns.empty()) {
    BG_ASSIGN_OR_RETURN(out.all_,
                        Compile(absl::StrCat("(?:", absl::StrJoin(patterns, ")|(?:"), ")")));
  }
  out.texts_ = std::move(patterns);
  return out;
}

bool PathPatterns::MatchesAny(absl::string_view path) const {
  return IsPlainPath(path) && RE2::FullMatch(Piece(path), *all_);
}

}  // namespace bootgate::gatekeeper::reference

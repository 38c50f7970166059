// The paths that sets leave out of judging: their patterns, compiled once.
//
// A pattern is searched for anywhere in a path, so it carries its own anchors (SetRules). A path
// that is not plain ("//", "/./", "/../" in it) is left out by none. Matching is linear in the
// path, whatever the pattern. Immutable: any thread may ask.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::reference {

class Excludes {
 public:
  Excludes();
  ~Excludes();
  Excludes(Excludes&&) noexcept;
  Excludes& operator=(Excludes&&) noexcept;

  // kInvalidArgument names the pattern that is none.
  absl::Status Add(const std::vector<std::string>& patterns);

  bool empty() const { return patterns_.empty(); }
  bool Match(absl::string_view path) const;

 private:
  struct Pattern;
  std::vector<std::unique_ptr<const Pattern>> patterns_;
};

}  // namespace bootgate::gatekeeper::reference

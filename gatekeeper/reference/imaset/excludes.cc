#include "gatekeeper/reference/imaset/excludes.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper::reference {

namespace {

// Without "//", and no part of it "." or "..".
bool IsPlain(absl::string_view path) {
  return !absl::StrContains(path, "//") && !absl::StrContains(path, "/./") &&
         !absl::StrContains(path, "/../") && !absl::EndsWith(path, "/.") &&
         !absl::EndsWith(path, "/..");
}

}  // namespace

struct Excludes::Pattern {
  explicit Pattern(const std::string& text) : re2(text, RE2::Quiet) {}
  const RE2 re2;
};

Excludes::Excludes() = default;
Excludes::~Excludes() = default;
Excludes::Excludes(Excludes&&) noexcept = default;
Excludes& Excludes::operator=(Excludes&&) noexcept = default;

absl::Status Excludes::Add(const std::vector<std::string>& patterns) {
  for (const std::string& text : patterns) {
    auto pattern = std::make_unique<const Pattern>(text);
    if (!pattern->re2.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the exclude '", Printable(text),
                       "' is no regular expression: ", Printable(pattern->re2.error())));
    }
    patterns_.push_back(std::move(pattern));
  }
  return absl::OkStatus();
}

bool Excludes::Match(absl::string_view path) const {
  return IsPlain(path) && std::ranges::any_of(patterns_, [&](const auto& pattern) {
           return RE2::PartialMatch({path.data(), path.size()}, pattern->re2);
         });
}

}  // namespace bootgate::gatekeeper::reference

#include "gatekeeper/reference/imaset/diff.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper::reference {
namespace {

using Digests = std::map<std::string, Window>;  // "sha256:hex"
using Paths = std::map<std::pair<std::string, DigestKind>, Digests>;

// Of one digest in several packages the widest window, as a look-up takes the best.
void Widen(const Window& other, Window* window) {
  window->not_before = std::min(window->not_before, other.not_before);
  if (window->open() || other.open()) {
    window->not_after = 0;
  } else {
    window->not_after = std::max(window->not_after, other.not_after);
  }
}

Paths PathsOf(const SetDraft& draft) {
  Paths out;
  for (const SetItem& item : draft.items) {
    Digests& digests = out[{item.path, item.kind}];
    const std::string digest = absl::StrCat(NameOf(item.alg), ":", ToHex(item.digest));
    const auto [known, added] = digests.emplace(digest, item.window);
    if (!added) Widen(item.window, &known->second);
  }
  return out;
}

std::vector<std::string> Only(const Digests& in, const Digests& not_in) {
  std::vector<std::string> out;
  for (const auto& [digest, window] : in) {
    if (!not_in.contains(digest)) out.push_back(digest);
  }
  return out;
}

void CompareDigests(const std::pair<std::string, DigestKind>& path, const Digests& before,
                    const Digests& after, SetDiff* out) {
  ChangedPath changed{path.first, path.second, Only(before, after), Only(after, before)};
  if (!changed.only_before.empty() || !changed.only_after.empty()) {
    out->changed.push_back(std::move(changed));
  }
  for (const auto& [digest, window] : before) {
    const auto other = after.find(digest);
    if (other != after.end() && other->second != window) {
      out->windows.push_back({path.first, digest, window, other->second});
    }
  }
}

// The same rules in another order are the same.
SetRules Ordered(const SetRules& rules) {
  const auto ordered = [](const std::vector<std::string>& texts) {
    const std::set<std::string> set(texts.begin(), texts.end());
    return std::vector<std::string>(set.begin(), set.end());
  };
  return {ordered(rules.excludes), ordered(rules.ignored_keyrings),
          ordered(rules.verification_keys)};
}

}  // namespace

SetDiff Compare(const SetDraft& before, const SetDraft& after) {
  const Paths old_paths = PathsOf(before), new_paths = PathsOf(after);
  SetDiff out;
  for (const auto& [path, digests] : old_paths) {
    const auto other = new_paths.find(path);
    if (other == new_paths.end()) {
      out.removed.push_back(path.first);
    } else {
      CompareDigests(path, digests, other->second, &out);
    }
  }
  for (const auto& [path, digests] : new_paths) {
    if (!old_paths.contains(path)) out.added.push_back(path.first);
  }
  out.rules_changed = Ordered(before.rules) != Ordered(after.rules);
  return out;
}

}  // namespace bootgate::gatekeeper::reference

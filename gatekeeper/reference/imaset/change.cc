#include "gatekeeper/reference/imaset/change.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "gatekeeper/reference/imaset/version.h"

namespace bootgate::gatekeeper::reference {
namespace {

using ItemKey = std::tuple<std::string, DigestKind, DigestAlg, std::string>;

ItemKey KeyOf(const SetItem& item) {
  return {item.path, item.kind, item.alg, std::string(item.digest.begin(), item.digest.end())};
}

// A path of a package, whatever its version.
using PackagePath = std::tuple<std::string, DigestKind, std::string, std::string>;

PackagePath PathOf(const SetItem& item) {
  return {item.path, item.kind, item.package->name, item.package->origin};
}

// Closes at `at`, where the window does not close before. False when nothing of it would be left.
bool CloseAt(Window* window, int64_t at) {
  if (window->open() || window->not_after > at) window->not_after = std::max<int64_t>(at, 1);
  return window->not_after >= window->not_before;
}

SetDraft Heading(const SetDraft& older, const SetDraft& newer) {
  SetDraft out;
  out.name = newer.name.empty() ? older.name : newer.name;
  out.origin = newer.origin.empty() ? older.origin : newer.origin;
  return out;
}

void Append(const std::vector<std::string>& from, std::vector<std::string>* to) {
  for (const std::string& text : from) {
    if (std::find(to->begin(), to->end(), text) == to->end()) to->push_back(text);
  }
}

}  // namespace

size_t NoteReplaced(SetDraft* draft, const std::optional<UpdatePlan>& plan) {
  absl::flat_hash_map<PackagePath, Package> newest;
  for (const SetItem& item : draft->items) {
    if (!item.package.has_value()) continue;
    const auto [known, added] = newest.emplace(PathOf(item), *item.package);
    if (!added && IsNewer(*item.package, known->second)) known->second = *item.package;
  }
  size_t replaced = 0;
  std::erase_if(draft->items, [&](SetItem& item) {
    if (!item.package.has_value()) return false;
    const Package& other = newest.at(PathOf(item));
    if (!IsNewer(other, *item.package)) return false;
    ++replaced;
    item.replaced_by = other;
    if (!plan.has_value()) return false;
    return !CloseAt(&item.window, absl::ToUnixSeconds(plan->at + plan->grace));
  });
  return replaced;
}

SetDraft Merge(const SetDraft& older, const SetDraft& newer, const UpdatePlan& plan) {
  SetDraft out = Heading(older, newer);
  out.items = newer.items;
  absl::flat_hash_set<std::pair<ItemKey, std::string>> known;  // and the package's version
  const auto key = [](const SetItem& item) {
    return std::pair(KeyOf(item), item.package.has_value()
                                      ? item.package->name + '\0' + item.package->version
                                      : std::string());
  };
  for (const SetItem& item : newer.items) known.insert(key(item));
  for (const SetItem& item : older.items) {
    if (!known.contains(key(item))) out.items.push_back(item);
  }
  out.rules = newer.rules;
  Append(older.rules.excludes, &out.rules.excludes);
  Append(older.rules.ignored_keyrings, &out.rules.ignored_keyrings);
  Append(older.rules.verification_keys, &out.rules.verification_keys);
  NoteReplaced(&out, plan);
  return out;
}

ExpireCounts CloseMissing(SetDraft* draft, const SetDraft& against, absl::Time at) {
  absl::flat_hash_set<ItemKey> present;
  absl::flat_hash_map<std::pair<std::string, std::string>, Package> packages;  // path, name
  for (const SetItem& item : against.items) {
    present.insert(KeyOf(item));
    if (item.package.has_value()) {
      packages.emplace(std::pair(item.path, item.package->name), *item.package);
    }
  }
  const int64_t end = absl::ToUnixSeconds(at);
  ExpireCounts counts;
  std::erase_if(draft->items, [&](SetItem& item) {
    if (present.contains(KeyOf(item))) return false;
    if (!item.window.open() && item.window.not_after <= end) return false;
    if (item.package.has_value()) {
      const auto newer = packages.find(std::pair(item.path, item.package->name));
      if (newer != packages.end() && IsNewer(newer->second, *item.package)) {
        item.replaced_by = newer->second;
      }
    }
    const bool left = CloseAt(&item.window, end);
    ++(left ? counts.closed : counts.dropped);
    return !left;
  });
  return counts;
}

ExpireCounts DropClosed(SetDraft* draft, absl::Time at) {
  const int64_t before = absl::ToUnixSeconds(at);
  ExpireCounts counts;
  counts.dropped = std::erase_if(draft->items, [&](const SetItem& item) {
    return !item.window.open() && item.window.not_after < before;
  });
  return counts;
}

}  // namespace bootgate::gatekeeper::reference

#include "gatekeeper/reference/imaset/write.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/bytes/writer.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/imaset/layout.h"

namespace bootgate::gatekeeper::reference {
namespace {

using layout::SplitPath;

constexpr size_t kMaxShownPath = 300;  // bytes

absl::Status CheckItem(const SetItem& item) {
  const auto bad = [&](const auto&... why) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Printable(item.path, kMaxShownPath), "': ", why...));
  };
  if (item.path.empty()) return bad("an empty path");
  if (item.path.size() > kMaxSetPath) return bad("a path of ", item.path.size(), " bytes");
  if (item.path.find('\0') != std::string::npos) return bad("a NUL in the path");
  if (item.digest.size() != SizeOf(item.alg)) {
    return bad("a digest of ", item.digest.size(), " bytes; ", NameOf(item.alg), " has ",
               SizeOf(item.alg));
  }
  const Window& window = item.window;
  if (window.not_before < 0 || window.not_after < 0 ||
      (!window.open() && window.not_after < window.not_before)) {
    return bad("a window from ", window.not_before, " to ", window.not_after);
  }
  return absl::OkStatus();
}

int64_t EndOf(const Window& window) { return window.open() ? INT64_MAX : window.not_after; }

// An item with its path cut once: sets are sorted by folder, then name.
struct Row {
  SplitPath path;
  const SetItem* item;
};

auto KeyOf(const Row& row) {
  return std::tuple(row.path.folder, row.path.name, row.item->kind, row.item->alg,
                    AsText(row.item->digest));
}

// Of one path and digest: by beginning, the widest first, then what is to be preferred.
bool InOrder(const Row& a, const Row& b) {
  if (const int folders = a.path.folder.compare(b.path.folder); folders != 0) return folders < 0;
  if (const int names = a.path.name.compare(b.path.name); names != 0) return names < 0;
  const auto rest = [](const SetItem& item) {
    return std::tuple(item.kind, item.alg, AsText(item.digest), item.window.not_before,
                      -EndOf(item.window), item.replaced_by.has_value());
  };
  const auto rest_a = rest(*a.item), rest_b = rest(*b.item);
  if (rest_a != rest_b) return rest_a < rest_b;
  return std::tie(b.item->package, b.item->replaced_by) <
         std::tie(a.item->package, a.item->replaced_by);
}

std::vector<Row> Sorted(const std::vector<SetItem>& items) {
  std::vector<Row> all;
  all.reserve(items.size());
  for (const SetItem& item : items) all.push_back({layout::Split(item.path), &item});
  std::sort(all.begin(), all.end(), InOrder);
  std::vector<Row> out;
  out.reserve(all.size());
  int64_t covered = -1;  // until when, among the items of one key
  for (const Row& row : all) {
    if (out.empty() || KeyOf(out.back()) != KeyOf(row)) covered = -1;
    const int64_t end = EndOf(row.item->window);
    if (end <= covered) continue;
    covered = end;
    out.push_back(row);
  }
  return out;
}

// Texts, each once.
class Texts {
 public:
  absl::StatusOr<uint32_t> Add(absl::string_view text) {
    const auto known = offsets_.find(text);
    if (known != offsets_.end()) return known->second;
    if (text.size() > layout::kMaxText) {
      return absl::InvalidArgumentError(absl::StrCat("a text of ", text.size(),
                                                     " bytes; a set holds ", layout::kMaxText,
                                                     ": '", Printable(text, kMaxShownPath), "'"));
    }
    const auto at = static_cast<uint32_t>(out_.view().size());
    if (at > kMaxSetBytes) return absl::ResourceExhaustedError("the texts do not fit into one set");
    out_.U16Le(static_cast<uint16_t>(text.size())).Raw(AsBytes(text));
    offsets_.emplace(text, at);
    return at;
  }
  ByteView view() const { return out_.view(); }

 private:
  absl::flat_hash_map<std::string, uint32_t> offsets_;
  bytes::Writer out_;
};

// A variant as it was written.
struct Written {
  const SetItem* item;
  uint32_t offset;
};

// An open-addressed table of where things are; two thirds are taken.
template <typename Entry>
class SlotTable {
 public:
  explicit SlotTable(size_t items) : slots_(layout::SlotsFor(items)) {}
  absl::Status Add(uint64_t hash, const Entry& entry) {
    size_t at = layout::HomeOf(hash, slots_.size());
    for (size_t steps = 0; slots_[at].named != 0; at = layout::NextSlot(at, slots_.size())) {
      if (++steps > layout::kMaxRun / 2) {
        return absl::ResourceExhaustedError("too many items fall onto one place of the table");
      }
    }
    slots_[at] = entry;
    return absl::OkStatus();
  }
  const std::vector<Entry>& slots() const { return slots_; }

 private:
  std::vector<Entry> slots_;
};

struct PathSlot {
  uint32_t tag = 0, named = 0;
};
struct DigestSlot {
  uint32_t named = 0;
};

class SetWriter {
 public:
  explicit SetWriter(const SetDraft& draft) : draft_(draft) {}

  absl::StatusOr<Bytes> Run() {
    BG_RETURN_IF_ERROR(CheckDraft());
    items_ = Sorted(draft_.items);
    if (items_.size() > kMaxSetItems) return TooMany("digests", items_.size());
    BG_RETURN_IF_ERROR(WriteTexts());
    BG_RETURN_IF_ERROR(WritePackages());
    BG_RETURN_IF_ERROR(WriteRules());
    BG_RETURN_IF_ERROR(WriteTerms());
    BG_RETURN_IF_ERROR(WriteGroups());
    BG_RETURN_IF_ERROR(WritePathSlots());
    BG_RETURN_IF_ERROR(WriteDigestSlots());
    return Join();
  }

 private:
  static absl::Status TooMany(absl::string_view what, size_t count) {
    return absl::ResourceExhaustedError(
        absl::StrCat(count, " ", what, " are more than a set holds; make several sets"));
  }

  absl::Status CheckDraft() const {
    for (const SetItem& item : draft_.items) BG_RETURN_IF_ERROR(CheckItem(item));
    return absl::OkStatus();
  }

  absl::Status WriteTexts() {
    BG_ASSIGN_OR_RETURN(counts_.name, texts_.Add(draft_.name));
    BG_ASSIGN_OR_RETURN(counts_.origin, texts_.Add(draft_.origin));
    BG_ASSIGN_OR_RETURN(counts_.created, texts_.Add(draft_.created));
    return absl::OkStatus();
  }

  absl::Status WritePackages() {
    for (const Row& row : items_) {
      for (const auto* const package : {&row.item->package, &row.item->replaced_by}) {
        if (package->has_value()) package_names_.emplace(**package, 0);
      }
    }
    if (package_names_.size() > layout::kMaxPackages) {
      return TooMany("packages", package_names_.size());
    }
    for (auto& [package, named] : package_names_) {
      named = ++counts_.packages;
      for (const std::string* const text : {&package.name, &package.version, &package.origin}) {
        BG_ASSIGN_OR_RETURN(const uint32_t at, texts_.Add(*text));
        packages_.U32Le(at);
      }
    }
    return absl::OkStatus();
  }

  absl::Status WriteRules() {
    const std::pair<layout::RuleKind, const std::vector<std::string>*> kinds[] = {
        {layout::RuleKind::kExclude, &draft_.rules.excludes},
        {layout::RuleKind::kIgnoredKeyring, &draft_.rules.ignored_keyrings},
        {layout::RuleKind::kVerificationKey, &draft_.rules.verification_keys}};
    for (const auto& [kind, rules] : kinds) {
      for (const std::string& rule : std::set<std::string>(rules->begin(), rules->end())) {
        BG_ASSIGN_OR_RETURN(const uint32_t at, texts_.Add(rule));
        rules_.U32Le(static_cast<uint32_t>(kind)).U32Le(at);
        if (++counts_.rules > layout::kMaxRules) return TooMany("rules", counts_.rules);
      }
    }
    return absl::OkStatus();
  }

  uint32_t Named(const std::optional<Package>& package) const {
    return package.has_value() ? package_names_.at(*package) : 0;
  }

  using Terms = std::tuple<int64_t, int64_t, uint32_t, uint32_t>;
  Terms TermsOf(const SetItem& item) const {
    return {item.window.not_before, item.window.not_after, Named(item.package),
            Named(item.replaced_by)};
  }

  absl::Status WriteTerms() {
    for (const Row& row : items_) {
      item_terms_.push_back(&terms_numbers_.emplace(TermsOf(*row.item), 0).first->second);
    }
    if (terms_numbers_.size() > layout::kMaxTerms) {
      return TooMany("pairs of window and package", terms_numbers_.size());
    }
    for (auto& [terms, number] : terms_numbers_) {
      number = counts_.terms++;
      const auto& [not_before, not_after, package, newer] = terms;
      terms_.U64Le(static_cast<uint64_t>(not_before)).U64Le(static_cast<uint64_t>(not_after));
      terms_.U32Le(package).U32Le(newer).U32Le(0);
    }
    return absl::OkStatus();
  }

  absl::Status WriteGroups() {
    for (size_t first = 0; first < items_.size();) {
      size_t end = first + 1;
      while (end < items_.size() && items_[end].item->path == items_[first].item->path) ++end;
      BG_RETURN_IF_ERROR(WriteGroup(first, end));
      first = end;
    }
    return absl::OkStatus();
  }

  absl::Status WriteGroup(size_t first, size_t end) {
    const std::string& path = items_[first].item->path;
    if (end - first > layout::kMaxVariants) {
      return absl::ResourceExhaustedError(
          absl::StrCat("'", Printable(path, kMaxShownPath), "' has ", end - first,
                       " digests; a set holds ", layout::kMaxVariants, " for one path"));
    }
    const SplitPath& split = items_[first].path;
    if (counts_.groups == 0 || split.folder != folder_) {
      folder_at_ = static_cast<uint32_t>(folders_.view().size());
      folder_ = split.folder;
      folders_.U16Le(static_cast<uint16_t>(split.folder.size())).Raw(AsBytes(split.folder));
    }
    group_starts_.push_back({items_[first].item, static_cast<uint32_t>(groups_.view().size())});
    groups_.U32Le(folder_at_).U16Le(static_cast<uint16_t>(split.name.size()));
    groups_.U16Le(static_cast<uint16_t>(end - first)).Raw(AsBytes(split.name));
    for (size_t i = first; i < end; ++i) WriteVariant(*items_[i].item, *item_terms_[i]);
    ++counts_.groups;
    if (groups_.view().size() > kMaxSetBytes) return TooMany("bytes", groups_.view().size());
    return absl::OkStatus();
  }

  void WriteVariant(const SetItem& item, uint32_t terms) {
    variants_.push_back({&item, static_cast<uint32_t>(groups_.view().size())});
    groups_.U32Le(layout::Pack(terms, item.alg, item.kind)).Raw(item.digest);
    ++counts_.items;
  }

  absl::Status WritePathSlots() {
    SlotTable<PathSlot> table(group_starts_.size());
    for (const Written& group : group_starts_) {
      const uint64_t hash = layout::HashPath(group.item->path);
      BG_RETURN_IF_ERROR(table.Add(hash, {layout::TagOf(hash), group.offset + 1}));
    }
    for (const PathSlot& slot : table.slots()) path_slots_.U32Le(slot.tag).U32Le(slot.named);
    return absl::OkStatus();
  }

  // Of one digest, whatever the path: only windows that lie within no other one.
  std::vector<Written> ByDigest() {
    std::sort(variants_.begin(), variants_.end(), [](const Written& a, const Written& b) {
      const auto key = [](const Written& w) {
        return std::tuple(AsText(w.item->digest), w.item->alg, w.item->kind,
                          w.item->window.not_before, -EndOf(w.item->window), w.offset);
      };
      return key(a) < key(b);
    });
    std::vector<Written> out;
    int64_t covered = -1;
    for (const Written& variant : variants_) {
      const SetItem& item = *variant.item;
      if (out.empty() || out.back().item->digest != item.digest ||
          out.back().item->alg != item.alg || out.back().item->kind != item.kind) {
        covered = -1;
      }
      if (EndOf(item.window) <= covered) continue;
      covered = EndOf(item.window);
      out.push_back(variant);
    }
    return out;
  }

  absl::Status WriteDigestSlots() {
    const std::vector<Written> digests = ByDigest();
    SlotTable<DigestSlot> table(digests.size());
    for (const Written& variant : digests) {
      BG_RETURN_IF_ERROR(table.Add(layout::HashDigest(variant.item->digest), {variant.offset + 1}));
    }
    for (const DigestSlot& slot : table.slots()) digest_slots_.U32Le(slot.named);
    counts_.digests = static_cast<uint32_t>(digests.size());
    return absl::OkStatus();
  }

  absl::StatusOr<Bytes> Join() {
    counts_.text_bytes = static_cast<uint32_t>(texts_.view().size());
    counts_.folder_bytes = static_cast<uint32_t>(folders_.view().size());
    counts_.group_bytes = static_cast<uint32_t>(groups_.view().size());
    bytes::Writer out;
    out.Raw(AsBytes(layout::kMagic)).U32Le(layout::kVersion);
    for (const uint32_t number :
         {counts_.groups, counts_.items, counts_.digests, counts_.terms, counts_.packages,
          counts_.rules, counts_.text_bytes, counts_.folder_bytes, counts_.group_bytes,
          counts_.name, counts_.origin, counts_.created, uint32_t{0}}) {
      out.U32Le(number);
    }
    for (const ByteView part :
         {path_slots_.view(), digest_slots_.view(), terms_.view(), packages_.view(), rules_.view(),
          texts_.view(), folders_.view(), groups_.view()}) {
      out.Raw(part);
    }
    // What was written can be opened, also by the last hostile draft.
    const absl::Status opens = layout::CheckFile(out.view()).status();
    if (!opens.ok()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the items do not fit into one set: ", opens.message()));
    }
    return out.Finish();
  }

  const SetDraft& draft_;
  std::vector<Row> items_;
  std::vector<const uint32_t*> item_terms_;  // the number of each item's terms
  layout::Counts counts_;
  Texts texts_;
  std::map<Package, uint32_t> package_names_;  // 1 + its number
  std::map<Terms, uint32_t> terms_numbers_;
  std::vector<Written> group_starts_, variants_;
  absl::string_view folder_;
  uint32_t folder_at_ = 0;
  bytes::Writer path_slots_, digest_slots_, terms_, packages_, rules_, folders_, groups_;
};

}  // namespace

absl::StatusOr<Bytes> WriteSet(const SetDraft& draft) { return SetWriter(draft).Run(); }

}  // namespace bootgate::gatekeeper::reference

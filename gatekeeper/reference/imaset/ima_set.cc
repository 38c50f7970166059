#include "gatekeeper/reference/imaset/ima_set.h"

#include <string.h>

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/reference/imaset/layout.h"

namespace bootgate::gatekeeper::reference {
namespace {

using layout::Le16;
using layout::Le32;
using layout::Sections;

constexpr size_t kBatch = 64;       // look-ups whose waiting overlaps
constexpr size_t kMemoryLine = 64;  // bytes that memory hands over at once

bool Wanted(SetKinds kinds, uint32_t kind) {
  return (static_cast<uint32_t>(kinds) >> kind & 1u) != 0;
}

// One path as it lies in the file.
struct Group {
  absl::string_view name;
  uint32_t folder;
  size_t variants;  // how many
  size_t first;     // offset of the first
};

Group GroupAt(const Sections& s, size_t at) {
  const size_t name_size = Le16(s.groups, at + 4);
  return {AsText(s.groups.subspan(at + layout::kGroupHead, name_size)), Le32(s.groups, at),
          Le16(s.groups, at + 6), at + layout::kGroupHead + name_size};
}

struct Variant {
  layout::VariantHead head;
  ByteView digest;
};

Variant VariantAt(const Sections& s, size_t at) {
  const layout::VariantHead head = layout::Unpack(Le32(s.groups, at));
  return {head, s.groups.subspan(at + layout::kVariantHead, kDigestSizes[head.alg])};
}

size_t After(const Variant& variant) { return layout::kVariantHead + variant.digest.size(); }

Window WindowOf(const Sections& s, uint32_t terms) {
  const size_t at = terms * layout::kTermsBytes;
  return {static_cast<int64_t>(layout::Le64(s.terms, at)),
          static_cast<int64_t>(layout::Le64(s.terms, at + 8))};
}

SetAnswer AnswerAt(const Window& window, int64_t at) {
  if (at < window.not_before) return SetAnswer::kNotYetValid;
  return window.open() || at <= window.not_after ? SetAnswer::kListed : SetAnswer::kOutdated;
}

bool Matches(const Variant& variant, const SetQuery& query) {
  return variant.head.alg == static_cast<uint32_t>(query.alg) &&
         SameBytes(variant.digest, query.digest);
}

SetFound BestOf(const Sections& s, const Group& group, const SetQuery& query, int64_t now) {
  SetFound best;
  size_t at = group.first;
  for (size_t i = 0; i < group.variants; ++i) {
    const Variant variant = VariantAt(s, at);
    at += After(variant);
    if (!Wanted(query.kinds, variant.head.kind)) continue;
    const SetAnswer answer = Matches(variant, query)
                                 ? AnswerAt(reference::WindowOf(s, variant.head.terms), now)
                                 : SetAnswer::kOtherDigest;
    if (answer > best.answer) best = {answer, variant.head.terms};
  }
  return best;
}

struct Slot {
  uint32_t tag;
  uint32_t named;  // 1 + offset; 0: free
};

Slot PathSlot(const Sections& s, size_t slot) {
  const size_t at = slot * layout::kPathSlotBytes;
  return {Le32(s.path_slots, at), Le32(s.path_slots, at + 4)};
}

bool IsAt(const Sections& s, const Group& group, absl::string_view path) {
  const absl::string_view folder = layout::TextAt(s.folders, group.folder);
  return path.size() == folder.size() + group.name.size() &&
         memcmp(path.data(), folder.data(), folder.size()) == 0 &&
         memcmp(path.data() + folder.size(), group.name.data(), group.name.size()) == 0;
}

// `from`: a slot at home or past it; none before it has the path's tag.
std::optional<Group> FindGroup(const Sections& s, uint64_t hash, size_t from,
                               absl::string_view path) {
  for (size_t slot = from;; slot = layout::NextSlot(slot, s.path_slot_count)) {
    const Slot found = PathSlot(s, slot);
    if (found.named == 0) return std::nullopt;
    if (found.tag != layout::TagOf(hash)) continue;
    const Group group = GroupAt(s, found.named - 1);
    if (IsAt(s, group, path)) return group;
  }
}

std::optional<Group> FindGroup(const Sections& s, uint64_t hash, absl::string_view path) {
  return FindGroup(s, hash, layout::HomeOf(hash, s.path_slot_count), path);
}

// The first slot whose tag fits, nearly always the right one, or a free one. A third of all paths
// do not lie at home.
struct Likely {
  size_t slot;
  size_t group;  // SIZE_MAX: a free slot
};
Likely LikelyGroup(const Sections& s, uint64_t hash) {
  for (size_t slot = layout::HomeOf(hash, s.path_slot_count);;
       slot = layout::NextSlot(slot, s.path_slot_count)) {
    const Slot found = PathSlot(s, slot);
    if (found.named == 0) return {slot, SIZE_MAX};
    if (found.tag == layout::TagOf(hash)) return {slot, found.named - 1};
  }
}

[[gnu::always_inline]] inline void Prefetch(ByteView bytes, size_t at) {
  if (at < bytes.size()) __builtin_prefetch(&bytes[at]);
}

// What a look-up reads beside the group's head: its folder and its first digest. Inlined by order:
// to g++ 12 a function that only prefetches does nothing, and its call is dropped.
[[gnu::always_inline]] inline void PrefetchParts(const Sections& s, size_t group) {
  const size_t folder = Le32(s.groups, group);
  Prefetch(s.folders, folder);
  Prefetch(s.folders, folder + kMemoryLine);
  const size_t first = group + layout::kGroupHead + Le16(s.groups, group + 4);
  Prefetch(s.groups, first + layout::kVariantHead + SizeOf(DigestAlg::kSha256) - 1);
}

PackageView PackageAt(const Sections& s, uint32_t index) {
  const size_t at = index * layout::kPackageBytes;
  const auto text = [&](size_t field) {
    return layout::TextAt(s.texts, Le32(s.packages, at + field));
  };
  return {text(0), text(4), text(8)};
}

std::optional<PackageView> PackageNamed(const Sections& s, uint32_t named) {
  return named == 0 ? std::nullopt : std::optional(PackageAt(s, named - 1));
}

SetTerms TermsAt(const Sections& s, uint32_t terms) {
  const size_t at = terms * layout::kTermsBytes;
  return {WindowOf(s, terms), PackageNamed(s, Le32(s.terms, at + 16)),
          PackageNamed(s, Le32(s.terms, at + 20))};
}

SetVariant Told(const Sections& s, const Variant& variant) {
  return {static_cast<DigestKind>(variant.head.kind), static_cast<DigestAlg>(variant.head.alg),
          variant.digest, TermsAt(s, variant.head.terms)};
}

std::optional<Package> Copied(const std::optional<PackageView>& view) {
  if (!view.has_value()) return std::nullopt;
  return Package{std::string(view->name), std::string(view->version), std::string(view->origin)};
}

SetItem Copied(const std::string& path, const SetVariant& variant) {
  SetItem item;
  item.path = path;
  item.kind = variant.kind;
  item.alg = variant.alg;
  item.digest = ToBytes(variant.digest);
  item.window = variant.terms.window;
  item.package = Copied(variant.terms.package);
  item.replaced_by = Copied(variant.terms.replaced_by);
  return item;
}

}  // namespace

absl::string_view NameOf(SetAnswer answer) {
  switch (answer) {
    case SetAnswer::kUnlisted:
      return "unlisted";
    case SetAnswer::kOtherDigest:
      return "other_digest";
    case SetAnswer::kNotYetValid:
      return "not_yet_valid";
    case SetAnswer::kOutdated:
      return "outdated_package";
    case SetAnswer::kListed:
      return "listed";
  }
  __builtin_unreachable();
}

ImaSet::ImaSet(FileBytes bytes, const layout::Sections& sections)
    : bytes_(std::move(bytes)),
      sections_(std::make_unique<const layout::Sections>(sections)),
      id_(crypto::Hash(crypto::HashAlg::kSha256, bytes_.view()).hex()) {}

ImaSet::~ImaSet() = default;

absl::StatusOr<std::shared_ptr<const ImaSet>> ImaSet::Make(FileBytes bytes) {
  BG_ASSIGN_OR_RETURN(const layout::Sections sections, layout::CheckFile(bytes.view()));
  // The sections stay where they are when the owner of the bytes moves.
  return std::shared_ptr<const ImaSet>(new ImaSet(std::move(bytes), sections));
}

absl::StatusOr<std::shared_ptr<const ImaSet>> ImaSet::Open(const std::string& path) {
  BG_ASSIGN_OR_RETURN(FileBytes bytes, FileBytes::Map(path, kMaxSetBytes));
  absl::StatusOr<std::shared_ptr<const ImaSet>> set = Make(std::move(bytes));
  if (set.ok()) return set;
  return WithReason(absl::Status(set.status().code(),
                                 absl::StrCat(Printable(path), ": ", set.status().message())),
                    Reason::kReferenceParse);
}

absl::StatusOr<std::shared_ptr<const ImaSet>> ImaSet::FromBytes(Bytes bytes) {
  return Make(FileBytes(std::move(bytes)));
}

absl::StatusOr<const Excludes*> ImaSet::CompiledExcludes() const {
  std::call_once(compiled_, [this] { excludes_status_ = excludes_.Add(rules().excludes); });
  if (!excludes_status_.ok()) return excludes_status_;
  return &excludes_;
}

SetCounts ImaSet::counts() const {
  const layout::Counts& c = sections_->counts;
  return {c.groups, c.items, c.packages, c.terms};
}

absl::string_view ImaSet::name() const {
  return layout::TextAt(sections_->texts, sections_->counts.name);
}
absl::string_view ImaSet::origin() const {
  return layout::TextAt(sections_->texts, sections_->counts.origin);
}
absl::string_view ImaSet::created() const {
  return layout::TextAt(sections_->texts, sections_->counts.created);
}

SetRules ImaSet::rules() const {
  SetRules out;
  const Sections& s = *sections_;
  for (size_t at = 0; at < s.rules.size(); at += layout::kRuleBytes) {
    std::string text(layout::TextAt(s.texts, Le32(s.rules, at + 4)));
    switch (static_cast<layout::RuleKind>(Le32(s.rules, at))) {
      case layout::RuleKind::kExclude:
        out.excludes.push_back(std::move(text));
        break;
      case layout::RuleKind::kIgnoredKeyring:
        out.ignored_keyrings.push_back(std::move(text));
        break;
      case layout::RuleKind::kVerificationKey:
        out.verification_keys.push_back(std::move(text));
        break;
    }
  }
  return out;
}

SetFound ImaSet::Find(const SetQuery& query, absl::Time at) const {
  const Sections& s = *sections_;
  const std::optional<Group> group = FindGroup(s, layout::HashPath(query.path), query.path);
  return group.has_value() ? BestOf(s, *group, query, absl::ToUnixSeconds(at)) : SetFound();
}

SetFound ImaSet::FindDigest(const SetQuery& query, absl::Time at) const {
  const Sections& s = *sections_;
  SetFound best;
  if (query.digest.size() != SizeOf(query.alg)) return best;
  const int64_t now = absl::ToUnixSeconds(at);
  for (size_t slot = layout::HomeOf(layout::HashDigest(query.digest), s.digest_slot_count);;
       slot = layout::NextSlot(slot, s.digest_slot_count)) {
    const uint32_t named = Le32(s.digest_slots, slot * layout::kDigestSlotBytes);
    if (named == 0) return best;
    const Variant variant = VariantAt(s, named - 1);
    if (!Wanted(query.kinds, variant.head.kind) || !Matches(variant, query)) continue;
    const SetAnswer answer = AnswerAt(reference::WindowOf(s, variant.head.terms), now);
    if (answer > best.answer) best = {answer, variant.head.terms};
    if (answer == SetAnswer::kListed) return best;
  }
}

void ImaSet::FindAll(std::span<const SetQuery> queries, absl::Time at,
                     std::span<SetFound> out) const {
  const Sections& s = *sections_;
  const int64_t now = absl::ToUnixSeconds(at);
  std::array<uint64_t, kBatch> hashes{};
  std::array<Likely, kBatch> likely{};
  for (size_t start = 0; start < queries.size(); start += kBatch) {
    const size_t size = std::min(kBatch, queries.size() - start);
    for (size_t i = 0; i < size; ++i) {
      hashes[i] = layout::HashPath(queries[start + i].path);
      const size_t home = layout::HomeOf(hashes[i], s.path_slot_count) * layout::kPathSlotBytes;
      Prefetch(s.path_slots, home);
      Prefetch(s.path_slots, home + kMemoryLine / 2);
    }
    for (size_t i = 0; i < size; ++i) {
      likely[i] = LikelyGroup(s, hashes[i]);
      if (likely[i].group == SIZE_MAX) continue;
      Prefetch(s.groups, likely[i].group);
      Prefetch(s.groups, likely[i].group + kMemoryLine);
    }
    for (size_t i = 0; i < size; ++i) {
      if (likely[i].group != SIZE_MAX) PrefetchParts(s, likely[i].group);
    }
    for (size_t i = 0; i < size; ++i) {
      const SetQuery& query = queries[start + i];
      out[start + i] = {};
      if (likely[i].group == SIZE_MAX) continue;
      const Group first = GroupAt(s, likely[i].group);
      if (IsAt(s, first, query.path)) {
        out[start + i] = BestOf(s, first, query, now);
        continue;
      }
      const std::optional<Group> group = FindGroup(s, hashes[i], likely[i].slot, query.path);
      if (group.has_value()) out[start + i] = BestOf(s, *group, query, now);
    }
  }
}

SetTerms ImaSet::TermsOf(const SetFound& found) const {
  return found.terms == SetFound::kNoTerms ? SetTerms() : TermsAt(*sections_, found.terms);
}

Window ImaSet::WindowOf(const SetFound& found) const {
  return found.terms == SetFound::kNoTerms ? Window()
                                           : reference::WindowOf(*sections_, found.terms);
}

std::vector<SetVariant> ImaSet::VariantsOf(absl::string_view path) const {
  std::vector<SetVariant> out;
  const std::optional<Group> group = FindGroup(*sections_, layout::HashPath(path), path);
  if (!group.has_value()) return out;
  size_t at = group->first;
  for (size_t i = 0; i < group->variants; ++i) {
    const Variant variant = VariantAt(*sections_, at);
    at += After(variant);
    out.push_back(Told(*sections_, variant));
  }
  return out;
}

std::vector<PackageView> ImaSet::Packages() const {
  std::vector<PackageView> out;
  for (uint32_t i = 0; i < sections_->counts.packages; ++i) {
    out.push_back(PackageAt(*sections_, i));
  }
  return out;
}

SetDraft ImaSet::ToDraft() const {
  const Sections& s = *sections_;
  SetDraft draft;
  draft.name = std::string(name());
  draft.origin = std::string(origin());
  draft.created = std::string(created());
  draft.rules = rules();
  draft.items.reserve(s.counts.items);
  for (size_t at = 0; at < s.groups.size();) {
    const Group group = GroupAt(s, at);
    const std::string path = absl::StrCat(layout::TextAt(s.folders, group.folder), group.name);
    at = group.first;
    for (size_t i = 0; i < group.variants; ++i) {
      const Variant variant = VariantAt(s, at);
      at += After(variant);
      draft.items.push_back(Copied(path, Told(s, variant)));
    }
  }
  return draft;
}

}  // namespace bootgate::gatekeeper::reference

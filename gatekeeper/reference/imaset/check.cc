// Everything that a look-up relies on, checked when a set is opened.
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/imaset/layout.h"

namespace bootgate::gatekeeper::reference::layout {
namespace {

template <typename... Parts>
absl::Status Bad(const Parts&... parts) {
  return Malformed(Reason::kReferenceParse, absl::StrCat("reference set: ", parts...));
}

absl::StatusOr<Counts> ReadHeader(bytes::Reader& in) {
  BG_ASSIGN_OR_RETURN(const ByteView magic, in.Take(kMagic.size()));
  if (AsText(magic) != kMagic) return Bad("the file does not begin with ", kMagic);
  BG_ASSIGN_OR_RETURN(const uint32_t version, in.U32Le());
  if (version != kVersion) {
    return Bad("version ", version, " of the form; this program reads version ", kVersion);
  }
  Counts c;
  for (uint32_t* const field :
       {&c.groups, &c.items, &c.digests, &c.terms, &c.packages, &c.rules, &c.text_bytes,
        &c.folder_bytes, &c.group_bytes, &c.name, &c.origin, &c.created}) {
    BG_ASSIGN_OR_RETURN(*field, in.U32Le());
  }
  BG_ASSIGN_OR_RETURN(const uint32_t zeros, in.U32Le());
  if (zeros != 0) return Bad("the header does not end with zeros");
  return c;
}

// Before anything is reserved or multiplied by them.
absl::Status CheckCounts(const Counts& c) {
  if (c.items > kMaxSetItems || c.groups > c.items || c.digests > c.items) {
    return Bad(c.items, " digests of ", c.groups, " paths, ", c.digests, " by digest");
  }
  if (c.terms > kMaxTerms || c.packages > kMaxPackages || c.rules > kMaxRules) {
    return Bad(c.terms, " terms, ", c.packages, " packages, ", c.rules, " rules");
  }
  return absl::OkStatus();
}

absl::StatusOr<Sections> Cut(ByteView file) {
  if (file.size() > kMaxSetBytes) return Bad("larger than ", kMaxSetBytes, " bytes");
  if (file.size() < kHeaderBytes) return Bad("ends inside its header, at ", file.size());
  bytes::Reader in(file);
  Sections out;
  BG_ASSIGN_OR_RETURN(out.counts, ReadHeader(in));
  const Counts& c = out.counts;
  BG_RETURN_IF_ERROR(CheckCounts(c));
  out.path_slot_count = SlotsFor(c.groups);
  out.digest_slot_count = SlotsFor(c.digests);
  struct Part {
    ByteView* view;
    size_t size;
  };
  for (const Part& part :
       {Part{&out.path_slots, out.path_slot_count * kPathSlotBytes},
        Part{&out.digest_slots, out.digest_slot_count * kDigestSlotBytes},
        Part{&out.terms, c.terms * kTermsBytes}, Part{&out.packages, c.packages * kPackageBytes},
        Part{&out.rules, c.rules * kRuleBytes}, Part{&out.texts, c.text_bytes},
        Part{&out.folders, c.folder_bytes}, Part{&out.groups, c.group_bytes}}) {
    if (part.size > in.remaining()) {
      return Bad("need ", part.size, " bytes at offset ", in.offset(), ", have ", in.remaining());
    }
    BG_ASSIGN_OR_RETURN(*part.view, in.Take(part.size));
  }
  if (!in.empty()) return Bad(in.remaining(), " bytes after its end");
  return out;
}

bool IsText(ByteView texts, size_t at) {
  return at + kTextHead <= texts.size() && Le16(texts, at) <= texts.size() - at - kTextHead;
}

absl::Status CheckTexts(const Sections& s) {
  for (const uint32_t text : {s.counts.name, s.counts.origin, s.counts.created}) {
    if (!IsText(s.texts, text)) return Bad("a text of the header at ", text, " lies outside");
  }
  for (size_t at = 0; at < s.packages.size(); at += 4) {
    if (!IsText(s.texts, Le32(s.packages, at))) {
      return Bad("a text of package ", at / kPackageBytes, " lies outside");
    }
  }
  for (size_t at = 0; at < s.rules.size(); at += kRuleBytes) {
    const uint32_t kind = Le32(s.rules, at);
    if (kind < 1 || kind > static_cast<uint32_t>(RuleKind::kVerificationKey)) {
      return Bad("rule ", at / kRuleBytes, " is of kind ", kind);
    }
    if (!IsText(s.texts, Le32(s.rules, at + 4))) {
      return Bad("the text of rule ", at / kRuleBytes, " lies outside");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTerms(const Sections& s) {
  constexpr uint64_t kMaxTime = INT64_MAX;
  for (size_t at = 0; at < s.terms.size(); at += kTermsBytes) {
    const uint64_t from = Le64(s.terms, at), until = Le64(s.terms, at + 8);
    if (from > kMaxTime || until > kMaxTime || (until != 0 && until < from)) {
      return Bad("terms ", at / kTermsBytes, " end before they begin");
    }
    if (Le32(s.terms, at + 16) > s.counts.packages || Le32(s.terms, at + 20) > s.counts.packages) {
      return Bad("terms ", at / kTermsBytes, " name a package that is not there");
    }
    if (Le32(s.terms, at + 24) != 0) return Bad("terms ", at / kTermsBytes, " end without zeros");
  }
  return absl::OkStatus();
}

// Where groups and variants begin: the only places that slots may name.
struct Starts {
  std::vector<bool> groups, variants;
};

class GroupWalk {
 public:
  explicit GroupWalk(const Sections& s)
      : s_(s), starts_{std::vector<bool>(s.groups.size()), std::vector<bool>(s.groups.size())} {}

  absl::StatusOr<Starts> Run() {
    uint32_t groups = 0;
    for (; at_ < s_.groups.size(); ++groups) BG_RETURN_IF_ERROR(Group());
    if (groups != s_.counts.groups || items_ != s_.counts.items) {
      return Bad("has ", groups, " paths and ", items_, " digests, and announces ",
                 s_.counts.groups, " and ", s_.counts.items);
    }
    if (folder_end_ != s_.folders.size()) return Bad("has folders without a path");
    return std::move(starts_);
  }

 private:
  absl::Status Group() {
    const size_t start = at_;
    if (s_.groups.size() - at_ < kGroupHead) return Bad("path at ", at_, " is cut");
    const uint32_t folder = Le32(s_.groups, at_);
    const size_t name_size = Le16(s_.groups, at_ + 4), variants = Le16(s_.groups, at_ + 6);
    at_ += kGroupHead;
    if (s_.groups.size() - at_ < name_size) return Bad("path at ", start, " is cut");
    const absl::string_view name = AsText(s_.groups.subspan(at_, name_size));
    at_ += name_size;
    BG_RETURN_IF_ERROR(Folder(start, folder, name));
    BG_RETURN_IF_ERROR(Name(start, name));
    if (variants == 0) return Bad("path at ", start, " has no digest");
    for (size_t i = 0; i < variants; ++i) BG_RETURN_IF_ERROR(Variant());
    starts_.groups[start] = true;
    return absl::OkStatus();
  }

  // The folder is the one of the path before, or the next.
  absl::Status Folder(size_t start, uint32_t folder, absl::string_view name) {
    if (first_ || folder != folder_at_) {
      if (folder != folder_end_ || !IsText(s_.folders, folder)) {
        return Bad("path at ", start, " is not in order");
      }
      const absl::string_view text = TextAt(s_.folders, folder);
      if (!first_ && text <= folder_) return Bad("folder at ", folder, " is not in order");
      if (!text.empty() && text.back() != '/') return Bad("folder at ", folder, " has no slash");
      folder_ = text;
      folder_at_ = folder;
      folder_end_ = folder + kTextHead + text.size();
      first_ = false;
    } else if (name <= name_) {
      return Bad("path at ", start, " is not in order");
    }
    name_ = name;
    return absl::OkStatus();
  }

  absl::Status Name(size_t start, absl::string_view name) const {
    const size_t size = folder_.size() + name.size();
    if (size == 0 || size > kMaxSetPath) return Bad("path at ", start, " of ", size, " bytes");
    if (name.find('/') != absl::string_view::npos || name.find('\0') != absl::string_view::npos ||
        folder_.find('\0') != absl::string_view::npos) {
      return Bad("path at ", start, " has a slash or a NUL in its name");
    }
    return absl::OkStatus();
  }

  absl::Status Variant() {
    const size_t start = at_;
    if (s_.groups.size() - at_ < kVariantHead) return Bad("digest at ", start, " is cut");
    const VariantHead head = Unpack(Le32(s_.groups, at_));
    at_ += kVariantHead;
    const std::optional<DigestAlg> alg = DigestAlgFromNumber(head.alg);
    if (!alg.has_value()) return Bad("digest at ", start, " is of no known algorithm");
    if (head.kind < 1 || head.kind > static_cast<uint32_t>(DigestKind::kKeyring)) {
      return Bad("digest at ", start, " is of kind ", head.kind);
    }
    if (head.terms >= s_.counts.terms) return Bad("digest at ", start, " names no terms");
    if (s_.groups.size() - at_ < SizeOf(*alg)) return Bad("digest at ", start, " is cut");
    at_ += SizeOf(*alg);
    starts_.variants[start] = true;
    ++items_;
    return absl::OkStatus();
  }

  const Sections& s_;
  Starts starts_;
  size_t at_ = 0;
  size_t items_ = 0;
  bool first_ = true;
  uint32_t folder_at_ = 0;
  size_t folder_end_ = 0;
  absl::string_view folder_, name_;
};

// `value(i)`: what slot i names, 0 for a free one.
template <typename Value>
absl::Status CheckSlots(absl::string_view what, size_t slots, size_t taken,
                        const std::vector<bool>& starts, Value value) {
  size_t seen = 0, run = 0;
  // A run may go on from the last slot to the first, so the first ones are passed twice.
  for (size_t i = 0; i < slots + kMaxRun + 1; ++i) {
    if (i >= slots && run == 0) break;
    const uint32_t named = value(i % slots);
    run = named == 0 ? 0 : run + 1;
    if (run > kMaxRun) return Bad(what, " slots: more than ", kMaxRun, " in a row");
    if (named == 0 || i >= slots) continue;
    ++seen;
    if (named - 1 >= starts.size() || !starts[named - 1]) {
      return Bad(what, " slot ", i, " names no beginning");
    }
  }
  if (seen != taken) return Bad(what, " slots: ", seen, " are taken, announced are ", taken);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Sections> CheckFile(ByteView file) {
  BG_ASSIGN_OR_RETURN(const Sections s, Cut(file));
  BG_RETURN_IF_ERROR(CheckTexts(s));
  BG_RETURN_IF_ERROR(CheckTerms(s));
  BG_ASSIGN_OR_RETURN(const Starts starts, GroupWalk(s).Run());
  BG_RETURN_IF_ERROR(
      CheckSlots("path", s.path_slot_count, s.counts.groups, starts.groups,
                 [&](size_t i) { return Le32(s.path_slots, i * kPathSlotBytes + 4); }));
  BG_RETURN_IF_ERROR(
      CheckSlots("digest", s.digest_slot_count, s.counts.digests, starts.variants,
                 [&](size_t i) { return Le32(s.digest_slots, i * kDigestSlotBytes); }));
  return s;
}

}  // namespace bootgate::gatekeeper::reference::layout

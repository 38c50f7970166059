// The file form of a reference set, and how its parts are found.
//
// All integers little-endian. Sections follow one another without gaps, in this order:
//
//   header        kHeaderBytes: magic, version, the numbers of Counts in their order, zeros
//   path slots    8 bytes each: tag (high half of the path's hash), 1 + offset of a group; 0: free
//   digest slots  4 bytes each: 1 + offset of a variant; 0: free
//   terms         28 bytes each: not_before, not_after, 1 + package, 1 + newer package, zeros
//   packages      12 bytes each: three texts: name, version, origin
//   rules         8 bytes each: what (RuleKind), text
//   texts         each 2 bytes length and its bytes; a text is named by its offset herein
//   folders       each 2 bytes length and its bytes: the part of a path up to its last slash;
//                 ascending, each once
//   groups        one for each path, ascending by folder and name: offset of the folder (4), length
//                 of the name (2), number of variants (2), name; then the variants:
//                 terms, algorithm and kind in one integer (4), digest
//
// A third of each slot table is free, and no run of taken slots is longer than kMaxRun. One digest
// stands in the digest slots once for each window that lies within no other of them.
#pragma once

#include <endian.h>
#include <string.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/reference/imaset/draft.h"

namespace bootgate::gatekeeper::reference::layout {

inline constexpr absl::string_view kMagic = "BGIMASET";
inline constexpr uint32_t kVersion = 1;
inline constexpr size_t kHeaderBytes = 64;
inline constexpr size_t kPathSlotBytes = 8, kDigestSlotBytes = 4;
inline constexpr size_t kTermsBytes = 28, kPackageBytes = 12, kRuleBytes = 8;
inline constexpr size_t kTextHead = 2, kGroupHead = 8, kVariantHead = 4;
inline constexpr size_t kMaxText = 0xffff, kMaxVariants = 0xffff;
inline constexpr size_t kMaxTerms = size_t{1} << 24;
inline constexpr size_t kMaxPackages = size_t{1} << 20, kMaxRules = size_t{1} << 16;
inline constexpr size_t kMaxRun = 4096;  // slots

// The numbers of the header; texts by their offset.
struct Counts {
  uint32_t groups = 0, items = 0, digests = 0, terms = 0, packages = 0, rules = 0;
  uint32_t text_bytes = 0, folder_bytes = 0, group_bytes = 0;
  uint32_t name = 0, origin = 0, created = 0;
};

// The parts of a file; they borrow it.
struct Sections {
  Counts counts;
  ByteView path_slots, digest_slots, terms, packages, rules, texts, folders, groups;
  size_t path_slot_count = 0, digest_slot_count = 0;
};

// Checks everything that a look-up relies on, once, in time and memory linear in the file.
// REFERENCE_PARSE, with the place.
absl::StatusOr<Sections> CheckFile(ByteView file);

enum class RuleKind : uint32_t { kExclude = 1, kIgnoredKeyring = 2, kVerificationKey = 3 };

// One load each: g++ 12 makes eight of them where the bytes are put together one by one.
inline uint16_t Le16(ByteView bytes, size_t at) {
  uint16_t value = 0;
  memcpy(&value, bytes.data() + at, sizeof value);
  return le16toh(value);
}
inline uint32_t Le32(ByteView bytes, size_t at) {
  uint32_t value = 0;
  memcpy(&value, bytes.data() + at, sizeof value);
  return le32toh(value);
}
inline uint64_t Le64(ByteView bytes, size_t at) {
  uint64_t value = 0;
  memcpy(&value, bytes.data() + at, sizeof value);
  return le64toh(value);
}

// A text or folder by its offset.
inline absl::string_view TextAt(ByteView texts, size_t at) {
  return AsText(texts.subspan(at + kTextHead, Le16(texts, at)));
}

// A variant's integer: 24 bits of terms, 5 of algorithm, 3 of kind.
struct VariantHead {
  uint32_t terms;
  uint32_t alg;  // DigestAlg, once checked
  uint32_t kind;
};
inline VariantHead Unpack(uint32_t packed) {
  return {packed >> 8, (packed >> 3) & 0x1f, packed & 0x7};
}
inline uint32_t Pack(uint32_t terms, DigestAlg alg, DigestKind kind) {
  return terms << 8 | static_cast<uint32_t>(alg) << 3 | static_cast<uint32_t>(kind);
}

// Where a path's last slash ends its folder: "/usr/bin/" and "env"; no slash: "" and all.
struct SplitPath {
  absl::string_view folder, name;
};
inline SplitPath Split(absl::string_view path) {
  const void* const slash = memrchr(path.data(), '/', path.size());
  const size_t cut =
      slash == nullptr ? 0 : static_cast<size_t>(static_cast<const char*>(slash) - path.data()) + 1;
  return {path.substr(0, cut), path.substr(cut)};
}

// The same in every process, on every machine: it lies in files.
uint64_t HashPath(absl::string_view path);
uint64_t HashDigest(ByteView digest);  // at least 16 bytes

inline uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

// The slot where a search begins; `slots` is not 0.
inline size_t HomeOf(uint64_t hash, size_t slots) {
  return static_cast<size_t>((hash & 0xffffffff) * slots >> 32);
}
inline size_t NextSlot(size_t slot, size_t slots) { return slot + 1 == slots ? 0 : slot + 1; }

// How many slots a table of `items` has: two thirds are taken.
inline size_t SlotsFor(size_t items) { return items + items / 2 + 1; }

}  // namespace bootgate::gatekeeper::reference::layout

#include "common/ima/allow_list.h"

#include <algorithm>
#include <array>
#include <bit>

#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/base/sums_path.h"
#include "common/ima/plain_file.h"

namespace bootgate::ima {
namespace {

constexpr size_t kDigestBytes = 32;
constexpr size_t kHexBytes = 2 * kDigestBytes;
constexpr size_t kSeparatorBytes = 2;
constexpr size_t kRecordHead = kDigestBytes + 2;
constexpr size_t kBatch = 32;       // look-ups whose waiting overlaps
constexpr size_t kMemoryLine = 64;  // bytes that memory hands over at once
constexpr size_t kMaxRecordBytes = UINT32_MAX - kRecordHead - kMaxAllowPath - 1;

size_t HashOf(absl::string_view path) { return absl::Hash<absl::string_view>{}(path); }

uint32_t TagOf(size_t hash) { return static_cast<uint32_t>(uint64_t{hash} >> 32); }

// One record as it lies in the block.
struct Listed {
  ByteView digest;
  absl::string_view path;
};

Listed RecordAt(ByteView records, size_t offset) {
  const ByteView head = records.subspan(offset, kRecordHead);
  const size_t size = head[kDigestBytes] | size_t{head[kDigestBytes + 1]} << 8;
  return {head.first(kDigestBytes), AsText(records.subspan(offset + kRecordHead, size))};
}

struct Line {
  Bytes digest;
  std::string path;
};

absl::StatusOr<Line> ReadLine(absl::string_view text) {
  const bool escaped = text.front() == '\\';
  if (escaped) text.remove_prefix(1);
  if (text.size() <= kHexBytes + kSeparatorBytes || text[kHexBytes] != ' ' ||
      (text[kHexBytes + 1] != ' ' && text[kHexBytes + 1] != '*')) {
    return absl::InvalidArgumentError("not a digest, two spaces and a path");
  }
  Line line;
  BG_ASSIGN_OR_RETURN(line.digest, FromHex(text.substr(0, kHexBytes)));
  const absl::string_view path = text.substr(kHexBytes + kSeparatorBytes);
  line.path = std::string(path);
  if (escaped) {
    BG_ASSIGN_OR_RETURN(line.path, UnescapeSumsPath(path));
  }
  if (line.path.size() > kMaxAllowPath) {
    return absl::InvalidArgumentError(absl::StrCat("path of ", line.path.size(), " bytes"));
  }
  return line;
}

// What is looked up of an entry.
struct Key {
  bool authentic = false;
  absl::string_view path;
  ByteView digest;  // of SHA-256; none: of another algorithm
  size_t hash = 0;
};

Key KeyOf(const Entries& entries, size_t number) {
  const Record record = entries.RecordAt(number);
  PlainFile file;
  if (TakePlainFile(record, file)) {
    return {.authentic = !record.violation,
            .path = file.path,
            .digest = file.digest,
            .hash = HashOf(file.path)};
  }
  const Entry entry = entries[number];
  const bool sha256 = entry.digest_name == "sha256" && entry.file_digest.size() == kDigestBytes;
  return {.authentic = !entry.violation && !entry.file_digest.empty(),
          .path = entry.path,
          .digest = sha256 ? entry.file_digest : ByteView{},
          .hash = HashOf(entry.path)};
}

}  // namespace

absl::StatusOr<AllowList> AllowList::FromSha256Sums(absl::string_view text) {
  AllowList list;
  size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    const absl::StatusOr<Line> read = ReadLine(line);
    if (!read.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": ", read.status().message()));
    }
    if (list.lines_ >= kMaxAllowLines || list.records_.size() > kMaxRecordBytes) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": the list is too long"));
    }
    list.Add(read->digest, read->path);
  }
  list.records_.shrink_to_fit();
  list.BuildSlots();
  return list;
}

void AllowList::Add(ByteView digest, absl::string_view path) {
  const ByteView text = AsBytes(path);
  records_.insert(records_.end(), digest.begin(), digest.end());
  records_.push_back(static_cast<uint8_t>(path.size() & 0xff));
  records_.push_back(static_cast<uint8_t>(path.size() >> 8));
  records_.insert(records_.end(), text.begin(), text.end());
  ++lines_;
}

void AllowList::BuildSlots() {
  slots_.assign(std::bit_ceil(2 * lines_ + 1), Slot{});
  const size_t mask = slots_.size() - 1;
  for (size_t offset = 0; offset < records_.size();) {
    const Listed record = RecordAt(records_, offset);
    const size_t hash = HashOf(record.path);
    size_t at = hash & mask;
    while (slots_[at].record != 0) at = (at + 1) & mask;
    slots_[at] = {.tag = TagOf(hash), .record = static_cast<uint32_t>(offset + 1)};
    offset += kRecordHead + record.path.size();
  }
}

Listing AllowList::Find(absl::string_view path, ByteView digest) const {
  return FindHashed(HashOf(path), path, digest);
}

// A path with several digests lies in several slots of one run.
Listing AllowList::FindHashed(size_t hash, absl::string_view path, ByteView digest) const {
  Listing found = Listing::kUnlisted;
  if (slots_.empty()) return found;
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask; slots_[at].record != 0; at = (at + 1) & mask) {
    if (slots_[at].tag != TagOf(hash)) continue;
    const Listed record = RecordAt(records_, slots_[at].record - 1);
    if (record.path != path) continue;
    if (SameBytes(record.digest, digest)) return Listing::kListed;
    found = Listing::kOtherDigest;
  }
  return found;
}

void AllowList::FindAll(const Entries& entries, std::span<Listing> out, size_t first) const {
  if (slots_.empty()) {
    std::ranges::fill(out, Listing::kUnlisted);
    return;
  }
  std::array<Key, kBatch> keys;
  for (size_t start = 0; start < out.size(); start += kBatch) {
    const size_t size = std::min(kBatch, out.size() - start);
    for (size_t i = 0; i < size; ++i) {
      keys[i] = KeyOf(entries, first + start + i);
      __builtin_prefetch(&slots_[keys[i].hash & (slots_.size() - 1)]);
    }
    for (size_t i = 0; i < size; ++i) PrefetchRecord(keys[i].hash);
    for (size_t i = 0; i < size; ++i) {
      const Key& key = keys[i];
      out[start + i] =
          key.authentic ? FindHashed(key.hash, key.path, key.digest) : Listing::kUnlisted;
    }
  }
}

// Most records end within the second line of memory.
void AllowList::PrefetchRecord(size_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].record != 0 && slots_[at].tag != TagOf(hash)) at = (at + 1) & mask;
  if (slots_[at].record == 0) return;
  const uint8_t* const record = records_.data() + (slots_[at].record - 1);
  __builtin_prefetch(record);
  if (records_.size() - slots_[at].record >= kMemoryLine) __builtin_prefetch(record + kMemoryLine);
}

}  // namespace bootgate::ima

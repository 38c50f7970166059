#include "common/ima/known_digests.h"

#include <algorithm>
#include <array>

#include "absl/hash/hash.h"
#include "common/bytes/reader.h"
#include "common/ima/template_digest.h"

namespace bootgate::ima {
namespace {

constexpr size_t kSizeBytes = 4;
constexpr size_t kNameBytes = 32;
constexpr size_t kBatch = 16;       // look-ups whose waiting overlaps
constexpr size_t kMemoryLine = 64;  // bytes that memory hands over at once
constexpr size_t kLinesAhead = 4;   // of most kept entries
constexpr size_t kMaxProbes = 64;   // slots looked at: crafted keys cost no more than this
constexpr size_t kFirstSlots = 1024;

uint64_t HashOf(ByteView key) { return absl::Hash<absl::string_view>{}(AsText(key)); }

uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace

crypto::Digest RecordName(ByteView record) {
  return crypto::Hash(crypto::HashAlg::kSha256, record);
}

KnownDigests::KnownDigests() : KnownDigests(Options{}) {}

KnownDigests::KnownDigests(Options options) : options_(std::move(options)) {
  options_.max_bytes = std::min<size_t>(options_.max_bytes, UINT32_MAX - 1);
  for (const crypto::HashAlg alg : options_.banks) digest_bytes_ += crypto::DigestSize(alg);
  Clear();
}

void KnownDigests::Clear() {
  block_.clear();
  by_bytes_.assign(kFirstSlots, Slot{});
  by_name_.assign(kFirstSlots, Slot{});
  records_ = 0;
}

bool KnownDigests::Add(const Record& record) {
  if (record.violation || record.bytes.size() > kMaxKnownRecord) return false;
  if (Find(record.bytes) != kNone) return true;
  const size_t size = HeadBytes() + record.bytes.size() + kNameBytes;
  if (size > options_.max_bytes || options_.max_records == 0) return false;
  if (records_ >= options_.max_records || block_.size() + size > options_.max_bytes) Clear();
  if (2 * (records_ + 1) > by_bytes_.size()) Grow();
  const auto place = static_cast<Place>(block_.size() + 1);
  const auto append = [this](ByteView part) {
    block_.insert(block_.end(), part.begin(), part.end());
  };
  for (size_t i = 0; i < kSizeBytes; ++i) {
    block_.push_back(static_cast<uint8_t>(record.bytes.size() >> (8 * i)));
  }
  for (const crypto::HashAlg alg : options_.banks) append(ima::TemplateDigest(record, alg).view());
  append(record.bytes);
  append(RecordName(record.bytes).view());
  ++records_;
  Insert(place);
  return true;
}

void KnownDigests::Insert(Place place) {
  const auto put = [place](Slots& slots, uint64_t hash) {
    const size_t mask = slots.size() - 1;
    size_t at = hash & mask;
    while (slots[at].place != kNone) at = (at + 1) & mask;
    slots[at] = {.tag = TagOf(hash), .place = place};
  };
  put(by_bytes_, HashOf(RecordBytes(place)));
  put(by_name_, HashOf(NameAt(place)));
}

void KnownDigests::Grow() {
  by_bytes_.assign(by_bytes_.size() * 2, Slot{});
  by_name_.assign(by_name_.size() * 2, Slot{});
  for (size_t offset = 0; offset < block_.size();) {
    const auto place = static_cast<Place>(offset + 1);
    Insert(place);
    offset += HeadBytes() + RecordSize(place) + kNameBytes;
  }
}

size_t KnownDigests::HeadBytes() const { return kSizeBytes + digest_bytes_; }

size_t KnownDigests::RecordSize(Place place) const {
  bytes::Reader in(ByteView(block_).subspan(place - 1));
  uint32_t size = 0;
  in.TryU32Le(&size);
  return size;
}

ByteView KnownDigests::RecordBytes(Place place) const {
  return ByteView(block_).subspan(place - 1 + HeadBytes(), RecordSize(place));
}

ByteView KnownDigests::NameAt(Place place) const {
  return ByteView(block_).subspan(place - 1 + HeadBytes() + RecordSize(place), kNameBytes);
}

std::optional<crypto::Digest> KnownDigests::TemplateDigest(Place place, crypto::HashAlg alg) const {
  size_t offset = place - 1 + kSizeBytes;
  for (const crypto::HashAlg bank : options_.banks) {
    const size_t size = crypto::DigestSize(bank);
    if (bank == alg) {
      crypto::Digest digest(alg);
      std::ranges::copy(ByteView(block_).subspan(offset, size), digest.mutable_view().begin());
      return digest;
    }
    offset += size;
  }
  return std::nullopt;
}

KnownDigests::Place KnownDigests::FindHashed(uint64_t hash, ByteView record) const {
  const size_t mask = by_bytes_.size() - 1;
  for (size_t probe = 0; probe < kMaxProbes; ++probe) {
    const Slot slot = by_bytes_[(hash + probe) & mask];
    if (slot.place == kNone) return kNone;
    if (slot.tag == TagOf(hash) && SameBytes(RecordBytes(slot.place), record)) return slot.place;
  }
  return kNone;
}

KnownDigests::Place KnownDigests::Find(ByteView record) const {
  return FindHashed(HashOf(record), record);
}

void KnownDigests::FindAll(std::span<const ByteView> records, std::span<Place> out) const {
  std::array<uint64_t, kBatch> hashes{};
  for (size_t start = 0; start < records.size(); start += kBatch) {
    const auto batch = records.subspan(start, std::min(kBatch, records.size() - start));
    for (size_t i = 0; i < batch.size(); ++i) {
      hashes[i] = HashOf(batch[i]);
      __builtin_prefetch(&by_bytes_[hashes[i] & (by_bytes_.size() - 1)]);
    }
    for (size_t i = 0; i < batch.size(); ++i) PrefetchRecord(hashes[i]);
    for (size_t i = 0; i < batch.size(); ++i) out[start + i] = FindHashed(hashes[i], batch[i]);
  }
}

void KnownDigests::PrefetchRecord(uint64_t hash) const {
  const Slot slot = by_bytes_[hash & (by_bytes_.size() - 1)];
  if (slot.tag != TagOf(hash) || slot.place == kNone) return;
  const size_t offset = slot.place - 1;
  const size_t ahead = std::min(block_.size() - offset, kLinesAhead * kMemoryLine);
  for (size_t line = 0; line < ahead; line += kMemoryLine) {
    __builtin_prefetch(block_.data() + offset + line);
  }
}

KnownDigests::Place KnownDigests::FindName(ByteView name) const {
  const uint64_t hash = HashOf(name);
  const size_t mask = by_name_.size() - 1;
  for (size_t probe = 0; probe < kMaxProbes; ++probe) {
    const Slot slot = by_name_[(hash + probe) & mask];
    if (slot.place == kNone) return kNone;
    if (slot.tag == TagOf(hash) && SameBytes(NameAt(slot.place), name)) return slot.place;
  }
  return kNone;
}

size_t KnownDigests::memory_bytes() const {
  return block_.capacity() + (by_bytes_.capacity() + by_name_.capacity()) * sizeof(Slot);
}

}  // namespace bootgate::ima

#include "common/ima/known_digests.h"

#include <algorithm>
#include <array>

#include "absl/hash/hash.h"
#include "common/bytes/writer.h"
#include "common/ima/template_digest.h"

namespace bootgate::ima {
namespace {

constexpr size_t kWords = 2;  // size, register
constexpr size_t kNameAt = kWords * sizeof(uint32_t);
constexpr size_t kLeastRecord = 4 + 20 + 4 + 4;  // bytes: register, digest, two lengths
constexpr size_t kBatch = 16;                    // look-ups whose waiting overlaps
constexpr size_t kMemoryLine = 64;               // bytes that memory hands over at once
constexpr size_t kEntryAhead = 4 * kMemoryLine;  // bytes of most kept entries
constexpr size_t kNameAhead = kMemoryLine;       // bytes before and with an entry's name
constexpr size_t kMaxProbes = 64;  // slots looked at: crafted keys cost no more than this
constexpr size_t kFirstSlots = 1024;

uint64_t HashOf(ByteView key) { return absl::Hash<absl::string_view>{}(AsText(key)); }

// Names are hashes themselves: half of one is as good as all of it, and takes no call.
uint64_t HashOfName(ByteView name) {
  uint64_t low = 0, high = 0;
  bytes::Reader in(name);
  in.TryU64Le(&low);
  in.TryU64Le(&high);
  return absl::HashOf(low, high);
}

bool ReadsAlike(const Record& record) {
  const Format alone = Format::Of(record.bytes);
  return alone.order == record.order && alone.listed_digest_size == record.listed_digest.size();
}

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
  ++generation_;
}

bool KnownDigests::Add(const Record& record) {
  static_assert(kNameAt + kNameBytes + kLeastRecord >= kLeastBytes);
  if (record.violation || record.bytes.size() < kLeastRecord ||
      record.bytes.size() > kMaxKnownRecord || !ReadsAlike(record)) {
    return false;
  }
  if (Find(record.bytes) != kNone) return true;
  const size_t size = HeadBytes() + record.bytes.size();
  if (size > options_.max_bytes || options_.max_records == 0) return false;
  if (records_ >= options_.max_records || block_.size() + size > options_.max_bytes) Clear();
  if (2 * (records_ + 1) > by_bytes_.size()) Grow();
  const auto place = static_cast<Place>(block_.size() + 1);
  bytes::Writer out;
  out.U32Le(static_cast<uint32_t>(record.bytes.size()));
  out.U32Le(record.register_index);
  out.Raw(RecordName(record.bytes).view());
  for (const crypto::HashAlg alg : options_.banks) out.Raw(ima::TemplateDigest(record, alg).view());
  out.Raw(record.bytes);
  block_.insert(block_.end(), out.view().begin(), out.view().end());
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
  put(by_name_, HashOfName(NameAt(place)));
}

void KnownDigests::Grow() {
  by_bytes_.assign(by_bytes_.size() * 2, Slot{});
  by_name_.assign(by_name_.size() * 2, Slot{});
  for (size_t offset = 0; offset < block_.size();) {
    const auto place = static_cast<Place>(offset + 1);
    Insert(place);
    offset += HeadBytes() + RecordSize(place);
  }
}

size_t KnownDigests::HeadBytes() const { return kNameAt + kNameBytes + digest_bytes_; }

size_t KnownDigests::RecordSize(Place place) const { return WordAt(place, 0); }

ByteView KnownDigests::RecordBytes(Place place) const {
  return ByteView(block_).subspan(place - 1 + HeadBytes(), RecordSize(place));
}

ByteView KnownDigests::NameAt(Place place) const {
  return ByteView(block_).subspan(place - 1 + kNameAt, kNameBytes);
}

KnownDigests::Bank KnownDigests::BankOf(crypto::HashAlg alg) const {
  Bank bank;
  bank.offset_ = kNameAt + kNameBytes;
  for (const crypto::HashAlg kept : options_.banks) {
    if (kept == alg) {
      bank.size_ = crypto::DigestSize(kept);
      return bank;
    }
    bank.offset_ += crypto::DigestSize(kept);
  }
  return bank;
}

std::optional<crypto::Digest> KnownDigests::TemplateDigest(Place place, crypto::HashAlg alg) const {
  const Bank bank = BankOf(alg);
  if (!bank) return std::nullopt;
  const ByteView bytes = TemplateDigestView(place, bank);
  crypto::Digest digest(alg);
  std::ranges::copy(bytes, digest.mutable_view().begin());
  return digest;
}

KnownDigests::Place KnownDigests::FindRecord(uint64_t hash, ByteView record) const {
  const size_t mask = by_bytes_.size() - 1;
  for (size_t probe = 0; probe < kMaxProbes; ++probe) {
    const Slot slot = by_bytes_[(hash + probe) & mask];
    if (slot.place == kNone) return kNone;
    if (slot.tag == TagOf(hash) && SameBytes(RecordBytes(slot.place), record)) return slot.place;
  }
  return kNone;
}

KnownDigests::Place KnownDigests::FindHashedName(uint64_t hash, ByteView name) const {
  const size_t mask = by_name_.size() - 1;
  for (size_t probe = 0; probe < kMaxProbes; ++probe) {
    const Slot slot = by_name_[(hash + probe) & mask];
    if (slot.place == kNone) return kNone;
    if (slot.tag == TagOf(hash) && SameBytes(NameAt(slot.place), name)) return slot.place;
  }
  return kNone;
}

KnownDigests::Place KnownDigests::Find(ByteView record) const {
  return FindRecord(HashOf(record), record);
}

KnownDigests::Place KnownDigests::FindName(ByteView name) const {
  return FindHashedName(HashOfName(name), name);
}

void KnownDigests::FindAll(std::span<const ByteView> records, std::span<Place> out) const {
  std::array<uint64_t, kBatch> hashes{};
  for (size_t start = 0; start < records.size(); start += kBatch) {
    const auto batch = records.subspan(start, std::min(kBatch, records.size() - start));
    for (size_t i = 0; i < batch.size(); ++i) {
      hashes[i] = HashOf(batch[i]);
      __builtin_prefetch(&by_bytes_[hashes[i] & (by_bytes_.size() - 1)]);
    }
    for (size_t i = 0; i < batch.size(); ++i) PrefetchPlace(by_bytes_, hashes[i], kEntryAhead);
    for (size_t i = 0; i < batch.size(); ++i) out[start + i] = FindRecord(hashes[i], batch[i]);
  }
}

void KnownDigests::FindNames(ByteView names, std::span<Place> out) const {
  std::array<uint64_t, kBatch> hashes{};
  const auto name = [&](size_t i) { return names.subspan(i * kNameBytes, kNameBytes); };
  for (size_t start = 0; start < out.size(); start += kBatch) {
    const size_t size = std::min(kBatch, out.size() - start);
    for (size_t i = 0; i < size; ++i) {
      hashes[i] = HashOfName(name(start + i));
      __builtin_prefetch(&by_name_[hashes[i] & (by_name_.size() - 1)]);
    }
    for (size_t i = 0; i < size; ++i) PrefetchPlace(by_name_, hashes[i], kNameAhead);
    for (size_t i = 0; i < size; ++i) out[start + i] = FindHashedName(hashes[i], name(start + i));
  }
}

void KnownDigests::PrefetchPlace(const Slots& slots, uint64_t hash, size_t most) const {
  const Slot slot = slots[hash & (slots.size() - 1)];
  if (slot.tag != TagOf(hash) || slot.place == kNone) return;
  const size_t offset = slot.place - 1;
  const size_t ahead = std::min(block_.size() - offset, most);
  for (size_t line = 0; line < ahead; line += kMemoryLine) {
    __builtin_prefetch(block_.data() + offset + line);
  }
}

size_t KnownDigests::memory_bytes() const {
  return block_.capacity() + (by_bytes_.capacity() + by_name_.capacity()) * sizeof(Slot);
}

}  // namespace bootgate::ima

#include "common/ima/known_digests.h"

#include <algorithm>
#include <array>

#include "absl/hash/hash.h"
#include "common/bytes/reader.h"
#include "common/ima/template_digest.h"

namespace bootgate::ima {
namespace {

constexpr size_t kLeastRecord = 4 + 20 + 4 + 4;  // bytes: register, digest, two lengths
constexpr size_t kBatch = 64;                    // look-ups whose waiting overlaps
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
  for (const crypto::HashAlg alg : options_.banks) key_bytes_ += crypto::DigestSize(alg);
  Clear();
}

void KnownDigests::Clear() {
  entries_.clear();
  keys_.clear();
  records_.clear();
  by_bytes_.assign(kFirstSlots, Slot{});
  by_name_.assign(kFirstSlots, Slot{});
  ++generation_;
}

bool KnownDigests::Add(const Record& record) {
  if (record.violation || record.bytes.size() < kLeastRecord ||
      record.bytes.size() > kMaxKnownRecord || !ReadsAlike(record)) {
    return false;
  }
  if (Find(record.bytes) != kNone) return true;
  const size_t size = sizeof(Kept) + key_bytes_ + record.bytes.size();
  if (size > options_.max_bytes || options_.max_records == 0) return false;
  const size_t held = entries_.size() * (sizeof(Kept) + key_bytes_) + records_.size();
  if (entries_.size() >= options_.max_records || held + size > options_.max_bytes) Clear();
  if (2 * (entries_.size() + 1) > by_bytes_.size()) Grow();
  const auto append = [](ByteView bytes, Bytes& to) {
    to.insert(to.end(), bytes.begin(), bytes.end());
  };
  entries_.push_back({.at = static_cast<uint32_t>(records_.size()),
                      .size = static_cast<uint32_t>(record.bytes.size()),
                      .register_index = record.register_index});
  append(RecordName(record.bytes).view(), keys_);
  for (const crypto::HashAlg alg : options_.banks)
    append(ima::TemplateDigest(record, alg).view(), keys_);
  append(record.bytes, records_);
  Insert(static_cast<Place>(entries_.size()));
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
  for (Place place = 1; place <= entries_.size(); ++place) Insert(place);
}

ByteView KnownDigests::RecordBytes(Place place) const {
  const Kept& kept = entries_[place - 1];
  return ByteView(records_).subspan(kept.at, kept.size);
}

KnownDigests::Bank KnownDigests::BankOf(crypto::HashAlg alg) const {
  Bank bank;
  bank.offset_ = kNameBytes;
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

void KnownDigests::FindNames(ByteView names, std::span<Place> out) const {
  std::array<uint64_t, kBatch> hashes{};
  const auto name = [&](size_t i) { return names.subspan(i * kNameBytes, kNameBytes); };
  for (size_t start = 0; start < out.size(); start += kBatch) {
    const size_t size = std::min(kBatch, out.size() - start);
    for (size_t i = 0; i < size; ++i) {
      hashes[i] = HashOfName(name(start + i));
      __builtin_prefetch(&by_name_[hashes[i] & (by_name_.size() - 1)]);
    }
    for (size_t i = 0; i < size; ++i) {
      const Slot slot = by_name_[hashes[i] & (by_name_.size() - 1)];
      if (slot.place == kNone || slot.tag != TagOf(hashes[i])) continue;
      __builtin_prefetch(&keys_[(slot.place - 1) * key_bytes_]);
      __builtin_prefetch(&keys_[slot.place * key_bytes_ - 1]);
    }
    for (size_t i = 0; i < size; ++i) out[start + i] = FindHashedName(hashes[i], name(start + i));
  }
}

size_t KnownDigests::memory_bytes() const {
  return entries_.capacity() * sizeof(Kept) + keys_.capacity() + records_.capacity() +
         (by_bytes_.capacity() + by_name_.capacity()) * sizeof(Slot);
}

}  // namespace bootgate::ima

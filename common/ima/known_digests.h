// Template digests that we computed once ourselves, so that an entry which many hosts have is only
// extended, and can be sent as its name alone: the SHA-256 of its record's bytes.
//
// Nothing in it was told by a host: Add hashes. An entry is found by all of its bytes or by its
// name, never by less. Bounded: when it is full it is emptied and begins again. Not for several
// threads at once, except that any number may look things up while nobody adds.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "common/bytes/reader.h"
#include "common/crypto/hash.h"
#include "common/ima/record.h"

namespace bootgate::ima {

class KnownDigests {
 public:
  struct Options {
    std::vector<crypto::HashAlg> banks = {crypto::HashAlg::kSha256, crypto::HashAlg::kSha1};
    size_t max_records = size_t{1} << 20;
    size_t max_bytes = size_t{256} << 20;  // of records and digests; never more than 4 GiB
  };

  // Where an entry lies; good until the next Add or Clear. 0 is none.
  using Place = uint32_t;
  static constexpr Place kNone = 0;
  static constexpr size_t kNameBytes = 32;

  KnownDigests();  // with the default options
  explicit KnownDigests(Options options);

  // Hashes the record for every bank and keeps it. False for a record that is never kept: a
  // violation, longer than kMaxKnownRecord, or one that alone would not be read as in its list.
  bool Add(const Record& record);
  void Clear();

  Place Find(ByteView record) const;
  // One place for each record, in order; `out` is as long. Overlaps the waiting for memory.
  void FindAll(std::span<const ByteView> records, std::span<Place> out) const;
  Place FindName(ByteView name) const;
  // One place for each of the names, which lie one after the other, kNameBytes each.
  void FindNames(ByteView names, std::span<Place> out) const;

  // The parts of a kept entry. `place` came from a look-up and is not kNone.
  ByteView RecordBytes(Place place) const;
  uint32_t RegisterIndex(Place place) const { return WordAt(place, 1); }
  // A number that no other entry has, below numbers() and told without a look at memory: for what
  // others keep beside an entry. After each generation() it begins again.
  static uint32_t NumberOf(Place place) { return (place - 1) / kLeastBytes; }
  size_t numbers() const { return block_.size() / kLeastBytes + 1; }
  // Begins to fetch what a replay reads of the entry.
  [[gnu::always_inline]] void Prefetch(Place place) const {
    __builtin_prefetch(block_.data() + place - 1);
    __builtin_prefetch(&block_[std::min<size_t>(place - 1 + kLeastBytes, block_.size() - 1)]);
  }
  // nullopt when `alg` is not among the banks.
  std::optional<crypto::Digest> TemplateDigest(Place place, crypto::HashAlg alg) const;
  // The same for many places: where the digests of a bank lie, found once.
  class Bank {
   public:
    explicit operator bool() const { return size_ != 0; }  // false: it is not kept
   private:
    friend class KnownDigests;
    size_t offset_ = 0, size_ = 0;
  };
  Bank BankOf(crypto::HashAlg alg) const;
  ByteView TemplateDigestView(Place place, Bank bank) const {
    return ByteView(block_).subspan(place - 1 + bank.offset_, bank.size_);
  }

  size_t size() const { return records_; }
  uint64_t generation() const { return generation_; }  // how often it was emptied
  size_t memory_bytes() const;

 private:
  static constexpr uint32_t kLeastBytes = 64;

  struct Slot {
    uint32_t tag = 0;  // of the key's hash
    Place place = kNone;
  };
  // A table of slots, a power of two of them, at most half of them taken.
  using Slots = std::vector<Slot>;

  size_t HeadBytes() const;
  uint32_t WordAt(Place place, size_t word) const {
    bytes::Reader in(ByteView(block_).subspan(place - 1 + word * sizeof(uint32_t)));
    uint32_t value = 0;
    in.TryU32Le(&value);
    return value;
  }
  size_t RecordSize(Place place) const;
  ByteView NameAt(Place place) const;
  Place FindRecord(uint64_t hash, ByteView record) const;
  Place FindHashedName(uint64_t hash, ByteView name) const;
  // `most`: bytes.
  void PrefetchPlace(const Slots& slots, uint64_t hash, size_t most) const;
  void Insert(Place place);
  void Grow();

  Options options_;
  size_t digest_bytes_ = 0;  // of all banks
  // Each: size of the record, its register, its name, digests, the record; kLeastBytes or more.
  Bytes block_;
  Slots by_bytes_;
  Slots by_name_;
  size_t records_ = 0;
  uint64_t generation_ = 0;
};

// The name of a record: the SHA-256 of its bytes.
crypto::Digest RecordName(ByteView record);

inline constexpr size_t kMaxKnownRecord = size_t{16} << 10;  // bytes

}  // namespace bootgate::ima

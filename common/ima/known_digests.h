// Template digests that we computed once ourselves, so that an entry which many hosts have is only
// extended, and can be sent as its name alone: the SHA-256 of its record's bytes.
//
// Nothing in it was told by a host: Add hashes. An entry is found by all of its bytes or by its
// name, never by less. Bounded: when it is full it is emptied and begins again. Not for several
// threads at once, except that any number may look things up while nobody adds.
#pragma once

#include <optional>
#include <span>
#include <vector>

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

  // Which entry: its number, from 1 on; good until the next Clear. 0 is none.
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
  Place FindName(ByteView name) const;
  // One place for each of the names, which lie one after the other, kNameBytes each. Overlaps the
  // waiting for memory.
  void FindNames(ByteView names, std::span<Place> out) const;

  // The parts of a kept entry. `place` came from a look-up and is not kNone.
  ByteView RecordBytes(Place place) const;
  uint32_t RegisterIndex(Place place) const { return entries_[place - 1].register_index; }
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
    return ByteView(keys_).subspan((place - 1) * key_bytes_ + bank.offset_, bank.size_);
  }

  size_t size() const { return entries_.size(); }
  uint64_t generation() const { return generation_; }  // how often it was emptied
  size_t memory_bytes() const;

 private:
  struct Kept {
    uint32_t at = 0, size = 0;  // of the record in records_
    uint32_t register_index = 0;
  };
  struct Slot {
    uint32_t tag = 0;  // of the key's hash
    Place place = kNone;
  };
  // A table of slots, a power of two of them, at most half of them taken.
  using Slots = std::vector<Slot>;

  ByteView NameAt(Place place) const {
    return ByteView(keys_).subspan((place - 1) * key_bytes_, kNameBytes);
  }
  Place FindRecord(uint64_t hash, ByteView record) const;
  Place FindHashedName(uint64_t hash, ByteView name) const;
  void Insert(Place place);
  void Grow();

  Options options_;
  size_t key_bytes_ = kNameBytes;  // of a name and the digests of all banks
  std::vector<Kept> entries_;
  Bytes keys_;     // for each entry its name and its digests: all that a replay reads
  Bytes records_;  // one after the other
  Slots by_bytes_;
  Slots by_name_;
  uint64_t generation_ = 0;
};

// The name of a record: the SHA-256 of its bytes.
crypto::Digest RecordName(ByteView record);

inline constexpr size_t kMaxKnownRecord = size_t{16} << 10;  // bytes

}  // namespace bootgate::ima

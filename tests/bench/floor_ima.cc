// The floor of judging an IMA list cold, with nothing of the product's own: each entry parsed,
// looked up in a flat table of 100,000 paths and their digests, both compared in whole, template
// digest, extend. Look-ups are issued ahead for a batch, so that the waiting for memory overlaps.
// No window, no rule: no answer that is right can be had for less.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <vector>

#include "absl/hash/hash.h"
#include "common/base/status_macros.h"
#include "gatekeeper/reference/imaset/draft.h"
#include "gatekeeper/reference/sources/sums.h"
#include "tests/bench/bench.h"
#include "tests/bench/ima_judging.h"

namespace bootgate::bench {
namespace {

constexpr size_t kDigest = SHA256_DIGEST_LENGTH;  // bytes
constexpr size_t kBatch = 16;                     // look-ups issued together

void Sha256(ByteView bytes, uint8_t* out) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(out, &context);
}

uint64_t HashOf(absl::string_view path) { return absl::Hash<absl::string_view>{}(path); }

// Paths with their digests, found by the path's hash and compared in whole; half of the slots are
// free.
class FlatTable {
 public:
  explicit FlatTable(const std::vector<gatekeeper::reference::SetItem>& items) {
    size_t slots = 1;
    while (slots < 2 * items.size()) slots *= 2;
    slots_.resize(slots);
    for (const auto& item : items) {
      const uint64_t hash = HashOf(item.path);
      size_t at = hash & (slots - 1);
      while (slots_[at].size != 0) at = (at + 1) & (slots - 1);
      slots_[at] = {hash, static_cast<uint32_t>(texts_.size()),
                    static_cast<uint32_t>(item.path.size())};
      texts_.insert(texts_.end(), item.digest.begin(), item.digest.end());
      texts_.insert(texts_.end(), item.path.begin(), item.path.end());
    }
  }

  // Begins to fetch the first slot that may have it; then, once that is there, what it names.
  [[gnu::always_inline]] void PrefetchSlot(uint64_t hash) const {
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  [[gnu::always_inline]] void PrefetchTexts(uint64_t hash) const {
    const Slot& slot = slots_[hash & (slots_.size() - 1)];
    __builtin_prefetch(&texts_[slot.at]);
    __builtin_prefetch(&texts_[slot.at] + kDigest + slot.size - 1);
  }
  bool Has(uint64_t hash, absl::string_view path, ByteView digest) const {
    for (size_t at = hash;; ++at) {
      const Slot& slot = slots_[at & (slots_.size() - 1)];
      if (slot.size == 0) return false;
      if (slot.hash != hash) continue;
      const ByteView texts = ByteView(texts_).subspan(slot.at, kDigest + slot.size);
      if (AsText(texts.subspan(kDigest)) == path) return SameBytes(texts.first(kDigest), digest);
    }
  }

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t at = 0, size = 0;  // of digest and path in `texts_`; of the path, 0: free
  };
  std::vector<Slot> slots_;
  Bytes texts_;
};

struct Parsed {
  ByteView data;  // of the template
  ByteView digest;
  absl::string_view path;
  uint64_t hash = 0;  // of the path
  bool aggregate = false;
};

// A little-endian ima-ng entry of a SHA-256 digest, whose lengths alone are checked. Returns its
// size, 0 where it is cut.
size_t Parse(ByteView from, Parsed* out) {
  constexpr size_t kName = 4 + 20 + 4;                 // register, listed digest, length
  constexpr size_t kData = kName + 6 + 4;              // "ima-ng", length
  constexpr size_t kFileDigest = 4 + 8;                // in the data: length, "sha256:" and NUL
  constexpr size_t kPath = kFileDigest + kDigest + 4;  // length
  if (from.size() < kData + kPath) return 0;
  const auto word = [from](size_t at) {
    uint32_t value = 0;
    memcpy(&value, from.data() + at, sizeof value);
    return size_t{value};
  };
  const size_t size = word(kData - 4);
  const size_t path_size = word(kData + kPath - 4);  // with its NUL
  if (word(kName - 4) != 6 || size > from.size() - kData || path_size == 0 ||
      kPath + path_size != size) {
    return 0;
  }
  out->data = from.subspan(kData, size);
  out->path = AsText(out->data.subspan(kPath, path_size - 1));
  out->aggregate = out->path == "boot_aggregate";
  out->hash = HashOf(out->path);
  out->digest = out->data.subspan(kFileDigest, kDigest);
  return kData + size;
}

absl::Status Check(ByteView list, const FlatTable& table, ByteView quoted) {
  std::array<Parsed, kBatch> batch;
  std::array<uint8_t, 2 * kDigest> value_and_digest{};
  for (size_t at = 0; at < list.size();) {
    size_t count = 0;
    for (; count < kBatch && at < list.size(); ++count) {
      const size_t size = Parse(list.subspan(at), &batch[count]);
      if (size == 0) return absl::DataLossError("not a list of ima-ng entries");
      table.PrefetchSlot(batch[count].hash);
      at += size;
    }
    for (size_t i = 0; i < count; ++i) table.PrefetchTexts(batch[i].hash);
    for (size_t i = 0; i < count; ++i) {
      Sha256(batch[i].data, value_and_digest.data() + kDigest);
      Sha256(value_and_digest, value_and_digest.data());
    }
    for (size_t i = 0; i < count; ++i) {
      if (!batch[i].aggregate && !table.Has(batch[i].hash, batch[i].path, batch[i].digest))
        return absl::DataLossError("an entry is not listed");
    }
  }
  return SameBytes(ByteView(value_and_digest).first(kDigest), quoted)
             ? absl::OkStatus()
             : absl::DataLossError("PCR 10 is not met");
}

}  // namespace

absl::Status RunImaFloor(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const Bytes list, Load(arguments[0]));
  BG_ASSIGN_OR_RETURN(const Bytes text, Load(arguments[1]));
  BG_ASSIGN_OR_RETURN(const crypto::Digest quoted, ReadRegister(arguments[2]));
  gatekeeper::reference::SetDraft draft;
  BG_RETURN_IF_ERROR(gatekeeper::reference::AddSums(AsText(text), &draft));
  const FlatTable table(draft.items);
  return Repeat("floor-ima-cold", arguments[3], [&] { return Check(list, table, quoted.view()); });
}

}  // namespace bootgate::bench

// Template digests that a reader has at hand for some entries of a list that it put together
// itself, by where these lie: entries that came by their name (mixed_list.h) bring the digests that
// the reader computed when it learned them.
//
// No digest was told by a host. The bytes between may have come from one, and could move where
// entries begin, or change how all are read (Format::Of looks at the first alone). So a digest
// counts only for an entry that begins and ends where the known record does, in a list that is read
// as that record alone is.
#pragma once

#include <array>
#include <vector>

#include "common/crypto/hash.h"
#include "common/ima/record.h"

namespace bootgate::ima {

class DigestsAt {
 public:
  static constexpr crypto::HashAlg kAlg = crypto::HashAlg::kSha256;  // of all of them
  static constexpr size_t kRowBytes = 40;                            // kept for each

  // `record`, whose template digest was computed here, lies at `offset` of the list: past those
  // that were added before. Below 4 GiB.
  void Add(size_t offset, ByteView record, const crypto::Digest& template_digest);

  size_t size() const { return rows_.size(); }

  // Asked in the order of the list.
  class Walk {
   public:
    Walk(const DigestsAt* digests, const Format& list);
    // Empty: none is at hand.
    ByteView Of(const Record& record) {
      while (row_ < rows_ && all_->rows_[row_].offset < record.offset) ++row_;
      if (row_ == rows_) return {};
      const Row& row = all_->rows_[row_];
      if (row.offset != record.offset || row.size != record.bytes.size()) return {};
      return row.digest;
    }

   private:
    const DigestsAt* all_;
    size_t row_ = 0, rows_ = 0;
  };

 private:
  struct Row {
    uint32_t offset = 0, size = 0;  // bytes, of the record
    std::array<uint8_t, crypto::DigestSize(kAlg)> digest{};
  };
  static_assert(sizeof(Row) == kRowBytes);

  Format format_;  // as each of them is read alone
  std::vector<Row> rows_;
};

}  // namespace bootgate::ima

// Takes a boot log apart into records and puts another one together: what a forger does.
#pragma once

#include <cstring>
#include <utility>
#include <vector>

#include "common/base/bytes_view.h"
#include "common/eventlog/log.h"

namespace bootgate::testing {

class LogEditor {
 public:
  explicit LogEditor(ByteView bytes) {
    const eventlog::Log log = eventlog::Log::Parse(bytes);
    for (size_t i = 0; i < log.events().size(); ++i) {
      const size_t from = log.events()[i].offset;
      const size_t to = i + 1 < log.events().size() ? log.events()[i + 1].offset : bytes.size();
      records_.push_back(ToBytes(bytes.subspan(from, to - from)));
      const size_t digests = log.events()[i].digest_bytes.size();
      const ByteView digest_bytes = log.events()[i].digest_bytes;
      digests_.push_back({static_cast<size_t>(digest_bytes.data() - bytes.data()) - from, digests});
    }
  }

  LogEditor& Drop(size_t i) {
    records_.erase(At(i));
    return *this;
  }
  LogEditor& Repeat(size_t i) { return Copy(i, i + 1); }
  LogEditor& Copy(size_t i, size_t to) {
    records_.insert(At(to), Bytes(records_[i]));
    return *this;
  }
  LogEditor& Swap(size_t i, size_t j) {
    std::swap(records_[i], records_[j]);
    return *this;
  }
  LogEditor& Move(size_t i, size_t to) {
    Bytes record = std::move(records_[i]);
    records_.erase(At(i));
    records_.insert(At(to), std::move(record));
    return *this;
  }
  LogEditor& Register(size_t i, uint8_t index) {
    records_[i][0] = index;
    return *this;
  }
  LogEditor& Type(size_t i, uint32_t type) {
    for (size_t b = 0; b < 4; ++b) records_[i][4 + b] = static_cast<uint8_t>(type >> (8 * b));
    return *this;
  }
  // Changes the last byte of every digest of the record; only before records were added or removed.
  LogEditor& Digests(size_t i) {
    const auto [offset, size] = digests_[i];
    for (const size_t each : {size_t{2}, size_t{24}, size_t{58}}) {  // SHA-1, SHA-256, SHA-384
      if (each < size) records_[i][offset + each] ^= 1;
    }
    return *this;
  }
  const Bytes& Record(size_t i) const { return records_[i]; }
  LogEditor& Replace(size_t i, Bytes record) {
    records_[i] = std::move(record);
    return *this;
  }
  // Replaces the first occurrence of `from` in the record by a text of the same length.
  LogEditor& Data(size_t i, absl::string_view from, absl::string_view to) {
    const size_t at = AsText(records_[i]).find(from);
    if (at != absl::string_view::npos) std::memcpy(records_[i].data() + at, to.data(), to.size());
    return *this;
  }

  Bytes Finish() const {
    Bytes out;
    for (const Bytes& record : records_) out.insert(out.end(), record.begin(), record.end());
    return out;
  }

 private:
  std::vector<Bytes>::iterator At(size_t i) {
    return records_.begin() + static_cast<std::ptrdiff_t>(i);
  }
  std::vector<Bytes> records_;
  std::vector<std::pair<size_t, size_t>> digests_;  // where in the record, and how long
};

}  // namespace bootgate::testing

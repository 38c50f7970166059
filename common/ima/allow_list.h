// Which files may run: a read-only table from path and digest to yes or no.
//
// Made once, shared, immutable: safe to read from any thread. One block of records and one block of
// slots, about 80 bytes for each line, so that a hundred thousand lines stay below 10 MiB and a
// look-up costs two places in memory. Many look-ups at once overlap their waiting (FindAll).
#pragma once

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/ima/list.h"

namespace bootgate::ima {

inline constexpr size_t kMaxAllowLines = size_t{8} << 20;
inline constexpr size_t kMaxAllowPath = 4096;  // bytes, the kernel's PATH_MAX

//   kListed       path and digest are in the table
//   kOtherDigest  the path is, but not with this digest
//   kUnlisted     the path is not; also for entries without readable fields and for violations
enum class Listing : uint8_t { kUnlisted, kOtherDigest, kListed };

class AllowList {
 public:
  // Reads the lines of sha256sum: hex digest, two spaces (or space and asterisk), path. A line that
  // begins with a backslash has \n, \r and \\ escaped in its path. kInvalidArgument names the line.
  static absl::StatusOr<AllowList> FromSha256Sums(absl::string_view text);

  size_t size() const { return lines_; }  // lines
  size_t memory_bytes() const { return records_.capacity() + slots_.capacity() * sizeof(Slot); }

  // `digest`: of SHA-256; of any other length it is in no line.
  Listing Find(absl::string_view path, ByteView digest) const;

  // One Listing for each entry from number `first` on, in order, as many as `out` takes; entries of
  // other digests than sha256 are kOtherDigest or kUnlisted.
  void FindAll(const Entries& entries, std::span<Listing> out, size_t first = 0) const;

 private:
  struct Slot {
    uint32_t tag = 0;     // of the path's hash
    uint32_t record = 0;  // 1 + offset in records_; 0: the slot is free
  };

  void Add(ByteView digest, absl::string_view path);
  void BuildSlots();
  Listing FindHashed(size_t hash, absl::string_view path, ByteView digest) const;
  void PrefetchRecord(size_t hash) const;

  Bytes records_;            // each: digest, length of the path (2 bytes, little-endian), path
  std::vector<Slot> slots_;  // a power of two, at most half of them taken
  size_t lines_ = 0;
};

}  // namespace bootgate::ima

// A list that comes in pieces: entries are handed on as they are complete.
//
// Finds what List::Parse finds in the joined pieces, and keeps no more than the piece at hand and
// one unfinished entry, whatever the length of the list.
#pragma once

#include <vector>

#include "absl/functional/function_ref.h"
#include "common/ima/list_walk.h"

namespace bootgate::ima {

class ListStream {
 public:
  // The entry is gone when the call returns; what its views show stays until the next Add or
  // Finish.
  using Each = absl::FunctionRef<void(const Entry&)>;

  explicit ListStream(const Limits& limits = {}) : limits_(limits) {}

  // False once a limit was met: the rest of the list is of no interest.
  bool Add(ByteView piece, Each each);

  // The list ends here.
  void Finish(Each each);

  size_t entries() const { return walk_.has_value() ? walk_->entries() : 0; }
  const std::vector<Defect>& defects() const;
  size_t memory_bytes() const { return pending_.capacity(); }

 private:
  void DropRead();
  void Walk(Each each);

  Limits limits_;
  std::optional<ListWalk> walk_;  // once enough came to know the format
  Bytes pending_;
  size_t read_ = 0;    // of the pending bytes, which entries may still be shown of
  size_t offset_ = 0;  // of the first pending byte
  bool ended_ = false;
};

}  // namespace bootgate::ima

// Listings of known entries under one allow list: each is looked up once, whatever number of hosts
// has it. Borrows both; for one thread.
#pragma once

#include <vector>

#include "common/ima/allow_list.h"
#include "common/ima/known_digests.h"

namespace bootgate::ima {

class KnownListings {
 public:
  KnownListings(const AllowList& allow, const KnownDigests& known)
      : allow_(allow), known_(known), generation_(known.generation()) {}

  // `place` is not kNone.
  Listing Of(KnownDigests::Place place);

 private:
  const AllowList& allow_;
  const KnownDigests& known_;
  uint64_t generation_;
  std::vector<uint8_t> found_;  // by number of the entry: 0, or 1 and its Listing
};

}  // namespace bootgate::ima

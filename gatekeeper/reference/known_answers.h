// What a set answers for entries whose records are known (ima::KnownDigests): each is looked up
// once, whatever number of hosts has it. For one time. Borrows both; for one thread.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "common/ima/known_digests.h"
#include "gatekeeper/reference/imaset/ima_set.h"

namespace bootgate::gatekeeper::reference {

class KnownAnswers {
 public:
  KnownAnswers(const ImaSet& set, const ima::KnownDigests& known, absl::Time at)
      : set_(set), known_(known), at_(at), generation_(known.generation()) {}

  // `place` is not kNone.
  SetAnswer Of(ima::KnownDigests::Place place) {
    const size_t number = place - 1;
    if (generation_ == known_.generation() && number < found_.size() && found_[number] != 0) {
      return static_cast<SetAnswer>(found_[number] - 1);
    }
    return LookUp(place);
  }

 private:
  SetAnswer LookUp(ima::KnownDigests::Place place);

  const ImaSet& set_;
  const ima::KnownDigests& known_;
  const absl::Time at_;
  uint64_t generation_;
  std::vector<uint8_t> found_;  // by number of the entry: 0, or 1 and its answer
};

}  // namespace bootgate::gatekeeper::reference

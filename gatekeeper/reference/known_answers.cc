#include "gatekeeper/reference/known_answers.h"

#include "common/ima/list.h"
#include "gatekeeper/reference/entry_query.h"

namespace bootgate::gatekeeper::reference {

SetAnswer KnownAnswers::LookUp(ima::KnownDigests::Place place) {
  if (generation_ != known_.generation()) {
    found_.clear();
    generation_ = known_.generation();
  }
  if (found_.size() < known_.size()) found_.resize(known_.size(), 0);
  const ima::List alone = ima::List::Parse(known_.RecordBytes(place));
  const SetAnswer answer = set_.Find(QueryOf(alone.entries()[0]), at_).answer;
  found_[place - 1] = static_cast<uint8_t>(1 + static_cast<int>(answer));
  return answer;
}

}  // namespace bootgate::gatekeeper::reference

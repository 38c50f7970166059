#include "common/ima/known_listings.h"

namespace bootgate::ima {

Listing KnownListings::Of(KnownDigests::Place place) {
  if (generation_ != known_.generation()) {
    found_.clear();
    generation_ = known_.generation();
  }
  const size_t number = KnownDigests::NumberOf(place);
  if (number >= found_.size()) found_.resize(known_.numbers(), 0);
  if (found_[number] == 0) {
    Listing listing = Listing::kUnlisted;
    allow_.FindAll(List::Parse(known_.RecordBytes(place)).entries(), {&listing, 1});
    found_[number] = static_cast<uint8_t>(1 + static_cast<uint8_t>(listing));
  }
  return static_cast<Listing>(found_[number] - 1);
}

}  // namespace bootgate::ima

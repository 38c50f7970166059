// From which boot events a piece of JSON came.
//
// A value that a query found shares its parts with the `events` document it was found in: the parts
// know their event. What was computed (a length, a comparison) is nobody's part and knows nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gatekeeper/json/value.h"

namespace bootgate::gatekeeper::policy {

class EventSources {
 public:
  // Takes in {"Events": [{"EventSeq": ...}, ...]}; anything else is passed over. Deferred objects
  // that nobody has looked at are left so.
  void Add(const json::Value& document);

  // EventSeq of the events that parts of the value came from: ascending, each once.
  std::vector<int64_t> Of(const json::Value& value) const;
  std::vector<int64_t> Of(absl::string_view text) const;

 private:
  absl::flat_hash_map<const void*, int64_t> event_of_;  // the memory of a part -> EventSeq
};

}  // namespace bootgate::gatekeeper::policy

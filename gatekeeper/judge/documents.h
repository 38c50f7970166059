// The JSON claims of one judgement: registers, presented keys, events. Each is made when a rule of
// the policy looks at it, and only as far as it looks.
//
// Implements: policy language specification, section 6.2.
#pragma once

#include <optional>
#include <vector>

#include "common/tpm2/quote.h"
#include "gatekeeper/appraisal/json/events_document.h"
#include "gatekeeper/appraisal/presented_keys.h"
#include "gatekeeper/policy/incoming.h"

namespace bootgate::gatekeeper::judge {

// Borrows what it is given; must outlive the evaluation. Not to be moved: its documents point here.
class Documents {
 public:
  Documents(const tpm2::QuotedPcrs& quoted, const appraisal::PresentedKeys* keys);
  Documents(const Documents&) = delete;
  Documents& operator=(const Documents&) = delete;

  // Not called for a policy that reads none.
  void AddEvents(appraisal::json::EventsInput input);

  const std::vector<policy::Document>& all() const { return all_; }

 private:
  std::optional<appraisal::json::EventsDocument> events_;
  std::vector<policy::Document> all_;
};

}  // namespace bootgate::gatekeeper::judge

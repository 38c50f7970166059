// What an event of a boot log says, as the members of ProcessedData in the `events` claim.
//
// Implements: policy language specification, section 6.3 (members by event type) and 9 (Windows).
#pragma once

#include "common/eventlog/log.h"
#include "gatekeeper/appraisal/json/values.h"

namespace bootgate::gatekeeper::appraisal::json {

// What stands behind an event's data.
enum class Standing {
  kNotAsked,  // nobody quoted: the log's word is shown as it is
  kProven,    // it hashes to the digest that replayed to the quoted register
  kUnproven,  // there is a quote, and it does not cover this data
};

// Data that a quote does not cover gives no member that a policy reads as a fact (attack A37): a
// variable or a Windows record is only RawData, a text is `Description` instead of `String`. Where
// an image came from is a description always, and keeps its members.
// Windows records that cannot be read give `Problem` and RawData.
void AddProcessedData(const eventlog::Event& event, Standing standing, model::Arena& arena,
                      model::ObjectBuilder& out);

}  // namespace bootgate::gatekeeper::appraisal::json

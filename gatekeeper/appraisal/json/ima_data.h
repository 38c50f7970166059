// An entry of the IMA list as the members of ProcessedData in the `events` claim.
//
// Implements: policy language specification, section 6.3 (IMA_MEASUREMENT_EVENT); Linux
// security/integrity/ima (critical data, key measurements, the kexec command line).
#pragma once

#include "common/ima/entry.h"
#include "gatekeeper/appraisal/json/values.h"

namespace bootgate::gatekeeper::appraisal::json {

// A violation's content is nobody's word: it gives `Violation` alone.
void AddImaData(const ima::Entry& entry, model::Arena& arena, model::ObjectBuilder& out);

}  // namespace bootgate::gatekeeper::appraisal::json

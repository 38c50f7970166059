// An entry of the IMA list as the ProcessedData object of the `events` claim.
//
// Implements: policy language specification, section 6.3 (IMA_MEASUREMENT_EVENT); Linux
// security/integrity/ima (critical data, key measurements, the kexec command line).
#pragma once

#include "common/ima/list.h"
#include "gatekeeper/appraisal/json/json_text.h"

namespace bootgate::gatekeeper::appraisal::json {

// Writes the object. A violation's content is nobody's word: it gives `Violation` alone.
void AppendImaData(const ima::Entry& entry, JsonText& out);

}  // namespace bootgate::gatekeeper::appraisal::json

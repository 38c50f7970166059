// The records of Windows' boot programs as members of a JSON object.
//
// Implements: policy language specification, section 9 (form by kind of payload; a name that occurs
// again becomes an array; some names are arrays always).
#pragma once

#include "common/eventlog/sipa/records.h"
#include "gatekeeper/appraisal/json/json_text.h"

namespace bootgate::gatekeeper::appraisal::json {

// Adds the records as members to the object that is open, in the order in which their names first
// occur.
void AppendRecords(const std::vector<eventlog::sipa::Record>& records, JsonText& out);

}  // namespace bootgate::gatekeeper::appraisal::json

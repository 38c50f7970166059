// The records of Windows' boot programs as members of a JSON object.
//
// Implements: policy language specification, section 9 (form by kind of payload; a name that occurs
// again becomes an array; some names are arrays always).
#pragma once

#include <vector>

#include "common/eventlog/sipa/records.h"
#include "gatekeeper/appraisal/json/values.h"

namespace bootgate::gatekeeper::appraisal::json {

// The records in the order in which their names first occur.
void AddRecords(const std::vector<eventlog::sipa::Record>& records, model::Arena& arena,
                model::ObjectBuilder& out);

}  // namespace bootgate::gatekeeper::appraisal::json

// What is wrong with a list's form, as findings; and findings as JSON.
#pragma once

#include <string>
#include <vector>

#include "common/ima/list.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::cli {

// What breaks the reading off, and fields that cannot be read, are failures.
Finding FindingOf(const ima::Defect& defect);

// A JSON array of {"code", "severity", "entry", "register", "expected", "actual", "text"}; what is
// empty is left out.
std::string FindingsJson(const std::vector<Finding>& findings);

}  // namespace bootgate::gatekeeper::cli

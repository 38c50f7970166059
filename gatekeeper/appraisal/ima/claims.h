// What the kernel's records in the IMA list say, as claims; what the list cannot show, as coverage.
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/appraisal/ima/facts.h"
#include "gatekeeper/appraisal/notes.h"

namespace bootgate::gatekeeper::appraisal::ima_list {

// A certificate that the kernel loaded into one of its keyrings.
struct MeasuredKey {
  std::string keyring;
  Bytes certificate;  // DER
};
std::vector<MeasuredKey> KeysOf(const Facts& facts);

void AddClaims(const Facts& facts, Notes& notes);

}  // namespace bootgate::gatekeeper::appraisal::ima_list

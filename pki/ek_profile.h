// The form an EK certificate must have, and the departures from it that we live with.
//
// Implements: TCG EK Credential Profile for TPM Family 2.0, version 2.5, section 3.2.
#pragma once

#include "absl/status/status.h"
#include "pki/foreign_leaf.h"

namespace bootgate::pki {

// Everything about the leaf that needs neither chain nor clock; adds to `leaf.tolerances`.
// EK_CERT_PROFILE names the defect.
absl::Status CheckEkProfile(ForeignLeaf& leaf);

// What is asked once the path is known, leaf first: every CA of it that is limited to key purposes
// is one for EKs; and a leaf without a purpose of its own gets it from such a CA, or from names
// that are a TPM's. Else a vendor's certificate for something else would do. EK_CERT_PROFILE.
absl::Status CheckEkPathPurpose(const ForeignLeaf& leaf, const std::vector<Bytes>& path);

}  // namespace bootgate::pki

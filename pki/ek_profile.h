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

}  // namespace bootgate::pki

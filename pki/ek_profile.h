// The form an EK certificate must have, and the departures from it that we live with.
//
// Implements: TCG EK Credential Profile for TPM Family 2.0, version 2.5, section 3.2.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/crypto/owners.h"

namespace bootgate::pki {

struct EkLeaf {
  crypto::X509Ptr certificate;
  std::vector<std::string> tolerances;  // one sentence each
};

// The certificate out of what an NV index held. Behind its end only 0x00 and 0xff may follow, and
// that they did is a tolerance. CERT_PARSE.
absl::StatusOr<EkLeaf> ParseEkLeaf(ByteView nv_contents);

// Everything about the leaf that needs neither chain nor clock; adds to `leaf.tolerances`.
// EK_CERT_PROFILE names the defect.
absl::Status CheckEkProfile(EkLeaf& leaf);

// "manufacturer id:..., model ..., version ..." from the directoryName; the subject when there is
// none.
std::string TpmText(const X509* certificate);

}  // namespace bootgate::pki

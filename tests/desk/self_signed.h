// A certificate with its key, as an installed credential has them; signed by itself.
#pragma once

#include "absl/time/time.h"
#include "common/evidence/sealed_payload.h"

namespace bootgate::desk {

// Good from the epoch until `not_after` (whole seconds). Ends the test program when it cannot be
// made.
evidence::SealedPayload SelfSigned(absl::Time not_after);

}  // namespace bootgate::desk

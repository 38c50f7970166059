// What a host claims of its own accord, as claims that nobody can take for the gatekeeper's own.
//
// Implements: policy language specification, section 6.5. Every name gets "custom:" before it and
// the issuer is always CustomClaim, whatever the host sent. A name that would pass for one of ours
// somewhere else (in a token, in a report) is refused, not renamed in silence (attack A48).
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/evidence/evidence.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::appraisal {

// In order, the same name as often as it was sent.
//
// CLAIM_RESERVED: a name that is empty, already prefixed, one of ours, a token's or an issuer's.
// MESSAGE_MALFORMED: a name with other than printable ASCII characters or with spaces; a value that
// is not of its type, or no UTF-8; an unknown type; more or longer claims than are taken.
absl::StatusOr<std::vector<Claim>> CustomClaims(absl::Span<const evidence::CustomClaim> sent);

}  // namespace bootgate::gatekeeper::appraisal

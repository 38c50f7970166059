// Stored verdicts as messages.
#pragma once

#include "absl/status/status.h"
#include "gatekeeper/store/store.h"

namespace bootgate::v1 {
class Verdict;
}

namespace bootgate::gatekeeper::operators {

// What a list tells: codes of the failing findings, no texts.
void EncodeSummary(const store::VerdictRow& verdict, v1::Verdict* out);
// With findings and coverage; no claims. RECORD_CORRUPT when the body is not what a gatekeeper
// writes.
absl::Status EncodeWhole(const store::VerdictRow& verdict, v1::Verdict* out);

}  // namespace bootgate::gatekeeper::operators

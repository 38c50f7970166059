// TSS2_RC as a Status with a reason code.
#pragma once

#include <tss2/tss2_common.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bootgate::agent::tpm::internal {

// OK for TSS2_RC_SUCCESS; else "TPM2_Quote: tpm:session(1):..." with its reason.
absl::Status StatusFor(absl::string_view command, TSS2_RC rc);

bool IsTryAgain(TSS2_RC rc);  // RETRY, YIELDED, TESTING, NV_RATE: the same command may work soon
bool IsTampered(TSS2_RC rc);  // the HMAC over a response did not hold
// The failure is not the TPM's answer but something between it and us: ESYS may answer nothing any
// more and must be made anew.
bool SpoilsContext(TSS2_RC rc);
bool IsNoSuchHandle(TSS2_RC rc);  // no NV index or object there
bool IsWrongValue(TSS2_RC rc);    // of a parameter: a digest that is not the session's, say
bool IsBadSignature(TSS2_RC rc);  // it does not verify

}  // namespace bootgate::agent::tpm::internal

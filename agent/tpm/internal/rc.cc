#include "agent/tpm/internal/rc.h"

#include <tss2/tss2_rc.h>
#include <tss2/tss2_tpm2_types.h>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"

namespace bootgate::agent::tpm::internal {
namespace {

constexpr TSS2_RC kFormatOne = 0x080;      // a parameter, handle or session is named in the code
constexpr TSS2_RC kFormatOneMask = 0x0bf;  // the code without that number

struct Row {
  TSS2_RC rc;
  absl::StatusCode code;
  Reason reason;
};

// TPM return codes that callers treat differently from "the TPM refused".
constexpr Row kRows[] = {
    {TPM2_RC_PCR_CHANGED, absl::StatusCode::kAborted, Reason::kTpmPcrChanged},
    {TPM2_RC_POLICY_FAIL, absl::StatusCode::kFailedPrecondition, Reason::kTpmPolicy},
    {TPM2_RC_LOCKOUT, absl::StatusCode::kResourceExhausted, Reason::kTpmLockout},
    {TPM2_RC_INTEGRITY, absl::StatusCode::kInvalidArgument, Reason::kTpmIntegrity},
    {TPM2_RC_RETRY, absl::StatusCode::kUnavailable, Reason::kTpm},
    {TPM2_RC_YIELDED, absl::StatusCode::kUnavailable, Reason::kTpm},
    {TPM2_RC_TESTING, absl::StatusCode::kUnavailable, Reason::kTpm},
    {TPM2_RC_NV_RATE, absl::StatusCode::kUnavailable, Reason::kTpm},
    {TPM2_RC_OBJECT_MEMORY, absl::StatusCode::kResourceExhausted, Reason::kTpmResources},
    {TPM2_RC_SESSION_MEMORY, absl::StatusCode::kResourceExhausted, Reason::kTpmResources},
    {TPM2_RC_MEMORY, absl::StatusCode::kResourceExhausted, Reason::kTpmResources},
    {TPM2_RC_OBJECT_HANDLES, absl::StatusCode::kResourceExhausted, Reason::kTpmResources},
    {TPM2_RC_SESSION_HANDLES, absl::StatusCode::kResourceExhausted, Reason::kTpmResources},
    {TPM2_RC_CONTEXT_GAP, absl::StatusCode::kResourceExhausted, Reason::kTpmResources},
    // Nothing of ours has a password: these are always about a hierarchy.
    {TPM2_RC_HIERARCHY, absl::StatusCode::kFailedPrecondition, Reason::kTpmHierarchy},
    {TPM2_RC_BAD_AUTH, absl::StatusCode::kFailedPrecondition, Reason::kTpmHierarchy},
    {TPM2_RC_AUTH_FAIL, absl::StatusCode::kFailedPrecondition, Reason::kTpmHierarchy},
    {TPM2_RC_FAILURE, absl::StatusCode::kFailedPrecondition, Reason::kTpmFailure},
    {TPM2_RC_INITIALIZE, absl::StatusCode::kFailedPrecondition, Reason::kTpmFailure},
    {TPM2_RC_NEEDS_TEST, absl::StatusCode::kFailedPrecondition, Reason::kTpmFailure},
    {TPM2_RC_REBOOT, absl::StatusCode::kFailedPrecondition, Reason::kTpmFailure},
};

TSS2_RC Layer(TSS2_RC rc) { return rc & TSS2_RC_LAYER_MASK; }

// Codes of the TPM itself, also when a resource manager passes them on.
bool IsFromTpm(TSS2_RC rc) {
  return Layer(rc) == TSS2_TPM_RC_LAYER || Layer(rc) == TSS2_RESMGR_TPM_RC_LAYER;
}

TSS2_RC Bare(TSS2_RC rc) {
  const TSS2_RC code = rc & 0xfff;
  return (code & kFormatOne) != 0 ? code & kFormatOneMask : code;
}

const Row* FindRow(TSS2_RC rc) {
  if (!IsFromTpm(rc)) return nullptr;
  for (const Row& row : kRows) {
    if (row.rc == Bare(rc)) return &row;
  }
  return nullptr;
}

}  // namespace

absl::Status StatusFor(absl::string_view command, TSS2_RC rc) {
  if (rc == TSS2_RC_SUCCESS) return absl::OkStatus();
  const std::string text = absl::StrCat(command, ": ", Tss2_RC_Decode(rc));
  if (const Row* row = FindRow(rc); row != nullptr) return Refuse(row->code, row->reason, text);
  if (IsTampered(rc)) {
    return Refuse(absl::StatusCode::kUnauthenticated, Reason::kTpmResponseHmac, text);
  }
  if (Layer(rc) == TSS2_TCTI_RC_LAYER || (rc & 0xffff) == TSS2_BASE_RC_IO_ERROR) {
    return Refuse(absl::StatusCode::kUnavailable, Reason::kTpmMissing, text);
  }
  return Refuse(absl::StatusCode::kInternal, Reason::kTpm, text);
}

bool IsTryAgain(TSS2_RC rc) {
  if (!IsFromTpm(rc)) return false;
  const TSS2_RC bare = Bare(rc);
  return bare == TPM2_RC_RETRY || bare == TPM2_RC_YIELDED || bare == TPM2_RC_TESTING ||
         bare == TPM2_RC_NV_RATE;
}

bool SpoilsContext(TSS2_RC rc) { return rc != TSS2_RC_SUCCESS && !IsFromTpm(rc); }

bool IsTampered(TSS2_RC rc) {
  return rc == TSS2_ESYS_RC_RSP_AUTH_FAILED || rc == TSS2_ESYS_RC_BAD_SEQUENCE;
}

bool IsNoSuchHandle(TSS2_RC rc) { return IsFromTpm(rc) && Bare(rc) == TPM2_RC_HANDLE; }
bool IsWrongValue(TSS2_RC rc) { return IsFromTpm(rc) && Bare(rc) == TPM2_RC_VALUE; }
bool IsBadSignature(TSS2_RC rc) { return IsFromTpm(rc) && Bare(rc) == TPM2_RC_SIGNATURE; }

}  // namespace bootgate::agent::tpm::internal

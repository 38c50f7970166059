#include "agent/tpm/internal/context.h"

#include <cstdlib>
#include <mutex>

#include "absl/time/clock.h"
#include "agent/tpm/internal/handles.h"
#include "agent/tpm/internal/rc.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::tpm::internal {
namespace {

constexpr UINT32 kMaxListedHandles = 254;  // TPM2_MAX_CAP_HANDLES

// ESYS writes a line to standard error for every failure, expected or not; our Status says it all.
// An operator's own TSS2_LOG wins.
void SilenceTssLog() {
  static std::once_flag once;
  std::call_once(once, [] { setenv("TSS2_LOG", "all+none", 0); });
}

}  // namespace

Context::Context(const Options& options, TctiOpener opener)
    : options_(options), opener_(std::move(opener)) {
  SilenceTssLog();
}

Context::~Context() { Close(); }

absl::Status Context::EnsureOpen() {
  if (esys_ != nullptr && !spoilt_) return absl::OkStatus();
  Close();
  absl::Status opened = Open();
  if (!opened.ok()) Close();
  return opened;
}

absl::Status Context::Open() {
  BG_ASSIGN_OR_RETURN(tcti_, opener_());
  BG_RETURN_IF_ERROR(StatusFor("ESYS", Esys_Initialize(&esys_, tcti_->get(), nullptr)));
  spoilt_ = false;
  ++usage_.opened;
  if (options_.leftovers == Leftovers::kKeep || IsResourceManager(options_.tcti)) {
    // One question all the same: is somebody there?
    return ListHandles(*this, TPM2_TRANSIENT_FIRST).status();
  }
  return FlushLeftovers();
}

void Context::Close() {
  kept_.Clear();
  if (esys_ != nullptr) Esys_Finalize(&esys_);
  esys_ = nullptr;
  tcti_.reset();
}

absl::Status Context::FlushLeftovers() {
  BG_RETURN_IF_ERROR(FlushRange(TPM2_TRANSIENT_FIRST));
  BG_RETURN_IF_ERROR(FlushRange(TPM2_LOADED_SESSION_FIRST));
  return FlushRange(TPM2_ACTIVE_SESSION_FIRST);
}

absl::Status Context::FlushRange(TPM2_HANDLE first) {
  BG_ASSIGN_OR_RETURN(const std::vector<TPM2_HANDLE> handles, ListHandles(*this, first));
  for (const TPM2_HANDLE handle : handles) {
    ESYS_TR reference = ESYS_TR_NONE;
    BG_RETURN_IF_ERROR(Call("TPM2_ReadPublic", [&] {
      return Esys_TR_FromTPMPublic(esys_, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                   &reference);
    }));
    BG_RETURN_IF_ERROR(
        Call("TPM2_FlushContext", [&] { return Esys_FlushContext(esys_, reference); }));
  }
  return absl::OkStatus();
}

bool Context::MustSendAgain(TSS2_RC rc) { return IsTryAgain(rc); }

absl::Status Context::Report(absl::string_view command, TSS2_RC rc) {
  last_rc_ = rc;
  if (SpoilsContext(rc)) spoilt_ = true;
  return StatusFor(command, rc);
}

void Context::Wait(absl::Duration time) const {
  options_.wait != nullptr ? options_.wait(time) : absl::SleepFor(time);
}

absl::StatusOr<std::vector<TPM2_HANDLE>> ListHandles(Context& context, TPM2_HANDLE first) {
  TPMI_YES_NO more = TPM2_NO;
  Result<TPMS_CAPABILITY_DATA> found;
  BG_RETURN_IF_ERROR(context.Call("TPM2_GetCapability", [&] {
    return Esys_GetCapability(context.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              TPM2_CAP_HANDLES, first, kMaxListedHandles, &more, found.put());
  }));
  const TPML_HANDLE& list = found->data.handles;
  std::vector<TPM2_HANDLE> handles;
  for (UINT32 i = 0; i < list.count && i < kMaxListedHandles; ++i) {
    handles.push_back(list.handle[i]);
  }
  return handles;
}

}  // namespace bootgate::agent::tpm::internal

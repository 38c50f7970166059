// The ESYS context, owned by one thread, made anew when it is spoilt.
#pragma once

#include <tss2/tss2_esys.h>

#include <memory>

#include "absl/status/statusor.h"
#include "agent/tpm/internal/kept_keys.h"
#include "agent/tpm/internal/tcti.h"
#include "agent/tpm/tpm.h"

namespace bootgate::agent::tpm::internal {

class Context {
 public:
  Context(const Options& options, TctiOpener opener);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // Before each operation, while no handle is held: connects, or connects again after a failure
  // that was not the TPM's own answer. Leftovers are flushed as the options say.
  absl::Status EnsureOpen();

  // Sends one command; `send` returns its TSS2_RC. The same command is sent again while the TPM is
  // busy, at most options.command_attempts times.
  template <typename Send>
  absl::Status Call(absl::string_view command, Send send) {
    absl::Duration backoff = options_.first_backoff;
    ++usage_.commands;
    TSS2_RC rc = send();
    for (int attempt = 1; MustSendAgain(rc) && attempt < options_.command_attempts; ++attempt) {
      Wait(backoff);
      backoff *= 2;
      ++usage_.sent_again;
      rc = send();
    }
    return Report(command, rc);
  }

  // The connection is of no use any more; EnsureOpen makes another one.
  bool is_spoilt() const { return spoilt_; }
  ESYS_CONTEXT* esys() const { return esys_; }
  const Options& options() const { return options_; }
  TSS2_RC last_rc() const { return last_rc_; }  // of the last Call
  KeptKeys& kept() { return kept_; }
  const Usage& usage() const { return usage_; }
  void Wait(absl::Duration time) const;

 private:
  static bool MustSendAgain(TSS2_RC rc);
  absl::Status Report(absl::string_view command, TSS2_RC rc);
  absl::Status Open();
  void Close();
  absl::Status FlushLeftovers();
  absl::Status FlushRange(TPM2_HANDLE first);

  const Options options_;
  const TctiOpener opener_;
  std::unique_ptr<Tcti> tcti_;
  ESYS_CONTEXT* esys_ = nullptr;
  bool spoilt_ = false;
  TSS2_RC last_rc_ = TSS2_RC_SUCCESS;
  KeptKeys kept_;
  Usage usage_;
};

// Handles of the kind of `first`, at most 254: TPM2_TRANSIENT_FIRST objects,
// TPM2_LOADED_SESSION_FIRST sessions of both kinds, TPM2_ACTIVE_SESSION_FIRST saved sessions.
absl::StatusOr<std::vector<TPM2_HANDLE>> ListHandles(Context& context, TPM2_HANDLE first);

}  // namespace bootgate::agent::tpm::internal

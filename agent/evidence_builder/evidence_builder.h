// One consistent bundle of evidence: logs, a quote that binds them, and what came meanwhile.
//
// Implements: architecture page, section 3. The IMA list is read, bound into the quote's qualifying
// data, and read again after the quote: whichever entry the quoted register stands at lies in one
// of the two parts. systemd's log is held locked over the quote, so that it has no such tail.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/sources/sources.h"
#include "agent/tpm/tpm.h"
#include "common/evidence/evidence.h"

namespace bootgate::agent::evidence_builder {

// What the gatekeeper asked.
struct Question {
  std::string host_id;
  std::string cluster_id;
  Bytes nonce;
  registers::Selection selection;       // to quote
  registers::Selection seal_selection;  // of `selection`; empty: no identity key is wanted
  uint64_t ima_first_entry = 0;         // send entries from here on
};

struct Options {
  sources::Paths paths;
  tpm::AkKind ak = tpm::AkKind::kEcc;
  std::string agent_version;
  evidence::Statement statement;  // what the host says of its own accord
  // Further keys to be shown, at most kMaxOtherKeys: each under PolicyPCR over these registers, as
  // quoted. kFailedPrecondition when they are not quoted.
  std::vector<registers::Selection> other_keys;
  bool want_token = false;
};

// Whole entries only: one that the kernel is still writing out is not counted. When the list has
// fewer entries than `ima_first_entry` (the host booted since) it is sent from its start.
// Errors: those of the TPM and the sources; kAborted RETRY_LOG_BEHIND when the list was replaced or
// systemd's log moved while we worked; kFailedPrecondition when the seal selection is not quoted.
absl::StatusOr<evidence::Evidence> Build(tpm::Tpm& tpm, const Options& options,
                                         const Question& question);

}  // namespace bootgate::agent::evidence_builder

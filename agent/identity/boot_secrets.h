// The boot secrets of this host: kept as the gatekeeper sent them, opened at the next start.
//
// One JSON file in the state folder, with the care of the join state. It is of no use to anybody
// without this TPM in a state that the gatekeeper approved, so it may lie on a disk that is not
// encrypted, and must where it holds the key of the other one. Opening needs neither network nor
// clock (common/evidence/boot_secrets.h).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/identity/join_state.h"
#include "agent/tpm/tpm.h"
#include "common/evidence/boot_secrets.h"

namespace bootgate::agent::identity {

// Keeps what an answer brought: all of it, or new approvals of what is held already.
// SEAL_APPROVAL: the parts do not belong together, or not to this host; what is held stays.
// kFailedPrecondition: only approvals came, of something that is not held.
absl::Status KeepBootSecrets(const std::string& state_folder, const std::string& host_id,
                             const evidence::BootSecrets& answered);

// kNotFound: there are none. kDataLoss STATE_CORRUPT.
absl::StatusOr<evidence::BootSecrets> LoadBootSecrets(const std::string& state_folder);
// What to tell the gatekeeper; empty: none are held, or they cannot be read.
Bytes HeldBootSecrets(const std::string& state_folder);
absl::Status RemoveBootSecrets(const std::string& state_folder);

// The secrets, in the state the TPM is in now. TPM_POLICY: no approval is for it. SEAL_APPROVAL:
// what is held was tampered with. TPM_INTEGRITY: it was sealed to another TPM.
absl::StatusOr<evidence::Secrets> UnsealBootSecrets(tpm::Tpm& tpm, const JoinState& joined,
                                                    const evidence::BootSecrets& held);

}  // namespace bootgate::agent::identity

// Opening a sealed credential: by this TPM, in the state it was issued for.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "agent/identity/join_state.h"
#include "agent/identity/stored_credential.h"
#include "agent/tpm/tpm.h"
#include "common/evidence/sealed_payload.h"

namespace bootgate::agent::identity {

struct UnsealOptions {
  // Extended after the payload was opened, so that nobody unseals again in this boot.
  std::optional<uint32_t> cap_register;
};

// Errors: those of Tpm::Unseal (TPM_POLICY: another boot state); kInvalidArgument when the payload
// is not for this host and certificate. When the cap fails nothing is handed out.
absl::StatusOr<evidence::SealedPayload> UnsealCredential(tpm::Tpm& tpm, const JoinState& joined,
                                                         const StoredCredential& credential,
                                                         const UnsealOptions& options);

}  // namespace bootgate::agent::identity

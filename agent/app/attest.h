// One attestation: challenge, evidence, answer, and what the answer means for the credential here.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/app/attest_request.h"
#include "agent/app/config.h"
#include "agent/client/gatekeeper_client.h"
#include "agent/identity/join_state.h"
#include "agent/tpm/tpm.h"

namespace bootgate::agent::app {

// `challenge`: the one of the last answer, used first when it is still good; replaced by the next.
// An ADMIT stores (and installs, when configured) the credential; an answer that says so deletes
// what is here. Errors: those of TPM, sources, client; the gatekeeper's refusals keep their reason.
absl::StatusOr<AttestAnswer> Attest(const Config& config, const identity::JoinState& joined,
                                    tpm::Tpm& tpm, GatekeeperClient& client,
                                    std::optional<Challenge>* challenge,
                                    const AttestRequest& request = {});

// Deletes sealed and installed credential of this host, and its boot secrets.
absl::Status DropCredentials(const Config& config);

// Deletes the sealed credential, and what was installed of it, once it has expired.
absl::Status DropExpired(const Config& config, absl::Time now);

// PEM text of one certificate.
std::string PemOf(ByteView der);

// Where the certificate of the tpm-key profile is kept: public, PEM, leaf first.
std::string TpmKeyCertificatePath(const Config& config);

}  // namespace bootgate::agent::app

// One attestation: challenge, evidence, answer, and what the answer means for the credential here.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/app/attest_request.h"
#include "agent/app/config.h"
#include "agent/client/gatekeeper_client.h"
#include "agent/identity/join_state.h"
#include "agent/identity/stored_credential.h"
#include "agent/tpm/tpm.h"
#include "common/evidence/sealed_payload.h"

namespace bootgate::agent::app {

struct Attestation {
  AttestAnswer answer;
  // What became of the credential here. An error takes nothing back of the answer: the host is
  // trusted or not as it says. STATE_UNWRITABLE, or what the TPM said to unsealing.
  absl::Status kept;
  // The sealed credential that came with it, when it was opened.
  std::optional<evidence::SealedPayload> opened = std::nullopt;
};

// When the sealed credential is opened after an ADMIT.
enum class Opening {
  kWhenInstalled,  // when it is to be installed as files
  kAlways,         // also for programs that take it from the socket
};

// `challenge`: the one of the last answer, used first when it is still good; replaced by the next.
// Before anything is sent the TPM shows that it is the one that joined: TPM_REPLACED.
// An ADMIT stores (and installs, when configured) the credential; an answer that says so deletes
// what is here. Errors: those of TPM, sources, client; the gatekeeper's refusals keep their reason.
absl::StatusOr<Attestation> Attest(const Config& config, const identity::JoinState& joined,
                                   tpm::Tpm& tpm, GatekeeperClient& client,
                                   std::optional<Challenge>* challenge,
                                   const AttestRequest& request = {},
                                   Opening opening = Opening::kWhenInstalled);

// What follows deletes or writes credentials; any thread, one at a time.

// Deletes sealed and installed credential of this host, and its boot secrets.
absl::Status DropCredentials(const Config& config);

// Deletes what has expired of the sealed and the installed credential, and what is damaged.
absl::Status DropExpired(const Config& config, absl::Time now);

// At stop: the installed one; the sealed one when so configured.
absl::Status DropAtStop(const Config& config);

// When the first of the sealed and the installed credential expires. InfiniteFuture: none is held.
absl::Time CredentialsUntil(const Config& config);

// Unseals what is stored and puts it into `folder`: in memory, unless configured otherwise.
absl::StatusOr<evidence::SealedPayload> UnsealInto(const Config& config, const std::string& folder,
                                                   const identity::JoinState& joined, tpm::Tpm& tpm,
                                                   const identity::StoredCredential& stored);

// PEM text of one certificate.
std::string PemOf(ByteView der);

// Where the certificate of the tpm-key profile is kept: public, PEM, leaf first.
std::string TpmKeyCertificatePath(const Config& config);

}  // namespace bootgate::agent::app

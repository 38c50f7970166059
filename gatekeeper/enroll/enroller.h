// Enrolment: which TPM is this, and is the attestation key in it? Two steps, no network.
//
// Begin checks the keys shown and wraps a secret to the EK and the AK's Name (TPM 2.0 Part 1, 24);
// only the TPM that holds both can answer. Complete takes the answer and stores the host in one
// commit that also uses up the join token. A known host that enrols again gets its new AK and
// nothing else: its trust, approval and labels stay as they are.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/base/clock.h"
#include "gatekeeper/enroll/ek_trust.h"
#include "gatekeeper/host/host.h"
#include "gatekeeper/session/activation_book.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::enroll {

inline constexpr size_t kMaxCertificate = 16384;  // bytes
inline constexpr size_t kMaxIntermediates = 8;

// All of it is untrusted.
struct BeginRequest {
  std::string join_token_id;
  Bytes join_token_secret;
  Bytes ek_public;                      // TPM2B_PUBLIC
  Bytes ek_certificate;                 // DER; empty when there is none
  std::vector<Bytes> ek_intermediates;  // DER
  Bytes ak_public;                      // TPM2B_PUBLIC
  std::string hostname, kernel_release, os_release, agent_version;
};

struct ActivationChallenge {
  std::string session_id;
  Bytes id_object, encrypted_secret;  // contents of the TPM2Bs, without their sizes
};

struct CompleteRequest {
  std::string session_id;
  Bytes ak_name;
  Bytes activated_secret;
};

class Enroller {
 public:
  // All references must outlive it.
  Enroller(store::Store& store, session::ActivationBook& activations, const Clock& clock,
           EkPolicy policy)
      : store_(store), activations_(activations), clock_(clock), policy_(std::move(policy)) {}

  // Errors, in the order of the checks: MESSAGE_TOO_LARGE, JOIN_TOKEN_..., TPM_MARSHAL,
  // EK_TEMPLATE, EK_CHAIN_..., EK_CERT_..., AK_..., TOO_MANY_REQUESTS.
  absl::StatusOr<ActivationChallenge> Begin(const BeginRequest& request);

  // The host as stored, pending unless it was known. Errors: ACTIVATION_..., AK_NAME_MISMATCH,
  // HOST_ID_BOUND, HOST_RETIRED, JOIN_TOKEN_..., and those of the store.
  absl::StatusOr<host::HostRecord> Complete(const CompleteRequest& request);

 private:
  absl::StatusOr<session::PendingHost> CheckKeys(const BeginRequest& request,
                                                 const store::JoinToken& token, absl::Time now);
  absl::StatusOr<host::HostRecord> CommitHost(const session::PendingHost& host);
  absl::Status RefuseOtherEk(const host::HostRecord& known);

  store::Store& store_;
  session::ActivationBook& activations_;
  const Clock& clock_;
  const EkPolicy policy_;
};

}  // namespace bootgate::gatekeeper::enroll

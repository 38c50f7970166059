// Enrolment: which TPM is this, and is the attestation key in it? Two steps, no network.
//
// Begin checks the keys shown and wraps a secret to the EK and the AK's Name (TPM 2.0 Part 1, 24);
// only the TPM that holds both can answer. Complete takes the answer and stores the host in one
// commit that also uses up the join token. A known host that enrols again gets its new AK and
// nothing else: its trust, approval and labels stay as they are.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/base/clock.h"
#include "gatekeeper/enroll/ek_policy_source.h"
#include "gatekeeper/enroll/ek_trust.h"
#include "gatekeeper/host/host.h"
#include "gatekeeper/session/activation_book.h"
#include "gatekeeper/store/store.h"
#include "pki/authority.h"

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
  Bytes ak_certificate;                 // DER, of a cloud; empty when there is none
  std::vector<Bytes> ak_intermediates;  // DER
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
  // All references, and `authority` if it is given, must outlive it. `policy`: as configured; what
  // operators added to the store counts, too. Without an authority hosts get no certificates of
  // ours, and none is believed.
  Enroller(store::Store& store, session::ActivationBook& activations, const Clock& clock,
           EkPolicy policy, const pki::Authority* authority = nullptr)
      : store_(store),
        activations_(activations),
        clock_(clock),
        policies_(store, std::move(policy)),
        authority_(authority) {}

  // Errors, in the order of the checks: MESSAGE_TOO_LARGE, JOIN_TOKEN_..., TPM_MARSHAL, and those
  // of JudgeEk; EK_REVOKED for a certificate of ours, AK_..., TOO_MANY_REQUESTS.
  absl::StatusOr<ActivationChallenge> Begin(const BeginRequest& request);

  // The host as stored, pending unless it was known, with the certificates that our CA made for it.
  // An AK that it had before is used up with its certificates. Errors: ACTIVATION_...,
  // AK_NAME_MISMATCH, HOST_ID_BOUND, HOST_RETIRED, JOIN_TOKEN_..., CA, and those of the store.
  absl::StatusOr<host::HostRecord> Complete(const CompleteRequest& request);

  // By what EKs are judged, now.
  EkPolicySource& policies() { return policies_; }

 private:
  absl::StatusOr<EkTrust> Judge(const EkShown& shown, const EkPolicy& policy,
                                std::map<std::string, std::string>* labels, absl::Time now);
  absl::Status CheckOwnCertificate(ByteView certificate);
  absl::Status AddCertificates(bool new_ak, store::Commit& commit, absl::Time now);
  absl::StatusOr<session::PendingHost> CheckKeys(const BeginRequest& request,
                                                 const store::JoinToken& token, absl::Time now);
  absl::StatusOr<host::HostRecord> CommitHost(const session::PendingHost& host);
  absl::Status RefuseOtherEk(const host::HostRecord& known);

  store::Store& store_;
  session::ActivationBook& activations_;
  const Clock& clock_;
  EkPolicySource policies_;
  const pki::Authority* const authority_;
};

}  // namespace bootgate::gatekeeper::enroll

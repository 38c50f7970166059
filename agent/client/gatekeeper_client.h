// The agent's side of the wire: one TLS channel to a gatekeeper, plain structs in and out.
//
// The gatekeeper must prove itself with a certificate below the CA of the join file; there is no
// way to switch that off. Blocking calls, each with a deadline. One thread at a time.
//
// Errors: the gatekeeper's own refusals keep their status code and reason; SERVER_AUTH when it
// could not prove its identity (kUnauthenticated); kUnavailable when nobody answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/base/secret_bytes.h"
#include "common/evidence/boot_secrets.h"
#include "common/evidence/evidence.h"

namespace bootgate::agent {

struct Endpoint {
  std::string address;      // "host:port"
  std::string server_name;  // what the certificate must name; empty: the host of `address`
  std::string ca_pem;       // what the gatekeeper's certificate must lead to; its digest is told
  // The agent's own certificate and key, when it holds one; both or none. The key is PEM, or the
  // name of one that lies elsewhere: "engine:ID:NAME" (agent/workload/tls_key.h).
  std::string client_chain_pem;
  std::string client_key_pem;
};

struct JoinRequest {
  std::string token_id;
  SecretBytes token_secret;
  Bytes ek_public;                      // TPM2B_PUBLIC
  Bytes ek_certificate;                 // DER; empty when there is none
  std::vector<Bytes> ek_intermediates;  // DER
  Bytes ak_public;                      // TPM2B_PUBLIC
  Bytes ak_certificate;                 // DER, of the cloud that made the AK; empty: there is none
  std::vector<Bytes> ak_intermediates;  // DER
  evidence::HostFacts facts;
};

struct ActivationChallenge {
  std::string session_id;
  Bytes id_object;
  Bytes encrypted_secret;
};

struct JoinAnswer {
  std::string host_id, cluster_id, trust;
  bool approved = false;
  Bytes ak_certificate;  // DER
  std::string ca_chain_pem;
  Bytes ek_certificate;  // DER, made by the gatekeeper's CA; empty: the TPM has one, or waits
};

struct Challenge {
  Bytes nonce;  // empty: none was given
  std::string cluster_id, selection, seal_selection;
  uint64_t ima_first_entry = 0;
  absl::Duration valid_for;
};

struct DisclosedFinding {
  std::string code, severity, text;
};

struct TpmKeyCredential {
  Bytes certificate;  // DER; empty: none was issued
  std::string ca_chain_pem;
};

struct SealedCredential {
  Bytes object_public, duplicate, in_sym_seed, payload;  // all empty: none was issued
  std::string selection;
  Bytes certificate;
  absl::Time not_after;
};

// How this host stands, as far as the gatekeeper tells; printable.
struct Standing {
  std::string trust;  // empty: not told
  absl::Time since = absl::UnixEpoch();
  std::vector<std::string> reasons;  // codes
  std::string why;                   // one line
  std::string incident_id;           // to ask operators about
};

// What the gatekeeper says without being asked.
struct Notice {
  std::optional<Standing> standing;
  bool drop_credentials = false;
  bool attest_now = false;
  absl::Duration heartbeat;  // at most this long until the next; zero: not told
};

struct AttestAnswer {
  std::string outcome, verdict_id, trust;
  std::vector<DisclosedFinding> findings;
  TpmKeyCredential tpm_key;
  SealedCredential sealed;
  std::string seal_skipped_why;
  absl::Duration next_attestation;
  Challenge next_challenge;
  bool drop_credentials = false;
  Standing standing;
  std::string token;             // a JWT; empty: none was asked for, or none is made there
  std::string trust_bundle_pem;  // to be trusted in place of Endpoint::ca_pem; empty: no change
  // Not checked yet: evidence::CheckBootSecrets. Only approvals when what is held was told.
  std::optional<evidence::BootSecrets> boot_secrets;
  bool drop_boot_secrets = false;
  Bytes ak_certificate, ek_certificate;  // DER, newer than what was told; empty: nothing new
};

// A token by which programs of this host say whose they are.
struct JwtSvid {
  std::string spiffe_id;
  std::string svid;  // JWS, compact
  absl::Time expires_at;
};

inline constexpr size_t kMaxNamesAsked = 16384;

class GatekeeperClient {
 public:
  virtual ~GatekeeperClient() = default;
  virtual absl::StatusOr<ActivationChallenge> BeginEnrollment(const JoinRequest& request) = 0;
  virtual absl::StatusOr<JoinAnswer> CompleteEnrollment(const std::string& session_id,
                                                        const SecretBytes& secret,
                                                        ByteView ak_name) = 0;
  virtual absl::StatusOr<Challenge> GetChallenge(const std::string& host_id, ByteView ak_name) = 0;
  virtual absl::StatusOr<AttestAnswer> Submit(const evidence::Evidence& evidence) = 0;
  // A bit for each of the names of IMA entries (32 bytes each, kMaxNamesAsked at most), lowest
  // first: does the gatekeeper know it? UNIMPLEMENTED where that cannot be asked.
  virtual absl::StatusOr<Bytes> KnownEntries(const std::string& host_id, ByteView ak_name,
                                             ByteView names) = 0;
  // `mixed` (short_list.h) is sent in place of the list before the quote. RETRY_RESYNC when the
  // gatekeeper no longer knows one of its names.
  virtual absl::StatusOr<AttestAnswer> SubmitMixed(const evidence::Evidence& evidence,
                                                   ByteView mixed) = 0;
  // For programs of this host; needs a channel with its certificate. UNIMPLEMENTED where no tokens
  // are made.
  virtual absl::StatusOr<JwtSvid> FetchJwtSvid(const std::vector<std::string>& audiences);
  virtual absl::StatusOr<std::string> FetchJwtKeys();  // a JWK set
  // Blocks until the stream ends: never OK. For a channel with this host's certificate.
  // UNIMPLEMENTED: the gatekeeper sends none. kCancelled: stopped. PEER_CERT_REVOKED, QUARANTINED,
  // HOST_RETIRED: what is held is worth nothing any more.
  virtual absl::Status WatchNotices(const std::string& host_id,
                                    const std::function<void(const Notice&)>& on_notice,
                                    const std::stop_token& stop);
};

absl::StatusOr<std::unique_ptr<GatekeeperClient>> Connect(const Endpoint& endpoint);

}  // namespace bootgate::agent

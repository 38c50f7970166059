// Enrolments that wait for the answer to their credential activation.
//
// The secret was wrapped to one EK and to the Name of one AK (TPM 2.0 Part 1, 24): who answers with
// it has both in one TPM. It is compared in constant time, never printed, gone after one success,
// three failures or a minute. Any thread.
#pragma once

#include <list>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/base/clock.h"
#include "common/base/secret_bytes.h"

namespace bootgate::gatekeeper::session {

// What is known of a host whose AK is not proven yet.
struct PendingHost {
  Bytes ek_public, ak_public;  // TPMT_PUBLIC
  Bytes ak_name;
  Bytes ek_certificate;             // DER; empty when there was none
  bool own_ek_certificate = false;  // it is one of ours
  std::string ek_trust;             // gatekeeper/enroll/ek_trust.h
  std::string assurance;
  std::vector<std::string> tolerances;
  std::string tpm_manufacturer, tpm_model, tpm_version;
  bool approved = false;  // by join token or inventory
  std::map<std::string, std::string> labels;
  std::string join_token_id;
  Bytes join_token_secret_sha256;
  std::string hostname, kernel_release, os_release, agent_version;  // as told by the host
};

// Holding one proves that EK and AK of `host()` are in one TPM. Only an ActivationBook makes it.
class ActivatedHost {
 public:
  const PendingHost& host() const { return host_; }

 private:
  friend class ActivationBook;
  explicit ActivatedHost(PendingHost host) : host_(std::move(host)) {}
  PendingHost host_;
};

struct ActivationOptions {
  absl::Duration ttl = absl::Seconds(60);
  size_t max_open = 10'000;
  int max_tries = 3;
};

class ActivationBook {
 public:
  ActivationBook(const Clock& clock, const ActivationOptions& options)
      : clock_(clock), options_(options) {}

  // Gives the session's id, random. kResourceExhausted TOO_MANY_REQUESTS when the table is full.
  absl::StatusOr<std::string> Open(PendingHost host, SecretBytes secret);

  // Errors: ACTIVATION_UNKNOWN (never there, done, or long gone), ACTIVATION_EXPIRED (too late or
  // too often), AK_NAME_MISMATCH (`ak_name` is not the key the secret was wrapped for),
  // ACTIVATION_FAILED (wrong answer). The last two count as tries.
  absl::StatusOr<ActivatedHost> Complete(const std::string& session_id, ByteView ak_name,
                                         ByteView answer);

 private:
  struct Session {
    std::string id;
    PendingHost host;
    SecretBytes secret;
    absl::Time expires_at;
    int tries = 0;
  };
  using Sessions = std::list<Session>;

  void ForgetOld(absl::Time now);

  const Clock& clock_;
  const ActivationOptions options_;
  std::mutex mutex_;
  // Both: guarded by mutex_.
  Sessions sessions_;  // in order of opening, which is the order of expiry
  std::unordered_map<std::string, Sessions::iterator> by_id_;
};

}  // namespace bootgate::gatekeeper::session

// The identity key in the TPM, as the programs of this host and the agent's own channel use it.
//
// Every signature is checked against the certificate before it leaves: a TPM that has another key
// by now (cleared, replaced) is told as such. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/identity/tpm_key_credential.h"
#include "agent/tpm/tpm.h"
#include "agent/workload/tls_key.h"

namespace bootgate::agent::workload {

class TpmSigner {
 public:
  TpmSigner();
  ~TpmSigner();
  TpmSigner(const TpmSigner&) = delete;
  TpmSigner& operator=(const TpmSigner&) = delete;

  // Shared: a signature may be under way while the agent opens its TPM anew. nullptr: none now.
  void UseTpm(std::shared_ptr<tpm::Tpm> tpm);
  // nullopt: there is none any more. CERT_PARSE, KEY_WEAK; then there is none either.
  absl::Status SetCredential(std::optional<identity::TpmKeyCredential> credential);

  // What can be shown to others.
  struct Shown {
    std::string chain_pem;
    identity::TpmKeyFacts facts;
    std::string grpc_key_name;  // TlsKey::grpc_name
  };
  // kNotFound: there is no TPM, no certificate, or it has expired at `now`.
  absl::StatusOr<Shown> Show(absl::Time now) const;

  // ECDSA-Sig-Value, DER. kNotFound as above, but for the time; TPM_POLICY: the registers moved
  // since the key was certified; TPM_INTEGRITY: the TPM has another key; errors of Tpm.
  absl::StatusOr<Bytes> SignSha256(const crypto::Digest& digest);
  absl::StatusOr<crypto::PkeyPtr> OpenSslKey() const;  // while a credential is set

  // How often the key was asked for a signature and gave none, and why it gave none last.
  struct Failures {
    int64_t count = 0;
    absl::Status last;
  };
  Failures failures() const;

 private:
  struct State;
  // Shared: a key that OpenSSL has loaded may be asked after this has gone, and finds nothing.
  const std::shared_ptr<State> state_;
};

}  // namespace bootgate::agent::workload

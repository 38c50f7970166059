// What `run` does for the programs of this host: the socket, the open credential behind it, the key
// in the TPM, the command that is run when the installed files change.
//
// Owned by the loop; what has happened is told from any thread. All else goes on in threads of its
// own.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "agent/app/config.h"
#include "agent/identity/join_state.h"
#include "agent/tpm/tpm.h"
#include "agent/workload/identity_hub.h"
#include "agent/workload/jwt_source.h"
#include "agent/workload/socket_server.h"
#include "agent/workload/tpm_signer.h"
#include "common/evidence/sealed_payload.h"

namespace grpc {
class Service;
}

namespace bootgate::agent::app {

class WorkloadRuntime {
 public:
  // Opens the socket when one is configured. Errors: those of SocketServer::Start, which name the
  // socket. `config` must outlive it.
  static absl::StatusOr<std::unique_ptr<WorkloadRuntime>> Start(const Config& config);
  ~WorkloadRuntime();

  workload::TpmSigner& signer() { return signer_; }
  // nullptr: the TPM cannot be used now.
  void UseTpm(std::shared_ptr<tpm::Tpm> tpm) { signer_.UseTpm(std::move(tpm)); }
  // Do programs want the credential opened, whatever is installed as files?
  bool wants_credential() const { return !config_.workload.socket.empty(); }

  // The host was admitted; `opened`: the credential that came with it, when one did.
  void Admitted(const identity::JoinState& joined,
                const std::optional<evidence::SealedPayload>& opened);
  // The credential is gone. Again is fine.
  void Dropped(absl::string_view why);

 private:
  explicit WorkloadRuntime(const Config& config);
  absl::Status Listen();
  // What a channel to the gatekeeper for programs' requests shows.
  absl::StatusOr<std::unique_ptr<GatekeeperClient>> ConnectAs(const workload::Identity& identity);
  void RunHook(absl::string_view what);

  const Config& config_;
  std::mutex turn_;  // one event at a time, its hook included
  bool is_installed_ = false;
  workload::IdentityHub hub_;
  workload::TpmSigner signer_;
  std::unique_ptr<workload::JwtSource> tokens_;
  std::unique_ptr<grpc::Service> spiffe_, signing_;
  std::unique_ptr<workload::SocketServer> server_;  // last: its calls end first
};

}  // namespace bootgate::agent::app

#include "agent/app/gatekeeper_link.h"

#include <memory>
#include <optional>
#include <utility>

#include "agent/app/host.h"
#include "agent/identity/tpm_key_credential.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

void LogNoSignature(const absl::Status& why) {
  const std::optional<Reason> reason = ReasonOf(why);
  Log(LogLevel::kWarning, "the key in the TPM does not sign; going on without it",
      {{"reason", reason.has_value() ? std::string(Code(*reason)) : "-"},
       {"text", std::string(why.message())}});
}

}  // namespace

absl::Status WithGatekeeper(const Config& config, const identity::JoinState& joined,
                            workload::TpmSigner& signer, absl::Time now,
                            const std::function<absl::Status(GatekeeperClient&)>& work) {
  const absl::StatusOr<workload::TpmSigner::Shown> shown = signer.Show(now);
  if (shown.ok()) {
    const int64_t failures = signer.failures().count;
    BG_ASSIGN_OR_RETURN(const std::unique_ptr<GatekeeperClient> client,
                        Connect({.address = joined.gatekeeper,
                                 .server_name = joined.server_name,
                                 .ca_pem = joined.ca_pem,
                                 .client_chain_pem = shown->chain_pem,
                                 .client_key_pem = shown->grpc_key_name}));
    absl::Status status = work(*client);
    if (status.ok() || signer.failures().count == failures) return status;
    LogNoSignature(signer.failures().last);
  }
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<GatekeeperClient> client,
                      ConnectTo(config, joined, now));
  return work(*client);
}

absl::Status LoadTpmKey(const Config& config, workload::TpmSigner& signer) {
  absl::StatusOr<identity::TpmKeyCredential> stored =
      identity::LoadTpmKeyCredential(config.state_folder);
  if (stored.ok()) return signer.SetCredential(*std::move(stored));
  BG_RETURN_IF_ERROR(signer.SetCredential(std::nullopt));
  return absl::IsNotFound(stored.status()) ? absl::OkStatus() : stored.status();
}

}  // namespace bootgate::agent::app

#include "agent/app/workload_runtime.h"

#include <grpcpp/impl/service_type.h>

#include <utility>

#include "agent/app/gatekeeper_link.h"
#include "agent/app/reload_hook.h"
#include "agent/app/socket_report_file.h"
#include "agent/workload/signing_service.h"
#include "agent/workload/spiffe_service.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/log_problem.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
WorkloadRuntime::WorkloadRuntime(const Config& config) : config_(config) {}

WorkloadRuntime::~WorkloadRuntime() {
  hub_.Withdraw("the agent ends");
  server_.reset();
  LogProblem("cannot forget the socket", RemoveSocketReport(config_.state_folder));
}

absl::StatusOr<std::unique_ptr<WorkloadRuntime>> WorkloadRuntime::Start(const Config& config) {
  std::unique_ptr<WorkloadRuntime> out(new WorkloadRuntime(config));
  LogProblem("the certificate of the key in the TPM is left out", LoadTpmKey(config, out->signer_));
  if (!config.workload.socket.empty()) BG_RETURN_IF_ERROR(out->Listen());
  return out;
}

absl::Status WorkloadRuntime::Listen() {
  BG_ASSIGN_OR_RETURN(workload::PeerRules rules,
                      workload::PeerRules::Parse(config_.workload.allow));
  tokens_ = std::make_unique<workload::JwtSource>(
      hub_, SystemClock(),
      [this](const workload::Identity& identity) { return ConnectAs(identity); });
  spiffe_ = workload::MakeSpiffeService(hub_, *tokens_);
  const auto per_second = static_cast<double>(config_.workload.signatures_per_second);
  signing_ = workload::MakeSigningService(signer_, SystemClock(),
                                          {.per_second = per_second, .at_once = 2 * per_second});
  workload::SocketOptions options;
  options.path = config_.workload.socket;
  options.folder_mode = config_.workload.folder_mode == "0750" ? 0750 : 0755;
  options.on_report = [this](const workload::SocketReport& report) {
    LogProblem("cannot write the socket's report", WriteSocketReport(config_.state_folder, report));
  };
  options.tick = [this] { hub_.WithdrawExpired(SystemClock().Now()); };
  BG_ASSIGN_OR_RETURN(server_, workload::SocketServer::Start(std::move(options), std::move(rules),
                                                             {spiffe_.get(), signing_.get()}));
  Log(LogLevel::kInfo, "serving programs", {{"socket", config_.workload.socket}});
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<GatekeeperClient>> WorkloadRuntime::ConnectAs(
    const workload::Identity& identity) {
  BG_ASSIGN_OR_RETURN(const identity::JoinState joined,
                      identity::LoadJoinState(config_.state_folder));
  const absl::string_view key = AsText(identity.key_pem.view());
  return Connect({.address = joined.gatekeeper,
                  .server_name = joined.server_name,
                  .ca_pem = joined.ca_pem,
                  .client_chain_pem = identity.chain_pem,
                  .client_key_pem = std::string(key.data(), key.size())});
}

void WorkloadRuntime::Admitted(const identity::JoinState& joined,
                               const std::optional<evidence::SealedPayload>& opened) {
  const std::lock_guard turn(turn_);
  LogProblem("the certificate of the key in the TPM is left out", LoadTpmKey(config_, signer_));
  if (!opened.has_value()) return;
  if (wants_credential()) {
    absl::StatusOr<workload::Identity> identity = workload::IdentityOf(*opened, joined.ca_pem);
    LogProblem("programs cannot have the credential", identity.status());
    if (identity.ok()) hub_.Publish(*std::move(identity));
  }
  if (!config_.install_credential) return;
  is_installed_ = true;
  RunHook("installed");
}

void WorkloadRuntime::Dropped(absl::string_view why) {
  hub_.Withdraw(why);  // before all else: who waits for a turn is still served
  const std::lock_guard turn(turn_);
  hub_.Withdraw(why);
  LogProblem("cannot forget the key in the TPM", signer_.SetCredential(std::nullopt));
  if (!is_installed_) return;
  is_installed_ = false;
  RunHook("removed");
}

void WorkloadRuntime::RunHook(absl::string_view what) {
  const absl::Status ran =
      app::RunHook(config_.install.on_change, what, config_.install.on_change_timeout);
  LogProblem("install.on_change", ran);
  LogProblem("cannot write what install.on_change did",
             WriteHookReport(config_.state_folder, ran, SystemClock().Now()));
}

}  // namespace bootgate::agent::app

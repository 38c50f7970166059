#include "gatekeeper/app/run.h"

#include <signal.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <memory>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/log.h"
#include "common/base/log_problem.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/admission/admission.h"
#include "gatekeeper/app/ca_watch.h"
#include "gatekeeper/app/operators_port.h"
#include "gatekeeper/app/public_port.h"
#include "gatekeeper/app/sealing_options.h"
#include "gatekeeper/app/weak_options.h"
#include "gatekeeper/audit/checkpointer.h"
#include "gatekeeper/audit/key_folder.h"
#include "gatekeeper/changes/change_hub.h"
#include "gatekeeper/cli/inventory_file.h"
#include "gatekeeper/enroll/ek_files.h"
#include "gatekeeper/enroll/enroller.h"
#include "gatekeeper/incident/sweeper.h"
#include "gatekeeper/quarantine/effect_pump.h"
#include "gatekeeper/service/agents_server.h"
#include "gatekeeper/session/activation_book.h"
#include "gatekeeper/session/nonce_book.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gatekeeper/webhook/outbox.h"
#include "pki/authority.h"
#include "pki/ek_chain.h"
#include "pki/pem.h"
#include "pki/trust_anchor_files.h"

namespace bootgate::gatekeeper::app {
namespace {

constexpr size_t kMaxInventoryBytes = size_t{64} << 20;
constexpr size_t kMaxAdvisoryBytes = size_t{4} << 20;
constexpr absl::Duration kShutdownGrace = absl::Seconds(5);
constexpr absl::Duration kHousekeeping = absl::Seconds(1);

// SIGTERM and SIGINT are taken by sigtimedwait in the main thread, so every thread blocks them.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// True when a stop signal came within `wait`.
bool StopRequested(const sigset_t& signals, absl::Duration wait) {
  const timespec limit = absl::ToTimespec(wait);
  return sigtimedwait(&signals, nullptr, &limit) > 0;
}

// Context for what is wrong with a file of the configuration; the reason stays.
absl::Status InFile(absl::string_view key, const std::string& file, const absl::Status& status) {
  if (status.ok()) return status;
  const absl::Status told(status.code(), absl::StrCat(key, ": ", file, ": ", status.message()));
  const std::optional<Reason> reason = ReasonOf(status);
  return reason.has_value() ? WithReason(told, *reason) : told;
}

absl::StatusOr<pki::TrustAnchors> LoadRoots(absl::string_view key,
                                            const std::vector<std::string>& paths) {
  absl::StatusOr<pki::TrustAnchors> anchors = pki::ReadTrustAnchors(paths);
  if (anchors.ok()) return anchors;
  return absl::InvalidArgumentError(absl::StrCat(key, ": ", anchors.status().message()));
}

absl::StatusOr<pki::CrlSet> LoadCrls(const std::vector<std::string>& paths) {
  pki::CrlSet crls;
  BG_ASSIGN_OR_RETURN(const std::vector<enroll::NamedText> files,
                      enroll::ReadFilesAndFolders(paths, enroll::CrlEndings(), pki::kMaxPemSize));
  for (const enroll::NamedText& file : files) {
    BG_RETURN_IF_ERROR(InFile("ek.crls", file.file, crls.Add(AsBytes(file.text))));
  }
  return crls;
}

absl::StatusOr<pki::DistrustList> LoadDistrust(const std::string& file) {
  pki::DistrustList list;
  if (file.empty()) return list;
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, kMaxInventoryBytes));
  BG_RETURN_IF_ERROR(InFile("ek.distrust", file, list.Add(text)));
  return list;
}

// EKs, one a line; labels are the store's alone.
absl::StatusOr<std::set<std::string>> LoadInventory(const std::string& file) {
  std::set<std::string> out;
  if (file.empty()) return out;
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, kMaxInventoryBytes));
  absl::StatusOr<std::vector<store::InventoryRow>> rows = cli::ParseInventory(text, file);
  BG_RETURN_IF_ERROR(InFile("ek.inventory", file, rows.status()));
  for (store::InventoryRow& row : *rows) out.insert(std::move(row.ek));
  return out;
}

absl::StatusOr<enroll::EkPolicy> EkPolicyOf(const EkConfig& config) {
  enroll::EkPolicy out;
  out.mode = enroll::EkModeFromName(config.mode).value_or(enroll::EkMode::kChainAndInventory);
  out.cloud_ak = config.cloud_ak;
  out.revocation =
      pki::RevocationModeFromName(config.revocation).value_or(pki::RevocationMode::kHard);
  BG_ASSIGN_OR_RETURN(out.anchors, LoadRoots("ek.roots", config.roots));
  BG_ASSIGN_OR_RETURN(out.ak_anchors, LoadRoots("ek.ak_roots", config.ak_roots));
  BG_ASSIGN_OR_RETURN(out.crls, LoadCrls(config.crls));
  BG_ASSIGN_OR_RETURN(out.distrust, LoadDistrust(config.distrust));
  BG_ASSIGN_OR_RETURN(out.inventory, LoadInventory(config.inventory));
  return out;
}

// An operator's own rows beside the table that is built in.
absl::Status AddAdvisories(const std::string& file, advisories::FirmwareAdvisories* table) {
  if (file.empty()) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, kMaxAdvisoryBytes));
  const absl::Status added = table->Add(text);
  if (added.ok()) return added;
  return absl::InvalidArgumentError(absl::StrCat("ek.advisories: ", file, ": ", added.message()));
}

absl::StatusOr<admission::Options> AdmissionOptions(const Config& config) {
  admission::Options out;
  out.cluster_id = config.cluster_id;
  out.set_folder = config.set_folder();
  BG_ASSIGN_OR_RETURN(out.selection, registers::ParseSelection(config.quote.selection));
  BG_ASSIGN_OR_RETURN(out.credential.seal_selection,
                      registers::ParseSelection(config.credential.seal_selection));
  if (config.credential.cap_register >= 0) {
    out.credential.cap_register = static_cast<uint32_t>(config.credential.cap_register);
  }
  out.credential.lifetime = config.credential.lifetime;
  BG_RETURN_IF_ERROR(credential::Check(out.credential, out.selection));
  for (const int64_t index : config.quote.runtime_extended) out.runtime_extended |= 1u << index;
  out.behind_limit = static_cast<int>(config.quote.behind_limit);
  out.next_attestation = config.attestation.interval;
  out.ima_whole_every = config.attestation.whole_ima_list_every;
  out.ima_dictionary_bytes = static_cast<size_t>(config.limits.ima_dictionary_bytes);
  out.nonce_ttl = config.quote.nonce_ttl;
  BG_RETURN_IF_ERROR(AddAdvisories(config.ek.advisories, &out.advisories));
  out.deny_vulnerable_firmware = config.ek.vulnerable_firmware == "deny";
  out.actions = config.quarantine.actions;
  out.brake = config.quarantine.brake;
  return out;
}

service::ServerOptions ServerOptionsOf(const Config& config, service::TlsMaterial tls,
                                       changes::ChangeHub& hub, store::Store& store) {
  service::ServerOptions out;
  out.changes = &hub;
  out.store = &store;
  out.listen = config.listen.agents;
  out.server_chain_pem = std::move(tls.chain_pem);
  out.server_key_pem = std::move(tls.key_pem);
  out.client_ca_pem = std::move(tls.client_ca_pem);
  out.cluster_id = config.cluster_id;
  const size_t processors = std::max(2u, std::thread::hardware_concurrency());
  out.workers =
      config.limits.workers == 0 ? processors : static_cast<size_t>(config.limits.workers);
  out.queue = static_cast<size_t>(config.limits.queue);
  out.max_boot_log_bytes = static_cast<size_t>(config.limits.boot_log_bytes);
  out.max_user_log_bytes = static_cast<size_t>(config.limits.user_log_bytes);
  out.max_ima_bytes = static_cast<size_t>(config.limits.ima_bytes);
  out.max_bytes_in_flight = static_cast<size_t>(config.limits.evidence_bytes_in_flight);
  return out;
}

// An effect that is an operator's news becomes a log line; what the store had to do was done in the
// commit itself.
absl::Status CarryOut(const store::EffectRow& effect) {
  Log(LogLevel::kWarning, "effect",
      {{"kind", effect.kind}, {"host", effect.host_id}, {"verdict", effect.verdict_id}});
  return absl::OkStatus();
}

// A key that is made now is told, so that its public half can be kept elsewhere.
absl::StatusOr<audit::CheckpointKey> OpenCheckpointKey(const Config& config) {
  BG_ASSIGN_OR_RETURN(audit::CheckpointKey key, audit::OpenCheckpointKey(config.audit_folder()));
  if (key.made_now) {
    Log(LogLevel::kWarning, "made a new key that signs checkpoints of the audit trail",
        {{"key_id", key.id}, {"file", audit::PublicKeyFile(config.audit_folder(), key.id)}});
  }
  return key;
}

absl::Status WritePort(const std::string& file, int port) {
  if (file.empty()) return absl::OkStatus();
  return WriteFileAtomically(file, AsBytes(absl::StrCat(port, "\n")), 0644);
}

absl::Status Serve(const Config& config, const PortFiles& port_files, const sigset_t& signals) {
  const Clock& clock = SystemClock();
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<store::Store> store,
                      store::OpenSqlite({.path = config.store_path()}));
  BG_ASSIGN_OR_RETURN(const pki::Authority authority,
                      pki::Authority::Open({.folder = config.ca_folder()}, clock.Now(),
                                           pki::StatusUrlsBelow(config.http.public_url)));
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<CaWatch> cas,
                      CaWatch::Open(config, authority, *store, clock));

  BG_ASSIGN_OR_RETURN(enroll::EkPolicy ek_policy, EkPolicyOf(config.ek));
  session::ActivationBook activations(clock, session::ActivationOptions{});
  enroll::Enroller enroller(*store, activations, clock, std::move(ek_policy), &authority);

  session::NonceBook nonces(clock, {.ttl = config.quote.nonce_ttl,
                                    .max_nonces = static_cast<size_t>(config.limits.open_nonces)});
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<PublicPort> public_port,
                      PublicPort::Open(config, authority, clock));
  BG_ASSIGN_OR_RETURN(admission::Options admission_options, AdmissionOptions(config));
  enroll::EkRecheck ek_recheck(enroller.policies());
  admission_options.ek_recheck = &ek_recheck;
  BG_ASSIGN_OR_RETURN(sealing::Options sealing_options, SealingOptions(config));
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<sealing::Sealer> sealer,
                      sealing::Sealer::Open(std::move(sealing_options), *store));
  admission::Admission admission(std::move(admission_options), *store, nonces, authority, clock,
                                 public_port->issuer(), sealer.get());

  BG_ASSIGN_OR_RETURN(const std::unique_ptr<changes::ChangeHub> hub,
                      changes::ChangeHub::Open(*store));
  BG_ASSIGN_OR_RETURN(
      const std::unique_ptr<webhook::Outbox> webhooks,
      webhook::Outbox::Start(*store, *hub, clock, config.cluster_id, config.webhooks));
  BG_ASSIGN_OR_RETURN(
      const std::unique_ptr<service::AgentsServer> server,
      service::AgentsServer::Start(ServerOptionsOf(config, cas->tls(), *hub, *store), enroller,
                                   admission, authority));
  BG_ASSIGN_OR_RETURN(
      const std::unique_ptr<operators::OperatorsServer> operators_port,
      StartOperatorsPort(config, OperatorsBackend(config, *store, clock, authority, hub.get()),
                         cas->tls()));
  if (operators_port != nullptr)
    BG_RETURN_IF_ERROR(WritePort(port_files.operators, operators_port->port()));
  public_port->Serve({*store, nonces, *server, authority, clock, *webhooks});
  BG_RETURN_IF_ERROR(WritePort(port_files.http, public_port->port()));
  BG_RETURN_IF_ERROR(WritePort(port_files.agents, server->port()));
  for (const WeakOption& option : WeakOptions(config)) {
    Log(LogLevel::kWarning, "a weaker setting than the default",
        {{"option", option.key}, {"value", option.value}, {"text", option.why}});
  }
  Log(LogLevel::kInfo, "ready",
      {{"cluster", config.cluster_id},
       {"port", absl::StrCat(server->port())},
       {"operators_port", operators_port == nullptr ? "" : absl::StrCat(operators_port->port())},
       {"http_port", absl::StrCat(public_port->port())}});
  sd_notify(0, "READY=1");

  BG_ASSIGN_OR_RETURN(audit::CheckpointKey checkpoint_key, OpenCheckpointKey(config));
  audit::Checkpointer checkpointer(*store, std::move(checkpoint_key));
  quarantine::EffectPump pump(*store, CarryOut);
  incident::Sweeper sweeper(*store, {.verdicts = config.retention.verdicts,
                                     .closed_incidents = config.retention.closed_incidents});
  bool stop = false;
  while (!stop) {
    stop = StopRequested(signals, kHousekeeping);
    const absl::StatusOr<quarantine::Drained> drained = pump.Drain();
    if (!drained.ok()) {
      Log(LogLevel::kError, "effects", {{"text", std::string(drained.status().message())}});
    }
    LogProblem("retention", sweeper.Tend(clock.Now()));
    public_port->Tend(*store, clock.Now());
    cas->Tend([&](const service::TlsMaterial& tls) {
      server->Renew(tls);
      if (operators_port != nullptr) operators_port->Renew(tls);
    });
    LogProblem("audit checkpoint", checkpointer.Tend(clock.Now()));
  }
  sd_notify(0, "STOPPING=1");
  public_port->Stop();
  webhooks->Stop();
  if (operators_port != nullptr) operators_port->Shutdown(absl::Now() + kShutdownGrace);
  server->Shutdown(absl::Now() + kShutdownGrace);
  LogProblem("audit checkpoint", checkpointer.Stop(clock.Now()));
  Log(LogLevel::kInfo, "stopped");
  return absl::OkStatus();
}

}  // namespace

ExitCode Run(const Config& config, const PortFiles& port_files) {
  const sigset_t signals = BlockStopSignals();
  const absl::Status status = Serve(config, port_files, signals);
  LogProblem("cannot run", status);
  return ExitCodeFor(status);
}

}  // namespace bootgate::gatekeeper::app

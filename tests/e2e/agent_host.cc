#include "tests/e2e/agent_host.h"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"

namespace bootgate::e2e {
namespace {

constexpr size_t kMaxStatus = 65536;

[[noreturn]] void Die(const absl::Status& why) {
  std::fprintf(stderr, "%s\n", why.ToString().c_str());
  std::abort();
}

std::string CaseFolder(const std::string& name) { return testing::CorpusPath("boots/" + name); }

// Short waits: what is tested is that the agent tries again, not how long it waits.
std::string ConfigText(const AgentOptions& options, const AgentHost& host, desk::Host& desk) {
  return absl::StrCat(
      "state_folder = \"", host.state_folder(), "\"\nruntime_folder = \"", host.runtime_folder(),
      "\"\nboot_log = \"", desk.boot_log_path(), "\"\nuser_log = \"", desk.user_log_path(),
      "\"\nima_list = \"", desk.ima_path(), "\"\nkernel_boot_id = \"", desk.boot_id_path(),
      "\"\n[tpm]\ntcti = \"", host.tcti(), "\"\nak = \"", options.ak, "\"\nek = \"", options.ek,
      "\"\n[credential]\ninstall = ", options.install ? "true" : "false",
      "\ncap_register = ", options.cap_register,
      "\nrequire_tmpfs = ", options.require_tmpfs ? "true" : "false",
      "\nforget_at_stop = ", options.forget_at_stop ? "true" : "false",
      "\n[retry]\nfirst = \"20ms\"\nmost = \"100ms\"\n",
      options.socket ? absl::StrCat("[workload]\nsocket = \"", host.socket_path(), "\"\n") : "",
      options.more);
}

}  // namespace

AgentHost::AgentHost(const AgentOptions& options)
    : folder_(options.folder),
      runtime_folder_(options.runtime_folder.empty() ? options.folder + ".run"
                                                     : options.runtime_folder) {
  absl::StatusOr<std::unique_ptr<desk::Host>> up =
      desk::Host::Up({.folder = options.folder,
                      .case_folder = CaseFolder(options.boot),
                      .ca_folder = options.ca_folder});
  if (!up.ok()) Die(up.status());
  desk_ = *std::move(up);
  if (options.tapped) Tap();
  const std::string text = ConfigText(options, *this, *desk_);
  const absl::Status written = WriteFileAtomically(config_path(), AsBytes(text), 0600);
  if (!written.ok()) Die(written);
}

void AgentHost::Tap() {
  const std::string own = desk_->tcti().substr(std::string("swtpm:path=").size());
  bus_ = std::make_unique<desk::Bus>();
  absl::StatusOr<std::unique_ptr<desk::BusProxy>> proxy =
      desk::BusProxy::Start(own + "p", own, *bus_);
  if (!proxy.ok()) Die(proxy.status());
  proxy_ = *std::move(proxy);
}

Ran AgentHost::Verb(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), Program("bootgate-agent"));
  arguments.insert(arguments.end(), {"--config", config_path()});
  return RunProgram(arguments);
}

std::unique_ptr<Running> AgentHost::Run(const std::vector<std::string>& environment) const {
  return std::make_unique<Running>(
      std::vector<std::string>{Program("bootgate-agent"), "run", "--config", config_path()},
      environment, log_path());
}

void AgentHost::Reboot(const std::string& boot) {
  const absl::Status rebooted = desk_->Reboot(CaseFolder(boot));
  if (!rebooted.ok()) Die(rebooted);
}

std::string AgentHost::Status(const std::string& field) const {
  const absl::StatusOr<std::string> text =
      ReadTextFile(state_folder() + "/status.json", kMaxStatus);
  if (!text.ok()) return "";
  const nlohmann::json json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains(field)) return "";
  return json[field].is_string() ? json[field].get<std::string>() : json[field].dump();
}

bool AgentHost::IsInstalled() const {
  return FileExists(runtime_folder() + "/cert.pem") || FileExists(runtime_folder() + "/key.pem");
}

bool AgentHost::HoldsSealed() const { return FileExists(state_folder() + "/credential.json"); }

}  // namespace bootgate::e2e

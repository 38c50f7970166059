#include "agent/app/config.h"

#include <utility>

#include "agent/workload/peer_rules.h"
#include "common/base/files.h"
#include "common/base/status_macros.h"
#include "common/config/config_file.h"
#include "common/registers/bank.h"

namespace bootgate::agent::app {
namespace {

void ReadWorkload(config::ConfigFile& file, WorkloadConfig* out) {
  file.Text("workload.socket", &out->socket);
  if (!out->socket.empty() && out->socket.front() != '/')
    file.Complain("workload.socket", "must be an absolute path");
  file.Choice("workload.folder_mode", {"0750", "0755"}, &out->folder_mode);
  file.Texts("workload.allow", &out->allow);
  const absl::Status known = workload::PeerRules::Parse(out->allow).status();
  if (!known.ok()) file.Complain("workload.allow", known.message());
  file.Integer("workload.signatures_per_second", 1, 1000, &out->signatures_per_second);
}

void ReadInstall(config::ConfigFile& file, InstallConfig* out) {
  file.Text("install.group", &out->group);
  if (!out->group.empty() && !workload::GroupNumber(out->group).has_value())
    file.Complain("install.group", "no such group on this host");
  file.Choice("install.key_mode", {"0400", "0440", "0600", "0640"}, &out->key_mode);
  file.Texts("install.on_change", &out->on_change);
  if (!out->on_change.empty() && out->on_change.front().empty())
    file.Complain("install.on_change", "the program has no name");
  file.Span("install.on_change_timeout", absl::Milliseconds(100), absl::Minutes(1),
            &out->on_change_timeout);
}

absl::StatusOr<Config> Read(config::ConfigFile file) {
  Config out;
  for (const auto& [key, value] :
       {std::pair<const char*, std::string*>{"state_folder", &out.state_folder},
        {"runtime_folder", &out.runtime_folder},
        {"boot_log", &out.boot_log},
        {"user_log", &out.user_log},
        {"ima_list", &out.ima_list},
        {"kernel_boot_id", &out.kernel_boot_id}}) {
    file.Text(key, value);
    if (value->empty() || value->front() != '/') file.Complain(key, "must be an absolute path");
  }
  file.Text("tpm.tcti", &out.tcti);
  file.Choice("tpm.ak", {"ecc", "rsa"}, &out.ak);
  file.Choice("tpm.ak_source", {"auto", "own", "cloud"}, &out.ak_source);
  file.Choice("tpm.ek", {"auto", "rsa", "ecc"}, &out.ek);
  file.Flag("credential.install", &out.install_credential);
  file.Flag("credential.require_tmpfs", &out.require_tmpfs);
  file.Flag("credential.forget_at_stop", &out.forget_at_stop);
  file.Integer("credential.cap_register", -1, registers::kCount - 1, &out.cap_register);
  ReadWorkload(file, &out.workload);
  ReadInstall(file, &out.install);
  file.Span("retry.first", absl::Milliseconds(10), absl::Hours(1), &out.retry_first);
  file.Span("retry.most", absl::Milliseconds(10), absl::Hours(24), &out.retry_most);
  if (out.retry_most < out.retry_first) file.Complain("retry.most", "is shorter than retry.first");
  BG_RETURN_IF_ERROR(file.Finish());
  return out;
}

}  // namespace

absl::StatusOr<Config> ParseConfig(absl::string_view text, absl::string_view file) {
  BG_ASSIGN_OR_RETURN(config::ConfigFile parsed, config::ConfigFile::Parse(text, file));
  return Read(std::move(parsed));
}

absl::StatusOr<Config> LoadConfig(const std::string& path, bool must_exist) {
  if (!must_exist && !FileExists(path)) return Config{};
  BG_ASSIGN_OR_RETURN(config::ConfigFile parsed, config::ConfigFile::Load(path));
  return Read(std::move(parsed));
}

}  // namespace bootgate::agent::app

#include "agent/app/config.h"

#include <utility>

#include "common/base/files.h"
#include "common/base/status_macros.h"
#include "common/config/config_file.h"
#include "common/registers/bank.h"

namespace bootgate::agent::app {
namespace {

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
  file.Choice("tpm.ek", {"auto", "rsa", "ecc"}, &out.ek);
  file.Flag("credential.install", &out.install_credential);
  file.Flag("credential.require_tmpfs", &out.require_tmpfs);
  file.Flag("credential.forget_at_stop", &out.forget_at_stop);
  file.Integer("credential.cap_register", -1, registers::kCount - 1, &out.cap_register);
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

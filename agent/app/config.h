// The agent's configuration: one file, one struct of named parts, each with a safe default.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace bootgate::agent::app {

// The unix socket for the programs of this host.
struct WorkloadConfig {
  std::string socket;                // absolute path; empty: there is none
  std::string folder_mode = "0755";  // of its folder when it is made: "0750", "0755"
  std::vector<std::string> allow;  // "user:envoy", "gid:1000"; root and the agent's user always may
  int64_t signatures_per_second = 10;  // of the key in the TPM, for all programs together
};

// How the unsealed credential is laid into runtime_folder.
struct InstallConfig {
  std::string group;                   // of key.pem; empty: the agent's own
  std::string key_mode = "0600";       // "0400", "0440", "0600", "0640"
  std::vector<std::string> on_change;  // a program and its arguments; empty: none is run
  absl::Duration on_change_timeout = absl::Seconds(10);
};

struct Config {
  std::string state_folder = "/var/lib/bootgate/agent";  // join state, sealed blobs; 0700
  std::string runtime_folder = "/run/bootgate";          // unsealed credential; a tmpfs
  std::string tcti = "device:/dev/tpmrm0";
  std::string boot_log = "/sys/kernel/security/tpm0/binary_bios_measurements";
  std::string user_log = "/run/log/systemd/tpm2-measure.log";
  std::string ima_list = "/sys/kernel/security/ima/binary_runtime_measurements";
  std::string kernel_boot_id = "/proc/sys/kernel/random/boot_id";
  std::string ak = "ecc";           // "ecc", "rsa"
  std::string ak_source = "auto";   // "auto", "own", "cloud"
  std::string ek = "auto";          // "auto", "rsa", "ecc"
  bool install_credential = false;  // put the unsealed credential on the tmpfs
  bool require_tmpfs = true;        // and nowhere but on one
  bool forget_at_stop = false;      // the sealed credential goes with the service, too
  int64_t cap_register = -1;        // PCR extended after unsealing; -1: none
  WorkloadConfig workload;
  InstallConfig install;
  absl::Duration retry_first = absl::Seconds(1);
  absl::Duration retry_most = absl::Minutes(5);
};

absl::StatusOr<Config> ParseConfig(absl::string_view text, absl::string_view file);
// A missing file at the default path gives the defaults.
absl::StatusOr<Config> LoadConfig(const std::string& path, bool must_exist);

inline constexpr char kDefaultPath[] = "/etc/bootgate/agent.toml";

}  // namespace bootgate::agent::app

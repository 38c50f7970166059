// What the kernel shows of the boot and of the host, read with bounds.
//
// Paths are configurable: tests and containers have none of the kernel's files.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/evidence/evidence.h"

namespace bootgate::agent::sources {

struct Paths {
  std::string boot_log = "/sys/kernel/security/tpm0/binary_bios_measurements";
  std::string user_log = "/run/log/systemd/tpm2-measure.log";
  std::string ima_list = "/sys/kernel/security/ima/binary_runtime_measurements";
  std::string os_release = "/etc/os-release";
  std::string boot_id = "/proc/sys/kernel/random/boot_id";
};

// A missing file is an empty log: some boot chains leave none, and the gatekeeper judges that.
// Other failures to read are errors, lest an unreadable log looks like a missing one.
absl::StatusOr<Bytes> ReadBootLog(const Paths& paths);  // at most eventlog::kMaxLogBytes
absl::StatusOr<Bytes> ReadImaList(const Paths& paths);  // at most ima::kMaxListBytes

// Of the running kernel; empty when it cannot be read.
std::string ReadKernelBootId(const Paths& paths);  // at most evidence::kMaxKernelBootId bytes

// For people to read. What cannot be read stays empty; control characters are escaped.
evidence::HostFacts ReadFacts(const Paths& paths, absl::string_view agent_version);

}  // namespace bootgate::agent::sources

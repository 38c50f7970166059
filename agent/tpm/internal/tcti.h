// The way to a TPM, and who closes it.
#pragma once

#include <tss2/tss2_tcti.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace bootgate::agent::tpm::internal {

class Tcti {
 public:
  virtual ~Tcti() = default;
  virtual TSS2_TCTI_CONTEXT* get() = 0;  // borrowed
};

// Called at the start and again whenever the connection has to be made anew.
using TctiOpener = std::function<absl::StatusOr<std::unique_ptr<Tcti>>()>;

// Why a device file cannot be used: the system's error, and what an operator can do about it.
std::string WhyNoDevice(const std::string& path);

// Opens what a TCTI string names ("device:/dev/tpmrm0", "swtpm:path=/run/x"). TPM_MISSING.
TctiOpener TctiByName(std::string name);

// Whether the string names a resource manager, behind which other users' handles are out of sight.
bool IsResourceManager(const std::string& name);

}  // namespace bootgate::agent::tpm::internal

// A Tpm over any TCTI: the seam through which tests watch and disturb the bus.
#pragma once

#include "agent/tpm/internal/tcti.h"
#include "agent/tpm/tpm.h"

namespace bootgate::agent::tpm::internal {

absl::StatusOr<std::unique_ptr<Tpm>> OpenTpm(const Options& options, TctiOpener opener);

}  // namespace bootgate::agent::tpm::internal

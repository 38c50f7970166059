// `evidence export`: everything a verifier needs of this boot, as files, without a gatekeeper.
//
// The form is that of tests/corpus/boots: `bootgate-gatekeeper evidence verify` and `reference
// learn` read it.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agent/app/config.h"
#include "agent/tpm/tpm.h"

namespace bootgate::agent::app {

// `qualifying_data`: of all quotes; random when empty. The folder is made; files in it are
// replaced.
absl::Status ExportEvidence(const Config& config, tpm::Tpm& tpm, const std::string& folder,
                            const Bytes& qualifying_data);

}  // namespace bootgate::agent::app

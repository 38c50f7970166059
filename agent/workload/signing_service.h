// Signatures by the key in the TPM for the programs of this host (proto/bootgate/v1/signing.proto).
#pragma once

#include <memory>

#include "agent/workload/tpm_signer.h"
#include "common/base/clock.h"

namespace grpc {
class Service;
}

namespace bootgate::agent::workload {

struct SigningOptions {
  // A TPM signs some ten times a second and does nothing else meanwhile: attestation needs it, too.
  double per_second = 10;
  double at_once = 20;
};

// The references must outlive the server that the service runs on.
std::unique_ptr<grpc::Service> MakeSigningService(TpmSigner& signer, const Clock& clock,
                                                  const SigningOptions& options);

}  // namespace bootgate::agent::workload

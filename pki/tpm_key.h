// A CA's key in this machine's TPM, through OpenSSL's provider "tpm2" (Debian: tpm2-openssl).
//
// The gatekeeper links nothing of the TPM's software stack: OpenSSL loads the provider when a CA
// asks for it. Which TPM: the environment variable TPM2OPENSSL_TCTI, else the provider's default,
// /dev/tpmrm0. Signatures are made one at a time; after a failure the provider is loaded anew.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "pki/key_holder.h"

namespace bootgate::pki {

inline constexpr char kTpmHandlePrefix[] = "handle:";  // of a persistent key: "handle:0x81000010"

// `where`: path of a "TSS2 PRIVATE KEY" file, or a handle. Asks nothing of the TPM yet.
absl::StatusOr<std::shared_ptr<const KeyHolder>> OpenTpmKey(const std::string& where,
                                                            const crypto::PublicKey& expected);

// A new key, wrapped by the TPM's owner hierarchy, into a new file. kAlreadyExists, CA_KEY.
absl::StatusOr<std::shared_ptr<const KeyHolder>> MakeTpmKey(const std::string& path,
                                                            crypto::Curve curve);

}  // namespace bootgate::pki

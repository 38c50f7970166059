// The unsealed credential where other programs of the host find it: a folder on a tmpfs.
//
//   cert.pem   the chain, leaf first (0644)      key.pem   its private key (0600)
//   secrets/NAME   what the operator had sealed with it (0600)
//
// Each file is replaced at once; the key comes before the certificate, and goes after it, so a
// certificate without a key is never seen.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/evidence/boot_secrets.h"
#include "common/evidence/sealed_payload.h"

namespace bootgate::agent::identity {

// kInvalidArgument: a secret's name is not a plain file name (letters, digits, "._-", no leading
// dot). STATE_UNWRITABLE: the folder is full or read-only; then nothing is installed, and what was
// is gone. Secrets that are no longer sent are removed.
absl::Status InstallCredential(const std::string& runtime_folder,
                               const evidence::SealedPayload& payload);

// Secrets alone, at the host's start; others stay as they are. STATE_UNWRITABLE.
absl::Status InstallSecrets(const std::string& runtime_folder, const evidence::Secrets& secrets);

// At denial, expiry and stop. Nothing installed is fine. STATE_UNWRITABLE: something is left.
absl::Status RemoveInstalledCredential(const std::string& runtime_folder);

bool IsCredentialInstalled(const std::string& runtime_folder);

}  // namespace bootgate::agent::identity

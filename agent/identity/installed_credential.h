// The unsealed credential where other programs of the host find it: a folder on a tmpfs.
//
//   current -> generation-HEX    one credential, whole:
//     cert.pem     the chain, leaf first (0644)
//     key.pem      its private key (0600, or as configured)
//     bundle.pem   what certificates of this trust domain lead to (0644)
//   cert.pem, key.pem, bundle.pem -> current/...
//   secrets/NAME   what the operator had sealed with it (0600)
//
// A new credential is written beside the old one, then `current` is moved over in one step: nobody
// finds a new key beside an old certificate. Who must have both of one credential while it changes
// opens the folder `current` first and then the files in it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/evidence/boot_secrets.h"
#include "common/evidence/sealed_payload.h"

namespace bootgate::agent::identity {

struct InstallOptions {
  std::string bundle_pem = {};      // empty: no bundle.pem
  std::optional<gid_t> group = {};  // of key.pem; the agent must be a member
  mode_t key_mode = 0600;
};

// kInvalidArgument: a secret's name is not a plain file name (letters, digits, "._-", no leading
// dot). STATE_UNWRITABLE: the folder is full or read-only; then nothing is installed, and what was
// is gone. Secrets that are no longer sent are removed.
absl::Status InstallCredential(const std::string& runtime_folder,
                               const evidence::SealedPayload& payload,
                               const InstallOptions& options = {});

// Secrets alone, at the host's start; others stay as they are. STATE_UNWRITABLE.
absl::Status InstallSecrets(const std::string& runtime_folder, const evidence::Secrets& secrets);

// At denial, expiry and stop. Nothing installed is fine. STATE_UNWRITABLE: something is left.
absl::Status RemoveInstalledCredential(const std::string& runtime_folder);

// The folder that certificate and key of one generation are in; `runtime_folder` itself when
// nothing is installed in this way.
std::string CurrentGeneration(const std::string& runtime_folder);

bool IsCredentialInstalled(const std::string& runtime_folder);

}  // namespace bootgate::agent::identity

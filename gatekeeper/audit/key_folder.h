// Where the key that signs checkpoints lies: a folder of the gatekeeper's own state.
//
//   checkpoint.key  0600: PKCS #8 PEM
//   KEYID.pub       0644: the public half; of earlier keys, too, so that what they signed verifies
//
// Who can read the folder can sign: what protects the trail from this machine's root is the copies
// of checkpoints and of the public key that are kept elsewhere.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gatekeeper/audit/checkpoint.h"

namespace bootgate::gatekeeper::audit {

struct CheckpointKey {
  std::shared_ptr<const crypto::PrivateKey> key;  // shared: whoever signs may outlive its maker
  std::string id;                                 // CheckpointKeyId
  bool made_now = false;
};

// Makes folder and key when there is none. kFailedPrecondition STATE_CORRUPT: the key file is none.
absl::StatusOr<CheckpointKey> OpenCheckpointKey(const std::string& folder);

// All public halves. No folder: none.
absl::StatusOr<CheckpointKeys> ReadCheckpointKeys(const std::string& folder);

std::string PublicKeyFile(const std::string& folder, const std::string& key_id);

}  // namespace bootgate::gatekeeper::audit

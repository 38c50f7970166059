// The folder with the gatekeeper's sealing keys (0700), which several processes share: the running
// gatekeeper, operators' verbs, other replicas that were given a copy.
//
//   secret-keys     what secrets lie encrypted under in the store, newest first; "ID HEX" a line
//   approving.key   what approves boot states, and who holds it: approving_key.h
//
// Files are 0600 and replaced as a whole. Who makes or replaces one, or stores what was encrypted
// under a key of it, holds the lock: no key is dropped that somebody is just using.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/secret_bytes.h"

namespace bootgate::gatekeeper::sealing {

struct SecretKey {
  std::string id;   // 16 hex digits, random
  SecretBytes key;  // AES-256
};

// Held until it goes away. kUnavailable: the folder cannot be used.
class FolderLock {
 public:
  static absl::StatusOr<FolderLock> Take(const std::string& folder);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;
};

SecretKey NewSecretKey();

// Newest first; empty: there are none yet. STATE_CORRUPT: the file is not what WriteSecretKeys
// writes, or others may read it.
absl::StatusOr<std::vector<SecretKey>> ReadSecretKeys(const std::string& folder);
absl::Status WriteSecretKeys(const std::string& folder, const std::vector<SecretKey>& keys,
                             const FolderLock& lock);

// A file of ours that nobody else may read. kNotFound, STATE_CORRUPT.
absl::StatusOr<SecretBytes> ReadOwnFile(const std::string& path, size_t most);

}  // namespace bootgate::gatekeeper::sealing

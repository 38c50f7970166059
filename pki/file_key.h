// A CA's key in a file: PKCS#8 in PEM, in the clear (0600) or encrypted with a passphrase.
//
// Implements: RFC 5958 (PKCS#8); RFC 8018 (PBES2: PBKDF2 with HMAC-SHA-256, AES-256-CBC).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "pki/key_holder.h"
#include "pki/secret_source.h"

namespace bootgate::pki {

// CA_KEY names the file: not there, others may read it, the passphrase is wrong or missing, it is
// not the key `expected`.
absl::StatusOr<std::shared_ptr<const KeyHolder>> OpenFileKey(const std::string& path,
                                                             const SecretSource& passphrase,
                                                             const crypto::PublicKey& expected);

// Makes a key and writes it, 0600. kAlreadyExists.
absl::StatusOr<std::shared_ptr<const KeyHolder>> MakeFileKey(const std::string& path,
                                                             const SecretSource& passphrase,
                                                             crypto::Curve curve);

// Writes `key` to a new file, 0600.
absl::Status WriteKeyFile(const std::string& path, const crypto::PrivateKey& key,
                          const SecretSource& passphrase);

}  // namespace bootgate::pki

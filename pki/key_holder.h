// Who holds a CA's private key: a file, a TPM, a PKCS#11 token. The key signs digests and is never
// seen.
//
// Any thread may sign. A holder that does not answer is an error each time and works again once it
// answers; nobody has to start the gatekeeper anew.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/crypto/private_key.h"
#include "common/crypto/public_key.h"

namespace bootgate::pki {

class KeyHolder {
 public:
  virtual ~KeyHolder() = default;

  virtual const crypto::PublicKey& Public() const = 0;
  // ECDSA in DER over a digest as long as the curve asks for. CA_KEY with kUnavailable names the
  // holder and what it said, never a PIN or a passphrase.
  virtual absl::StatusOr<Bytes> Sign(const crypto::Digest& digest) const = 0;
  // "file ca/hosts-1.key", "token 'bootgate' label 'hosts-1' (pkcs11)"
  virtual std::string Describe() const = 0;
};

// A key in the memory of this process.
std::shared_ptr<const KeyHolder> InMemory(std::shared_ptr<const crypto::PrivateKey> key,
                                          std::string name = "in memory");

}  // namespace bootgate::pki

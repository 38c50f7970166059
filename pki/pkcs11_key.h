// A CA's key in a PKCS#11 token: an HSM, a smart card, SoftHSM.
//
// Implements: PKCS #11 2.40, mechanisms CKM_ECDSA and CKM_EC_KEY_PAIR_GEN. One session a key, used
// by one thread at a time. A session that is lost is opened anew; when the token is gone, each
// signature fails until it is back. A PIN that the token refused is not tried again before it has
// changed at its source.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "pki/key_holder.h"
#include "pki/secret_source.h"

namespace bootgate::pki {

struct Pkcs11Location {
  std::string module;  // path of the .so
  std::string token;   // label of the token
  std::string label;   // of the key pair
  SecretSource pin;
};

// Asks nothing of the token yet. Its first signature in a session is checked against `expected`.
absl::StatusOr<std::shared_ptr<const KeyHolder>> OpenPkcs11Key(const Pkcs11Location& location,
                                                               const crypto::PublicKey& expected);

// A new key pair that never leaves the token. kAlreadyExists: there is one of that label. CA_KEY.
absl::StatusOr<std::shared_ptr<const KeyHolder>> MakePkcs11Key(const Pkcs11Location& location,
                                                               crypto::Curve curve);

}  // namespace bootgate::pki

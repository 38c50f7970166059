// Which holder has a CA's key, as ca.toml says; opening one, and making a new key in one.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/crypto/public_key.h"
#include "pki/key_holder.h"
#include "pki/secret_source.h"

namespace bootgate::pki {

struct KeySpec {
  enum class Kind {
    kNone,    // the key is not here: an offline root, a company's CA
    kFile,    // PKCS#8 in PEM, encrypted when there is a secret
    kPkcs11,  // a token behind a PKCS#11 module; the secret is the PIN
    kTpm,     // this machine's TPM, by OpenSSL's provider tpm2
  };
  Kind kind = Kind::kNone;
  // kFile, kTpm: a name inside the CA folder, or an absolute path. kTpm: the key as the TPM wrapped
  // it ("TSS2 PRIVATE KEY"), or "handle:0x81..." for a persistent one.
  std::string file;
  std::string module, token, label;  // kPkcs11: path of the .so, token's label, key's label
  SecretSource secret;

  friend bool operator==(const KeySpec&, const KeySpec&) = default;
};
absl::string_view Name(KeySpec::Kind kind);  // "none", "file", "pkcs11", "tpm"
// "file hosts-1.key", "pkcs11 token 'bootgate' label 'hosts-1'", ...
std::string Describe(const KeySpec& spec);

// The key that a certificate is about. CA_KEY: not here, locked, or another key. A token that does
// not answer is no error yet: it is asked at the first signature.
absl::StatusOr<std::shared_ptr<const KeyHolder>> OpenKey(const KeySpec& spec,
                                                         const std::string& folder,
                                                         const crypto::PublicKey& expected);

// A new key. kAlreadyExists: there is one of that name. CA_KEY.
absl::StatusOr<std::shared_ptr<const KeyHolder>> MakeKey(const KeySpec& spec,
                                                         const std::string& folder,
                                                         crypto::Curve curve);

}  // namespace bootgate::pki

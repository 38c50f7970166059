// Signatures that the kernel listed with a file.
//
// Implements: Linux security/integrity/integrity.h (signature_v2_hdr; the "sig" field: versions 2
// and 3, of the content and of fs-verity digests) and security/integrity/ima/ima_modsig.c (the
// "modsig" field: PKCS #7 over the digest in d-modsig). RSA is PKCS #1 v1.5, ECDSA is DER.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/crypto/pem_key.h"
#include "common/ima/entry.h"

namespace bootgate::gatekeeper::reference {

enum class SignatureAnswer {
  kNone,        // the entry bears no signature
  kUnknownKey,  // by a key that is not trusted
  kUnreadable,  // of a form or algorithm that is not checked here
  kBad,         // it names a trusted key, and is not that key's over this digest
  kGood,
};

// Keys by the four bytes that a signature names them with. Immutable; any thread.
class SigningKeys {
 public:
  explicit SigningKeys(std::vector<crypto::PemKey> keys);
  bool empty() const { return keys_.empty(); }
  const std::vector<crypto::PemKey>& all() const { return keys_; }
  // At most a few: names are not unique.
  std::vector<const crypto::PemKey*> Named(ByteView short_id) const;

 private:
  std::vector<crypto::PemKey> keys_;
  std::multimap<Bytes, size_t> by_short_id_;
};

// The best answer of the entry's signature and its appended signature.
SignatureAnswer CheckSignature(const ima::Entry& entry, const SigningKeys& keys);

}  // namespace bootgate::gatekeeper::reference

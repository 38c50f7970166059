// How signers name the key that made a signature.
//
// Implements: RFC 5280, 4.2.1.2 (the key identifier is the SHA-1 of the key's bits, method 1, or
// whatever the certificate says); what Linux and its tools put into file signatures are the last
// bytes of it.
#pragma once

#include <vector>

#include "common/crypto/pem_key.h"

namespace bootgate::crypto {

// The certificate's own identifier, where it has one, and the SHA-1 of the key's bits. A name, no
// proof: different keys may bear the same.
std::vector<Bytes> KeyIds(const PemKey& key);

}  // namespace bootgate::crypto

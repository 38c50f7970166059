// Random bytes from OpenSSL's generator, seeded by the kernel. The only source of nonces, serials,
// secrets and identifiers.
#pragma once

#include <string>

#include "common/base/bytes_view.h"
#include "common/base/secret_bytes.h"

namespace bootgate::crypto {

// Ends the process when the generator fails: nothing sensible can be done with guessable bytes.
Bytes RandomBytes(size_t size);
SecretBytes RandomSecret(size_t size);

// `bytes` random bytes in hexadecimal.
std::string RandomHex(size_t bytes);

}  // namespace bootgate::crypto

// Signatures over a payload and its type (DSSE).
//
// Implements: secure-systems-lab/dsse, protocol.md 1.0.2: the pre-authentication encoding, and that
// one good signature of a trusted key suffices. Key ids are hints that nobody signed: not used. The
// envelope's JSON is its reader's business.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/crypto/public_key.h"

namespace bootgate::crypto {

inline constexpr size_t kMaxDsseSignatures = 16;

struct DsseEnvelope {
  std::string payload_type;
  Bytes payload;
  std::vector<Bytes> signatures;
};

// What is signed: "DSSEv1", type and payload, each with its length.
Bytes DssePreimage(absl::string_view payload_type, ByteView payload);

// OK when one of `keys` made one of the signatures: ECDSA (DER, the hash as long as the curve) or
// RSA with SHA-256 (PSS or PKCS #1 v1.5). SIG_INVALID otherwise, also without keys.
absl::Status VerifyDsse(const DsseEnvelope& envelope, std::span<const PublicKey> keys);

}  // namespace bootgate::crypto

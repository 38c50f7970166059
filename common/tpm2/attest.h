// What a TPM signs: TPMS_ATTEST for quotes and key certifications, and TPMT_SIGNATURE.
//
// Implements: TPM 2.0 Part 2, 10.12 (TPMS_ATTEST), 11.3 (TPMT_SIGNATURE).
#pragma once

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/registers/selection.h"
#include "common/tpm2/public.h"

namespace bootgate::tpm2 {

inline constexpr uint32_t kGenerated = 0xff544347;  // TPM_GENERATED_VALUE
enum class AttestType : uint16_t {
  kNv = 0x8014,
  kCommandAudit = 0x8015,
  kSessionAudit = 0x8016,
  kCertify = 0x8017,
  kQuote = 0x8018,
  kTime = 0x8019,
  kCreation = 0x801a,
  kNvDigest = 0x801c,
};

struct ClockInfo {
  uint64_t clock_ms = 0;
  uint32_t reset_count = 0;
  uint32_t restart_count = 0;
  bool safe = false;
};

struct AttestHeader {
  Bytes qualified_signer;  // Name
  Bytes extra_data;        // qualifying data
  ClockInfo clock;
  uint64_t firmware_version = 0;
};

struct QuoteInfo {
  AttestHeader header;
  registers::Selection selection;
  Bytes pcr_digest;
};

struct CertifyInfo {
  AttestHeader header;
  Bytes name;
  Bytes qualified_name;
};

// The signed bytes, parsed strictly: no trailing byte. Errors carry QUOTE_MAGIC (not made by a
// TPM), QUOTE_TYPE (another kind of attestation), TPM_MARSHAL with the offset.
absl::StatusOr<QuoteInfo> ParseQuote(ByteView attest);
// Likewise with CERTIFY_MAGIC, CERTIFY_TYPE.
absl::StatusOr<CertifyInfo> ParseCertify(ByteView attest);

struct Signature {
  Alg scheme = Alg::kNull;  // kRsassa, kRsapss, kEcdsa
  crypto::HashAlg hash = crypto::HashAlg::kSha256;
  Bytes rsa;   // RSASSA, RSAPSS
  Bytes r, s;  // ECDSA
};

// TPMT_SIGNATURE, no trailing byte. SIG_SCHEME for schemes that we do not take (ECDAA, NULL, HMAC),
// TPM_MARSHAL for malformed bytes.
absl::StatusOr<Signature> ParseSignature(ByteView tpmt_signature);

// Checks `signature` over `message` with the key of `signer`: kind of key, scheme and hash must be
// those of the signer's public area. SIG_SCHEME or SIG_INVALID.
absl::Status VerifySignature(const Public& signer, ByteView message, const Signature& signature);

}  // namespace bootgate::tpm2

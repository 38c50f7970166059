// OCSP: requests as clients send them, and our answers as DER.
//
// Implements: RFC 6960, section 4 (OCSPRequest, OCSPResponse, id-pkix-ocsp-basic; nonce); RFC 9654
// (its size); RFC 5019 (what small clients send). Requests are hostile: bounded in size and in
// what they ask for, read in one pass without recursion. Their signatures are not looked at: who
// asks makes no difference to what is answered.
// Not here: what the state of a certificate is, and who signs (ocsp_responder.h).
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/crypto/hash.h"
#include "pki/certificate.h"
#include "pki/crl.h"

namespace bootgate::pki {

inline constexpr size_t kMaxOcspRequest = 8192;     // bytes
inline constexpr size_t kMaxOcspCertificates = 32;  // asked for in one request
inline constexpr size_t kMaxOcspNonce = 128;        // bytes, RFC 9654

// What a client names a certificate by.
struct OcspCertId {
  Bytes der;                           // as sent; the answer repeats it
  std::optional<crypto::HashAlg> alg;  // nullopt: none that we know
  Bytes issuer_name_hash, issuer_key_hash;
  Bytes serial;  // big-endian magnitude; of a negative number empty, which is nobody's
};

struct OcspRequest {
  std::vector<OcspCertId> certificates;  // 1 to kMaxOcspCertificates
  Bytes nonce;                           // the extension's value as sent; empty: none
};

// MESSAGE_TOO_LARGE, MESSAGE_MALFORMED: not DER of this form, too many certificates, a nonce that
// is too long, a critical extension.
absl::StatusOr<OcspRequest> ReadOcspRequest(ByteView der);

enum class OcspStatus { kGood, kRevoked, kUnknown };

struct OcspAnswer {
  ByteView cert_id;  // OcspCertId::der
  OcspStatus status = OcspStatus::kUnknown;
  absl::Time revoked_at;  // kRevoked
  RevocationReason reason = RevocationReason::kUnspecified;
};

struct OcspFields {
  ByteView responder_key_hash;  // SHA-1 of the responder's key, as ResponderID wants it
  absl::Time this_update, next_update;
  std::vector<OcspAnswer> answers;
  ByteView nonce;                  // OcspRequest::nonce
  ByteView responder_certificate;  // DER; sent along
};

// A whole OCSPResponse that is `successful`. CA when the key does not sign.
absl::StatusOr<Bytes> MakeOcspResponse(const OcspFields& fields, const CertificateSigner& signer);

// OCSPResponseStatus of answers that nobody signs.
enum class OcspError : uint8_t {
  kMalformedRequest = 1,
  kInternalError = 2,
  kTryLater = 3,
  kUnauthorized = 6,  // RFC 5019, 2.2.3: not our certificates
};
Bytes OcspErrorResponse(OcspError error);

}  // namespace bootgate::pki

// Certificate revocation lists of our own CAs, as DER.
//
// Implements: RFC 5280, section 5 (v2 CRLs: number, authority key identifier, reason codes,
// invalidity dates). Each list is complete for its CA, so there is neither an issuing distribution
// point nor a delta.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "pki/certificate.h"

namespace bootgate::pki {

// CRLReason of RFC 5280, section 5.3.1, as far as our certificates have them.
enum class RevocationReason : uint8_t {
  kUnspecified = 0,
  kKeyCompromise = 1,
  kCaCompromise = 2,
  kAffiliationChanged = 3,
  kSuperseded = 4,
  kCessationOfOperation = 5,
  kPrivilegeWithdrawn = 9,
};
absl::string_view Name(RevocationReason reason);  // "key-compromise", ...
std::optional<RevocationReason> RevocationReasonFromName(absl::string_view name);
std::string RevocationReasonNames();  // all of them, for messages

struct RevokedCertificate {
  Bytes serial;  // big-endian magnitude, at most kMaxSerialSize
  absl::Time revoked_at;
  absl::Time not_after;  // of the certificate; InfiniteFuture: it stays in the list
  RevocationReason reason = RevocationReason::kUnspecified;
  // Since when it is suspect, where that is earlier than the revocation.
  std::optional<absl::Time> invalid_since;

  friend bool operator==(const RevokedCertificate&, const RevokedCertificate&) = default;
};

inline constexpr size_t kMaxSerialSize = 20;  // bytes; RFC 5280, 4.1.2.2

struct CrlFields {
  ByteView issuer;         // Name, as in the CA's certificate
  ByteView issuer_key_id;  // subject key identifier of the CA
  uint64_t number = 0;     // higher than in any list of this CA before
  absl::Time this_update, next_update;
};

// Is this certificate told of in a list made at `this_update`? Not once it has been expired for as
// long as a list lives: each one is in a list made after its end (section 3.3).
bool IsListed(const RevokedCertificate& certificate, const CrlFields& fields);

// The signed list of those in `revoked` that are listed, in their order. CA: a serial that is none,
// a next update not after this update, a key that does not sign.
absl::StatusOr<Bytes> MakeCrl(const CrlFields& fields, std::span<const RevokedCertificate> revoked,
                              const CertificateSigner& signer);

std::string CrlToPem(ByteView der);

}  // namespace bootgate::pki

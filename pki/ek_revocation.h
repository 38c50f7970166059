// Certificate revocation lists of TPM vendors, as files or documents that an operator gave. Nothing
// is ever fetched.
//
// Implements: RFC 5280, section 5 and 6.3, for complete CRLs of the issuer itself; indirect, delta
// and partial ones prove nothing here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/crypto/owners.h"

namespace bootgate::pki {

enum class RevocationMode {
  kOff,   // CRLs are not looked at
  kSoft,  // revoked is refused; unknown is said and let through
  kHard,  // every certificate below the anchor needs a CRL that is valid now
};
absl::string_view Name(RevocationMode mode);  // "off", "soft", "hard"
std::optional<RevocationMode> RevocationModeFromName(absl::string_view name);

// Immutable once filled; any thread may use it.
class CrlSet {
 public:
  // One CRL in DER, or PEM text with one or more ("X509 CRL"). All or, with an error, none.
  // PEM_FORMAT, CERT_PARSE.
  absl::Status Add(ByteView pem_or_der);
  size_t size() const { return crls_.size(); }

 private:
  friend class RevocationCheck;
  std::vector<std::shared_ptr<X509_CRL>> crls_;
};

// `path`: DER, a verified path, the leaf first and the anchor last (VerifiedEkChain::path()). Each
// certificate but the anchor is looked up in the newest CRL that its issuer in the path signed.
// Gives notices, one sentence each: what is unknown and why (kSoft alone; kHard refuses it).
// Errors: EK_REVOKED (leaf or CA; an expired CRL still tells), EK_REVOCATION_UNKNOWN (kHard).
absl::StatusOr<std::vector<std::string>> CheckRevocation(const std::vector<Bytes>& path,
                                                         const CrlSet& crls, RevocationMode mode,
                                                         absl::Time now);

}  // namespace bootgate::pki

// The path from a foreign certificate (of an EK, of an AK) to a configured anchor.
//
// Implements: RFC 5280, section 6, by OpenSSL; for leaves whose key OpenSSL cannot read, the leaf's
// own step is made here.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/base/reason.h"
#include "common/crypto/owners.h"
#include "pki/trust_anchors.h"

namespace bootgate::pki {

inline constexpr size_t kMaxIntermediates = 8;
using Intermediates = std::vector<crypto::X509Ptr>;

// Parses what came beside a leaf. CERT_PARSE (also: more than kMaxIntermediates), KEY_WEAK,
// KEY_TOO_LARGE: sizes before signatures, so that an oversized key costs a parse and no arithmetic.
absl::StatusOr<Intermediates> ParseIntermediates(const std::vector<Bytes>& ders);

// Borrows. The keys in the certificates have been checked for size.
struct PathInput {
  const Intermediates& intermediates;  // untrusted
  const TrustAnchors& anchors;
  absl::Time now;
  Reason untrusted = Reason::kEkChainUntrusted;
  Reason expired = Reason::kEkChainExpired;
};

// The path in DER, `leaf` first and an anchor last, so at least two certificates. The codes of
// `input`; the message names certificate and defect, and for an unknown issuer the way out.
absl::StatusOr<std::vector<Bytes>> VerifyPath(X509* leaf, const PathInput& input);

}  // namespace bootgate::pki

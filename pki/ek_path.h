// The path from a foreign certificate (of an EK, of an AK) to a configured anchor.
//
// Implements: RFC 5280, section 6, by OpenSSL; for leaves whose key OpenSSL cannot read, the leaf's
// own step is made here.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/base/reason.h"
#include "common/crypto/owners.h"
#include "pki/trust_anchors.h"

namespace bootgate::pki {

// Borrows. The keys in the certificates have been checked for size.
struct PathInput {
  const std::vector<crypto::X509Ptr>& intermediates;  // untrusted
  const TrustAnchors& anchors;
  absl::Time now;
  Reason untrusted = Reason::kEkChainUntrusted;
  Reason expired = Reason::kEkChainExpired;
  // Named as the way out.
  absl::string_view add_with = "bootgate-gatekeeper ek root add FILE", config_key = "ek.roots";
};

// The path in DER, `leaf` first and an anchor last, so at least two certificates. The codes of
// `input`; the message names certificate and defect, and for an unknown issuer the way out.
absl::StatusOr<std::vector<Bytes>> VerifyPath(X509* leaf, const PathInput& input);

// CAs that are limited to key purposes pass them on: each of `path` above the leaf that has an
// extended key usage must name one of `purposes` (or any purpose). True when one of them did name
// one, false when none is limited. `reason` names the CA that is for something else.
absl::StatusOr<bool> LimitedTo(const std::vector<Bytes>& path,
                               const std::vector<std::string>& purposes, Reason reason);

}  // namespace bootgate::pki

// What a revocation list says of itself, for an operator to look at. Nothing is verified here: that
// is ek_revocation.h's, when the list is used.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"

namespace bootgate::pki {

struct CrlFacts {
  std::string issuer;      // printable
  std::string issuer_key;  // hex SHA-256 of issuer and authority key identifier: one for all lists
                           // of one CA key
  absl::Time this_update, next_update;  // InfiniteFuture: it says no next
  size_t revoked = 0;
  std::string pem;
};

// One list in DER, or PEM text with one or more. PEM_FORMAT, CERT_PARSE; kInvalidArgument when
// there is none.
absl::StatusOr<std::vector<CrlFacts>> ReadCrlFacts(ByteView pem_or_der);

}  // namespace bootgate::pki

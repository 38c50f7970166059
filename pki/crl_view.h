// A CRL of anybody's, read to be shown to people. Nothing in it is trusted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"

namespace bootgate::pki {

inline constexpr size_t kMaxShownCrl = size_t{64} << 20;  // bytes, in either form

struct CrlView {
  struct Entry {
    std::string serial_hex;
    absl::Time revoked_at;
    std::string reason;  // as pki::Name has it, or a number; empty: none is given
    std::optional<absl::Time> invalid_since;
  };
  std::string issuer;         // "CN=...,O=...", printable
  std::string issuer_key_id;  // hex; empty: not told
  std::string number;         // decimal; empty: not told
  std::string signature;      // "ecdsa-with-SHA256"
  absl::Time this_update;
  std::optional<absl::Time> next_update;
  std::vector<Entry> entries;
  // With a CA's certificate: did its key sign the list?
  std::optional<bool> signed_by_ca;
};

// One CRL in DER, or in PEM. `ca_pem`: a CA's certificate to check against; empty: none.
// MESSAGE_TOO_LARGE, CERT_PARSE, PEM_FORMAT.
absl::StatusOr<CrlView> ViewCrl(ByteView pem_or_der, absl::string_view ca_pem = "");

}  // namespace bootgate::pki

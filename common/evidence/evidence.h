// The evidence bundle as our own type: what an agent sends, what a captured case holds.
//
// All of it is untrusted. The gatekeeper's rooms turn parts of it into proven types.
#pragma once

#include <string>
#include <vector>

#include "common/base/bytes_view.h"
#include "common/tpm2/quote.h"

namespace bootgate::evidence {

inline constexpr size_t kMaxPcrValues = 24 * 5;
inline constexpr size_t kMaxSmallPart = 16384;  // bytes: quote, signature, public area, certificate

// A part of the IMA list. `first_entry`: how many entries lie before it (the cursor).
struct ImaPart {
  uint64_t first_entry = 0;
  Bytes before_quote;  // whole entries read before the quote; bound by the quote
  uint64_t before_quote_count = 0;
  Bytes after_quote;  // entries that came while the TPM quoted; not bound
};

// A key that the AK certified (TPM2_Certify) for the tpm-key credential profile.
struct CertifiedKey {
  Bytes public_area;        // TPM2B_PUBLIC
  Bytes certify_attest;     // TPMS_ATTEST; extraData: the qualifying data of the quote
  Bytes certify_signature;  // TPMT_SIGNATURE
};

// What the host tells about itself; shown to people, never judged.
struct HostFacts {
  std::string hostname, kernel_release, os_release, agent_version, boot_id;
};

struct Evidence {
  std::string host_id;
  Bytes nonce;
  Bytes boot_log;  // empty: the host has none
  Bytes user_log;  // systemd's measurement log; empty: the host has none
  ImaPart ima;
  tpm2::RawQuote quote;
  std::vector<CertifiedKey> identity_keys;  // at most one
  HostFacts facts;
};

// Qualifying data of the quote: SHA-256 over the label "bootgate/v1/quote" and each of the fields,
// every one with a 32-bit big-endian length before it (architecture page, section 3).
struct QuoteBinding {
  ByteView nonce;
  absl::string_view host_id;
  ByteView ak_name;
  absl::string_view cluster_id;
  ByteView boot_log;  // hashed inside
  ByteView user_log;  // hashed inside
  uint64_t ima_first_entry = 0;
  uint64_t ima_count = 0;
  ByteView ima_before_quote;  // hashed inside
};
Bytes QualifyingData(const QuoteBinding& binding);  // 32 bytes

}  // namespace bootgate::evidence

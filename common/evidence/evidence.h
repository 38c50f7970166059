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
inline constexpr size_t kMaxOtherKeys = 2;      // policy language specification, section 6.4
inline constexpr size_t kMaxRequestKey = 16384;  // bytes of a JWK
inline constexpr size_t kMaxCustomClaims = 32;
inline constexpr size_t kMaxCustomName = 256;    // bytes
inline constexpr size_t kMaxCustomValue = 4096;  // bytes
inline constexpr size_t kMaxRpData = 4096;       // bytes
inline constexpr size_t kMaxKernelBootId = 64;   // bytes; the kernel's has 36

// A part of the IMA list. `first_entry`: how many entries lie before it (the cursor).
struct ImaPart {
  uint64_t first_entry = 0;
  Bytes before_quote;  // whole entries read before the quote; bound by the quote
  uint64_t before_quote_count = 0;
  Bytes after_quote;  // entries that came while the TPM quoted; not bound
};

// A key that the AK certified (TPM2_Certify).
struct CertifiedKey {
  Bytes public_area;        // TPM2B_PUBLIC
  Bytes certify_attest;     // TPMS_ATTEST; extraData: the qualifying data of the quote
  Bytes certify_signature;  // TPMT_SIGNATURE
};

// A claim of the host's own (policy language specification, section 6.5), as it was sent.
struct CustomClaim {
  std::string name, value;
  std::string value_type;  // "String", "Integer", "Boolean"; empty: "String"
};

// What a host says of its own accord, beyond its logs. The quote binds it: what is judged, and what
// a token repeats, is what this TPM's host said in this answer.
struct Statement {
  std::string request_key;  // a JWK, the text as sent; empty: none is bound by the quote
  Bytes rp_data;            // of the relying party that asked for a token
  std::vector<CustomClaim> custom_claims;
  // Of the running kernel (/proc/sys/kernel/random/boot_id): by it a reset of the TPM alone shows.
  // Empty: not told.
  std::string kernel_boot_id;

  bool empty() const {
    return request_key.empty() && rp_data.empty() && custom_claims.empty() &&
           kernel_boot_id.empty();
  }
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
  std::vector<CertifiedKey> identity_keys;  // at most one: for the tpm-key credential profile
  std::vector<CertifiedKey> other_keys;     // at most kMaxOtherKeys
  Statement statement;
  bool want_token = false;  // bound by nothing: it asks, and says nothing of the host
  Bytes held_boot_secrets;  // boot_secrets.h, content_id; empty: none. Bound by nothing, too
  HostFacts facts;
};

// Qualifying data of the quote: SHA-256 over the label "bootgate/v1/quote" and each of the fields,
// every one with a 32-bit big-endian length before it (architecture page, section 3).
//
// With a statement that is not empty the label is "bootgate/v1/quote+statement", and three fields
// follow the others: SHA-256 of the request key's text, of rp_data, and of the custom claims (name,
// value and type of each, every one with its length before it); a part that is not there is a field
// of no bytes. So a host that says nothing is asked for the same data as ever, and neither form can
// be taken for the other. With a kernel boot id the label is "bootgate/v1/quote+boot"; the boot id
// itself is the first field behind the common ones, and the statement's three follow. The
// certifications of keys have the same qualifying data.
struct QuoteBinding {
  ByteView nonce;
  absl::string_view host_id;
  ByteView ak_name;
  absl::string_view cluster_id;
  ByteView boot_log;  // hashed inside
  ByteView user_log;  // hashed inside
  uint64_t ima_first_entry = 0;
  uint64_t ima_count = 0;
  ByteView ima_before_quote;             // hashed inside
  const Statement* statement = nullptr;  // nullptr: as an empty one
};
Bytes QualifyingData(const QuoteBinding& binding);  // 32 bytes

// The custom claims as they are hashed; no bytes when there are none.
Bytes CustomClaimsBytes(const Statement& statement);

}  // namespace bootgate::evidence

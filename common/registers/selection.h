// Which registers of which banks: TPML_PCR_SELECTION as a value.
//
// Implements: TPM 2.0 Part 2, 10.6.2 (TPMS_PCR_SELECTION) and 10.9.7 (TPML_PCR_SELECTION).
// Order is part of the value: the PCR digest of a quote and of PolicyPCR depends on it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/reader.h"
#include "common/crypto/hash.h"

namespace bootgate::registers {

struct BankSelection {
  crypto::HashAlg alg = crypto::HashAlg::kSha256;
  uint32_t mask = 0;  // bit n: register n, 0..23

  friend bool operator==(const BankSelection&, const BankSelection&) = default;
};

// At most one entry per bank, in the order asked for.
using Selection = std::vector<BankSelection>;

inline constexpr size_t kMaxBanks = 16;

// "sha256:0-7,10" and several banks joined with "+". kInvalidArgument names the place.
absl::StatusOr<Selection> ParseSelection(absl::string_view text);
std::string Format(const Selection& selection);
std::string FormatMask(uint32_t mask);  // "0-7,10"; "none" for 0

// The wire form with 3-byte selects.
Bytes Marshal(const Selection& selection);

// Reads the wire form. kInvalidArgument: unknown bank, bank twice, select longer than 3 bytes,
// more than kMaxBanks; kOutOfRange: cut. A select shorter than 3 bytes is as good as padded.
absl::StatusOr<Selection> Unmarshal(bytes::Reader& in);

bool IsEmpty(const Selection& selection);  // no register at all
uint32_t MaskOf(const Selection& selection, crypto::HashAlg alg);

}  // namespace bootgate::registers

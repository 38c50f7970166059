// Between our types and those of the TSS.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <algorithm>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/base/reason.h"
#include "common/registers/selection.h"
#include "common/tpm2/attest.h"
#include "common/tpm2/public.h"

namespace bootgate::agent::tpm::internal {

// A TPM2B of the TSS (`size`, `buffer`-like member) from bytes. kInvalidArgument when too long.

template <typename Tpm2b, size_t N>
absl::StatusOr<Tpm2b> ToTpm2b(ByteView bytes, BYTE (Tpm2b::*buffer)[N]) {
  if (bytes.size() > N) return Malformed(Reason::kTpm, "bytes too long for a TPM structure");
  Tpm2b out = {};
  out.size = static_cast<UINT16>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), out.*buffer);
  return out;
}

// The bytes of a TPM2B that the TSS filled.
template <typename Tpm2b, size_t N>
Bytes FromTpm2b(const Tpm2b& in, const BYTE (Tpm2b::*buffer)[N]) {
  const size_t size = std::min<size_t>(in.size, N);
  return Bytes(in.*buffer, in.*buffer + size);
}

absl::StatusOr<TPM2B_PUBLIC> ToPublic(ByteView tpmt_public);
absl::StatusOr<tpm2::Public> FromPublic(const TPM2B_PUBLIC& in);
absl::StatusOr<Bytes> MarshalSignature(const TPMT_SIGNATURE& in);  // TPMT_SIGNATURE
absl::StatusOr<TPMT_SIGNATURE> ToSignature(ByteView tpmt_signature);

absl::StatusOr<TPML_PCR_SELECTION> ToSelection(const registers::Selection& selection);
// Banks of algorithms that we do not know, and empty ones, are left out.
registers::Selection FromSelection(const TPML_PCR_SELECTION& in);

}  // namespace bootgate::agent::tpm::internal

// Keys made over this connection, as contexts that the TPM takes back: a primary is made once. And
// what else holds until the TPM is reset.
//
// Implements: TPM 2.0 Part 1, 30 (context management). A context is encrypted and signed by the TPM
// and good until it is reset or cleared; it lies in memory only.
#pragma once

#include <tss2/tss2_esys.h>

#include <map>
#include <optional>

#include "common/base/bytes_view.h"
#include "common/registers/selection.h"
#include "common/tpm2/public.h"

namespace bootgate::agent::tpm::internal {

struct KeptKey {
  TPMS_CONTEXT saved;
  tpm2::Public public_area;  // as the TPM showed it when the key was made
};

// A persistent EK that was compared with the pinned Name: ESYS holds its public area.
struct KnownEk {
  ESYS_TR handle = ESYS_TR_NONE;
  Bytes name;
};

class KeptKeys {
 public:
  // Borrowed until the next change; nullptr: not kept.
  const KeptKey* Find(ByteView tpmt_template) const;
  void Put(ByteView tpmt_template, KeptKey key);
  // The TPM does not take it: it was reset.
  void Drop(ByteView tpmt_template) {
    keys_.erase(ToBytes(tpmt_template));
    allocated.reset();
  }
  void Clear() {
    keys_.clear();
    known_ek.reset();
    allocated.reset();
    cloud_templates.clear();
  }

  std::optional<KnownEk> known_ek;  // of the last CheckPinned; ESYS lets go of it with the context
  std::optional<registers::Selection> allocated;  // registers that there are
  std::map<TPM2_HANDLE, Bytes> cloud_templates;   // TPMT_PUBLIC by NV index

 private:
  // Two AKs and an EK are kept for good; identity keys change with the registers.
  static constexpr size_t kMost = 8;
  std::map<Bytes, KeptKey> keys_;  // by template
};

}  // namespace bootgate::agent::tpm::internal

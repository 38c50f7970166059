#include "agent/tpm/pinned_ek.h"

#include "common/base/status_macros.h"
#include "pki/ek_chain.h"

namespace bootgate::agent::tpm {
absl::StatusOr<PinnedEk> PinnedEk::FromCertificate(const tpm2::Public& ek, ByteView certificate) {
  BG_ASSIGN_OR_RETURN(const tpm2::EkTemplate which, tpm2::CheckEk(ek));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, pki::KeyOfCertificate(certificate));
  BG_RETURN_IF_ERROR(tpm2::CheckEkKey(ek, key));
  return PinnedEk(which, ek.Name());
}

}  // namespace bootgate::agent::tpm

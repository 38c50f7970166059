#include "agent/tpm/pinned_ek.h"

#include <algorithm>

#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/certificate.h"

namespace bootgate::agent::tpm {
namespace {

bool IsPadding(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0x00; }) ||
         std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0xff; });
}

}  // namespace

absl::StatusOr<PinnedEk> PinnedEk::FromCertificate(const tpm2::Public& ek, ByteView certificate) {
  BG_ASSIGN_OR_RETURN(const tpm2::EkTemplate which, tpm2::CheckEk(ek));
  BG_ASSIGN_OR_RETURN(const crypto::CertificateKey found, crypto::KeyOfCertificate(certificate));
  BG_RETURN_IF_ERROR(tpm2::CheckEkKey(ek, found.key));
  return PinnedEk(which, ek.Name());
}

absl::StatusOr<Bytes> TrimCertificate(ByteView nv_contents) {
  BG_ASSIGN_OR_RETURN(const crypto::CertificateKey found, crypto::KeyOfCertificate(nv_contents));
  if (!IsPadding(nv_contents.subspan(found.certificate_size))) {
    return Malformed(Reason::kCertParse, "bytes after the EK certificate are not padding");
  }
  return ToBytes(nv_contents.first(found.certificate_size));
}

}  // namespace bootgate::agent::tpm

#include "gatekeeper/enroll/ak_certificate.h"

#include "absl/strings/match.h"
#include "common/base/status_macros.h"
#include "common/tpm2/public.h"
#include "pki/ek_chain.h"

namespace bootgate::gatekeeper::enroll {

absl::StatusOr<Bytes> IssueAkCertificate(const host::HostRecord& host,
                                         const pki::Authority& authority, absl::Time now) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm2::Public::FromTpmt(host.ak_public));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, ak.Key());
  pki::Authority::AkCertificateRequest request;
  request.serial_hex = pki::NewSerialHex();
  request.host_id = host.id;
  request.ek_certificate_verified = absl::StartsWith(host.ek_trust, "chain");
  if (request.ek_certificate_verified) {
    BG_ASSIGN_OR_RETURN(request.tpm_san_der, pki::SubjectAltNameOf(host.ek_certificate));
  }
  request.not_before = now;
  request.not_after = now + kAkCertificateLifetime;
  return authority.IssueAk(request, key);
}

}  // namespace bootgate::gatekeeper::enroll

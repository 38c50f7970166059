#include "gatekeeper/service/peer.h"

#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <string>
#include <vector>

#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/host_certificate.h"

namespace bootgate::gatekeeper::service {

absl::StatusOr<admission::Peer> PeerOf(const grpc::ServerContextBase& context,
                                       const pki::Authority& authority) {
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return admission::Peer{};
  const std::vector<grpc::string_ref> pem = auth->FindPropertyValues("x509_pem_cert");
  if (pem.size() != 1)
    return NotAuthentic(Reason::kCertParse, "the client certificate cannot be read");
  BG_ASSIGN_OR_RETURN(const pki::HostCertificate certificate,
                      pki::ReadHostCertificate(absl::string_view(pem[0].data(), pem[0].size())));
  if (authority.IsTainted(certificate.issuer_key_id)) {
    return NotAuthentic(Reason::kPeerCertRevoked,
                        "the CA of the client certificate is not believed any more");
  }
  if (!authority.MayIssue(pki::CaUse::kHosts, certificate.issuer_key_id)) {
    return NotAuthentic(Reason::kCertParse, "the client certificate is not of a CA for hosts");
  }
  return admission::Peer{.host_id = certificate.host_id,
                         .serial = certificate.serial_hex,
                         .not_after = certificate.not_after};
}

}  // namespace bootgate::gatekeeper::service

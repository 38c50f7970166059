// Who a host is on its open channel, and JWT-SVIDs for programs on admitted hosts: decided at each
// request anew. Nothing is remembered, so a quarantine on any replica ends this at once.
#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/admission/admission.h"
#include "gatekeeper/token/discovery.h"

namespace bootgate::gatekeeper::admission {
namespace {

absl::Status CheckTrust(const host::HostRecord& host) {
  if (host.trust == host::Trust::kTrusted) return absl::OkStatus();
  if (host.trust == host::Trust::kSuspect) {
    return NotPermitted(Reason::kBrakeEngaged,
                        absl::StrCat(host.id, " is held by the mass-failure brake"));
  }
  if (host.trust == host::Trust::kRestricted)
    return NotPermitted(Reason::kQuarantined, absl::StrCat(host.id, " is restricted"));
  return NotPermitted(Reason::kHostNotApproved, absl::StrCat(host.id, " has not been admitted"));
}

}  // namespace

absl::StatusOr<host::HostRecord> Admission::HostOfPeer(const Peer& peer,
                                                       const std::string& host_id) {
  if (peer.host_id.empty()) {
    return NotAuthentic(Reason::kPeerHostMismatch,
                        "this is for admitted hosts: no client certificate was shown");
  }
  BG_ASSIGN_OR_RETURN(host::HostRecord host, KnownHost(peer, host_id));
  if (host::IsShutOut(host.trust)) {
    return NotPermitted(Reason::kQuarantined,
                        absl::StrCat(host.id, " is ", host::Name(host.trust)));
  }
  return host;
}

absl::Status Admission::CheckWorkloadPeer(const Peer& peer) {
  BG_ASSIGN_OR_RETURN(const host::HostRecord host, HostOfPeer(peer, peer.host_id));
  return CheckTrust(host);
}

absl::StatusOr<token::JwtSvid> Admission::FetchJwtSvid(const Peer& peer,
                                                       const std::vector<std::string>& audiences) {
  BG_RETURN_IF_ERROR(CheckWorkloadPeer(peer));
  if (tokens_ == nullptr) return absl::UnimplementedError("this gatekeeper makes no tokens");
  return token::IssueJwtSvid(
      *tokens_,
      {.spiffe_id = absl::StrCat("spiffe://", authority_.trust_domain(), "/host/", peer.host_id),
       .audiences = audiences,
       .now = clock_.Now(),
       .no_longer_than = peer.not_after});
}

absl::StatusOr<std::string> Admission::JwtKeys(const Peer& peer) {
  BG_RETURN_IF_ERROR(CheckWorkloadPeer(peer));
  if (tokens_ == nullptr) return absl::UnimplementedError("this gatekeeper makes no tokens");
  return token::KeySetText(*tokens_);
}

}  // namespace bootgate::gatekeeper::admission

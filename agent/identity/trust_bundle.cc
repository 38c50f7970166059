#include "agent/identity/trust_bundle.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::agent::identity {
namespace {

absl::Status NoBundle(absl::string_view what) {
  return Malformed(Reason::kCertParse, absl::StrCat("the gatekeeper's trust bundle: ", what));
}

}  // namespace

absl::Status CheckTrustBundle(absl::string_view pem) {
  if (pem.size() > kMaxTrustBundle) return NoBundle("too long");
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> certificates, pki::CertificatesFromPem(pem));
  if (certificates.size() > kMaxBundleCertificates) return NoBundle("too many certificates");
  bool root = false;
  for (const Bytes& der : certificates) {
    BG_ASSIGN_OR_RETURN(const crypto::X509Ptr certificate, pki::ParseCertificate(der));
    if (!pki::IsCa(certificate.get())) return NoBundle("one of its certificates is no CA's");
    root = root || pki::SubjectText(certificate.get()) == pki::IssuerText(certificate.get());
  }
  return root ? absl::OkStatus() : NoBundle("no root is in it");
}

absl::Status StoreTrustBundle(const std::string& state_folder, const JoinState& joined,
                              const std::string& pem) {
  BG_RETURN_IF_ERROR(CheckTrustBundle(pem));
  BG_ASSIGN_OR_RETURN(JoinState stored, LoadJoinState(state_folder));
  if (stored.host_id != joined.host_id || stored.gatekeeper != joined.gatekeeper) {
    return absl::AbortedError("this host has joined anew in the meantime");
  }
  stored.ca_pem = pem;
  return SaveJoinState(state_folder, stored);
}

}  // namespace bootgate::agent::identity

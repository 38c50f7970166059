#include <memory>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/ek_chain.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

absl::Status CheckAnchor(const X509* certificate) {
  // The size of an anchor's key bounds what every signature check below it costs.
  BG_RETURN_IF_ERROR(KeyOf(certificate).status());
  if (!IsCa(certificate)) {
    return Malformed(Reason::kCertParse, "not a CA certificate");
  }
  return absl::OkStatus();
}

}  // namespace

TrustAnchors TrustAnchors::None() { return TrustAnchors(); }

absl::StatusOr<TrustAnchors> TrustAnchors::FromPem(absl::string_view pem) {
  TrustAnchors anchors;
  BG_RETURN_IF_ERROR(anchors.Add(pem));
  return anchors;
}

absl::Status TrustAnchors::Add(absl::string_view pem) {
  BG_ASSIGN_OR_RETURN(std::vector<Bytes> ders, CertificatesFromPem(pem));
  if (ders.empty()) return Malformed(Reason::kCertParse, "no certificate in the PEM text");
  std::vector<std::shared_ptr<X509>> parsed;
  for (size_t i = 0; i < ders.size(); ++i) {
    absl::StatusOr<crypto::X509Ptr> certificate = ParseCertificate(ders[i]);
    absl::Status status = certificate.ok() ? CheckAnchor(certificate->get()) : certificate.status();
    if (!status.ok()) {
      return Malformed(Reason::kCertParse,
                       absl::StrCat("certificate ", i + 1, ": ", status.message()));
    }
    parsed.push_back(*std::move(certificate));
  }
  der_.insert(der_.end(), std::make_move_iterator(ders.begin()),
              std::make_move_iterator(ders.end()));
  parsed_.insert(parsed_.end(), parsed.begin(), parsed.end());
  return absl::OkStatus();
}

}  // namespace bootgate::pki

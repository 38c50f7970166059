#include "pki/trust_anchors.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

absl::Status CheckAnchor(const X509* certificate) {
  // The size of an anchor's key bounds what every signature check below it costs.
  BG_RETURN_IF_ERROR(ForeignKeyOf(certificate).status());
  if (!IsCa(certificate)) {
    return Malformed(Reason::kCertParse, "not a CA certificate");
  }
  return absl::OkStatus();
}

bool Issued(X509* issuer, X509* subject) {
  return X509_NAME_cmp(X509_get_issuer_name(subject), X509_get_subject_name(issuer)) == 0 &&
         X509_check_issued(issuer, subject) == X509_V_OK;
}

}  // namespace

TrustAnchors TrustAnchors::None() { return TrustAnchors(); }

absl::StatusOr<TrustAnchors> TrustAnchors::FromPem(absl::string_view pem) {
  TrustAnchors anchors;
  BG_RETURN_IF_ERROR(anchors.Add(pem));
  return anchors;
}

absl::Status TrustAnchors::Add(absl::string_view pem) {
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> ders, CertificatesFromPem(pem));
  if (ders.empty()) return Malformed(Reason::kPemFormat, "no certificate in the PEM text");
  TrustAnchors grown = *this;
  for (size_t i = 0; i < ders.size(); ++i) {
    absl::StatusOr<crypto::X509Ptr> certificate = ParseCertificate(ders[i]);
    const absl::Status status =
        certificate.ok() ? CheckAnchor(certificate->get()) : certificate.status();
    if (!status.ok()) {
      return Malformed(ReasonOf(status).value_or(Reason::kCertParse),
                       absl::StrCat("certificate ", i + 1, ": ", status.message()));
    }
    if (std::find(grown.der_.begin(), grown.der_.end(), ders[i]) != grown.der_.end()) continue;
    grown.der_.push_back(ders[i]);
    grown.parsed_.push_back(*std::move(certificate));
  }
  grown.Sort();
  *this = std::move(grown);
  return absl::OkStatus();
}

void TrustAnchors::Sort() {
  anchors_.clear();
  known_.clear();
  for (const std::shared_ptr<X509>& each : parsed_) {
    const bool below_another = (X509_get_extension_flags(each.get()) & EXFLAG_SI) == 0 &&
                               std::any_of(parsed_.begin(), parsed_.end(), [&](const auto& other) {
                                 return Issued(other.get(), each.get());
                               });
    (below_another ? known_ : anchors_).push_back(each);
  }
  crypto::ClearOpenSslErrors();
}

}  // namespace bootgate::pki

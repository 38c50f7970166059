#include "pki/ek_chain.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/ek_path.h"
#include "pki/ek_profile.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr size_t kMaxIntermediates = 8;

using Intermediates = std::vector<crypto::X509Ptr>;

absl::StatusOr<Intermediates> ParseIntermediates(const std::vector<Bytes>& ders) {
  if (ders.size() > kMaxIntermediates) {
    return Malformed(Reason::kCertParse, absl::StrCat(ders.size(), " intermediate certificates, ",
                                                      kMaxIntermediates, " are allowed"));
  }
  Intermediates parsed;
  for (const Bytes& der : ders) {
    absl::StatusOr<crypto::X509Ptr> certificate = ParseCertificate(der);
    // Sizes before signatures: an oversized key in the chain costs a parse, no arithmetic.
    const absl::Status status =
        certificate.ok() ? KeyOf(certificate->get()).status() : certificate.status();
    if (!status.ok()) {
      return Refuse(status.code(), ReasonOf(status).value_or(Reason::kCertParse),
                    absl::StrCat("intermediate ", parsed.size() + 1, ": ", status.message()));
    }
    parsed.push_back(*std::move(certificate));
  }
  return parsed;
}

}  // namespace

absl::StatusOr<VerifiedEkChain> VerifiedEkChain::Verify(ByteView leaf,
                                                        const std::vector<Bytes>& intermediates,
                                                        const TrustAnchors& anchors,
                                                        absl::Time now) {
  BG_ASSIGN_OR_RETURN(EkLeaf parsed, ParseEkLeaf(leaf));
  BG_ASSIGN_OR_RETURN(crypto::PublicKey key, KeyOf(parsed.certificate.get()));
  BG_ASSIGN_OR_RETURN(const Intermediates untrusted, ParseIntermediates(intermediates));
  BG_RETURN_IF_ERROR(CheckEkProfile(parsed));
  BG_RETURN_IF_ERROR(VerifyPath(parsed.certificate.get(), {untrusted, anchors.parsed_, now}));
  VerifiedEkChain chain(std::move(key));
  chain.tolerances_ = std::move(parsed.tolerances);
  chain.subject_ = TpmText(parsed.certificate.get());
  chain.issuer_ = IssuerText(parsed.certificate.get());
  chain.tpm_san_der_ = SubjectAltNameDer(parsed.certificate.get());
  return chain;
}

absl::StatusOr<crypto::PublicKey> KeyOfCertificate(ByteView der) {
  BG_ASSIGN_OR_RETURN(const EkLeaf leaf, ParseEkLeaf(der));
  return KeyOf(leaf.certificate.get());
}

absl::StatusOr<Bytes> SubjectAltNameOf(ByteView der) {
  BG_ASSIGN_OR_RETURN(const EkLeaf leaf, ParseEkLeaf(der));
  return SubjectAltNameDer(leaf.certificate.get());
}

}  // namespace bootgate::pki

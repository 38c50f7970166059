#include "pki/ek_chain.h"

#include "common/base/status_macros.h"
#include "pki/ek_path.h"
#include "pki/ek_profile.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

absl::StatusOr<ForeignLeaf> ParseEkLeaf(ByteView nv_contents) {
  return ParseForeignLeaf(nv_contents, "EK certificate");
}

}  // namespace

absl::StatusOr<VerifiedEkChain> VerifiedEkChain::Verify(ByteView leaf,
                                                        const std::vector<Bytes>& intermediates,
                                                        const TrustAnchors& anchors,
                                                        absl::Time now) {
  BG_ASSIGN_OR_RETURN(ForeignLeaf parsed, ParseEkLeaf(leaf));
  BG_ASSIGN_OR_RETURN(crypto::PublicKey key, ForeignKeyOf(parsed.certificate.get()));
  BG_ASSIGN_OR_RETURN(Intermediates untrusted, ParseIntermediates(intermediates));
  BG_RETURN_IF_ERROR(CheckEkProfile(parsed));
  VerifiedEkChain chain(std::move(key));
  BG_ASSIGN_OR_RETURN(
      chain.path_,
      VerifyPath(parsed.certificate.get(),
                 {.intermediates = untrusted.certificates, .anchors = anchors, .now = now}));
  BG_RETURN_IF_ERROR(CheckEkPathPurpose(parsed, chain.path_));
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr anchor, ParseCertificate(chain.path_.back()));
  chain.anchor_ = SubjectText(anchor.get());
  chain.tolerances_ = std::move(parsed.tolerances);
  chain.tolerances_.insert(chain.tolerances_.end(), untrusted.tolerances.begin(),
                           untrusted.tolerances.end());
  chain.subject_ = TpmText(parsed.certificate.get());
  chain.issuer_ = IssuerText(parsed.certificate.get());
  chain.tpm_san_der_ = SubjectAltNameDer(parsed.certificate.get());
  return chain;
}

absl::StatusOr<crypto::PublicKey> KeyOfCertificate(ByteView der) {
  BG_ASSIGN_OR_RETURN(const ForeignLeaf leaf, ParseEkLeaf(der));
  return ForeignKeyOf(leaf.certificate.get());
}

absl::StatusOr<Bytes> SubjectAltNameOf(ByteView der) {
  BG_ASSIGN_OR_RETURN(const ForeignLeaf leaf, ParseEkLeaf(der));
  return SubjectAltNameDer(leaf.certificate.get());
}

}  // namespace bootgate::pki

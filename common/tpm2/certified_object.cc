#include "common/tpm2/certified_object.h"

#include <utility>

#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::tpm2 {
namespace {

absl::Status NotAttested(absl::string_view why) {
  return NotAuthentic(Reason::kKeyNotAttested, why);
}

absl::Status CheckSignature(const Public& ak, const RawCertification& certification) {
  BG_ASSIGN_OR_RETURN(const Signature signature, ParseSignature(certification.signature));
  const absl::Status status = VerifySignature(ak, certification.attest, signature);
  if (ReasonOf(status) == Reason::kSigInvalid) {
    return NotAttested("the certification is not signed by the host's attestation key");
  }
  return status;
}

}  // namespace

absl::StatusOr<CertifiedObject> CertifiedObject::Verify(const CertifyQuestion& question,
                                                        const RawCertification& certification) {
  BG_ASSIGN_OR_RETURN(Public area, Public::FromTpm2b(certification.public_area));
  BG_RETURN_IF_ERROR(CheckSignature(question.ak, certification));
  BG_ASSIGN_OR_RETURN(const CertifyInfo info, ParseCertify(certification.attest));
  if (question.qualifying_data.empty() ||
      !SameBytes(info.header.extra_data, question.qualifying_data)) {
    return NotAttested("the certification answers another question");
  }
  if (!SameBytes(info.name, area.Name())) {
    return NotAttested("the certification is of another key");
  }
  BG_ASSIGN_OR_RETURN(crypto::PublicKey key, area.Key());
  return CertifiedObject(std::move(area), std::move(key));
}

}  // namespace bootgate::tpm2

#include "gatekeeper/credential/certified_key.h"

#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/tpm2/key_profile.h"

namespace bootgate::gatekeeper::credential {
namespace {

absl::Status NotAttested(absl::string_view why) {
  return NotAuthentic(Reason::kKeyNotAttested, why);
}

absl::Status CheckSignature(const tpm2::Public& ak, const evidence::CertifiedKey& key) {
  BG_ASSIGN_OR_RETURN(const tpm2::Signature signature, tpm2::ParseSignature(key.certify_signature));
  const absl::Status status = tpm2::VerifySignature(ak, key.certify_attest, signature);
  if (ReasonOf(status) == Reason::kSigInvalid) {
    return NotAttested("the certification is not signed by the host's attestation key");
  }
  return status;
}

}  // namespace

absl::StatusOr<crypto::PublicKey> CheckCertifiedKey(const CertifyQuestion& question,
                                                    const evidence::CertifiedKey& key) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public area, tpm2::Public::FromTpm2b(key.public_area));
  BG_RETURN_IF_ERROR(CheckSignature(question.ak, key));
  BG_ASSIGN_OR_RETURN(const tpm2::CertifyInfo info, tpm2::ParseCertify(key.certify_attest));
  if (question.qualifying_data.empty() ||
      !SameBytes(info.header.extra_data, question.qualifying_data)) {
    return NotAttested("the certification answers another question");
  }
  if (!SameBytes(info.name, area.Name())) {
    return NotAttested("the certification is of another key");
  }
  BG_RETURN_IF_ERROR(tpm2::CheckIdentityKey(area, question.auth_policy));
  return area.Key();
}

}  // namespace bootgate::gatekeeper::credential

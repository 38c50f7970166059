#include "common/tpm2/approval.h"

#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/writer.h"
#include "common/crypto/der.h"
#include "common/tpm2/attest.h"
#include "common/tpm2/policy_digest.h"

namespace bootgate::tpm2 {
namespace {

using bytes::Writer;
using crypto::DerReader;

constexpr crypto::HashAlg kHash = crypto::HashAlg::kSha256;
constexpr uint32_t kAttributes = attribute::kUserWithAuth | attribute::kSign;

absl::Status Bad(absl::string_view why) { return NotAuthentic(Reason::kSealApproval, why); }

uint16_t Id(Alg alg) { return static_cast<uint16_t>(alg); }
uint16_t Id(crypto::HashAlg alg) { return static_cast<uint16_t>(alg); }

Bytes Approved(ByteView policy, ByteView policy_ref) {
  return Writer().Raw(policy).Raw(policy_ref).Finish();
}

}  // namespace

absl::StatusOr<Bytes> ApprovingKeyArea(const crypto::PublicKey& key) {
  if (key.curve() != crypto::Curve::kP256) {
    return Refuse(absl::StatusCode::kInvalidArgument, Reason::kKeyWeak,
                  "an approving key is of curve P-256");
  }
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey::Point point, key.EcPoint());
  Writer out;
  out.U16Be(Id(Alg::kEcc)).U16Be(Id(kHash)).U32Be(kAttributes);
  out.Sized16Be({}).U16Be(Id(Alg::kNull));
  out.U16Be(Id(Alg::kEcdsa)).U16Be(Id(kHash));
  out.U16Be(static_cast<uint16_t>(crypto::Curve::kP256)).U16Be(Id(Alg::kNull));
  return out.Sized16Be(point.x).Sized16Be(point.y).Finish();
}

Bytes AuthorizedPolicy(ByteView key_name, ByteView policy_ref) {
  return ToBytes(PolicyDigest(kHash).Authorize(key_name, policy_ref).value().view());
}

absl::StatusOr<Bytes> SignApproval(const crypto::PrivateKey& key, ByteView approved_policy,
                                   ByteView policy_ref) {
  return SignApproval(
      [&](const crypto::Digest& digest) {
        return key.Sign(crypto::SignatureScheme::kEcdsa, digest);
      },
      approved_policy, policy_ref);
}

absl::StatusOr<Bytes> SignApproval(const DigestSigner& sign, ByteView approved_policy,
                                   ByteView policy_ref) {
  const crypto::Digest digest = crypto::Hash(kHash, Approved(approved_policy, policy_ref));
  BG_ASSIGN_OR_RETURN(const Bytes der, sign(digest));
  DerReader outer(der);
  BG_ASSIGN_OR_RETURN(const ByteView sequence, outer.Take(DerReader::kSequence));
  DerReader numbers(sequence);
  BG_ASSIGN_OR_RETURN(const ByteView r, numbers.TakePositiveInteger());
  BG_ASSIGN_OR_RETURN(const ByteView s, numbers.TakePositiveInteger());
  return Writer().U16Be(Id(Alg::kEcdsa)).U16Be(Id(kHash)).Sized16Be(r).Sized16Be(s).Finish();
}

absl::Status CheckApproval(const Public& key, ByteView approved_policy, ByteView policy_ref,
                           ByteView tpmt_signature) {
  if (key.type != Alg::kEcc || key.attributes != kAttributes || key.scheme != Alg::kEcdsa) {
    return Bad("the approving key is not of the form that ours has");
  }
  if (approved_policy.size() != crypto::DigestSize(kHash)) return Bad("no SHA-256 policy digest");
  const absl::StatusOr<Signature> signature = ParseSignature(tpmt_signature);
  if (!signature.ok()) return Bad(signature.status().message());
  if (VerifySignature(key, Approved(approved_policy, policy_ref), *signature).ok()) {
    return absl::OkStatus();
  }
  return Bad("not signed by the approving key for this state of this host");
}

}  // namespace bootgate::tpm2

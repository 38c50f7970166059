// TPM2_PolicyAuthorize from the agent's side: what opens in a state that somebody has signed.

#include "agent/tpm/internal/convert.h"
#include "agent/tpm/internal/operations.h"
#include "agent/tpm/internal/rc.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"

namespace bootgate::agent::tpm::internal {
namespace {

absl::Status BadApproval(absl::string_view why) { return NotAuthentic(Reason::kSealApproval, why); }

// The key in the hierarchy whose tickets hold: those of the NULL hierarchy are void.
absl::StatusOr<Transient> LoadApprovingKey(Context& context, ByteView tpmt_public) {
  BG_ASSIGN_OR_RETURN(const TPM2B_PUBLIC in_public, ToPublic(tpmt_public));
  ESYS_TR handle = ESYS_TR_NONE;
  BG_RETURN_IF_ERROR(context.Call("TPM2_LoadExternal", [&] {
    return Esys_LoadExternal(context.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr,
                             &in_public, ESYS_TR_RH_OWNER, &handle);
  }));
  return Transient(context, handle);
}

// What the TPM answered must be the key that the object's policy names.
absl::Status CheckName(Context& context, const Transient& key, ByteView expected) {
  Result<TPM2B_NAME> name;
  BG_RETURN_IF_ERROR(context.Call("name of the approving key", [&] {
    return Esys_TR_GetName(context.esys(), key.get(), name.put());
  }));
  if (SameBytes(FromTpm2b(*name, &TPM2B_NAME::name), expected)) return absl::OkStatus();
  return BadApproval("the TPM has not loaded the approving key that it was given");
}

// The TPM's own word that the key has signed this state.
absl::StatusOr<TPMT_TK_VERIFIED> Verify(Context& context, const ApprovedState& approval,
                                        ByteView key_name) {
  const crypto::Digest digest =
      crypto::Hash(crypto::HashAlg::kSha256, {approval.policy, approval.policy_ref});
  BG_ASSIGN_OR_RETURN(const TPM2B_DIGEST wire, ToTpm2b(digest.view(), &TPM2B_DIGEST::buffer));
  BG_ASSIGN_OR_RETURN(const TPMT_SIGNATURE signature, ToSignature(approval.signature));
  BG_ASSIGN_OR_RETURN(const Transient key, LoadApprovingKey(context, approval.approving_key));
  BG_RETURN_IF_ERROR(CheckName(context, key, key_name));
  Result<TPMT_TK_VERIFIED> ticket;
  const absl::Status verified = context.Call("TPM2_VerifySignature", [&] {
    return Esys_VerifySignature(context.esys(), key.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                &wire, &signature, ticket.put());
  });
  if (!verified.ok() && IsBadSignature(context.last_rc())) return BadApproval(verified.message());
  BG_RETURN_IF_ERROR(verified);
  return *ticket;
}

// Replaces the policy of the session, which must be the approved one, by the key's.
absl::Status Authorize(Context& context, const Transient& session, const ApprovedState& approval,
                       ByteView key_name, const TPMT_TK_VERIFIED& ticket) {
  BG_ASSIGN_OR_RETURN(const TPM2B_DIGEST approved, ToTpm2b(approval.policy, &TPM2B_DIGEST::buffer));
  BG_ASSIGN_OR_RETURN(const TPM2B_NONCE ref, ToTpm2b(approval.policy_ref, &TPM2B_NONCE::buffer));
  BG_ASSIGN_OR_RETURN(const TPM2B_NAME name, ToTpm2b(key_name, &TPM2B_NAME::name));
  const absl::Status status = context.Call("TPM2_PolicyAuthorize", [&] {
    return Esys_PolicyAuthorize(context.esys(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                ESYS_TR_NONE, &approved, &ref, &name, &ticket);
  });
  if (status.ok() || !IsWrongValue(context.last_rc())) return status;
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kTpmPolicy, status.message());
}

}  // namespace

absl::StatusOr<SecretBytes> UnsealApproved(Context& context, const PinnedEk& ek, Opener& opener,
                                           const tpm2::ImportBlob& blob,
                                           const registers::Selection& selection,
                                           const ApprovedState& approval) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public key, tpm2::Public::FromTpmt(approval.approving_key));
  const Bytes key_name = key.Name();
  BG_ASSIGN_OR_RETURN(const TPMT_TK_VERIFIED ticket, Verify(context, approval, key_name));
  return UnsealUnder(context, ek, opener, blob, [&](const Transient& policy) {
    absl::Status satisfied = AssertPcrs(context, policy, selection);
    if (satisfied.ok()) satisfied = Authorize(context, policy, approval, key_name, ticket);
    return satisfied;
  });
}

}  // namespace bootgate::agent::tpm::internal

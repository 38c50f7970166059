#include "agent/tpm/internal/convert.h"
#include "agent/tpm/internal/operations.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::tpm::internal {
namespace {

absl::StatusOr<LoadedKey> LoadIdentityKey(Context& context, ByteView auth_policy) {
  return CreatePrimary(context, tpm2::IdentityKeyTemplateBytes(auth_policy));
}

absl::StatusOr<tpm2::Signature> SignOnce(Context& context, const LoadedKey& key,
                                         const registers::Selection& selection,
                                         const TPM2B_DIGEST& digest) {
  BG_ASSIGN_OR_RETURN(const Transient session, StartPcrPolicySession(context, selection));
  TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_ECDSA};
  scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  const TPMT_TK_HASHCHECK no_ticket = {.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL};
  Result<TPMT_SIGNATURE> signature;
  BG_RETURN_IF_ERROR(context.Call("TPM2_Sign", [&] {
    return Esys_Sign(context.esys(), key.handle.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                     &digest, &scheme, &no_ticket, signature.put());
  }));
  BG_ASSIGN_OR_RETURN(const Bytes bytes, MarshalSignature(*signature));
  return tpm2::ParseSignature(bytes);
}

}  // namespace

absl::StatusOr<CertifiedIdentityKey> CertifyIdentityKey(Context& context, AkKind ak_kind,
                                                        ByteView auth_policy,
                                                        ByteView qualifying_data) {
  BG_ASSIGN_OR_RETURN(const TPM2B_DATA data, ToTpm2b(qualifying_data, &TPM2B_DATA::buffer));
  BG_ASSIGN_OR_RETURN(const LoadedKey ak, LoadAk(context, ak_kind));
  BG_ASSIGN_OR_RETURN(LoadedKey key, LoadIdentityKey(context, auth_policy));
  const TPMT_SIG_SCHEME own_scheme = {.scheme = TPM2_ALG_NULL};
  Result<TPM2B_ATTEST> attest;
  Result<TPMT_SIGNATURE> signature;
  // The key's ADMIN role takes its empty password, its USER role only the policy.
  BG_RETURN_IF_ERROR(context.Call("TPM2_Certify", [&] {
    return Esys_Certify(context.esys(), key.handle.get(), ak.handle.get(), ESYS_TR_PASSWORD,
                        ESYS_TR_PASSWORD, ESYS_TR_NONE, &data, &own_scheme, attest.put(),
                        signature.put());
  }));
  CertifiedIdentityKey certified{.public_area = std::move(key.public_area)};
  certified.certify_attest = FromTpm2b(*attest, &TPM2B_ATTEST::attestationData);
  BG_ASSIGN_OR_RETURN(certified.certify_signature, MarshalSignature(*signature));
  return certified;
}

absl::StatusOr<tpm2::Signature> SignWithIdentityKey(Context& context, ByteView auth_policy,
                                                    const registers::Selection& selection,
                                                    const crypto::Digest& digest) {
  BG_ASSIGN_OR_RETURN(const TPM2B_DIGEST in, ToTpm2b(digest.view(), &TPM2B_DIGEST::buffer));
  BG_ASSIGN_OR_RETURN(const LoadedKey key, LoadIdentityKey(context, auth_policy));
  return RetryWhilePcrsMove(context, [&] { return SignOnce(context, key, selection, in); });
}

}  // namespace bootgate::agent::tpm::internal

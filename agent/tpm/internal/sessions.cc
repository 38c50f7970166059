#include "agent/tpm/internal/convert.h"
#include "agent/tpm/internal/operations.h"
#include "common/base/status_macros.h"
#include "common/tpm2/policy_digest.h"

namespace bootgate::agent::tpm::internal {
namespace {

constexpr UINT16 kAesBits = 128;

absl::StatusOr<Transient> StartSession(Context& context, ESYS_TR salt_key, TPM2_SE kind,
                                       const TPMT_SYM_DEF& symmetric,
                                       TPMI_ALG_HASH hash = TPM2_ALG_SHA256) {
  ESYS_TR handle = ESYS_TR_NONE;
  BG_RETURN_IF_ERROR(context.Call("TPM2_StartAuthSession", [&] {
    return Esys_StartAuthSession(context.esys(), salt_key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 ESYS_TR_NONE, nullptr, kind, &symmetric, hash, &handle);
  }));
  return Transient(context, handle);
}

// The session stays until its owner flushes it, whatever the command's fate.
absl::Status SetAttributes(Context& context, const Transient& session, TPMA_SESSION attributes) {
  return context.Call("session attributes", [&] {
    return Esys_TRSess_SetAttributes(context.esys(), session.get(),
                                     attributes | TPMA_SESSION_CONTINUESESSION, 0xff);
  });
}

absl::StatusOr<Transient> StartPolicySession(Context& context,
                                             TPMI_ALG_HASH hash = TPM2_ALG_SHA256) {
  const TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
  BG_ASSIGN_OR_RETURN(Transient session,
                      StartSession(context, ESYS_TR_NONE, TPM2_SE_POLICY, none, hash));
  BG_RETURN_IF_ERROR(SetAttributes(context, session, 0));
  return session;
}

}  // namespace

absl::StatusOr<Transient> StartSaltedSession(Context& context, const LoadedKey& key, TPM2_SE kind,
                                             TPMA_SESSION attributes) {
  TPMT_SYM_DEF aes = {.algorithm = TPM2_ALG_AES};
  aes.keyBits.aes = kAesBits;
  aes.mode.aes = TPM2_ALG_CFB;
  BG_ASSIGN_OR_RETURN(Transient session, StartSession(context, key.handle.get(), kind, aes));
  BG_RETURN_IF_ERROR(SetAttributes(context, session, attributes));
  return session;
}

absl::StatusOr<Transient> StartPcrPolicySession(Context& context,
                                                const registers::Selection& selection) {
  BG_ASSIGN_OR_RETURN(Transient session, StartPolicySession(context));
  BG_RETURN_IF_ERROR(AssertPcrs(context, session, selection));
  return session;
}

absl::Status AssertPcrs(Context& context, const Transient& session,
                        const registers::Selection& selection) {
  BG_RETURN_IF_ERROR(CheckAllocated(context, selection));
  BG_ASSIGN_OR_RETURN(const TPML_PCR_SELECTION pcrs, ToSelection(selection));
  const TPM2B_DIGEST current_values = {};  // empty: whatever the registers hold
  return context.Call("TPM2_PolicyPCR", [&] {
    return Esys_PolicyPCR(context.esys(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                          &current_values, &pcrs);
  });
}

absl::Status RestartPolicy(Context& context, const Transient& session) {
  return context.Call("TPM2_PolicyRestart", [&] {
    return Esys_PolicyRestart(context.esys(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                              ESYS_TR_NONE);
  });
}

absl::StatusOr<EkAuthorisation> EkAuthorisation::Start(Context& context, tpm2::EkTemplate which) {
  EkAuthorisation authorisation(which);
  if (!tpm2::IsLowRange(which)) {
    BG_ASSIGN_OR_RETURN(const bool locked_out, IsLockedOut(context));
    if (!locked_out) return authorisation;
  }
  BG_ASSIGN_OR_RETURN(
      authorisation.session_,
      StartPolicySession(context, static_cast<TPMI_ALG_HASH>(tpm2::NameAlgOf(which))));
  authorisation.by_password_ = false;
  BG_RETURN_IF_ERROR(authorisation.Renew(context));
  return authorisation;
}

absl::Status EkAuthorisation::Renew(Context& context) {
  if (by_password_) return absl::OkStatus();
  BG_RETURN_IF_ERROR(context.Call("TPM2_PolicySecret", [&] {
    return Esys_PolicySecret(context.esys(), ESYS_TR_RH_ENDORSEMENT, session_.get(),
                             ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, nullptr, nullptr,
                             nullptr, 0, nullptr, nullptr);
  }));
  return tpm2::IsLowRange(which_) ? absl::OkStatus() : SatisfyPolicyB(context);
}

// PolicyB = PolicyOR(PolicyA, PolicyC); PolicyA holds already.
absl::Status EkAuthorisation::SatisfyPolicyB(Context& context) {
  TPML_DIGEST branches = {};
  for (const crypto::Digest& branch :
       {tpm2::EkPolicyA(tpm2::NameAlgOf(which_)), tpm2::EkPolicyC(tpm2::NameAlgOf(which_))}) {
    BG_ASSIGN_OR_RETURN(branches.digests[branches.count++],
                        ToTpm2b(branch.view(), &TPM2B_DIGEST::buffer));
  }
  return context.Call("TPM2_PolicyOR", [&] {
    return Esys_PolicyOR(context.esys(), session_.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                         &branches);
  });
}

}  // namespace bootgate::agent::tpm::internal

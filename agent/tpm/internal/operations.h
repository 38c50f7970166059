// What the TPM is asked, one function each, on the thread that owns the context.
#pragma once

#include "absl/functional/function_ref.h"
#include "agent/tpm/internal/context.h"
#include "agent/tpm/internal/handles.h"
#include "agent/tpm/tpm.h"
#include "common/base/reason.h"

namespace bootgate::agent::tpm::internal {

// ---- keys.cc: primaries of the endorsement hierarchy, from their templates
struct LoadedKey {
  Transient handle;
  tpm2::Public public_area;
};
// Made once for each connection; later loaded from the context that was saved.
absl::StatusOr<LoadedKey> CreatePrimary(Context& context, ByteView tpmt_template);
absl::StatusOr<LoadedKey> LoadAk(Context& context, AkKind kind);
// An object at a persistent handle, with the public area that the TPM showed. nullopt: none of a
// kind that is ours.
absl::StatusOr<std::optional<LoadedKey>> ReadPersistent(Context& context, TPM2_HANDLE number);
// Its public area as it was when the key was made, without asking the TPM again.
absl::StatusOr<tpm2::Public> AkPublic(Context& context, AkKind kind);
// Asks the TPM, whatever is known: is the pinned EK there? TPM_REPLACED.
absl::Status CheckPinned(Context& context, const PinnedEk& ek);
// As CheckPinned found it; else from where EKs are kept persistently, when the key there has the
// pinned Name; else made. The TPM can show any public area: what is encrypted to one with the
// pinned Name only the pinned key opens. TPM_REPLACED when the Name of the key the TPM made is not
// the pinned one.
absl::StatusOr<LoadedKey> LoadEk(Context& context, const PinnedEk& ek);

// ---- sessions.cc
// Parameter encryption by AES-128-CFB, salted to `key`. What `attributes` name is encrypted:
// TPMA_SESSION_ENCRYPT the response, TPMA_SESSION_DECRYPT the command.
absl::StatusOr<Transient> StartSaltedSession(Context& context, const LoadedKey& key, TPM2_SE kind,
                                             TPMA_SESSION attributes);
absl::StatusOr<Transient> StartPcrPolicySession(Context& context,
                                                const registers::Selection& selection);
// The registers as they are now become part of the session's policy.
absl::Status AssertPcrs(Context& context, const Transient& session,
                        const registers::Selection& selection);
// The session's policy is empty again.
absl::Status RestartPolicy(Context& context, const Transient& session);

// How an EK is used: low-range EKs only through their policy, high-range ones also by password. The
// password is refused while the TPM is locked out, since no EK template has noDA; the policy is
// not.
class EkAuthorisation {
 public:
  static absl::StatusOr<EkAuthorisation> Start(Context& context, tpm2::EkTemplate which);
  // Satisfies the policy again: every authorised command consumes it.
  absl::Status Renew(Context& context);
  ESYS_TR get() const { return by_password_ ? ESYS_TR_PASSWORD : session_.get(); }

 private:
  explicit EkAuthorisation(tpm2::EkTemplate which) : which_(which) {}
  absl::Status SatisfyPolicyB(Context& context);

  tpm2::EkTemplate which_;
  bool by_password_ = true;
  Transient session_;
};

// ---- pcrs.cc
absl::StatusOr<registers::Selection> AllocatedBanks(Context& context);
// kFailedPrecondition unless every selected register is in an allocated bank; an empty selection,
// which a TPM takes for "anything", is refused too.
absl::Status CheckAllocated(Context& context, const registers::Selection& selection);
absl::StatusOr<std::vector<registers::RegisterBank>> ReadRegisters(
    Context& context, const registers::Selection& selection);
absl::Status Extend(Context& context, uint32_t index, const std::vector<crypto::Digest>& digests);
absl::Status Cap(Context& context, uint32_t index);

// ---- quote.cc
absl::StatusOr<tpm2::RawQuote> Quote(Context& context, AkKind ak,
                                     const registers::Selection& selection,
                                     ByteView qualifying_data);

// ---- identity_key.cc
absl::StatusOr<CertifiedIdentityKey> CertifyIdentityKey(Context& context, AkKind ak,
                                                        ByteView auth_policy,
                                                        ByteView qualifying_data);
absl::StatusOr<tpm2::Signature> SignWithIdentityKey(Context& context, ByteView auth_policy,
                                                    const registers::Selection& selection,
                                                    const crypto::Digest& digest);

// ---- secrets.cc
absl::StatusOr<SecretBytes> ActivateCredential(Context& context, const PinnedEk& ek, AkKind ak,
                                               const tpm2::CredentialBlob& blob);
// All that opening something sealed takes before it is there: two sessions. Good once; afterwards
// it holds what is to be let go of.
struct Opener {
  Bytes ek_name;
  EkAuthorisation authorisation;
  Transient policy;       // salted, empty, encrypts what comes out
  Transient object = {};  // once it was loaded
};
absl::StatusOr<Opener> MakeOpener(Context& context, const PinnedEk& ek);
absl::StatusOr<SecretBytes> Unseal(Context& context, const PinnedEk& ek, Opener& opener,
                                   const tpm2::ImportBlob& blob,
                                   const registers::Selection& selection);
// The same once `satisfy` has made the empty session's policy what the object asks for; it may be
// called again.
absl::StatusOr<SecretBytes> UnsealUnder(
    Context& context, const PinnedEk& ek, Opener& opener, const tpm2::ImportBlob& blob,
    absl::FunctionRef<absl::Status(const Transient& policy)> satisfy);

// ---- approved.cc
absl::StatusOr<SecretBytes> UnsealApproved(Context& context, const PinnedEk& ek, Opener& opener,
                                           const tpm2::ImportBlob& blob,
                                           const registers::Selection& selection,
                                           const ApprovedState& approval);

// ---- cloud_ak.cc
absl::StatusOr<std::optional<CloudAk>> FindCloudAk(Context& context, AkKind preferred);
// TPM when the key is not where its cloud keeps it.
absl::StatusOr<LoadedKey> LoadCloudAk(Context& context, AkKind kind);

// ---- nv.cc
// What lies in an NV index; nullopt: it is not there, or was never written. TPM when it is too
// long.
absl::StatusOr<std::optional<Bytes>> ReadNvIndex(Context& context, TPM2_HANDLE number);
absl::StatusOr<std::vector<EkCertificate>> EkCertificates(Context& context);
absl::StatusOr<std::vector<Bytes>> EkChain(Context& context);

// ---- facts.cc
absl::StatusOr<Properties> ReadProperties(Context& context);
absl::StatusOr<tpm2::ClockInfo> ReadClock(Context& context);
absl::StatusOr<LoadedHandles> CountHandles(Context& context);
absl::StatusOr<Health> ReadHealth(Context& context);
absl::StatusOr<bool> IsLockedOut(Context& context);
absl::StatusOr<Bytes> GetRandom(Context& context, size_t size);
// One fixed property of the TPM (TPM2_PT_...); nullopt when it does not have it.
absl::StatusOr<std::optional<uint32_t>> ReadProperty(Context& context, TPM2_PT property);

// Tries the whole of `work` again while registers that a session was bound to move meanwhile.
template <typename Work>
auto RetryWhilePcrsMove(const Context& context, Work work) -> decltype(work()) {
  for (int attempt = 1;; ++attempt) {
    auto result = work();
    const bool moved = !result.ok() && ReasonOf(result.status()) == Reason::kTpmPcrChanged;
    if (!moved || attempt >= context.options().pcr_changed_attempts) return result;
  }
}

}  // namespace bootgate::agent::tpm::internal

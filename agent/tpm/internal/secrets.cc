// Commands whose answers are secrets. Each answer is encrypted on the bus by a session salted to
// the pinned EK, and its HMAC holds or the operation fails.

#include "agent/tpm/internal/convert.h"
#include "agent/tpm/internal/operations.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::tpm::internal {
namespace {

// The sealed object as TPM2_Import and TPM2_Load take it.
struct WireBlob {
  TPM2B_PUBLIC object_public;
  TPM2B_PRIVATE duplicate;
  TPM2B_ENCRYPTED_SECRET seed;
};

absl::StatusOr<WireBlob> ToWire(const tpm2::ImportBlob& blob) {
  WireBlob wire = {};
  BG_ASSIGN_OR_RETURN(wire.object_public, ToPublic(blob.object_public));
  BG_ASSIGN_OR_RETURN(wire.duplicate, ToTpm2b(blob.duplicate, &TPM2B_PRIVATE::buffer));
  BG_ASSIGN_OR_RETURN(wire.seed, ToTpm2b(blob.in_sym_seed, &TPM2B_ENCRYPTED_SECRET::secret));
  return wire;
}

absl::StatusOr<Transient> ImportAndLoad(Context& context, const LoadedKey& ek,
                                        EkAuthorisation& authorisation, const WireBlob& blob) {
  const TPM2B_DATA no_inner_key = {};
  const TPMT_SYM_DEF_OBJECT no_inner_wrap = {.algorithm = TPM2_ALG_NULL};
  Result<TPM2B_PRIVATE> imported;
  BG_RETURN_IF_ERROR(context.Call("TPM2_Import", [&] {
    return Esys_Import(context.esys(), ek.handle.get(), authorisation.get(), ESYS_TR_NONE,
                       ESYS_TR_NONE, &no_inner_key, &blob.object_public, &blob.duplicate,
                       &blob.seed, &no_inner_wrap, imported.put());
  }));
  BG_RETURN_IF_ERROR(authorisation.Renew(context));
  ESYS_TR object = ESYS_TR_NONE;
  BG_RETURN_IF_ERROR(context.Call("TPM2_Load", [&] {
    return Esys_Load(context.esys(), ek.handle.get(), authorisation.get(), ESYS_TR_NONE,
                     ESYS_TR_NONE, &*imported, &blob.object_public, &object);
  }));
  return Transient(context, object);
}

// EK and its session go with the end of this: fewer of both for those who share this TPM.
absl::StatusOr<Transient> LoadBlob(Context& context, const PinnedEk& pinned,
                                   EkAuthorisation authorisation, const tpm2::ImportBlob& blob) {
  BG_ASSIGN_OR_RETURN(const WireBlob wire, ToWire(blob));
  BG_ASSIGN_OR_RETURN(const LoadedKey ek, LoadEk(context, pinned));
  return ImportAndLoad(context, ek, authorisation, wire);
}

}  // namespace

absl::StatusOr<SecretBytes> ActivateCredential(Context& context, const PinnedEk& pinned,
                                               AkKind kind, const tpm2::CredentialBlob& blob) {
  BG_ASSIGN_OR_RETURN(const TPM2B_ID_OBJECT id_object,
                      ToTpm2b(blob.id_object, &TPM2B_ID_OBJECT::credential));
  BG_ASSIGN_OR_RETURN(const TPM2B_ENCRYPTED_SECRET secret,
                      ToTpm2b(blob.encrypted_secret, &TPM2B_ENCRYPTED_SECRET::secret));
  BG_ASSIGN_OR_RETURN(const LoadedKey ek, LoadEk(context, pinned));
  BG_ASSIGN_OR_RETURN(const LoadedKey ak, LoadAk(context, kind));
  BG_ASSIGN_OR_RETURN(
      const Transient encrypting,
      StartSaltedSession(context, ek, TPM2_SE_HMAC, TPMA_SESSION_ENCRYPT | TPMA_SESSION_DECRYPT));
  BG_ASSIGN_OR_RETURN(const EkAuthorisation authorisation,
                      EkAuthorisation::Start(context, pinned.ek_template()));
  Result<TPM2B_DIGEST> credential;
  BG_RETURN_IF_ERROR(context.Call("TPM2_ActivateCredential", [&] {
    return Esys_ActivateCredential(context.esys(), ak.handle.get(), ek.handle.get(),
                                   ESYS_TR_PASSWORD, authorisation.get(), encrypting.get(),
                                   &id_object, &secret, credential.put());
  }));
  return SecretBytes(
      ByteView(credential->buffer, std::min<size_t>(credential->size, sizeof(credential->buffer))));
}

absl::StatusOr<Opener> MakeOpener(Context& context, const PinnedEk& pinned) {
  BG_ASSIGN_OR_RETURN(const LoadedKey ek, LoadEk(context, pinned));
  BG_ASSIGN_OR_RETURN(EkAuthorisation authorisation,
                      EkAuthorisation::Start(context, pinned.ek_template()));
  BG_ASSIGN_OR_RETURN(Transient policy,
                      StartSaltedSession(context, ek, TPM2_SE_POLICY, TPMA_SESSION_ENCRYPT));
  return Opener{ToBytes(pinned.name()), std::move(authorisation), std::move(policy)};
}

absl::StatusOr<SecretBytes> UnsealUnder(
    Context& context, const PinnedEk& ek, Opener& opener, const tpm2::ImportBlob& blob,
    absl::FunctionRef<absl::Status(const Transient& policy)> satisfy) {
  BG_ASSIGN_OR_RETURN(opener.object, LoadBlob(context, ek, std::move(opener.authorisation), blob));
  bool first = true;
  return RetryWhilePcrsMove(context, [&]() -> absl::StatusOr<SecretBytes> {
    if (!std::exchange(first, false)) BG_RETURN_IF_ERROR(RestartPolicy(context, opener.policy));
    BG_RETURN_IF_ERROR(satisfy(opener.policy));
    Result<TPM2B_SENSITIVE_DATA> data;
    BG_RETURN_IF_ERROR(context.Call("TPM2_Unseal", [&] {
      return Esys_Unseal(context.esys(), opener.object.get(), opener.policy.get(), ESYS_TR_NONE,
                         ESYS_TR_NONE, data.put());
    }));
    return SecretBytes(ByteView(data->buffer, std::min<size_t>(data->size, sizeof(data->buffer))));
  });
}

absl::StatusOr<SecretBytes> Unseal(Context& context, const PinnedEk& ek, Opener& opener,
                                   const tpm2::ImportBlob& blob,
                                   const registers::Selection& selection) {
  return UnsealUnder(context, ek, opener, blob, [&](const Transient& policy) {
    return AssertPcrs(context, policy, selection);
  });
}

}  // namespace bootgate::agent::tpm::internal

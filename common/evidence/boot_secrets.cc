#include "common/evidence/boot_secrets.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/writer.h"
#include "common/evidence/sealed_payload.h"
#include "common/tpm2/approval.h"

namespace bootgate::evidence {
namespace {

// In the place of a certificate's serial, which is 32 hex digits: neither passes for the other.
std::string PayloadName(uint32_t generation) { return absl::StrCat("boot-secrets/", generation); }

absl::Status Bad(absl::string_view why) { return NotAuthentic(Reason::kSealApproval, why); }

}  // namespace

Bytes PolicyRef(const std::string& host_id, uint32_t generation) {
  return bytes::Writer().Raw(AsBytes(host_id)).U32Be(generation).Finish();
}

absl::Status CheckBootSecrets(const BootSecrets& secrets, const std::string& host_id) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public key, tpm2::Public::FromTpmt(secrets.approving_key));
  BG_ASSIGN_OR_RETURN(const tpm2::Public object,
                      tpm2::Public::FromTpmt(secrets.blob.object_public));
  const Bytes ref = PolicyRef(host_id, secrets.generation);
  if (!SameBytes(object.auth_policy, tpm2::AuthorizedPolicy(key.Name(), ref))) {
    return Bad("the sealed secrets are not bound to this approving key, host and generation");
  }
  if ((object.attributes & tpm2::attribute::kUserWithAuth) != 0) {
    return Bad("the sealed secrets open with a password, too");
  }
  if (registers::IsEmpty(secrets.selection)) return Bad("approvals are about no register");
  if (secrets.approvals.size() > kMaxApprovals) return Bad("more approvals than there may be");
  for (const StateApproval& approval : secrets.approvals) {
    BG_RETURN_IF_ERROR(tpm2::CheckApproval(key, approval.policy, ref, approval.signature));
  }
  return absl::OkStatus();
}

absl::StatusOr<Bytes> CloseBootSecrets(const SecretBytes& key, const std::string& host_id,
                                       uint32_t generation, const Secrets& secrets) {
  SealedPayload payload;
  for (const auto& [name, value] : secrets) payload.secrets.emplace(name, value.Clone());
  return ClosePayload(key, host_id, PayloadName(generation), payload);
}

absl::StatusOr<Secrets> OpenBootSecrets(const SecretBytes& key, const std::string& host_id,
                                        uint32_t generation, ByteView closed) {
  BG_ASSIGN_OR_RETURN(SealedPayload payload,
                      OpenPayload(key, host_id, PayloadName(generation), closed));
  return std::move(payload.secrets);
}

}  // namespace bootgate::evidence

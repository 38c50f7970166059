// Secrets that a host opens at its start, before it can attest: a disk key, say.
//
// They are sealed to its EK under TPM2_PolicyAuthorize (common/tpm2/approval.h): the object opens
// in the states that the gatekeeper's approving key has signed for this host and this generation of
// the object. The states are PolicyPCR digests over `selection`. The gatekeeper signs the state it
// has admitted, and those that an operator has approved in advance. A new generation makes every
// approval of the one before worthless for it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/base/secret_bytes.h"
#include "common/registers/selection.h"
#include "common/tpm2/wrap.h"

namespace bootgate::evidence {

inline constexpr size_t kMaxApprovals = 16;      // for one host at one time
inline constexpr size_t kMaxContentId = 64;      // bytes
inline constexpr size_t kMaxApprovalPart = 256;  // bytes of a digest, a signature

struct StateApproval {
  Bytes policy;     // PolicyPCR digest, SHA-256
  Bytes signature;  // TPMT_SIGNATURE
};

struct BootSecrets {
  Bytes content_id;       // names what is sealed: who holds it need not be sent it again
  tpm2::ImportBlob blob;  // the key of the payload; this and payload are empty when held
  Bytes payload;          // CloseBootSecrets under that key
  registers::Selection selection;
  Bytes approving_key;  // TPMT_PUBLIC
  uint32_t generation = 0;
  std::vector<StateApproval> approvals;
};

using Secrets = std::map<std::string, SecretBytes>;

// The policy reference: host id, then the generation in 4 bytes, big-endian.
Bytes PolicyRef(const std::string& host_id, uint32_t generation);

// Whether the parts belong together and to this host: the object's policy is the approving key's
// for this host and generation, no password opens it, each approval is signed. SEAL_APPROVAL;
// TPM_MARSHAL.
absl::Status CheckBootSecrets(const BootSecrets& secrets, const std::string& host_id);

// Bounds and form as of sealed_payload.h. Host and generation are bound.
absl::StatusOr<Bytes> CloseBootSecrets(const SecretBytes& key, const std::string& host_id,
                                       uint32_t generation, const Secrets& secrets);
absl::StatusOr<Secrets> OpenBootSecrets(const SecretBytes& key, const std::string& host_id,
                                        uint32_t generation, ByteView closed);

}  // namespace bootgate::evidence

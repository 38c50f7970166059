// What an operator approved: states that hosts may come to without being locked out.
//
// One approval is one document: for each of its hosts the PolicyPCR digest of the state, the
// registers it is over, until when and why. The gatekeeper's approving key signs all of it, so that
// nobody who can merely write to the store approves anything. What the host's TPM checks is signed
// when it is handed out, for the host's generation (common/evidence/boot_secrets.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/crypto/public_key.h"
#include "common/registers/selection.h"
#include "gatekeeper/store/store.h"
#include "pki/key_holder.h"

namespace bootgate::gatekeeper::sealing {

inline constexpr char kApprovalKind[] = "state-approval";
inline constexpr size_t kMaxHostsOfApproval = 5000;
inline constexpr size_t kMaxReason = 512;  // bytes

struct Approval {
  registers::Selection selection;
  absl::Time expires;  // whole seconds
  std::string reason;
  std::map<std::string, Bytes> states;  // host id -> PolicyPCR digest

  friend bool operator==(const Approval&, const Approval&) = default;
};

// The document's text, signed; and back. CA_KEY: the key's holder does not answer. SEAL_APPROVAL:
// not signed by this key, or no approval.
absl::StatusOr<std::string> ToText(const Approval& approval, const pki::KeyHolder& key);
absl::StatusOr<Approval> ApprovalFromText(const std::string& text, const crypto::PublicKey& key);

// "a-" and the first 16 hex digits of the document's id.
std::string ApprovalId(const std::string& document_id);

// One approval as the history has it.
struct RecordedApproval {
  std::string id, author, document_id;
  absl::Time since;
  bool revoked = false;
  absl::StatusOr<Approval> approval = absl::UnknownError("");  // SEAL_APPROVAL

  bool Stands(absl::Time now) const { return !revoked && approval.ok() && now < approval->expires; }
};

// All approvals ever made, oldest first. What is signed counts, once: one that stands under another
// id than its document's, or says the very same as an earlier one (a revoked approval that somebody
// put into the store a second time), is SEAL_APPROVAL. `known`: documents read before, by id; added
// to. STORE.
absl::StatusOr<std::vector<RecordedApproval>> ReadApprovals(
    store::Store& store, const crypto::PublicKey& key,
    std::map<std::string, absl::StatusOr<Approval>>& known);

// The generation of a host's boot secrets: 1, and one more for each approval of the host that is
// over, revoked or expired. So no object made later opens by an approval that does not stand.
uint32_t GenerationOf(const std::string& host_id, const std::vector<RecordedApproval>& approvals,
                      absl::Time now);

}  // namespace bootgate::gatekeeper::sealing

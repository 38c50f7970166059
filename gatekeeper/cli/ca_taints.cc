#include "gatekeeper/cli/ca_taints.h"

#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::cli {

absl::StatusOr<std::set<std::string>> TaintedCas(store::Store& store) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> rows,
                      store.ListAssignments(kCaTaintKind));
  std::set<std::string> out;
  for (const store::AssignmentRow& row : rows) out.insert(row.selector);
  return out;
}

absl::Status PutCaTaint(const Operator& op, const std::string& key_id, const std::string& ca_id,
                        const std::string& why, const store::AuditRow& audit) {
  store::DocumentRow document;
  document.kind = kCaTaintKind;
  document.text = audit::Detail().Text("ca", ca_id).Text("key_id", key_id).Text("why", why).Json();
  document.id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(document.text)).hex();
  document.name = ca_id;
  document.author = op.actor;
  document.created_at = op.clock.Now();
  BG_RETURN_IF_ERROR(op.store.PutDocument(document, audit));
  store::AssignmentRow assignment;
  assignment.kind = kCaTaintKind;
  assignment.selector = key_id;
  assignment.document_id = document.id;
  assignment.author = op.actor;
  assignment.at = op.clock.Now();
  assignment.why = why;
  return op.store.Assign(assignment, audit);
}

}  // namespace bootgate::gatekeeper::cli

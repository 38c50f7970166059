#include "gatekeeper/issuing/ca_taints.h"

#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/audit/detail.h"

namespace bootgate::gatekeeper::issuing {

absl::StatusOr<std::set<std::string>> TaintedCas(store::Store& store) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> rows,
                      store.ListAssignments(kCaTaintKind));
  std::set<std::string> out;
  for (const store::AssignmentRow& row : rows) out.insert(row.selector);
  return out;
}

absl::Status PutCaTaint(store::Store& store, const CaTaint& taint, const store::AuditRow& audit) {
  store::DocumentRow document;
  document.kind = kCaTaintKind;
  document.text = audit::Detail()
                      .Text("ca", taint.ca_id)
                      .Text("key_id", taint.key_id)
                      .Text("why", taint.why)
                      .Json();
  document.id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(document.text)).hex();
  document.name = taint.ca_id;
  document.author = audit.actor;
  document.created_at = audit.at;
  store::AssignmentRow assignment;
  assignment.kind = kCaTaintKind;
  assignment.selector = taint.key_id;
  assignment.document_id = document.id;
  assignment.author = audit.actor;
  assignment.at = audit.at;
  assignment.why = taint.why;
  store::Commit commit;
  commit.documents = {document};
  commit.steps = {assignment};
  commit.audit = {audit};
  return store.Apply(commit);
}

}  // namespace bootgate::gatekeeper::issuing

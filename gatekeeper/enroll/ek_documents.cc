#include "gatekeeper/enroll/ek_documents.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::enroll {
namespace {

absl::Status In(const std::string& kind, const EkDocument& document, const absl::Status& status) {
  if (status.ok()) return status;
  absl::Status told(status.code(), absl::StrCat("the ", kind, " document ", document.name, ": ",
                                                status.message()));
  status.ForEachPayload(
      [&](absl::string_view type, const absl::Cord& payload) { told.SetPayload(type, payload); });
  return told;
}

store::AssignmentRow StepOf(const std::string& kind, const EkDocument& document, store::Step step) {
  store::AssignmentRow row;
  row.kind = kind;
  row.selector = document.name;
  row.author = document.author;
  row.at = document.at;
  row.step = step;
  return row;
}

}  // namespace

absl::StatusOr<std::vector<EkDocument>> ListEkDocuments(store::Store& store,
                                                        const std::string& kind) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> standing,
                      store.ListAssignments(kind));
  std::vector<EkDocument> out;
  if (standing.empty()) return out;
  BG_ASSIGN_OR_RETURN(std::vector<store::DocumentRow> rows, store.ListDocuments(kind));
  std::map<std::string, store::DocumentRow> documents;
  for (store::DocumentRow& row : rows) documents.emplace(row.id, std::move(row));
  for (const store::AssignmentRow& row : standing) {
    const auto found = documents.find(row.document_id);
    if (found == documents.end()) continue;  // added between the two reads: seen the next time
    out.push_back({.name = row.selector,
                   .title = found->second.name,
                   .text = found->second.text,
                   .author = row.author,
                   .at = row.at});
  }
  return out;
}

absl::Status AddEkDocument(store::Store& store, const std::string& kind, const EkDocument& document,
                           const store::AuditRow& audit) {
  const std::string id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(document.text)).hex();
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> standing,
                      store.ListAssignments(kind));
  for (const store::AssignmentRow& row : standing) {
    if (row.selector == document.name && row.document_id == id) {
      return absl::AlreadyExistsError(absl::StrCat(document.name, " was added before"));
    }
  }
  BG_RETURN_IF_ERROR(store.PutDocument({.kind = kind,
                                        .id = id,
                                        .name = document.title,
                                        .text = document.text,
                                        .author = document.author,
                                        .created_at = document.at},
                                       audit));
  store::AssignmentRow row = StepOf(kind, document, store::Step::kEnforce);
  row.document_id = id;
  return store.Assign(row, audit);
}

absl::Status RemoveEkDocument(store::Store& store, const std::string& kind, const EkDocument& who,
                              const std::string& why, const store::AuditRow& audit) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> standing,
                      store.ListAssignments(kind));
  for (const store::AssignmentRow& standing_row : standing) {
    if (standing_row.selector != who.name) continue;
    store::AssignmentRow row = StepOf(kind, who, store::Step::kEnd);
    row.why = why;
    return store.Assign(row, audit);
  }
  return absl::NotFoundError(absl::StrCat("no ", kind, " ", who.name, " stands"));
}

absl::Status AddStandingAnchors(store::Store& store, const std::string& kind,
                                pki::TrustAnchors& to) {
  BG_ASSIGN_OR_RETURN(const std::vector<EkDocument> documents, ListEkDocuments(store, kind));
  for (const EkDocument& document : documents) {
    BG_RETURN_IF_ERROR(In(kind, document, to.Add(document.text)));
  }
  return absl::OkStatus();
}

absl::Status AddStandingCrls(store::Store& store, pki::CrlSet& to) {
  BG_ASSIGN_OR_RETURN(const std::vector<EkDocument> documents, ListEkDocuments(store, kEkCrlKind));
  for (const EkDocument& document : documents) {
    BG_RETURN_IF_ERROR(In(kEkCrlKind, document, to.Add(AsBytes(document.text))));
  }
  return absl::OkStatus();
}

absl::Status AddStandingDistrust(store::Store& store, pki::DistrustList& to) {
  BG_ASSIGN_OR_RETURN(const std::vector<EkDocument> documents,
                      ListEkDocuments(store, kEkDistrustKind));
  for (const EkDocument& document : documents) {
    BG_RETURN_IF_ERROR(In(kEkDistrustKind, document, to.Add(document.text)));
  }
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::enroll

#include "gatekeeper/revocation/operator_certificates.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::revocation {
namespace {

using store::DocumentRow;

absl::StatusOr<std::optional<DocumentRow>> Find(store::Store& store, const char* kind,
                                                const std::string& serial) {
  absl::StatusOr<DocumentRow> row = store.GetDocument(kind, serial);
  if (absl::IsNotFound(row.status())) return std::nullopt;
  BG_RETURN_IF_ERROR(row.status());
  return *std::move(row);
}

absl::StatusOr<IssuedToOperator> Decode(store::Store& store, const DocumentRow& row) {
  IssuedToOperator out;
  BG_ASSIGN_OR_RETURN(out.certificate, pki::ReadOperatorCertificate(row.text));
  out.author = row.author;
  out.issued_at = row.created_at;
  BG_ASSIGN_OR_RETURN(const auto revoked, Find(store, kOperatorRevocationKind, row.id));
  if (!revoked.has_value()) return out;
  out.revoked_at = revoked->created_at;
  BG_ASSIGN_OR_RETURN(const auto reason, GetReason(store, row.id));
  out.reason = reason.value_or(OperatorsReason{.text = revoked->text});
  return out;
}

absl::Status Unknown(absl::StatusCode code, const std::string& serial) {
  return Refuse(code, Reason::kOperatorCertificate,
                absl::StrCat("no operator's certificate with the serial ", Printable(serial, 64),
                             " was issued here"));
}

}  // namespace

absl::Status RecordOperator(store::Store& store, ByteView certificate_der,
                            const store::AuditRow& audit) {
  DocumentRow row;
  row.kind = kOperatorCertificateKind;
  row.text = pki::DerToPem(certificate_der);
  BG_ASSIGN_OR_RETURN(const auto certificate, pki::ReadOperatorCertificate(row.text));
  row.id = certificate.serial_hex;
  row.name = certificate.name;
  row.author = audit.actor;
  row.created_at = audit.at;
  return store.PutDocument(row, audit);
}

absl::StatusOr<std::vector<IssuedToOperator>> ListOperators(store::Store& store) {
  BG_ASSIGN_OR_RETURN(std::vector<DocumentRow> rows, store.ListDocuments(kOperatorCertificateKind));
  std::ranges::stable_sort(rows, {}, &DocumentRow::created_at);
  std::vector<IssuedToOperator> out;
  out.reserve(rows.size());
  for (const DocumentRow& row : rows) {
    BG_ASSIGN_OR_RETURN(IssuedToOperator issued, Decode(store, row));
    out.push_back(std::move(issued));
  }
  return out;
}

absl::StatusOr<IssuedToOperator> FindOperator(store::Store& store, const std::string& serial) {
  BG_ASSIGN_OR_RETURN(const auto row, Find(store, kOperatorCertificateKind, serial));
  if (!row.has_value()) return Unknown(absl::StatusCode::kNotFound, serial);
  return Decode(store, *row);
}

absl::StatusOr<bool> RevokeOperator(store::Store& store, const std::string& serial,
                                    const Revoking& revoking) {
  BG_ASSIGN_OR_RETURN(const IssuedToOperator issued, FindOperator(store, serial));
  if (issued.revoked_at.has_value()) return false;
  DocumentRow row;
  row.kind = kOperatorRevocationKind;
  row.id = serial;
  row.name = issued.certificate.name;
  row.text = revoking.reason.text;
  row.author = revoking.actor;
  row.created_at = revoking.now;
  store::Commit commit;
  commit.documents = {row, ReasonDocument(serial, revoking.reason, revoking.actor, revoking.now)};
  commit.audit.push_back(
      audit::MakeRow(revoking.now, revoking.actor, "operator.revoke", serial,
                     audit::Detail()
                         .Text("operator", issued.certificate.name)
                         .Text("code", pki::Name(revoking.reason.code))
                         .Text("why", revoking.reason.text)
                         .Object("before", audit::Detail().Text("state", "valid"))
                         .Object("after", audit::Detail().Text("state", "revoked"))));
  const absl::Status applied = store.Apply(commit);
  // Another operator was faster, with other words.
  if (absl::IsAlreadyExists(applied)) return false;
  BG_RETURN_IF_ERROR(applied);
  return true;
}

absl::Status CheckOperator(store::Store& store, const std::string& serial,
                           ByteView certificate_der) {
  BG_ASSIGN_OR_RETURN(const auto revoked, Find(store, kOperatorRevocationKind, serial));
  if (revoked.has_value()) {
    return NotAuthentic(Reason::kOperatorCertificate,
                        absl::StrCat("the client certificate ", serial, " is revoked"));
  }
  BG_ASSIGN_OR_RETURN(const auto recorded, Find(store, kOperatorCertificateKind, serial));
  if (!recorded.has_value() || recorded->text != pki::DerToPem(certificate_der)) {
    return Unknown(absl::StatusCode::kUnauthenticated, serial);
  }
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::revocation

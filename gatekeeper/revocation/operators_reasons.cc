#include "gatekeeper/revocation/operators_reasons.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::revocation {
namespace {

constexpr char kKind[] = "revocation";

// "CODE TEXT", as ReasonDocument writes it.
OperatorsReason Decode(const std::string& document) {
  const size_t space = document.find(' ');
  OperatorsReason reason;
  reason.code = pki::RevocationReasonFromName(document.substr(0, space))
                    .value_or(pki::RevocationReason::kUnspecified);
  if (space != std::string::npos) reason.text = document.substr(space + 1);
  return reason;
}

}  // namespace

store::DocumentRow ReasonDocument(const std::string& serial, const OperatorsReason& reason,
                                  const std::string& author, absl::Time at) {
  return {.kind = kKind,
          .id = serial,
          .name = serial,
          .text = absl::StrCat(pki::Name(reason.code), " ", reason.text),
          .author = author,
          .created_at = at};
}

absl::StatusOr<std::optional<OperatorsReason>> GetReason(store::Store& store,
                                                         const std::string& serial) {
  const absl::StatusOr<store::DocumentRow> row = store.GetDocument(kKind, serial);
  if (absl::IsNotFound(row.status())) return std::nullopt;
  BG_RETURN_IF_ERROR(row.status());
  return Decode(row->text);
}

absl::StatusOr<std::map<std::string, pki::RevocationReason>> AllReasons(store::Store& store) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::DocumentRow> rows, store.ListDocuments(kKind));
  std::map<std::string, pki::RevocationReason> reasons;
  for (const store::DocumentRow& row : rows) reasons[row.id] = Decode(row.text).code;
  return reasons;
}

}  // namespace bootgate::gatekeeper::revocation

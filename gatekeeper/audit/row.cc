#include "gatekeeper/audit/row.h"

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::audit {

std::string HostActor(absl::string_view host_id) {
  return absl::StrCat("host ", Printable(host_id));
}

std::string OperatorActor(absl::string_view name) {
  return absl::StrCat("operator ", Printable(name));
}

store::AuditRow MakeRow(absl::Time at, absl::string_view actor, absl::string_view action,
                        absl::string_view subject, const Detail& detail) {
  store::AuditRow row;
  row.at = at;
  row.actor = Printable(actor);
  row.action = std::string(action);
  row.subject = Printable(subject);
  row.detail_json = detail.Json();
  return row;
}

Detail StateOf(const host::HostRecord& host) {
  const crypto::Digest ak = crypto::Hash(crypto::HashAlg::kSha256, host.ak_public);
  Detail detail;
  detail.Text("trust", host::Name(host.trust))
      .Flag("approved", host.approved)
      .Text("ek_trust", host.ek_trust)
      .Text("ak_public_sha256", ak.hex())
      .Texts("reasons", host.reasons);
  return detail;
}

}  // namespace bootgate::gatekeeper::audit

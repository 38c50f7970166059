#include "gatekeeper/cli/host_approval.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::cli {
namespace {

constexpr int kTries = 5;  // against a host that attests at the same time

}  // namespace

absl::Status ApproveHost(const Operator& op, const std::string& host_id, const std::string& because,
                         bool* changed) {
  absl::Status status;
  for (int i = 0; i < kTries; ++i) {
    BG_ASSIGN_OR_RETURN(host::HostRecord host, op.store.GetHost(host_id));
    *changed = !host.approved;
    if (host.approved) return absl::OkStatus();
    if (host.trust == host::Trust::kRetired) {
      return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kHostRetired,
                    absl::StrCat(host_id, " is retired"));
    }
    const audit::Detail before = audit::StateOf(host);
    host.approved = true;
    audit::Detail detail;
    detail.Object("before", before).Object("after", audit::StateOf(host));
    if (!because.empty()) detail.Text("because", because);
    store::Commit commit;
    commit.host = host;
    commit.audit.push_back(AuditOf(op, "host.approve", host_id, detail));
    status = op.store.Apply(commit);
    if (!absl::IsAborted(status)) return status;
  }
  return status;
}

}  // namespace bootgate::gatekeeper::cli

#include "gatekeeper/fleet/edit.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/fleet/hosts.h"

namespace bootgate::gatekeeper::fleet {
namespace {

audit::Detail Whole(const audit::Detail& detail, const Act& act, const host::HostRecord& before,
                    const host::HostRecord& after) {
  audit::Detail whole = detail;
  if (!act.reason.empty()) whole.Text("reason", act.reason);
  if (!act.ticket.empty()) whole.Text("ticket", act.ticket);
  return whole.Object("before", audit::StateOf(before)).Object("after", audit::StateOf(after));
}

}  // namespace

absl::Status CheckRevision(const host::HostRecord& host, uint64_t expected) {
  if (expected == 0 || host.revision == expected) return absl::OkStatus();
  return Refuse(absl::StatusCode::kAborted, Reason::kRevisionStale,
                absl::StrCat(host.id, " is at revision ", host.revision, ", not ", expected,
                             ": look at it again"));
}

absl::StatusOr<Changed> EditHost(store::Store& store, const std::string& id, const Act& act,
                                 absl::string_view action, const audit::Detail& detail,
                                 const Edit& edit) {
  absl::Status status;
  for (int i = 0; i < kEditTries; ++i) {
    BG_ASSIGN_OR_RETURN(const host::HostRecord before, FindHost(store, id));
    BG_RETURN_IF_ERROR(CheckRevision(before, act.expected_revision));
    store::Commit commit;
    host::HostRecord after = before;
    BG_ASSIGN_OR_RETURN(const bool changed, edit(after, commit));
    if (!changed || act.run == Run::kDry) return Changed{after, changed};
    commit.host = after;
    commit.why = act.reason;
    commit.audit.push_back(
        audit::MakeRow(act.now, act.actor, action, id, Whole(detail, act, before, after)));
    status = store.Apply(commit);
    ++after.revision;
    if (status.ok()) return Changed{after, true};
    if (!absl::IsAborted(status)) return status;
  }
  return WithReason(status, Reason::kRevisionStale);
}

}  // namespace bootgate::gatekeeper::fleet

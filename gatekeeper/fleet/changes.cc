#include "gatekeeper/fleet/changes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/fleet/edit.h"
#include "gatekeeper/fleet/hosts.h"
#include "gatekeeper/fleet/names.h"

namespace bootgate::gatekeeper::fleet {
namespace {

constexpr char kOpen[] = "open", kClosed[] = "closed";  // states of incidents

using host::HostRecord;
using host::Trust;
using Labels = std::map<std::string, std::string>;

absl::Status NotNow(Reason reason, absl::string_view text) {
  return Refuse(absl::StatusCode::kFailedPrecondition, reason, text);
}

absl::Status Retired(const HostRecord& host) {
  return NotNow(Reason::kHostRetired, absl::StrCat(host.id, " is retired"));
}

audit::Detail DetailOf(const Labels& labels) {
  audit::Detail detail;
  for (const auto& [name, value] : labels) detail.Text(name, value);
  return detail;
}

Labels Applied(const Labels& before, const LabelChange& change) {
  Labels after = change.replace ? Labels() : before;
  for (const std::string& name : change.remove) after.erase(name);
  for (const auto& [name, value] : change.set) after[name] = value;
  return after;
}

// Also of a host that was retired while it was shut out.
bool IsShutOutOrWas(const HostRecord& host) {
  return host::IsShutOut(host.trust) ||
         (host.trust == Trust::kRetired &&
          (host.quarantined_boot.has_value() || !host.shut_out_by.empty()));
}

void RetireNow(HostRecord& host, store::Commit& commit, absl::Time now) {
  host.trust = Trust::kRetired;
  host.trust_since = now;
  host.approved = false;
  host.ima_cursor.reset();
  host.ak_certificate.clear();  // revoked below: who comes back gets new ones
  host.own_ek_certificate.clear();
  commit.revoke_host_credentials = true;
  commit.revoke_ek_certificates = true;
  store::EffectRow revoked;
  revoked.kind = std::string(host::Name(host::Effect::kRevokeCredentials));
  revoked.host_id = host.id;
  revoked.verdict_id = host.last_verdict_id;
  commit.effects.push_back(revoked);
}

// A way back that was half gone when the host was retired begins anew. An incident that was closed
// meanwhile stays closed: `quarantine add` opens the next.
absl::Status OpenIncidentAgain(store::Store& store, const HostRecord& host, const Act& act,
                               store::Commit* commit) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::IncidentRow> incidents,
                      store.ListIncidents(host.id));
  const auto found = std::ranges::find_if(
      incidents, [](const store::IncidentRow& row) { return row.state != kClosed; });
  if (found == incidents.end() || found->state == kOpen) return absl::OkStatus();
  commit->incident = *found;
  commit->incident->state = kOpen;
  commit->incident->resolved_by.clear();
  commit->incident->approved_by.clear();
  commit->incident->resolved_at.reset();
  commit->incident->approved_at.reset();
  const std::string why = absl::StrCat("reinstated: ", act.reason);
  commit->incident_events.push_back({.incident_id = found->id,
                                     .at = act.now,
                                     .actor = act.actor,
                                     .kind = "state",
                                     .text = absl::StrCat(found->state, " -> open: ", why)});
  commit->changes.push_back({.at = act.now,
                             .kind = "incident",
                             .host_id = host.id,
                             .before = found->state,
                             .after = kOpen,
                             .incident_id = found->id,
                             .why = why});
  return absl::OkStatus();
}

absl::Status StillShutOut(const HostRecord& old) {
  return NotNow(Reason::kQuarantined,
                absl::StrCat(old.id, " is ", host::Name(old.trust), " (",
                             old.why.empty() ? "no reason kept" : Printable(old.why),
                             "): a new TPM is no way out of that. Bring its incident to an end "
                             "first, or take the new machine in as a host of its own: host "
                             "approve"));
}

absl::Status CheckOld(const HostRecord& old, const std::string& new_id) {
  if (!old.replaced_by.empty() && old.replaced_by != new_id) {
    return NotNow(Reason::kHostRetired,
                  absl::StrCat(old.id, " was replaced by ", old.replaced_by, " already"));
  }
  if (IsShutOutOrWas(old)) return StillShutOut(old);
  return absl::OkStatus();
}

absl::Status CheckNew(const HostRecord& fresh, const std::string& old_id) {
  if (!fresh.replaces.empty() && fresh.replaces != old_id) {
    return NotNow(Reason::kHostIdBound,
                  absl::StrCat(fresh.id, " replaces ", fresh.replaces, " already"));
  }
  if (fresh.trust == Trust::kRetired) return Retired(fresh);
  if (IsShutOutOrWas(fresh)) {
    return NotNow(Reason::kQuarantined,
                  absl::StrCat(fresh.id, " is ", host::Name(fresh.trust), " itself"));
  }
  return absl::OkStatus();
}

// What one record's change says in the audit trail.
store::AuditRow SwapRow(const Act& act, absl::string_view link, const std::string& other,
                        const HostRecord& before, const HostRecord& after) {
  audit::Detail detail;
  detail.Text("reason", act.reason);
  if (!act.ticket.empty()) detail.Text("ticket", act.ticket);
  detail.Text(link, other)
      .Object("before", audit::StateOf(before))
      .Object("after", audit::StateOf(after));
  return audit::MakeRow(act.now, act.actor, "host.swap-tpm", after.id, detail);
}

// Both records in one commit, and what was revoked. A swap that an earlier release left half done
// is finished.
absl::StatusOr<Swapped> SwapOnce(store::Store& store, const std::string& id,
                                 const std::string& new_id, const Act& act) {
  BG_ASSIGN_OR_RETURN(const HostRecord old, FindHost(store, id));
  BG_ASSIGN_OR_RETURN(const HostRecord fresh, FindHost(store, new_id));
  BG_RETURN_IF_ERROR(CheckRevision(old, act.expected_revision));
  BG_RETURN_IF_ERROR(CheckOld(old, new_id));
  BG_RETURN_IF_ERROR(CheckNew(fresh, id));
  Swapped out = {{old, false}, {fresh, false}};
  store::Commit commit;
  commit.why = act.reason;
  if (old.replaced_by != new_id || old.trust != Trust::kRetired) {
    commit.host = old;
    commit.host->replaced_by = new_id;
    RetireNow(*commit.host, commit, act.now);
    commit.audit.push_back(SwapRow(act, "replaced_by", new_id, old, *commit.host));
    out.old_host = {*commit.host, true};
    ++out.old_host.host.revision;
  }
  if (fresh.replaces != id) {
    HostRecord after = fresh;
    after.replaces = id;
    after.approved = true;
    for (const auto& [name, value] : old.labels) after.labels[name] = value;
    commit.audit.push_back(SwapRow(act, "replaces", id, fresh, after));
    commit.other_host = after;
    out.new_host = {std::move(after), true};
    ++out.new_host.host.revision;
  }
  if (!commit.audit.empty()) BG_RETURN_IF_ERROR(store.Apply(commit));
  return out;
}

}  // namespace

absl::StatusOr<Changed> SetLabels(store::Store& store, const std::string& id,
                                  const LabelChange& change, const Act& act) {
  BG_RETURN_IF_ERROR(CheckLabels(change.set));
  BG_RETURN_IF_ERROR(CheckText("reason", act.reason));
  const audit::Detail detail = audit::Detail()
                                   .Object("set", DetailOf(change.set))
                                   .Texts("remove", change.remove)
                                   .Flag("replace", change.replace);
  return EditHost(store, id, act, "host.label", detail,
                  [&](HostRecord& host, store::Commit&) -> absl::StatusOr<bool> {
                    Labels after = Applied(host.labels, change);
                    if (after == host.labels) return false;
                    BG_RETURN_IF_ERROR(CheckLabels(after));
                    host.labels = std::move(after);
                    return true;
                  });
}

absl::StatusOr<Changed> Approve(store::Store& store, const std::string& id, const Act& act) {
  BG_RETURN_IF_ERROR(CheckText("reason", act.reason));
  return EditHost(store, id, act, "host.approve", audit::Detail(),
                  [](HostRecord& host, store::Commit&) -> absl::StatusOr<bool> {
                    if (host.approved) return false;
                    if (host.trust == Trust::kRetired) return Retired(host);
                    host.approved = true;
                    return true;
                  });
}

absl::StatusOr<Changed> Retire(store::Store& store, const std::string& id, const Act& act) {
  BG_RETURN_IF_ERROR(CheckReason(act.reason));
  return EditHost(store, id, act, "host.retire", audit::Detail(),
                  [&](HostRecord& host, store::Commit& commit) -> absl::StatusOr<bool> {
                    if (host.trust == Trust::kRetired) return false;
                    RetireNow(host, commit, act.now);
                    return true;
                  });
}

absl::StatusOr<Changed> Reinstate(store::Store& store, const std::string& id, const Act& act) {
  BG_RETURN_IF_ERROR(CheckReason(act.reason));
  return EditHost(store, id, act, "host.reinstate", audit::Detail(),
                  [&](HostRecord& host, store::Commit& commit) -> absl::StatusOr<bool> {
                    if (host.trust != Trust::kRetired) return false;
                    if (!host.replaced_by.empty()) {
                      return NotNow(Reason::kHostRetired,
                                    absl::StrCat(host.id, "'s TPM was replaced: the machine is ",
                                                 host.replaced_by, " now"));
                    }
                    const bool shut_out = IsShutOutOrWas(host);
                    host.trust = shut_out ? Trust::kQuarantined : Trust::kPending;
                    host.trust_since = act.now;
                    if (shut_out) {
                      BG_RETURN_IF_ERROR(OpenIncidentAgain(store, host, act, &commit));
                    }
                    return true;
                  });
}

absl::StatusOr<Swapped> SwapTpm(store::Store& store, const std::string& id,
                                const std::string& new_id, const Act& act) {
  BG_RETURN_IF_ERROR(CheckReason(act.reason));
  if (id == new_id) {
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat("a TPM is not swapped with itself: both are ", id));
  }
  absl::StatusOr<Swapped> done = absl::AbortedError("");
  for (int i = 0; i < kEditTries && absl::IsAborted(done.status()) && !ReasonOf(done.status()); ++i)
    done = SwapOnce(store, id, new_id, act);
  if (absl::IsAborted(done.status())) return WithReason(done.status(), Reason::kRevisionStale);
  return done;
}

absl::StatusOr<Changed> AcceptClear(store::Store& store, const std::string& id, const Act& act) {
  BG_RETURN_IF_ERROR(CheckReason(act.reason));
  const absl::Time until = act.now + host::kClearAccepted;
  return EditHost(
      store, id, act, "host.accept-clear", audit::Detail().Text("until", FormatUtc(until)),
      [&](HostRecord& host, store::Commit&) -> absl::StatusOr<bool> {
        if (host.trust == Trust::kRetired) return Retired(host);
        if (!host.last_boot.has_value()) {
          return NotNow(Reason::kHostState, absl::StrCat(host.id,
                                                         " has never sent evidence: there are no "
                                                         "counters to start anew"));
        }
        host.tpm_history = host::WithClearAccepted(host.tpm_history, act.now);
        return true;
      });
}

}  // namespace bootgate::gatekeeper::fleet

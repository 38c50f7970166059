#include "gatekeeper/quarantine/act_commit.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"

namespace bootgate::gatekeeper::quarantine {
namespace {

constexpr int kTries = 20;  // against evidence of the host that arrives meanwhile

absl::Status Stale(const host::HostRecord& host, uint64_t seen) {
  return Refuse(absl::StatusCode::kAborted, Reason::kRevisionStale,
                absl::StrCat("host ", host.id, " is at revision ", host.revision, " now, not ",
                             seen, ": it is ", host::Name(host.trust)));
}

absl::StatusOr<Case> ReadCase(store::Store& store, const By& by, const std::string& host_id) {
  Case read;
  absl::StatusOr<host::HostRecord> host = store.GetHost(host_id);
  if (absl::IsNotFound(host.status())) return WithReason(host.status(), Reason::kHostUnknown);
  BG_ASSIGN_OR_RETURN(read.before, std::move(host));
  if (by.revision != 0 && by.revision != read.before.revision)
    return Stale(read.before, by.revision);
  BG_ASSIGN_OR_RETURN(std::vector<store::IncidentRow> incidents, store.ListIncidents(host_id));
  const auto open = std::ranges::find_if(incidents, [](const store::IncidentRow& incident) {
    return incident.state != kIncidentClosed;
  });
  if (open != incidents.end()) read.incident_before = std::move(*open);
  read.host = read.before;
  read.incident = read.incident_before;
  return read;
}

store::Commit CommitOf(const By& by, absl::string_view action, Case of) {
  audit::Detail detail = std::move(of.detail);
  detail.Text("why", of.why);
  if (of.incident.has_value()) detail.Text("incident", of.incident->id);
  detail.Object("before", audit::StateOf(of.before)).Object("after", audit::StateOf(of.host));
  store::Commit commit = std::move(of.commit);
  commit.why = of.why;
  commit.host = std::move(of.host);
  commit.incident = std::move(of.incident);
  commit.audit.push_back(audit::MakeRow(by.now, by.actor, action, commit.host->id, detail));
  return commit;
}

}  // namespace

absl::Status WrongState(const host::HostRecord& host, absl::string_view way_on) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kHostState,
                absl::StrCat("host ", host.id, " is ", host::Name(host.trust), ": ", way_on));
}

absl::Status CheckReason(absl::string_view reason) {
  if (absl::StripAsciiWhitespace(reason).empty())
    return absl::InvalidArgumentError("a reason is needed: it stays in the audit trail");
  if (reason.size() <= kMaxReason) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("a reason has at most ", kMaxReason, " bytes"));
}

void Note(const By& by, absl::string_view kind, std::string text, Case* of) {
  of->commit.incident_events.push_back({.incident_id = of->incident->id,
                                        .at = by.now,
                                        .actor = by.actor,
                                        .kind = std::string(kind),
                                        .text = std::move(text)});
}

void MoveIncident(const By& by, absl::string_view state, absl::string_view why, Case* of) {
  const std::string before = of->incident_before.has_value() ? of->incident->state : "";
  of->incident->state = std::string(state);
  if (before == state) return;
  Note(by, before.empty() ? "opened" : "state",
       before.empty() ? std::string(why) : absl::StrCat(before, " -> ", state, ": ", why), of);
  of->commit.changes.push_back({.at = by.now,
                                .kind = "incident",
                                .host_id = of->host.id,
                                .before = before,
                                .after = std::string(state),
                                .incident_id = of->incident->id,
                                .why = std::string(why)});
}

void TakeMove(const By& by, host::Act act, const host::Move& move, Case* of) {
  of->host = host::After(of->host, act, move, by.actor, by.now);
  if (of->host.trust != of->before.trust) of->host.ima_cursor.reset();
  for (const host::Effect effect : move.effects) {
    if (effect == host::Effect::kRevokeCredentials) of->commit.revoke_host_credentials = true;
    of->commit.effects.push_back({.kind = std::string(host::Name(effect)),
                                  .host_id = of->host.id,
                                  .verdict_id = of->host.last_verdict_id});
  }
}

absl::StatusOr<Acted> CommitAct(store::Store& store, const By& by, const std::string& host_id,
                                absl::string_view action, const Edit& edit) {
  absl::Status status;
  for (int i = 0; i < kTries; ++i) {
    BG_ASSIGN_OR_RETURN(Case of, ReadCase(store, by, host_id));
    BG_ASSIGN_OR_RETURN(const bool changed, edit(&of));
    if (!changed) return Acted{of.before, false, of.before.incident_id};
    of.host.incident_id =
        of.incident.has_value() && of.incident->state != kIncidentClosed ? of.incident->id : "";
    Acted acted{of.host, true, of.incident.has_value() ? of.incident->id : ""};
    acted.host.revision = of.before.revision + 1;
    if (by.dry_run) {
      acted.host.revision = of.before.revision;
      return acted;
    }
    status = store.Apply(CommitOf(by, action, std::move(of)));
    if (status.ok()) return acted;
    if (!absl::IsAborted(status)) return status;
  }
  return WithReason(status, Reason::kRevisionStale);
}

}  // namespace bootgate::gatekeeper::quarantine

#include "gatekeeper/incident/lifecycle.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/host/host.h"

namespace bootgate::gatekeeper::incident {
namespace {

using store::IncidentRow;

absl::Status Refused(const IncidentRow& incident, absl::string_view verb, absl::string_view why) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kIncidentState,
                absl::StrCat("incident ", incident.id, " is ", incident.state, ": it cannot be ",
                             verb, "; ", why));
}

// What an operator may do with an incident in this state.
absl::string_view Allowed(absl::string_view state) {
  if (state == kOpen) return "it may be assigned, noted on, or resolved";
  if (state == kInvestigating) return "it may be assigned, noted on, or resolved";
  if (state == kResolved) {
    return "it may be noted on, or resolved anew; its host waits for `quarantine release`, or for "
           "evidence of a later boot";
  }
  return "it may be noted on; a new failure opens a new incident";
}

absl::Status CheckState(const IncidentRow& incident, absl::string_view verb,
                        std::initializer_list<absl::string_view> fitting) {
  if (std::find(fitting.begin(), fitting.end(), incident.state) != fitting.end())
    return absl::OkStatus();
  return Refused(incident, verb, Allowed(incident.state));
}

// A text for people: as given but for blanks around it.
absl::StatusOr<std::string> Checked(absl::string_view what, absl::string_view text,
                                    size_t max_bytes) {
  const absl::string_view plain = absl::StripAsciiWhitespace(text);
  if (plain.empty()) return Malformed(Reason::kMessageMalformed, absl::StrCat(what, " is empty"));
  if (plain.size() > max_bytes) {
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat(what, " has ", plain.size(), " bytes, at most ", max_bytes));
  }
  if (Printable(plain, max_bytes) != plain) {
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat(what, " has characters that cannot be printed"));
  }
  return std::string(plain);
}

absl::StatusOr<IncidentRow> Read(store::Store& store, const std::string& id, const Act& act) {
  absl::StatusOr<IncidentRow> incident = store.GetIncident(id);
  if (absl::IsNotFound(incident.status())) {
    return Refuse(absl::StatusCode::kNotFound, Reason::kIncidentUnknown,
                  absl::StrCat("there is no incident ", Printable(id, 64)));
  }
  if (!incident.ok()) return incident;
  if (act.revision != 0 && act.revision != incident->revision) {
    return Refuse(absl::StatusCode::kAborted, Reason::kRevisionStale,
                  absl::StrCat("incident ", id, " is at revision ", incident->revision, ", not at ",
                               act.revision, " any more"));
  }
  return incident;
}

// A host that is cut off is let back by people who have looked: nobody resolves what nobody took
// up.
absl::Status CheckInvestigated(store::Store& store, const IncidentRow& incident) {
  if (incident.state != kOpen) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(const host::HostRecord host, store.GetHost(incident.host_id));
  if (host.trust != host::Trust::kQuarantined) return absl::OkStatus();
  return Refused(
      incident, "resolved",
      absl::StrCat("its host is quarantined: `quarantine investigate ", host.id, "` comes first"));
}

audit::Detail StateOf(const IncidentRow& incident) {
  return audit::Detail()
      .Text("state", incident.state)
      .Text("assignee", incident.assignee)
      .Text("root_cause", incident.root_cause)
      .Text("disposition", incident.disposition)
      .Text("ticket", incident.ticket);
}

// One act on one incident, as read and as it is to be.
struct Step {
  const IncidentRow& before;
  IncidentRow after;
  std::string action;                    // of the audit row: "incident.resolve"
  std::string kind;                      // of the timeline's line
  std::string text;                      // of both
  std::optional<host::HostRecord> host;  // that moves with it
};

store::Commit CommitOf(const Step& step, const Act& act) {
  store::Commit commit;
  commit.incident = step.after;
  commit.host = step.host;
  commit.why = step.text;
  commit.incident_events.push_back({.incident_id = step.before.id,
                                    .at = act.now,
                                    .actor = act.actor,
                                    .kind = step.kind,
                                    .text = step.text});
  commit.changes.push_back({.at = act.now,
                            .kind = "incident",
                            .host_id = step.before.host_id,
                            .before = step.before.state,
                            .after = step.after.state,
                            .incident_id = step.before.id,
                            .why = step.text});
  commit.audit.push_back(audit::MakeRow(act.now, act.actor, step.action, step.before.id,
                                        audit::Detail()
                                            .Text("host", step.before.host_id)
                                            .Text("what", step.text)
                                            .Object("before", StateOf(step.before))
                                            .Object("after", StateOf(step.after))));
  return commit;
}

// Gives the incident as it is stored now.
absl::StatusOr<IncidentRow> Take(store::Store& store, const Step& step, const Act& act) {
  const absl::Status written = store.Apply(CommitOf(step, act));
  if (absl::IsAborted(written)) {
    return Refuse(
        absl::StatusCode::kAborted, Reason::kRevisionStale,
        absl::StrCat("somebody else, or the host's evidence, was faster: ", written.message()));
  }
  BG_RETURN_IF_ERROR(written);
  return store.GetIncident(step.before.id);
}

}  // namespace

absl::string_view Name(Disposition disposition) {
  switch (disposition) {
    case Disposition::kHardwareFault:
      return "hardware-fault";
    case Disposition::kMisconfiguration:
      return "misconfiguration";
    case Disposition::kPlannedChange:
      return "planned-change";
    case Disposition::kCompromise:
      return "compromise";
    case Disposition::kFalsePositive:
      return "false-positive";
    case Disposition::kOther:
      return "other";
  }
  __builtin_unreachable();
}

std::vector<std::string> DispositionNames() {
  std::vector<std::string> names;
  for (const Disposition one :
       {Disposition::kHardwareFault, Disposition::kMisconfiguration, Disposition::kPlannedChange,
        Disposition::kCompromise, Disposition::kFalsePositive, Disposition::kOther}) {
    names.push_back(std::string(Name(one)));
  }
  return names;
}

absl::StatusOr<IncidentRow> Assign(store::Store& store, const std::string& id,
                                   const std::string& assignee, const Act& act) {
  BG_ASSIGN_OR_RETURN(const IncidentRow before, Read(store, id, act));
  BG_RETURN_IF_ERROR(CheckState(before, "assigned", {kOpen, kInvestigating, kResolved}));
  std::string name;
  if (!assignee.empty()) {
    BG_ASSIGN_OR_RETURN(name, Checked("the assignee", assignee, kMaxAssignee));
  }
  if (name == before.assignee) return before;
  Step step = {.before = before,
               .after = before,
               .action = "incident.assign",
               .kind = "assigned",
               .text = name.empty() ? "assigned to nobody" : absl::StrCat("assigned to ", name),
               .host = std::nullopt};
  step.after.assignee = name;
  return Take(store, step, act);
}

absl::StatusOr<IncidentRow> Note(store::Store& store, const std::string& id,
                                 const std::string& text, const Act& act) {
  BG_ASSIGN_OR_RETURN(const IncidentRow before, Read(store, id, act));
  BG_ASSIGN_OR_RETURN(std::string note, Checked("the note", text, kMaxNote));
  return Take(store,
              {.before = before,
               .after = before,
               .action = "incident.note",
               .kind = "note",
               .text = std::move(note),
               .host = std::nullopt},
              act);
}

absl::StatusOr<IncidentRow> Resolve(store::Store& store, const std::string& id,
                                    const Resolution& resolution, const Act& act) {
  BG_ASSIGN_OR_RETURN(const IncidentRow before, Read(store, id, act));
  BG_RETURN_IF_ERROR(CheckState(before, "resolved", {kOpen, kInvestigating, kResolved}));
  if (before.approved_at.has_value()) {
    return Refused(before, "resolved anew", "its host was released already");
  }
  BG_RETURN_IF_ERROR(CheckInvestigated(store, before));
  Step step = {.before = before,
               .after = before,
               .action = "incident.resolve",
               .kind = "state",
               .text = "",
               .host = std::nullopt};
  IncidentRow& after = step.after;
  BG_ASSIGN_OR_RETURN(after.root_cause,
                      Checked("the root cause", resolution.root_cause, kMaxRootCause));
  BG_ASSIGN_OR_RETURN(after.ticket, Checked("the ticket", resolution.ticket, kMaxTicket));
  const std::vector<std::string> names = DispositionNames();
  if (std::ranges::find(names, resolution.disposition) == names.end()) {
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat("no disposition '", Printable(resolution.disposition, 64),
                                  "'; there are ", absl::StrJoin(names, ", ")));
  }
  after.disposition = resolution.disposition;
  after.state = std::string(kResolved);
  after.resolved_by = act.actor;  // whom a release is compared with
  after.resolved_at = act.now;
  step.text =
      absl::StrCat("resolved as ", after.disposition, " (", after.ticket, "): ", after.root_cause);
  return Take(store, step, act);
}

absl::StatusOr<IncidentRow> Close(store::Store& store, const std::string& id,
                                  const std::string& why, const Act& act) {
  BG_ASSIGN_OR_RETURN(const IncidentRow before, Read(store, id, act));
  if (before.state == kClosed) return before;
  BG_ASSIGN_OR_RETURN(const host::HostRecord host, store.GetHost(before.host_id));
  if (host.trust != host::Trust::kRetired && host.trust != host::Trust::kTrusted) {
    return Refused(before, "closed",
                   absl::StrCat("host ", host.id, " is ", host::Name(host.trust),
                                "; an incident is closed when its host is trusted again or "
                                "retired"));
  }
  if (host.trust == host::Trust::kTrusted && before.state != kResolved) {
    return Refused(before, "closed", "it must be resolved first");
  }
  Step step = {.before = before,
               .after = before,
               .action = "incident.close",
               .kind = "state",
               .text = absl::StrCat("closed; the host is ", host::Name(host.trust)),
               .host = std::nullopt};
  if (!why.empty()) {
    BG_ASSIGN_OR_RETURN(const std::string said, Checked("the reason", why, kMaxWhy));
    absl::StrAppend(&step.text, ": ", said);
  }
  step.after.state = std::string(kClosed);
  step.after.closed_at = act.now;
  if (host.incident_id == id) {
    step.host = host;
    step.host->incident_id.clear();
  }
  return Take(store, step, act);
}

}  // namespace bootgate::gatekeeper::incident

#include "gatekeeper/quarantine/acts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "gatekeeper/quarantine/act_commit.h"

namespace bootgate::gatekeeper::quarantine {
namespace {

constexpr size_t kIncidentIdBytes = 8;

store::IncidentRow OpenedBy(const By& by, const host::HostRecord& host, const std::string& why) {
  store::IncidentRow incident;
  incident.id = absl::StrCat("i-", crypto::RandomHex(kIncidentIdBytes));
  incident.host_id = host.id;
  incident.first_verdict_id = incident.last_verdict_id = host.last_verdict_id;
  incident.opened_at = incident.last_at = by.now;
  incident.why = why;
  incident.reasons = {std::string(Code(Reason::kOperatorQuarantine))};
  incident.opened_by = by.actor;
  return incident;
}

// People begin anew; what they concluded before stays in the history.
void EndResolution(store::IncidentRow* incident) {
  incident->resolved_by.clear();
  incident->approved_by.clear();
  incident->resolved_at.reset();
  incident->approved_at.reset();
}

absl::Status NeedsIncident(const Case& of) {
  if (of.incident.has_value()) return absl::OkStatus();
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kIncidentState,
                absl::StrCat("host ", of.before.id,
                             " has no incident that is not closed; `quarantine add` opens one"));
}

absl::string_view WayToRelease(host::Trust trust) {
  switch (trust) {
    case host::Trust::kQuarantined:
      return "its incident is to be investigated and resolved first";
    case host::Trust::kRemediated:
      return "it is released already and comes back with a later boot that is admitted";
    case host::Trust::kSuspect:
      return "the mass-failure brake holds it; `brake release` decides about it";
    case host::Trust::kRestricted:
      return "passing evidence ends that";
    case host::Trust::kRetired:
      return "it is to be reinstated first";
    case host::Trust::kPending:
    case host::Trust::kTrusted:
    case host::Trust::kInvestigating:
      return "there is nothing to release";
  }
  __builtin_unreachable();
}

// The incident is open from now on, whatever it was; of an isolation.
void TakeIntoIncident(const By& by, const std::string& reason, Case* of) {
  if (!of->incident.has_value()) {
    of->incident = OpenedBy(by, of->host, reason);
  } else {
    EndResolution(&*of->incident);
    of->incident->action = std::string(Name(Action::kIsolate));
    Note(by, "quarantine", reason, of);
  }
  MoveIncident(by, kIncidentOpen, reason, of);
}

absl::StatusOr<bool> EditQuarantine(const By& by, const std::string& reason, Case* of) {
  const std::optional<host::Move> move = host::NextMove(of->host, host::Act::kQuarantine);
  if (!move.has_value()) {
    if (of->host.trust == host::Trust::kRetired)
      return WrongState(of->host, "its credentials are revoked already");
    if (of->incident.has_value()) return false;
    // Shut out, and its incident was closed while it was retired: its way back needs one.
    of->why = reason;
    TakeIntoIncident(by, reason, of);
    return true;
  }
  TakeMove(by, host::Act::kQuarantine, *move, of);
  of->host.why = reason;
  of->host.reasons = {std::string(Code(Reason::kOperatorQuarantine))};
  of->why = reason;
  TakeIntoIncident(by, reason, of);
  return true;
}

absl::StatusOr<bool> EditInvestigate(const By& by, const std::string& note, Case* of) {
  if (of->host.trust == host::Trust::kInvestigating) return false;
  const std::optional<host::Move> move = host::NextMove(of->host, host::Act::kInvestigate);
  if (!move.has_value()) return WrongState(of->host, "only a quarantined host is investigated");
  BG_RETURN_IF_ERROR(NeedsIncident(*of));
  TakeMove(by, host::Act::kInvestigate, *move, of);
  of->why = absl::StrCat("investigated by ", by.actor);
  MoveIncident(by, kIncidentInvestigating, of->why, of);
  if (!note.empty()) {
    Note(by, "note", note, of);
    of->detail.Text("note", note);
  }
  return true;
}

absl::Status CheckResolved(const By& by, const store::IncidentRow& incident,
                           const ReleaseOptions& options) {
  if (incident.state != kIncidentResolved) {
    return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kIncidentState,
                  absl::StrCat("incident ", incident.id, " is ", incident.state,
                               "; it is to be resolved first: `incident resolve`"));
  }
  if (!options.second_approver || incident.resolved_by != by.actor) return absl::OkStatus();
  return Refuse(absl::StatusCode::kPermissionDenied, Reason::kSecondApprover,
                absl::StrCat(Printable(by.actor), " has resolved incident ", incident.id,
                             "; another operator is to release the host"));
}

absl::StatusOr<bool> EditRelease(const By& by, const ReleaseOptions& options, Case* of) {
  const std::optional<host::Move> move = host::NextMove(of->host, host::Act::kRelease);
  if (!move.has_value()) return WrongState(of->host, WayToRelease(of->host.trust));
  BG_RETURN_IF_ERROR(NeedsIncident(*of));
  store::IncidentRow& incident = *of->incident;
  BG_RETURN_IF_ERROR(CheckResolved(by, incident, options));
  TakeMove(by, host::Act::kRelease, *move, of);
  incident.approved_by = by.actor;
  incident.approved_at = by.now;
  of->why = absl::StrCat("released by ", by.actor, ": ", incident.root_cause);
  of->detail.Text("root_cause", incident.root_cause)
      .Text("disposition", incident.disposition)
      .Text("ticket", incident.ticket)
      .Text("resolved_by", incident.resolved_by);
  Note(by, "released", of->why, of);
  return true;
}

absl::StatusOr<bool> EditReopen(const By& by, const std::string& reason, Case* of) {
  const std::optional<host::Move> move = host::NextMove(of->host, host::Act::kReopen);
  if (!move.has_value())
    return WrongState(of->host, "only an investigated or a released host is reopened");
  BG_RETURN_IF_ERROR(NeedsIncident(*of));
  TakeMove(by, host::Act::kReopen, *move, of);
  of->why = reason;
  EndResolution(&*of->incident);
  MoveIncident(by, kIncidentOpen, reason, of);
  return true;
}

}  // namespace

absl::StatusOr<Acted> Quarantine(store::Store& store, const By& by, const std::string& host_id,
                                 const std::string& reason) {
  BG_RETURN_IF_ERROR(CheckReason(reason));
  return CommitAct(store, by, host_id, "quarantine.add",
                   [&](Case* of) { return EditQuarantine(by, reason, of); });
}

absl::StatusOr<Acted> Investigate(store::Store& store, const By& by, const std::string& host_id,
                                  const std::string& note) {
  if (!note.empty()) BG_RETURN_IF_ERROR(CheckReason(note));
  return CommitAct(store, by, host_id, "quarantine.investigate",
                   [&](Case* of) { return EditInvestigate(by, note, of); });
}

absl::StatusOr<Acted> Release(store::Store& store, const By& by, const std::string& host_id,
                              const ReleaseOptions& options) {
  return CommitAct(store, by, host_id, "quarantine.release",
                   [&](Case* of) { return EditRelease(by, options, of); });
}

absl::StatusOr<Acted> Reopen(store::Store& store, const By& by, const std::string& host_id,
                             const std::string& reason) {
  BG_RETURN_IF_ERROR(CheckReason(reason));
  return CommitAct(store, by, host_id, "quarantine.reopen",
                   [&](Case* of) { return EditReopen(by, reason, of); });
}

}  // namespace bootgate::gatekeeper::quarantine

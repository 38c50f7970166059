// The operator's word on the suspects: one commit for each host, then the brake lets go, then those
// that came in meanwhile. Until it lets go a crash leaves nothing half done but the number of
// hosts.
#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/quarantine/act_commit.h"
#include "gatekeeper/quarantine/acts.h"

namespace bootgate::gatekeeper::quarantine {
namespace {

constexpr int kPage = 200;  // hosts read at once

absl::string_view ActionName(BrakeVerdict verdict) {
  return verdict == BrakeVerdict::kConfirm ? "brake.confirm" : "brake.forgive";
}

absl::StatusOr<bool> EditConfirm(const By& by, const std::string& reason, Case* of) {
  const std::optional<host::Move> move = host::NextMove(of->host, host::Act::kConfirm);
  if (!move.has_value()) return false;  // it moved on meanwhile
  TakeMove(by, host::Act::kConfirm, *move, of);
  of->why = absl::StrCat("held by the mass-failure brake, confirmed: ", reason);
  std::erase(of->host.reasons, std::string(Code(Reason::kBrakeEngaged)));
  if (!of->incident.has_value()) return true;
  of->incident->action = std::string(Name(Action::kIsolate));
  Note(by, "quarantine", of->why, of);
  MoveIncident(by, kIncidentOpen, of->why, of);
  return true;
}

// An incident that was there before the brake engaged is about something else.
bool OpenedByTheBrake(const Case& of) {
  return of.incident.has_value() && of.incident->opened_at >= of.before.trust_since;
}

absl::StatusOr<bool> EditForgive(const By& by, const std::string& reason, Case* of) {
  const std::optional<host::Move> move = host::NextMove(of->host, host::Act::kForgive);
  if (!move.has_value()) return false;
  const bool closes = OpenedByTheBrake(*of);
  TakeMove(by, host::Act::kForgive, *move, of);
  of->host.reasons.clear();
  of->host.why.clear();
  of->why = absl::StrCat("held by the mass-failure brake, forgiven: ", reason);
  if (!closes) return true;
  of->incident->disposition = of->why;
  of->incident->closed_at = by.now;
  MoveIncident(by, kIncidentClosed, of->why, of);
  return true;
}

// All that are suspects while it goes through them, in order of their ids.
absl::StatusOr<int64_t> Sweep(store::Store& store, const By& by, BrakeVerdict verdict,
                              const std::string& reason) {
  int64_t moved = 0;
  std::string after;
  while (true) {
    BG_ASSIGN_OR_RETURN(const std::vector<host::HostRecord> page,
                        store.ListHostsAfter(after, kPage, {host::Trust::kSuspect}, nullptr));
    for (const host::HostRecord& host : page) {
      const absl::StatusOr<Acted> acted =
          CommitAct(store, by, host.id, ActionName(verdict), [&](Case* of) {
            return verdict == BrakeVerdict::kConfirm ? EditConfirm(by, reason, of)
                                                     : EditForgive(by, reason, of);
          });
      // One that cannot be decided must not keep the brake on for all others; it stays a suspect.
      if (!acted.ok()) {
        Log(LogLevel::kError, "a suspect stays one",
            {{"host", host.id}, {"text", std::string(acted.status().message())}});
        continue;
      }
      moved += acted->changed ? 1 : 0;
    }
    if (page.size() < static_cast<size_t>(kPage)) return moved;
    after = page.back().id;
  }
}

absl::Status LetGo(store::Store& store, const By& by, const BrakeState& state, BrakeVerdict verdict,
                   const std::string& reason) {
  const store::AuditRow audit =
      audit::MakeRow(by.now, by.actor, "brake.release", kBrakeKind,
                     audit::Detail().Text("how", ActionName(verdict)).Text("why", reason));
  store::AssignmentRow step;
  step.kind = kBrakeKind;
  step.author = by.actor;
  step.at = by.now;
  step.step = store::Step::kEnd;
  step.why = reason;
  store::Commit commit;
  commit.step_seen = {.kind = kBrakeKind, .newest = state.step};
  commit.steps.push_back(step);
  commit.changes.push_back(
      {.at = by.now, .kind = kBrakeKind, .before = kEngaged, .after = kReleased, .why = reason});
  commit.audit.push_back(audit);
  const absl::Status ended = store.Apply(commit);
  if (!absl::IsAborted(ended)) return ended;
  return Refuse(absl::StatusCode::kAborted, Reason::kRevisionStale,
                "somebody else has released the brake meanwhile");
}

absl::StatusOr<int64_t> CountSuspects(store::Store& store) {
  BG_ASSIGN_OR_RETURN(const auto hosts, store.CountHosts());
  const auto suspects = hosts.find(host::Trust::kSuspect);
  return suspects == hosts.end() ? 0 : suspects->second;
}

}  // namespace

absl::StatusOr<BrakeStatus> StatusOfBrake(store::Store& store, const BrakeOptions& options,
                                          absl::Time now) {
  BrakeStatus status;
  BG_ASSIGN_OR_RETURN(status.state, ReadBrake(store));
  BG_ASSIGN_OR_RETURN(status.count, CountFailures(store, options, status.state, now));
  BG_ASSIGN_OR_RETURN(status.suspects, CountSuspects(store));
  return status;
}

absl::StatusOr<BrakeReleased> ReleaseBrake(store::Store& store, const By& by, BrakeVerdict verdict,
                                           const std::string& reason) {
  BG_RETURN_IF_ERROR(CheckReason(reason));
  BG_ASSIGN_OR_RETURN(const BrakeState state, ReadBrake(store));
  BG_ASSIGN_OR_RETURN(const int64_t suspects, CountSuspects(store));
  if (!state.engaged && suspects == 0) {
    return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kHostState,
                  "the brake does not hold, and no host is a suspect");
  }
  BrakeReleased released;
  const By host_by{by.actor, by.now, 0};
  BG_ASSIGN_OR_RETURN(released.hosts, Sweep(store, host_by, verdict, reason));
  if (state.engaged) {
    BG_RETURN_IF_ERROR(LetGo(store, by, state, verdict, reason));
    BG_ASSIGN_OR_RETURN(const int64_t late, Sweep(store, host_by, verdict, reason));
    released.hosts += late;
  }
  BG_ASSIGN_OR_RETURN(released.left, CountSuspects(store));
  return released;
}

}  // namespace bootgate::gatekeeper::quarantine

#include "gatekeeper/incident/view.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/incident/lifecycle.h"

namespace bootgate::gatekeeper::incident {
namespace {

using store::IncidentRow;

constexpr absl::string_view kStates[] = {kOpen, kInvestigating, kResolved, kClosed};

template <typename T>
bool Contains(const std::vector<T>& all, const T& one) {
  return std::ranges::find(all, one) != all.end();
}

bool Fits(const IncidentRow& incident, const Filter& filter) {
  if (!filter.states.empty() && !Contains(filter.states, incident.state)) return false;
  if (!filter.assignee.empty() && incident.assignee != filter.assignee) return false;
  if (filter.unassigned && !incident.assignee.empty()) return false;
  if (!filter.reason.empty() && !Contains(incident.reasons, filter.reason)) return false;
  if (!filter.action.empty() && incident.action != filter.action) return false;
  if (filter.opened_after.has_value() && incident.opened_at < *filter.opened_after) return false;
  return !filter.opened_before.has_value() || incident.opened_at < *filter.opened_before;
}

absl::Status CheckStates(const std::vector<std::string>& states) {
  for (const std::string& state : states) {
    if (std::ranges::find(kStates, state) == std::end(kStates)) {
      return Malformed(Reason::kIncidentState,
                       absl::StrCat("no state '", Printable(state, 64),
                                    "'; there are open, investigating, resolved, closed"));
    }
  }
  return absl::OkStatus();
}

// What became of the host, from the moves that belong to this incident.
void AddMoves(const IncidentRow& incident, const std::vector<store::ChangeRow>& changes,
              std::vector<TimelineEntry>* timeline) {
  for (const store::ChangeRow& row : changes) {
    if (row.kind != "trust" || row.at < incident.opened_at) continue;
    if (!row.incident_id.empty() && row.incident_id != incident.id) continue;
    if (incident.closed_at.has_value() && row.at > *incident.closed_at) continue;
    timeline->push_back(
        {.at = row.at,
         .actor = "",
         .kind = "trust",
         .text = absl::StrCat("host ", row.before.empty() ? "new" : row.before, " -> ", row.after,
                              row.why.empty() ? "" : ": ", row.why)});
  }
}

absl::StatusOr<std::vector<TimelineEntry>> TimelineOf(store::Store& store,
                                                      const IncidentRow& incident) {
  std::vector<TimelineEntry> timeline;
  BG_ASSIGN_OR_RETURN(std::vector<store::IncidentEventRow> events,
                      store.ListIncidentEvents(incident.id));
  // An incident of an older store, or of a verdict, has no line that says so itself.
  const bool told = std::ranges::any_of(
      events, [](const store::IncidentEventRow& row) { return row.kind == "opened"; });
  if (!told) {
    timeline.push_back({.at = incident.opened_at,
                        .actor = incident.opened_by,
                        .kind = "opened",
                        .text = incident.why});
  }
  for (store::IncidentEventRow& row : events) {
    timeline.push_back({.at = row.at,
                        .actor = std::move(row.actor),
                        .kind = std::move(row.kind),
                        .text = std::move(row.text)});
  }
  BG_ASSIGN_OR_RETURN(const std::vector<store::ChangeRow> changes,
                      store.ListHostChanges(incident.host_id));
  AddMoves(incident, changes, &timeline);
  std::ranges::stable_sort(timeline, {}, &TimelineEntry::at);
  return timeline;
}

std::vector<std::string> NextSteps(const IncidentRow& incident,
                                   const std::optional<host::HostRecord>& host) {
  const std::string verb = "incident ";
  std::vector<std::string> next;
  const bool cut_off = host.has_value() && host->trust == host::Trust::kQuarantined;
  if (cut_off) next.push_back("quarantine investigate " + incident.host_id);
  if (!cut_off && (incident.state == kOpen || incident.state == kInvestigating)) {
    next.push_back(absl::StrCat(verb, "resolve ", incident.id,
                                " --root-cause ... --disposition ... --ticket ..."));
  }
  if (!host.has_value()) return next;
  const bool free = host->trust == host::Trust::kTrusted || host->trust == host::Trust::kRetired;
  if (incident.state == kResolved && host->trust == host::Trust::kInvestigating)
    next.push_back("quarantine release " + host->id);
  if (host->trust == host::Trust::kRemediated)
    next.push_back("reboot the host: evidence of a later boot ends it");
  if (free && incident.state != kClosed) next.push_back(verb + "close " + incident.id);
  return next;
}

}  // namespace

absl::StatusOr<Detail> Get(store::Store& store, const std::string& id) {
  absl::StatusOr<IncidentRow> incident = store.GetIncident(id);
  if (absl::IsNotFound(incident.status())) {
    return Refuse(absl::StatusCode::kNotFound, Reason::kIncidentUnknown,
                  absl::StrCat("there is no incident ", Printable(id, 64)));
  }
  BG_RETURN_IF_ERROR(incident.status());
  Detail detail;
  detail.incident = *std::move(incident);
  absl::StatusOr<host::HostRecord> host = store.GetHost(detail.incident.host_id);
  if (host.ok()) detail.host = *std::move(host);
  absl::StatusOr<store::VerdictRow> verdict = store.GetVerdict(detail.incident.first_verdict_id);
  if (verdict.ok()) detail.first_verdict = *std::move(verdict);
  BG_ASSIGN_OR_RETURN(detail.evidence, store.GetEvidence(id));
  BG_ASSIGN_OR_RETURN(detail.timeline, TimelineOf(store, detail.incident));
  detail.next = NextSteps(detail.incident, detail.host);
  return detail;
}

absl::StatusOr<std::vector<IncidentRow>> List(store::Store& store, const Filter& filter) {
  BG_RETURN_IF_ERROR(CheckStates(filter.states));
  BG_ASSIGN_OR_RETURN(std::vector<IncidentRow> all, store.ListIncidents(filter.host_id));
  std::erase_if(all, [&filter](const IncidentRow& row) { return !Fits(row, filter); });
  std::ranges::reverse(all);
  return all;
}

}  // namespace bootgate::gatekeeper::incident

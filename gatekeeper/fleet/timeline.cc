#include "gatekeeper/fleet/timeline.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/fleet/hosts.h"
#include "gatekeeper/rollout/judged.h"

namespace bootgate::gatekeeper::fleet {
namespace {

constexpr int kBatch = 1000;

using Entries = std::vector<TimelineEntry>;

absl::Status AddMoves(store::Store& store, const std::string& host_id, Entries* out) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::ChangeRow> changes, store.ListHostChanges(host_id));
  for (const store::ChangeRow& row : changes) {
    if (row.kind != "trust") continue;
    TimelineEntry entry;
    entry.at = row.at;
    entry.kind = EntryKind::kTrust;
    entry.subject = row.incident_id;
    entry.before = row.before;
    entry.after = row.after;
    entry.text = absl::StrCat(row.before.empty() ? "new" : row.before, " -> ", row.after,
                              row.why.empty() ? "" : ": ", Printable(row.why));
    out->push_back(std::move(entry));
  }
  return absl::OkStatus();
}

TimelineEntry EntryOf(const store::VerdictRow& verdict) {
  TimelineEntry entry;
  entry.at = verdict.at;
  entry.kind = EntryKind::kVerdict;
  entry.subject = verdict.id;
  entry.text = verdict.outcome;
  const absl::StatusOr<rollout::JudgedTwice> judged = rollout::ReadJudged(verdict);
  if (judged.ok() && !judged->enforced.codes.empty()) {
    absl::StrAppend(&entry.text, " ", absl::StrJoin(judged->enforced.codes, ", "), ": ",
                    judged->enforced.why);
  }
  return entry;
}

absl::Status AddVerdicts(store::Store& store, const TimelineQuery& query, Entries* out) {
  std::string behind;
  for (int seen = 0; seen < kMaxVerdicts;) {
    BG_ASSIGN_OR_RETURN(const std::vector<store::VerdictRow> rows,
                        store.ListVerdicts(query.host_id, behind, kBatch));
    for (const store::VerdictRow& row : rows) {
      if (row.at < query.since) return absl::OkStatus();
      out->push_back(EntryOf(row));
    }
    if (rows.size() < kBatch) return absl::OkStatus();
    behind = rows.back().id;
    seen += kBatch;
  }
  return absl::OkStatus();
}

absl::Status AddIncidents(store::Store& store, const std::string& host_id, Entries* out) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::IncidentRow> incidents,
                      store.ListIncidents(host_id));
  for (const store::IncidentRow& incident : incidents) {
    BG_ASSIGN_OR_RETURN(const std::vector<store::IncidentEventRow> events,
                        store.ListIncidentEvents(incident.id));
    for (const store::IncidentEventRow& event : events) {
      TimelineEntry entry;
      entry.at = event.at;
      entry.kind = EntryKind::kIncident;
      entry.subject = incident.id;
      entry.actor = event.actor;
      entry.text = absl::StrCat(event.kind, event.text.empty() ? "" : ": ", Printable(event.text));
      out->push_back(std::move(entry));
    }
  }
  return absl::OkStatus();
}

absl::Status AddActs(store::Store& store, const TimelineQuery& query, Entries* out) {
  BG_ASSIGN_OR_RETURN(const store::AuditHead head, store.GetAuditHead());
  int64_t after = std::max(int64_t{0}, head.sequence - kMaxAuditRows);
  while (true) {
    BG_ASSIGN_OR_RETURN(const std::vector<store::AuditRow> rows, store.ListAudit(after, kBatch));
    if (rows.empty()) return absl::OkStatus();
    after = rows.back().sequence;
    for (const store::AuditRow& row : rows) {
      // Verdicts stand for themselves.
      if (row.subject != query.host_id || row.action == "verdict") continue;
      TimelineEntry entry;
      entry.at = row.at;
      entry.kind = EntryKind::kAudit;
      entry.subject = row.action;
      entry.actor = row.actor;
      entry.text = Printable(row.detail_json);
      out->push_back(std::move(entry));
    }
  }
}

}  // namespace

absl::StatusOr<Entries> TimelineOf(store::Store& store, const TimelineQuery& query) {
  BG_RETURN_IF_ERROR(FindHost(store, query.host_id).status());
  const auto wants = [&](EntryKind kind) {
    return query.kinds.empty() || query.kinds.contains(kind);
  };
  Entries out;
  if (wants(EntryKind::kTrust)) BG_RETURN_IF_ERROR(AddMoves(store, query.host_id, &out));
  if (wants(EntryKind::kVerdict)) BG_RETURN_IF_ERROR(AddVerdicts(store, query, &out));
  if (wants(EntryKind::kIncident)) BG_RETURN_IF_ERROR(AddIncidents(store, query.host_id, &out));
  if (wants(EntryKind::kAudit)) BG_RETURN_IF_ERROR(AddActs(store, query, &out));
  std::erase_if(out, [&](const TimelineEntry& entry) { return entry.at < query.since; });
  std::ranges::stable_sort(out, {}, &TimelineEntry::at);
  return out;
}

}  // namespace bootgate::gatekeeper::fleet

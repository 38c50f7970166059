// IncidentService over gatekeeper/incident.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bootgate/v1/incidents.pb.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/fleet/names.h"
#include "gatekeeper/incident/diff.h"
#include "gatekeeper/incident/export.h"
#include "gatekeeper/incident/lifecycle.h"
#include "gatekeeper/incident/view.h"
#include "gatekeeper/operators/handler.h"
#include "gatekeeper/operators/host_codec.h"
#include "gatekeeper/operators/paging.h"
#include "gatekeeper/rollout/selector.h"

namespace bootgate::gatekeeper::operators {
namespace {

constexpr size_t kChunkBytes = size_t{256} << 10;

struct StateRow {
  absl::string_view name;
  v1::IncidentState state;
};
constexpr StateRow kStates[] = {
    {incident::kOpen, v1::INCIDENT_STATE_OPEN},
    {incident::kInvestigating, v1::INCIDENT_STATE_INVESTIGATING},
    {incident::kResolved, v1::INCIDENT_STATE_RESOLVED},
    {incident::kClosed, v1::INCIDENT_STATE_CLOSED},
};

void EncodeOutcome(const store::IncidentRow& row, v1::Incident* out) {
  out->set_assignee(Printable(row.assignee));
  out->set_root_cause(Printable(row.root_cause, incident::kMaxRootCause));
  out->set_disposition(row.disposition);
  out->set_ticket(Printable(row.ticket));
  out->set_resolved_by(Printable(row.resolved_by));
  out->set_approved_by(Printable(row.approved_by));
  if (row.resolved_at.has_value()) operators::Encode(*row.resolved_at, out->mutable_resolved_at());
  if (row.approved_at.has_value()) operators::Encode(*row.approved_at, out->mutable_approved_at());
  if (row.closed_at.has_value()) operators::Encode(*row.closed_at, out->mutable_closed_at());
}

void Encode(const store::IncidentRow& row, const host::HostRecord* host, v1::Incident* out) {
  out->set_id(row.id);
  out->set_revision(row.revision);
  out->set_host_id(row.host_id);
  for (const StateRow& state : kStates)
    if (state.name == row.state) out->set_state(state.state);
  out->set_action(row.action);
  out->set_opened_by(Printable(row.opened_by));
  operators::Encode(row.opened_at, out->mutable_opened_at());
  operators::Encode(row.last_at, out->mutable_last_at());
  out->set_failures(row.failures);
  out->set_first_verdict_id(row.first_verdict_id);
  out->set_last_verdict_id(row.last_verdict_id);
  out->set_why(Printable(row.why));
  for (const std::string& reason : row.reasons) out->add_reasons(Printable(reason));
  EncodeOutcome(row, out);
  if (host == nullptr) return;
  out->set_hostname(Printable(host->hostname));
  out->set_host_trust(static_cast<v1::TrustState>(operators::Encode(host->trust)));
}

absl::Status EncodeNow(const Call& call, const absl::StatusOr<store::IncidentRow>& row,
                       v1::Incident* out) {
  BG_RETURN_IF_ERROR(row.status());
  const absl::StatusOr<host::HostRecord> host = call.backend.store.GetHost(row->host_id);
  Encode(*row, host.ok() ? &*host : nullptr, out);
  return absl::OkStatus();
}

incident::Act ActOf(const Call& call, uint64_t revision) {
  return {.actor = call.caller.actor, .now = call.backend.clock.Now(), .revision = revision};
}

absl::StatusOr<incident::Filter> FilterOf(const v1::ListIncidentsRequest& request) {
  incident::Filter filter;
  filter.host_id = request.host_id();
  filter.assignee = request.assignee();
  filter.reason = request.reason();
  for (const int wanted : request.states()) {
    const auto* const row =
        std::ranges::find_if(kStates, [&](const StateRow& state) { return state.state == wanted; });
    if (row == std::end(kStates)) {
      return Malformed(Reason::kMessageMalformed,
                       absl::StrCat("there is no state of an incident with the number ", wanted));
    }
    filter.states.emplace_back(row->name);
  }
  if (filter.states.empty()) {
    for (const StateRow& row : kStates)
      if (row.name != incident::kClosed) filter.states.emplace_back(row.name);
  }
  return filter;
}

// Those of hosts that bear the labels.
absl::Status KeepFitting(const Call& call, const std::string& selector_text,
                         std::vector<store::IncidentRow>* rows) {
  if (selector_text.empty()) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(const std::string selector, rollout::ReadSelector(selector_text));
  std::erase_if(*rows, [&](const store::IncidentRow& row) {
    const absl::StatusOr<host::HostRecord> host = call.backend.store.GetHost(row.host_id);
    return !host.ok() || !rollout::Fits(selector, host->labels);
  });
  return absl::OkStatus();
}

absl::Status ListIncidents(const Call& call, const v1::ListIncidentsRequest& request,
                           v1::ListIncidentsResponse* answer) {
  BG_ASSIGN_OR_RETURN(const incident::Filter filter, FilterOf(request));
  BG_ASSIGN_OR_RETURN(std::vector<store::IncidentRow> rows,
                      incident::List(call.backend.store, filter));
  BG_RETURN_IF_ERROR(KeepFitting(call, request.selector(), &rows));
  BG_ASSIGN_OR_RETURN(const Slice slice,
                      SliceOf(call, request, rows.size(), [&](size_t i) { return rows[i].id; }));
  for (size_t i = slice.begin; i < slice.end; ++i)
    BG_RETURN_IF_ERROR(EncodeNow(call, rows[i], answer->add_incidents()));
  answer->set_next_page_token(slice.next);
  return absl::OkStatus();
}

void EncodeEvidence(const Call& call, const store::EvidenceParts& parts,
                    v1::GetIncidentResponse* answer) {
  for (const auto& [name, digest] : parts) {
    v1::EvidencePart* const part = answer->add_evidence();
    part->set_name(name);
    const absl::StatusOr<Bytes> blob = call.backend.store.GetBlob(digest);
    if (!blob.ok()) continue;  // gone after its time
    part->set_sha256(digest);
    part->set_size(static_cast<int64_t>(blob->size()));
  }
}

absl::Status GetIncident(const Call& call, const v1::GetIncidentRequest& request,
                         v1::GetIncidentResponse* answer) {
  BG_RETURN_IF_ERROR(fleet::CheckId("incident_id", request.incident_id()));
  BG_ASSIGN_OR_RETURN(const incident::Detail detail,
                      incident::Get(call.backend.store, request.incident_id()));
  Encode(detail.incident, detail.host.has_value() ? &*detail.host : nullptr,
         answer->mutable_incident());
  for (const incident::TimelineEntry& entry : detail.timeline) {
    v1::IncidentEvent* const event = answer->add_events();
    event->set_number(answer->events_size());
    operators::Encode(entry.at, event->mutable_at());
    event->set_actor(Printable(entry.actor));
    event->set_kind(entry.kind);
    event->set_text(Printable(entry.text, incident::kMaxNote));
  }
  EncodeEvidence(call, detail.evidence, answer);
  return absl::OkStatus();
}

absl::Status AssignIncident(const Call& call, const v1::AssignIncidentRequest& request,
                            v1::AssignIncidentResponse* answer) {
  BG_RETURN_IF_ERROR(fleet::CheckId("incident_id", request.incident_id()));
  return EncodeNow(call,
                   incident::Assign(call.backend.store, request.incident_id(), request.assignee(),
                                    ActOf(call, request.expected_revision())),
                   answer->mutable_incident());
}

absl::Status NoteIncident(const Call& call, const v1::NoteIncidentRequest& request,
                          v1::NoteIncidentResponse* answer) {
  BG_RETURN_IF_ERROR(fleet::CheckId("incident_id", request.incident_id()));
  return EncodeNow(
      call,
      incident::Note(call.backend.store, request.incident_id(), request.text(), ActOf(call, 0)),
      answer->mutable_incident());
}

absl::Status ResolveIncident(const Call& call, const v1::ResolveIncidentRequest& request,
                             v1::ResolveIncidentResponse* answer) {
  BG_RETURN_IF_ERROR(fleet::CheckId("incident_id", request.incident_id()));
  return EncodeNow(
      call,
      incident::Resolve(call.backend.store, request.incident_id(),
                        {request.root_cause(), request.disposition(), request.ticket()},
                        ActOf(call, request.expected_revision())),
      answer->mutable_incident());
}

absl::Status CloseIncident(const Call& call, const v1::CloseIncidentRequest& request,
                           v1::CloseIncidentResponse* answer) {
  BG_RETURN_IF_ERROR(fleet::CheckId("incident_id", request.incident_id()));
  return EncodeNow(call,
                   incident::Close(call.backend.store, request.incident_id(), request.reason(),
                                   ActOf(call, request.expected_revision())),
                   answer->mutable_incident());
}

absl::Status DiffIncident(const Call& call, const v1::DiffIncidentRequest& request,
                          v1::DiffIncidentResponse* answer) {
  BG_RETURN_IF_ERROR(fleet::CheckId("incident_id", request.incident_id()));
  incident::DiffRequest wanted;
  wanted.incident_id = request.incident_id();
  wanted.against = request.against() == v1::DIFF_AGAINST_PEER ? incident::Against::kPeer
                                                              : incident::Against::kAdmitted;
  wanted.peer_host_id = request.peer_host_id();
  BG_ASSIGN_OR_RETURN(const incident::IncidentDiff diff,
                      incident::Compare(call.backend.store, wanted));
  answer->set_against_host_id(diff.against_host_id);
  answer->set_why_this_one(diff.why_this_one);
  for (const incident::Difference& difference : diff.differences) {
    v1::IncidentDifference* const one = answer->add_differences();
    one->set_part(difference.part);
    if (difference.register_index.has_value())
      one->set_register_(absl::StrCat("PCR ", *difference.register_index));
    one->set_text(difference.text);
    one->set_before(difference.before);
    one->set_after(difference.after);
  }
  answer->set_words(incident::Words(diff));
  return absl::OkStatus();
}

// An archive is in memory until its reader has it: so many at once, of all callers.
class ExportSlot {
 public:
  static std::unique_ptr<ExportSlot> Take() {
    auto slot = std::make_unique<ExportSlot>();
    return open_ > kMostExports ? nullptr : std::move(slot);
  }
  ExportSlot() { ++open_; }
  ~ExportSlot() { --open_; }
  ExportSlot(const ExportSlot&) = delete;
  ExportSlot& operator=(const ExportSlot&) = delete;

 private:
  static constexpr int kMostExports = 4;
  static inline std::atomic<int> open_ = 0;
};

// An archive in chunks; at least one message.
class Archive final : public Source {
 public:
  Archive(Bytes archive, std::unique_ptr<ExportSlot> slot)
      : slot_(std::move(slot)),
        archive_(std::move(archive)),
        digest_(crypto::Hash(crypto::HashAlg::kSha256, archive_).hex()) {}

  absl::StatusOr<Piece> Next() override {
    if (at_ > 0 && at_ == archive_.size()) return Piece{};
    v1::ExportIncidentResponse message;
    if (at_ == 0) message.set_total_bytes(static_cast<int64_t>(archive_.size()));
    const size_t size = std::min(kChunkBytes, archive_.size() - at_);
    message.set_chunk(archive_.data() + at_, size);
    at_ += size;
    if (at_ == archive_.size()) message.set_archive_sha256(digest_);
    return Piece{.kind = Piece::Kind::kMessage, .bytes = message.SerializeAsString()};
  }

 private:
  const std::unique_ptr<ExportSlot> slot_;
  const Bytes archive_;
  const std::string digest_;
  size_t at_ = 0;
};

absl::StatusOr<std::unique_ptr<Source>> ExportIncident(const Call& call,
                                                       const v1::ExportIncidentRequest& request) {
  BG_RETURN_IF_ERROR(fleet::CheckId("incident_id", request.incident_id()));
  std::unique_ptr<ExportSlot> slot = ExportSlot::Take();
  if (slot == nullptr) {
    return Refuse(absl::StatusCode::kResourceExhausted, Reason::kTooManyRequests,
                  "other exports are under way; try again when they have ended");
  }
  incident::ExportOptions options;
  options.set_folder = call.backend.set_folder;
  BG_ASSIGN_OR_RETURN(
      incident::Exported exported,
      incident::ExportIncident(call.backend.store, request.incident_id(), ActOf(call, 0), options));
  return std::make_unique<Archive>(std::move(exported.archive), std::move(slot));
}

constexpr Method kMethods[] = {
    {"bootgate.v1.IncidentService.ListIncidents", Unary<&ListIncidents>, nullptr},
    {"bootgate.v1.IncidentService.GetIncident", Unary<&GetIncident>, nullptr},
    {"bootgate.v1.IncidentService.AssignIncident", Unary<&AssignIncident>, nullptr},
    {"bootgate.v1.IncidentService.NoteIncident", Unary<&NoteIncident>, nullptr},
    {"bootgate.v1.IncidentService.ResolveIncident", Unary<&ResolveIncident>, nullptr},
    {"bootgate.v1.IncidentService.CloseIncident", Unary<&CloseIncident>, nullptr},
    {"bootgate.v1.IncidentService.DiffIncident", Unary<&DiffIncident>, nullptr},
    {"bootgate.v1.IncidentService.ExportIncident", nullptr, Stream<&ExportIncident>},
};

}  // namespace

std::span<const Method> IncidentMethods() { return kMethods; }

}  // namespace bootgate::gatekeeper::operators

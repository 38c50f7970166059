// HostService over gatekeeper/fleet.
#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "bootgate/v1/fleet.pb.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/fleet/changes.h"
#include "gatekeeper/fleet/hosts.h"
#include "gatekeeper/fleet/names.h"
#include "gatekeeper/fleet/timeline.h"
#include "gatekeeper/operators/handler.h"
#include "gatekeeper/operators/host_codec.h"
#include "gatekeeper/operators/paging.h"
#include "gatekeeper/rollout/judged.h"

namespace bootgate::gatekeeper::operators {
namespace {

fleet::Timing TimingOf(const Call& call) {
  return {.now = call.backend.clock.Now(), .overdue_after = call.backend.overdue_after};
}

absl::StatusOr<fleet::HostFilter> FilterOf(const v1::HostFilter& message) {
  fleet::HostFilter out;
  for (const int state : message.trusts()) {
    BG_ASSIGN_OR_RETURN(const host::Trust trust, TrustFrom(state));
    out.trusts.push_back(trust);
  }
  out.selector = message.selector();
  out.hostname_contains = message.hostname_contains();
  out.reason = message.reason();
  if (message.has_overdue()) out.overdue = message.overdue();
  if (message.has_approved()) out.approved = message.approved();
  return out;
}

absl::Status ListHosts(const Call& call, const v1::ListHostsRequest& request,
                       v1::ListHostsResponse* answer) {
  BG_ASSIGN_OR_RETURN(const Page page, PageOf(call, request));
  BG_ASSIGN_OR_RETURN(const fleet::HostFilter filter, FilterOf(request.filter()));
  const fleet::Timing timing = TimingOf(call);
  BG_ASSIGN_OR_RETURN(const fleet::HostPage hosts,
                      fleet::ListHosts(call.backend.store, filter, timing, page.after, page.size));
  for (const host::HostRecord& host : hosts.hosts) Encode(host, timing, answer->add_hosts());
  for (const std::string& id : hosts.corrupt) answer->add_unreadable(id);
  answer->set_next_page_token(TokenFor(call, request, hosts.next));
  return absl::OkStatus();
}

// What a policy that is only reported on made of the host's last evidence; empty: none was.
std::string ReportOn(const Call& call, const host::HostRecord& host) {
  constexpr size_t kShownDigits = 12;
  if (host.last_verdict_id.empty()) return "";
  const absl::StatusOr<store::VerdictRow> verdict =
      call.backend.store.GetVerdict(host.last_verdict_id);
  if (!verdict.ok()) return "";
  const absl::StatusOr<rollout::JudgedTwice> judged = rollout::ReadJudged(*verdict);
  if (!judged.ok() || !judged->report.has_value()) return "";
  const rollout::Judged& report = *judged->report;
  return Printable(
      absl::StrCat(report.outcome, " by policy ", report.policy_id.substr(0, kShownDigits),
                   report.why.empty() ? "" : ": ", report.why),
      1024);
}

absl::Status GetHost(const Call& call, const v1::GetHostRequest& request,
                     v1::GetHostResponse* answer) {
  BG_ASSIGN_OR_RETURN(const host::HostRecord host,
                      fleet::FindHost(call.backend.store, request.host_id()));
  Encode(host, TimingOf(call), answer->mutable_host());
  answer->mutable_host()->set_report(ReportOn(call, host));
  return absl::OkStatus();
}

absl::Status SetLabels(const Call& call, const v1::SetLabelsRequest& request,
                       v1::SetLabelsResponse* answer) {
  fleet::LabelChange change;
  change.set = {request.set().begin(), request.set().end()};
  change.remove = {request.remove().begin(), request.remove().end()};
  change.replace = request.replace();
  if (change.set.empty() && change.remove.empty() && !change.replace) {
    return Malformed(Reason::kMessageMalformed, "set, remove, replace: nothing to change");
  }
  return ActOnHosts(call, request, answer, [&](const std::string& id, const fleet::Act& act) {
    return fleet::SetLabels(call.backend.store, id, change, act);
  });
}

absl::Status ApproveHosts(const Call& call, const v1::ApproveHostsRequest& request,
                          v1::ApproveHostsResponse* answer) {
  return ActOnHosts(call, request, answer, [&](const std::string& id, const fleet::Act& act) {
    return fleet::Approve(call.backend.store, id, act);
  });
}

absl::Status RetireHosts(const Call& call, const v1::RetireHostsRequest& request,
                         v1::RetireHostsResponse* answer) {
  return ActOnHosts(call, request, answer, [&](const std::string& id, const fleet::Act& act) {
    return fleet::Retire(call.backend.store, id, act);
  });
}

absl::Status ReinstateHosts(const Call& call, const v1::ReinstateHostsRequest& request,
                            v1::ReinstateHostsResponse* answer) {
  return ActOnHosts(call, request, answer, [&](const std::string& id, const fleet::Act& act) {
    return fleet::Reinstate(call.backend.store, id, act);
  });
}

absl::Status SwapTpm(const Call& call, const v1::SwapTpmRequest& request,
                     v1::SwapTpmResponse* answer) {
  BG_ASSIGN_OR_RETURN(const fleet::Swapped swapped,
                      fleet::SwapTpm(call.backend.store, request.host_id(), request.new_host_id(),
                                     ActOf(call, request)));
  Encode(swapped.old_host, answer->mutable_old_host());
  Encode(swapped.new_host, answer->mutable_new_host());
  return absl::OkStatus();
}

absl::Status AcceptClear(const Call& call, const v1::AcceptClearRequest& request,
                         v1::AcceptClearResponse* answer) {
  BG_ASSIGN_OR_RETURN(
      const fleet::Changed changed,
      fleet::AcceptClear(call.backend.store, request.host_id(), ActOf(call, request)));
  Encode(changed, answer->mutable_result());
  return absl::OkStatus();
}

struct KindRow {
  fleet::EntryKind kind;
  v1::TimelineKind wire;
};
constexpr KindRow kKinds[] = {
    {fleet::EntryKind::kTrust, v1::TIMELINE_KIND_TRUST},
    {fleet::EntryKind::kVerdict, v1::TIMELINE_KIND_VERDICT},
    {fleet::EntryKind::kIncident, v1::TIMELINE_KIND_INCIDENT},
    {fleet::EntryKind::kAudit, v1::TIMELINE_KIND_AUDIT},
};

absl::StatusOr<fleet::TimelineQuery> QueryOf(const v1::GetTimelineRequest& request) {
  fleet::TimelineQuery query{.host_id = request.host_id()};
  for (const int wanted : request.kinds()) {
    const auto* const row =
        std::ranges::find_if(kKinds, [&](const KindRow& kind) { return kind.wire == wanted; });
    if (row == std::end(kKinds)) {
      return Malformed(Reason::kMessageMalformed,
                       absl::StrCat("there is no kind with the number ", wanted));
    }
    query.kinds.insert(row->kind);
  }
  if (request.has_since()) query.since = TimeOf(request.since());
  return query;
}

void Encode(const fleet::TimelineEntry& entry, v1::TimelineEntry* out) {
  operators::Encode(entry.at, out->mutable_at());
  out->set_kind(std::ranges::find(kKinds, entry.kind, &KindRow::kind)->wire);
  out->set_subject(entry.subject);
  out->set_actor(entry.actor);
  out->set_text(entry.text);
  out->set_before(static_cast<v1::TrustState>(TrustStateFromName(entry.before)));
  out->set_after(static_cast<v1::TrustState>(TrustStateFromName(entry.after)));
}

std::string MarkOf(const fleet::TimelineEntry& entry) {
  return absl::StrCat(absl::ToUnixMicros(entry.at), ".", static_cast<int>(entry.kind), ".",
                      entry.subject, ".", entry.actor, ".", entry.text);
}

absl::Status GetTimeline(const Call& call, const v1::GetTimelineRequest& request,
                         v1::GetTimelineResponse* answer) {
  BG_ASSIGN_OR_RETURN(const fleet::TimelineQuery query, QueryOf(request));
  BG_ASSIGN_OR_RETURN(const std::vector<fleet::TimelineEntry> entries,
                      fleet::TimelineOf(call.backend.store, query));
  BG_ASSIGN_OR_RETURN(const Slice slice, SliceOf(call, request, entries.size(),
                                                 [&](size_t i) { return MarkOf(entries[i]); }));
  for (size_t i = slice.begin; i < slice.end; ++i) Encode(entries[i], answer->add_entries());
  answer->set_next_page_token(slice.next);
  return absl::OkStatus();
}

constexpr Method kMethods[] = {
    {"bootgate.v1.HostService.ListHosts", Unary<&ListHosts>, nullptr},
    {"bootgate.v1.HostService.GetHost", Unary<&GetHost>, nullptr},
    {"bootgate.v1.HostService.SetLabels", Unary<&SetLabels>, nullptr},
    {"bootgate.v1.HostService.ApproveHosts", Unary<&ApproveHosts>, nullptr},
    {"bootgate.v1.HostService.RetireHosts", Unary<&RetireHosts>, nullptr},
    {"bootgate.v1.HostService.ReinstateHosts", Unary<&ReinstateHosts>, nullptr},
    {"bootgate.v1.HostService.SwapTpm", Unary<&SwapTpm>, nullptr},
    {"bootgate.v1.HostService.AcceptClear", Unary<&AcceptClear>, nullptr},
    {"bootgate.v1.HostService.GetTimeline", Unary<&GetTimeline>, nullptr},
};

}  // namespace

std::span<const Method> HostMethods() { return kMethods; }

}  // namespace bootgate::gatekeeper::operators

// QuarantineService.
#include "absl/strings/str_cat.h"
#include "bootgate/v1/quarantine.pb.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/fleet/hosts.h"
#include "gatekeeper/fleet/names.h"
#include "gatekeeper/operators/handler.h"
#include "gatekeeper/operators/host_codec.h"
#include "gatekeeper/operators/paging.h"
#include "gatekeeper/operators/verdict_codec.h"
#include "gatekeeper/operators/watch.h"
#include "gatekeeper/quarantine/acts.h"

namespace bootgate::gatekeeper::operators {
namespace {

bool IsCutOff(const host::HostRecord& host) {
  const std::vector<host::Trust> all = fleet::CutOffTrusts();
  return std::ranges::count(all, host.trust) > 0;
}

absl::Status ListQuarantine(const Call& call, const v1::ListQuarantineRequest& request,
                            v1::ListQuarantineResponse* answer) {
  BG_ASSIGN_OR_RETURN(const Page page, PageOf(call, request));
  fleet::HostFilter filter;
  for (const int state : request.trusts()) {
    BG_ASSIGN_OR_RETURN(const host::Trust trust, TrustFrom(state));
    filter.trusts.push_back(trust);
  }
  if (filter.trusts.empty()) filter.trusts = fleet::CutOffTrusts();
  filter.selector = request.selector();
  filter.reason = request.reason();
  BG_ASSIGN_OR_RETURN(const fleet::HostPage hosts,
                      fleet::ListHosts(call.backend.store, filter,
                                       {.now = call.backend.clock.Now()}, page.after, page.size));
  for (const host::HostRecord& host : hosts.hosts) Encode(host, answer->add_entries());
  answer->set_next_page_token(TokenFor(call, request, hosts.next));
  return absl::OkStatus();
}

// The verdict that opened the incident; the last one when there is no incident.
std::string VerdictBehind(const Call& call, const host::HostRecord& host) {
  if (!host.shut_out_by.empty()) return "";
  const absl::StatusOr<store::IncidentRow> incident =
      call.backend.store.GetIncident(host.incident_id);
  return incident.ok() ? incident->first_verdict_id : host.last_verdict_id;
}

absl::Status GetQuarantine(const Call& call, const v1::GetQuarantineRequest& request,
                           v1::GetQuarantineResponse* answer) {
  BG_ASSIGN_OR_RETURN(const host::HostRecord host,
                      fleet::FindHost(call.backend.store, request.host_id()));
  if (!IsCutOff(host)) {
    return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kHostState,
                  absl::StrCat(host.id, " is ", host::Name(host.trust), ": it is not cut off"));
  }
  Encode(host, answer->mutable_entry());
  const std::string verdict_id = VerdictBehind(call, host);
  if (verdict_id.empty()) return absl::OkStatus();
  const absl::StatusOr<store::VerdictRow> verdict = call.backend.store.GetVerdict(verdict_id);
  if (absl::IsNotFound(verdict.status())) return absl::OkStatus();  // gone after its time
  BG_RETURN_IF_ERROR(verdict.status());
  return EncodeWhole(*verdict, answer->mutable_verdict());
}

// How gatekeeper/quarantine calls who acts.
quarantine::By ByOf(const fleet::Act& act) {
  return {.actor = act.actor,
          .now = act.now,
          .revision = act.expected_revision,
          .dry_run = act.run == fleet::Run::kDry};
}

absl::StatusOr<fleet::Changed> AsChanged(absl::StatusOr<quarantine::Acted> acted) {
  BG_RETURN_IF_ERROR(acted.status());
  return fleet::Changed{std::move(acted->host), acted->changed};
}

// A reason with the ticket that it belongs to, as it stays in the history.
std::string Reasoned(const fleet::Act& act) {
  return act.ticket.empty() ? act.reason : absl::StrCat(act.reason, " (", act.ticket, ")");
}

absl::Status AddQuarantine(const Call& call, const v1::AddQuarantineRequest& request,
                           v1::AddQuarantineResponse* answer) {
  return ActOnHosts(call, request, answer, [&](const std::string& id, const fleet::Act& act) {
    return AsChanged(quarantine::Quarantine(call.backend.store, ByOf(act), id, Reasoned(act)));
  });
}

absl::Status ReleaseQuarantine(const Call& call, const v1::ReleaseQuarantineRequest& request,
                               v1::ReleaseQuarantineResponse* answer) {
  const quarantine::ReleaseOptions options = {.second_approver = call.backend.second_approver};
  return ActOnHosts(call, request, answer, [&](const std::string& id, const fleet::Act& act) {
    return AsChanged(quarantine::Release(call.backend.store, ByOf(act), id, options));
  });
}

absl::Status InvestigateQuarantine(const Call& call,
                                   const v1::InvestigateQuarantineRequest& request,
                                   v1::InvestigateQuarantineResponse* answer) {
  return ActOnHosts(call, request, answer, [&](const std::string& id, const fleet::Act& act) {
    return AsChanged(quarantine::Investigate(call.backend.store, ByOf(act), id, request.note()));
  });
}

absl::Status ReopenQuarantine(const Call& call, const v1::ReopenQuarantineRequest& request,
                              v1::ReopenQuarantineResponse* answer) {
  return ActOnHosts(call, request, answer, [&](const std::string& id, const fleet::Act& act) {
    return AsChanged(quarantine::Reopen(call.backend.store, ByOf(act), id, act.reason));
  });
}

constexpr Method kMethods[] = {
    {"bootgate.v1.QuarantineService.ListQuarantine", Unary<&ListQuarantine>, nullptr},
    {"bootgate.v1.QuarantineService.GetQuarantine", Unary<&GetQuarantine>, nullptr},
    {"bootgate.v1.QuarantineService.AddQuarantine", Unary<&AddQuarantine>, nullptr},
    {"bootgate.v1.QuarantineService.ReleaseQuarantine", Unary<&ReleaseQuarantine>, nullptr},
    {"bootgate.v1.QuarantineService.InvestigateQuarantine", Unary<&InvestigateQuarantine>, nullptr},
    {"bootgate.v1.QuarantineService.ReopenQuarantine", Unary<&ReopenQuarantine>, nullptr},
    {"bootgate.v1.QuarantineService.WatchQuarantine", nullptr, Stream<&WatchQuarantine>},
};

}  // namespace

std::span<const Method> QuarantineMethods() { return kMethods; }

}  // namespace bootgate::gatekeeper::operators

// WaiverService over gatekeeper/quarantine/waivers.h.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bootgate/v1/quarantine.pb.h"
#include "common/base/hex.h"
#include "common/base/no_such_code.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/fleet/hosts.h"
#include "gatekeeper/operators/handler.h"
#include "gatekeeper/operators/host_codec.h"
#include "gatekeeper/operators/paging.h"
#include "gatekeeper/quarantine/waivers.h"

namespace bootgate::gatekeeper::operators {
namespace {

using quarantine::RecordedWaiver;

void Encode(const softening::WaivedFinding& finding, v1::WaivedFinding* out) {
  out->set_code(std::string(Code(finding.code)));
  if (finding.register_index.has_value()) out->set_register_(*finding.register_index);
  out->set_path(Printable(finding.path, softening::kMaxPathPattern));
  out->set_expected(Printable(finding.expected, softening::kMaxWaiverWords));
  out->set_actual(Printable(finding.actual, softening::kMaxWaiverWords));
}

void Encode(const RecordedWaiver& row, absl::Time now, v1::Waiver* out) {
  const softening::Waiver& waiver = row.waiver;
  out->set_id(waiver.id);
  for (const softening::WaivedFinding& finding : waiver.findings) {
    Encode(finding, out->add_findings());
  }
  for (const std::string& host : waiver.hosts) out->add_host_ids(host);
  out->set_selector(waiver.selector);
  out->set_owner(Printable(waiver.owner, softening::kMaxWaiverWords));
  out->set_reason(Printable(waiver.reason, softening::kMaxWaiverWords));
  operators::Encode(row.at, out->mutable_created_at());
  operators::Encode(waiver.expires_at, out->mutable_expires_at());
  out->set_created_by(Printable(row.author));
  if (row.revoked.has_value()) {
    operators::Encode(row.revoked->at, out->mutable_revoked_at());
    out->set_revoked_by(Printable(row.revoked->by));
    out->set_revoked_why(Printable(row.revoked->why, softening::kMaxWaiverWords));
  }
  out->set_active(row.StandsAt(now));
}

absl::StatusOr<softening::WaivedFinding> Decode(const v1::WaivedFinding& in) {
  softening::WaivedFinding out;
  const std::optional<Reason> code = ReasonFromCode(in.code());
  if (!code.has_value()) return Malformed(Reason::kWaiver, NoSuchCode(in.code()));
  out.code = *code;
  if (in.has_register_()) out.register_index = in.register_();
  out.path = in.path();
  out.expected = in.expected();
  out.actual = in.actual();
  return out;
}

absl::Status AddWaiver(const Call& call, const v1::AddWaiverRequest& request,
                       v1::AddWaiverResponse* answer) {
  softening::Waiver waiver;
  for (const v1::WaivedFinding& finding : request.findings()) {
    BG_ASSIGN_OR_RETURN(waiver.findings.emplace_back(), Decode(finding));
  }
  waiver.hosts = {request.host_ids().begin(), request.host_ids().end()};
  for (const std::string& host : waiver.hosts) {
    BG_RETURN_IF_ERROR(fleet::FindHost(call.backend.store, host).status());
  }
  waiver.selector = request.selector();
  waiver.owner = request.owner();
  waiver.reason = request.reason();
  waiver.expires_at = TimeOf(request.expires_at());
  const fleet::Act act = ActOf(call, request);
  BG_ASSIGN_OR_RETURN(const RecordedWaiver added,
                      quarantine::AddWaiver(call.backend.store, std::move(waiver), act.actor,
                                            act.now, call.backend.longest_waiver));
  Encode(added, act.now, answer->mutable_waiver());
  return absl::OkStatus();
}

// Whether a list that was asked for so has this one. A selector's hosts are not looked up: what
// might cover the host is listed.
bool IsAskedFor(const v1::ListWaiversRequest& request, const RecordedWaiver& row, absl::Time now) {
  if (!request.include_ended() && !row.StandsAt(now)) return false;
  const softening::Waiver& waiver = row.waiver;
  if (!request.host_id().empty() && waiver.selector.empty() &&
      std::ranges::find(waiver.hosts, request.host_id()) == waiver.hosts.end()) {
    return false;
  }
  return request.code().empty() ||
         std::ranges::any_of(waiver.findings, [&](const softening::WaivedFinding& finding) {
           return Code(finding.code) == request.code();
         });
}

absl::Status ListWaivers(const Call& call, const v1::ListWaiversRequest& request,
                         v1::ListWaiversResponse* answer) {
  const absl::Time now = call.backend.clock.Now();
  BG_ASSIGN_OR_RETURN(std::vector<RecordedWaiver> all, quarantine::ListWaivers(call.backend.store));
  std::erase_if(all, [&](const RecordedWaiver& row) { return !IsAskedFor(request, row, now); });
  BG_ASSIGN_OR_RETURN(const Slice slice, SliceOf(call, request, all.size(),
                                                 [&](size_t i) { return all[i].waiver.id; }));
  for (size_t i = slice.begin; i < slice.end; ++i) Encode(all[i], now, answer->add_waivers());
  answer->set_next_page_token(slice.next);
  return absl::OkStatus();
}

absl::Status GetWaiver(const Call& call, const v1::GetWaiverRequest& request,
                       v1::GetWaiverResponse* answer) {
  BG_ASSIGN_OR_RETURN(const RecordedWaiver row,
                      quarantine::ShowWaiver(call.backend.store, request.waiver_id()));
  Encode(row, call.backend.clock.Now(), answer->mutable_waiver());
  return absl::OkStatus();
}

absl::Status RevokeWaiver(const Call& call, const v1::RevokeWaiverRequest& request,
                          v1::RevokeWaiverResponse* answer) {
  const fleet::Act act = ActOf(call, request);
  BG_ASSIGN_OR_RETURN(const RecordedWaiver before,
                      quarantine::ShowWaiver(call.backend.store, request.waiver_id()));
  BG_ASSIGN_OR_RETURN(const RecordedWaiver after,
                      quarantine::RevokeWaiver(call.backend.store, request.waiver_id(), act.reason,
                                               act.actor, act.now));
  Encode(after, act.now, answer->mutable_waiver());
  answer->set_changed(!before.revoked.has_value());
  return absl::OkStatus();
}

constexpr Method kMethods[] = {
    {"bootgate.v1.WaiverService.AddWaiver", Unary<&AddWaiver>, nullptr},
    {"bootgate.v1.WaiverService.ListWaivers", Unary<&ListWaivers>, nullptr},
    {"bootgate.v1.WaiverService.GetWaiver", Unary<&GetWaiver>, nullptr},
    {"bootgate.v1.WaiverService.RevokeWaiver", Unary<&RevokeWaiver>, nullptr},
};

}  // namespace

std::span<const Method> WaiverMethods() { return kMethods; }

}  // namespace bootgate::gatekeeper::operators

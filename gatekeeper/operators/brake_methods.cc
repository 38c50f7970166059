// BrakeService over gatekeeper/quarantine.
#include "bootgate/v1/quarantine.pb.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/operators/handler.h"
#include "gatekeeper/operators/host_codec.h"
#include "gatekeeper/quarantine/acts.h"

namespace bootgate::gatekeeper::operators {
namespace {

absl::StatusOr<quarantine::BrakeStatus> Status(const Call& call) {
  return quarantine::StatusOfBrake(call.backend.store, call.backend.brake,
                                   call.backend.clock.Now());
}

absl::Status GetBrake(const Call& call, const v1::GetBrakeRequest& /*request*/,
                      v1::GetBrakeResponse* answer) {
  BG_ASSIGN_OR_RETURN(const quarantine::BrakeStatus status, Status(call));
  answer->set_engaged(status.state.engaged);
  if (status.state.step > 0) Encode(status.state.since, answer->mutable_since());
  answer->set_why(Printable(status.state.why, quarantine::kMaxReason));
  answer->set_held(status.suspects);
  answer->set_quarantined_in_window(status.count.failed);
  if (!call.backend.brake.on) return absl::OkStatus();
  answer->set_limit(status.count.limit);
  answer->set_window_seconds(absl::ToInt64Seconds(call.backend.brake.window));
  return absl::OkStatus();
}

absl::StatusOr<quarantine::BrakeVerdict> DecisionOf(v1::BrakeDecision decision) {
  if (decision == v1::BRAKE_DECISION_CONFIRM) return quarantine::BrakeVerdict::kConfirm;
  if (decision == v1::BRAKE_DECISION_FORGIVE) return quarantine::BrakeVerdict::kForgive;
  return Malformed(Reason::kMessageMalformed, "decision: confirm or forgive");
}

absl::Status ReleaseBrake(const Call& call, const v1::ReleaseBrakeRequest& request,
                          v1::ReleaseBrakeResponse* answer) {
  BG_ASSIGN_OR_RETURN(const quarantine::BrakeVerdict decision, DecisionOf(request.decision()));
  const fleet::Act act = ActOf(call, request);
  BG_ASSIGN_OR_RETURN(
      const quarantine::BrakeReleased released,
      quarantine::ReleaseBrake(call.backend.store, {.actor = act.actor, .now = act.now}, decision,
                               request.reason()));
  answer->set_hosts(released.hosts);
  answer->set_left(released.left);
  BG_ASSIGN_OR_RETURN(const quarantine::BrakeStatus status, Status(call));
  answer->set_engaged(status.state.engaged);
  return absl::OkStatus();
}

constexpr Method kMethods[] = {
    {"bootgate.v1.BrakeService.GetBrake", Unary<&GetBrake>, nullptr},
    {"bootgate.v1.BrakeService.ReleaseBrake", Unary<&ReleaseBrake>, nullptr},
};

}  // namespace

std::span<const Method> BrakeMethods() { return kMethods; }

}  // namespace bootgate::gatekeeper::operators

// What operators do to a host's trust: cut it off, look into it, let it back; and to the brake.
//
// Each act is one commit of host, incident, history, change feed and audit row, at the revisions
// that were read: two operators at once, or an operator and evidence of the host, never both win.
// With `By::revision` 0 an act is tried again on what the other has left, where it still fits;
// with the revision that the operator has seen the host at it is REVISION_STALE instead.
//
// So: of two releases at once one is done, and the other finds the host remediated (HOST_STATE).
// A release and a DENY at once: whichever is later sees the other, and the host ends quarantined
// when the DENY is. No clock is asked for anything but what is written down.
//
// Errors of all: HOST_UNKNOWN, HOST_STATE (kFailedPrecondition: the message names the state and
// the way on), REVISION_STALE (kAborted), kInvalidArgument (a reason that is missing or too long),
// and those of the store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/host/move.h"
#include "gatekeeper/quarantine/brake.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::quarantine {

inline constexpr size_t kMaxReason = 1024;  // bytes

// Who acts, when, and what of.
struct By {
  std::string actor;  // "operator alice"
  absl::Time now;
  uint64_t revision = 0;  // of the host, as the operator saw it; 0: whatever it is now
  bool dry_run = false;   // all is checked, nothing is written
};

struct Acted {
  host::HostRecord host;  // as it is now
  bool changed = false;   // false: it was so already
  std::string incident_id;
};

// Cuts the host off, as a DENY would; never held by the brake. Of one that is quarantined or
// investigated already nothing is changed.
absl::StatusOr<Acted> Quarantine(store::Store& store, const By& by, const std::string& host_id,
                                 const std::string& reason);

// Of a quarantined host: its incident is looked into from now on. `note` goes into its history; may
// be empty.
absl::StatusOr<Acted> Investigate(store::Store& store, const By& by, const std::string& host_id,
                                  const std::string& note = "");

struct ReleaseOptions {
  bool second_approver = false;  // `[quarantine] second_approver`
};
// Of a host that is investigated, and whose incident is resolved: it may come back with a boot
// later than the bad one. INCIDENT_STATE: it is not resolved. SECOND_APPROVER: the same operator
// has resolved it.
absl::StatusOr<Acted> Release(store::Store& store, const By& by, const std::string& host_id,
                              const ReleaseOptions& options);

// Takes a release, or an investigation, back: quarantined, the incident open.
absl::StatusOr<Acted> Reopen(store::Store& store, const By& by, const std::string& host_id,
                             const std::string& reason);

struct BrakeStatus {
  BrakeState state;
  BrakeCount count;
  int64_t suspects = 0;
};
absl::StatusOr<BrakeStatus> StatusOfBrake(store::Store& store, const BrakeOptions& options,
                                          absl::Time now);

enum class BrakeVerdict {
  kConfirm,  // the suspects are bad: all are quarantined
  kForgive   // they are not: all are pending, and judged anew
};

struct BrakeReleased {
  int64_t hosts = 0;  // that were suspects, and are not any more
  int64_t left = 0;   // still suspects: release again
};
// Each host is a commit of its own. After a crash in between the brake still holds and the rest are
// still suspects: release again. HOST_STATE: it is not engaged, and there are no suspects.
absl::StatusOr<BrakeReleased> ReleaseBrake(store::Store& store, const By& by, BrakeVerdict verdict,
                                           const std::string& reason);

}  // namespace bootgate::gatekeeper::quarantine

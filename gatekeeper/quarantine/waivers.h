// Waivers in the store: added, listed, revoked, and at hand for each judgement.
//
// A waiver is a document that stands from its adding to its revocation; who reads it sees by the
// clock whether it has expired. Nothing is ever removed.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/softening/waiver.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::quarantine {

using softening::Waiver;

inline constexpr char kWaiverKind[] = "waiver";
inline constexpr absl::Duration kLongestWaiver = absl::Hours(24 * 30);  // unless configured

struct Revocation {
  std::string by, why;
  absl::Time at;
};

struct RecordedWaiver {
  Waiver waiver;
  std::string author;
  absl::Time at;
  std::optional<Revocation> revoked;

  bool StandsAt(absl::Time now) const { return !revoked && now < waiver.expires_at; }
};

// WAIVER: what it says no waiver may say, or it expires in the past, or later than `longest` from
// now. The expiry is kept in whole seconds.
absl::StatusOr<RecordedWaiver> AddWaiver(store::Store& store, Waiver waiver,
                                         const std::string& actor, absl::Time now,
                                         absl::Duration longest = kLongestWaiver);

// All that there ever were, newest first; those that cannot be read any more are left out.
absl::StatusOr<std::vector<RecordedWaiver>> ListWaivers(store::Store& store);
// WAIVER_UNKNOWN.
absl::StatusOr<RecordedWaiver> ShowWaiver(store::Store& store, const std::string& id);
// Has no effect from now on; again: fine, the first revocation stays. WAIVER_UNKNOWN;
// kInvalidArgument: no reason.
absl::StatusOr<RecordedWaiver> RevokeWaiver(store::Store& store, const std::string& id,
                                            const std::string& why, const std::string& actor,
                                            absl::Time now);

// Whether it stands for this host at this time, whatever the host's state.
bool IsFor(const Waiver& waiver, const host::HostRecord& host, absl::Time now);
// Those of `all` that its evidence is judged by. None for a host that is quarantined or
// investigated: its way back is an operator's release, not a waiver.
std::vector<Waiver> WaiversFor(const std::vector<Waiver>& all, const host::HostRecord& host,
                               absl::Time now);

// What stands now. The store is read again only when somebody has written to it, this or another
// process. Any thread.
class WaiverShelf {
 public:
  explicit WaiverShelf(store::Store& store) : store_(store) {}  // must outlive it

  // In order of id, expired ones among them. One that cannot be read is as good as none, and told
  // to the log. Errors are the store's.
  absl::StatusOr<std::shared_ptr<const std::vector<Waiver>>> Current();

 private:
  absl::StatusOr<std::shared_ptr<const std::vector<Waiver>>> Read(
      const std::vector<store::AssignmentRow>& standing) const;

  store::Store& store_;
  std::mutex mutex_;
  // All: guarded by mutex_.
  std::shared_ptr<const std::vector<Waiver>> current_;  // nullptr: not read yet
  int64_t seen_change_ = 0;
  std::vector<std::string> seen_standing_;
};

}  // namespace bootgate::gatekeeper::quarantine

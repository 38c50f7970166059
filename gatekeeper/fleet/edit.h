// One host's record read, changed and written with its audit row.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/fleet/act.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::fleet {

inline constexpr int kEditTries = 5;  // against a host that attests at the same time

// kAborted REVISION_STALE unless the host is at that revision; 0: whatever it is.
absl::Status CheckRevision(const host::HostRecord& host, uint64_t expected);

// Changes the record and says whether; what else is to be written goes into the commit.
using Edit = std::function<absl::StatusOr<bool>(host::HostRecord&, store::Commit&)>;

// Again when somebody else was faster, unless a revision is expected. kInvalidArgument
// HOST_ID_SYNTAX; kNotFound HOST_UNKNOWN; kAborted REVISION_STALE; what `edit` says.
// The audit row has `detail`, before, after, and the act's reason and ticket.
absl::StatusOr<Changed> EditHost(store::Store& store, const std::string& id, const Act& act,
                                 absl::string_view action, const audit::Detail& detail,
                                 const Edit& edit);

}  // namespace bootgate::gatekeeper::fleet

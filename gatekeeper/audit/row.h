// Audit rows: who did what to whom, when, and what it looked like before and after.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gatekeeper/audit/detail.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::audit {

std::string HostActor(absl::string_view host_id);   // "host h-..."
std::string OperatorActor(absl::string_view name);  // "operator root"
inline constexpr absl::string_view kGatekeeperActor = "gatekeeper";

store::AuditRow MakeRow(absl::Time at, absl::string_view actor, absl::string_view action,
                        absl::string_view subject, const Detail& detail);

// What of a host's record matters to an auditor: trust, approval, how its EK is believed, and the
// digest of its AK's public area.
Detail StateOf(const host::HostRecord& host);

}  // namespace bootgate::gatekeeper::audit

#include "gatekeeper/incident/sweeper.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"

namespace bootgate::gatekeeper::incident {

absl::Status Sweeper::Tend(absl::Time now) {
  // A clock that went back must not put the next step off for years.
  if (now < next_ && next_ - now <= kSweepEvery) return absl::OkStatus();
  next_ = now + kSweepEvery;
  BG_ASSIGN_OR_RETURN(const store::Swept swept,
                      store_.Sweep({.verdicts_before = now - times_.verdicts,
                                    .evidence_before = now - times_.closed_incidents,
                                    .limit = kSweptAtOnce},
                                   std::string(audit::kGatekeeperActor), now));
  if (swept.more) next_ = now;
  if (swept.verdicts + swept.incidents + swept.credentials > 0) {
    Log(LogLevel::kInfo, "old records were removed",
        {{"verdicts", absl::StrCat(swept.verdicts)},
         {"incidents", absl::StrCat(swept.incidents)},
         {"blobs", absl::StrCat(swept.blobs)},
         {"credentials", absl::StrCat(swept.credentials)}});
  }
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::incident

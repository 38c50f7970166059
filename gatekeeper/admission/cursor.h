// Following a host's IMA list from one verdict to the next: what is asked for, what an answer may
// build on, and what is kept. Pure.
//
// A part of a list is judged on top of what is known only within one boot and under the very rules
// that the earlier part was judged under. Whatever does not fit is RETRY_RESYNC: the host sends the
// whole list and the usual rules decide. It is never held against the host.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/registers/selection.h"
#include "gatekeeper/admission/catalog.h"
#include "gatekeeper/host/host.h"

namespace bootgate::gatekeeper::admission {

// What the gatekeeper's configuration adds to policy and reference.
struct JudgingOptions {
  registers::Selection selection;
  uint32_t runtime_extended = 0;  // mask
};

// The rules' identity: of policy, reference, configuration and this program's version.
host::ImaRules RulesId(const Rules& rules, const JudgingOptions& options);

// The first entry to ask for: the cursor's place, or 0 where nothing may be built on it. A policy
// that reads the `events` claim always sees the whole list; one that is only reported on sees it
// when it was asked for, and else its report says what was missing.
uint64_t FirstEntryToAsk(const host::HostRecord& host, const Rules& rules,
                         const host::ImaRules& rules_id, absl::Time now);

// An answer that is proven to be this host's.
struct Continuation {
  uint64_t asked = 0;  // the first entry asked for
  uint64_t sent = 0;   // the first entry sent; 0 is always allowed
  host::BootMark boot;
};

// What the entries sent continue; nullptr when they are the whole list. RETRY_RESYNC.
absl::StatusOr<const ImaProgress*> ProgressBefore(const host::HostRecord& host, const Rules& rules,
                                                  const host::ImaRules& rules_id,
                                                  const Continuation& continuation, absl::Time now);

// The cursor after an ADMIT. The whole list is judged again `whole_every` after it last was.
struct Kept {
  const host::HostRecord& host;  // as read
  const host::ImaRules& rules_id;
  const host::BootMark& boot;
  bool was_whole = true;  // the evidence had the whole list
  absl::Duration whole_every;
  absl::Time good_until = absl::InfiniteFuture();  // of what was judged now
  absl::Time now;
};
host::ImaCursor NextCursor(const Kept& kept, ImaProgress progress);

}  // namespace bootgate::gatekeeper::admission

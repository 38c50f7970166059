// How sets change while a fleet is updated.
//
// Times are seconds since 1970 UTC. Nothing here asks a clock: the same sets at the same time give
// the same result.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "gatekeeper/reference/imaset/draft.h"

namespace bootgate::gatekeeper::reference {

inline constexpr absl::Duration kDefaultGrace = absl::Hours(7 * 24);

struct UpdatePlan {
  absl::Time at;                         // when the update begins
  absl::Duration grace = kDefaultGrace;  // how long after it the old digests are good
};

// Every item whose path stands in a newer version of the same package gets the newest such version
// as `replaced_by`. With a plan its window is closed too, at the plan's time and grace, where it is
// not closed before: until then old and new are both good, afterwards the old one is outdated.
// Gives how many items are replaced.
size_t NoteReplaced(SetDraft* draft, const std::optional<UpdatePlan>& plan);

// Everything in either. Where both hold the same digest of the same path and package, the window of
// `newer` counts. Then NoteReplaced by the plan. Name and origin are those of `newer` (where it has
// none, of `older`), `created` is empty.
SetDraft Merge(const SetDraft& older, const SetDraft& newer, const UpdatePlan& plan);

struct ExpireCounts {
  size_t closed = 0, dropped = 0;
};

// Closes, at `at`, what is not in `against` by path, kind and digest, and is not closed before. An
// item that would end before it begins is dropped.
ExpireCounts CloseMissing(SetDraft* draft, const SetDraft& against, absl::Time at);

// Drops the items whose window closed before `at`.
ExpireCounts DropClosed(SetDraft* draft, absl::Time at);

}  // namespace bootgate::gatekeeper::reference

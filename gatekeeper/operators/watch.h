// WatchQuarantine: who is cut off, then each change, without loss.
//
// A snapshot is of one moment: the number of the last change that it has in it. It is read without
// holding anything up: what changed while it was read is put right from the changes themselves.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "gatekeeper/operators/handler.h"

namespace bootgate::v1 {
class WatchQuarantineRequest;
}

namespace bootgate::gatekeeper::operators {

// How far back a token may lie: behind that a snapshot is less work for both.
inline constexpr int64_t kMaxResume = 100'000;  // changes

// kFailedPrecondition... WATCH_TOKEN: of another store, or from too long ago.
absl::StatusOr<std::unique_ptr<Source>> WatchQuarantine(const Call& call,
                                                        const v1::WatchQuarantineRequest& request);

}  // namespace bootgate::gatekeeper::operators

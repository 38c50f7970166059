// `quarantine watch`: who is cut off, and each change from then on; also after the connection
// broke.
#pragma once

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "gatekeeper/client/console.h"

namespace bootgate::gatekeeper::client {

struct QuarantineWatchOptions {
  std::string selector;
  std::string token;  // of an earlier watch; empty: begin with a snapshot
  int heartbeat_seconds = 10;
  bool once = false;                           // the snapshot alone
  bool reconnect = true;                       // false: end with the first broken connection
  absl::Duration patience = absl::Seconds(2);  // between two attempts to connect
};

// As JSON: one message a line, as of WatchQuarantineResponse in proto/bootgate/v1/quarantine.proto;
// flushed line by line. A token that is not good any more begins a new snapshot.
ExitCode QuarantineWatch(const Console& console, const QuarantineWatchOptions& options);

}  // namespace bootgate::gatekeeper::client

// `waiver ...`: findings that are known and lived with, for a time.
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/client/console.h"

namespace bootgate::gatekeeper::client {

struct WaiverAddOptions {
  std::string code;  // of the finding; the next four narrow it
  std::string path, expected, actual;
  int register_index = -1;  // -1: any
  std::string selector, owner, reason;
  std::vector<std::string> hosts;
  std::string expires;  // a time, or a duration from now: "14d", "36h"
};
ExitCode WaiverAdd(const Console& console, const WaiverAddOptions& options);

struct WaiverListOptions {
  bool ended = false;  // expired and revoked ones, too
  std::string host_id, code;
};
ExitCode WaiverList(const Console& console, const WaiverListOptions& options);
ExitCode WaiverShow(const Console& console, const std::string& waiver_id);
ExitCode WaiverRevoke(const Console& console, const std::string& waiver_id,
                      const std::string& reason);

}  // namespace bootgate::gatekeeper::client

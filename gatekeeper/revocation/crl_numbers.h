// Numbers for CRLs (RFC 5280, section 5.2.3): of one CA each is greater than the one before, also
// when the clock was set back, also over a restart.
//
// A number is the microseconds since 1970 at which the list was made, or one more than the last one
// where that is greater: so the replicas of a cluster, each with a file of its own, agree as far as
// their clocks do.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace bootgate::gatekeeper::revocation {

// One thread at a time.
class CrlNumbers {
 public:
  // In `file`, one line for each CA: key id (hex) and its last number; "": in memory alone.
  explicit CrlNumbers(std::string file) : file_(std::move(file)) {}

  // What an earlier process gave. A file that is not there is fine. An error: it cannot be read, or
  // is not what Save writes; numbers are then the clock's.
  absl::Status Load();
  uint64_t Next(const std::string& key_id, absl::Time now);
  // Cheap when nothing was given since.
  absl::Status Save();

 private:
  const std::string file_;
  std::map<std::string, uint64_t> last_;
  bool saved_ = true;
};

}  // namespace bootgate::gatekeeper::revocation

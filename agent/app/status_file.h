// What `run` tells `status`: one small JSON file in the state folder, replaced at each step.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace bootgate::agent::app {

struct StatusReport {
  std::string phase;   // loop.h, Name(Phase)
  std::string detail;  // one line: why
  std::string reason;  // reason code of the last refusal or failure; empty: none
  std::string host_id;
  std::string verdict_id;  // of the last verdict
  absl::Time since;        // of the phase
  absl::Time last_try_at;
  absl::Time last_verdict_at;  // UnixEpoch: never
  absl::Time next_try_at;
  int failures = 0;  // tries in a row without a verdict
};

absl::Status WriteStatus(const std::string& state_folder, const StatusReport& report);
// kNotFound: the agent has not run here.
absl::StatusOr<StatusReport> ReadStatus(const std::string& state_folder);
std::string StatusJson(const StatusReport& report);

}  // namespace bootgate::agent::app

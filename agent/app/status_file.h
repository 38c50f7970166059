// What `run` tells `status`: one small JSON file in the state folder, replaced at each step.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/app/socket_report_file.h"
#include "agent/tpm/tpm.h"

namespace bootgate::agent::app {

// How often, since the agent was started.
struct Counts {
  uint64_t tries = 0;
  uint64_t verdicts = 0;
  uint64_t admitted = 0;
  uint64_t tpm_failures = 0;
};

struct StatusReport {
  std::string phase;   // phase.h
  std::string detail;  // one line: why
  std::string reason;  // reason code of the last refusal or failure; empty: none
  std::string host_id;
  std::string trust;                 // as of the last verdict
  std::string verdict_id;            // of the last verdict
  absl::Time since;                  // of the phase
  absl::Time trust_since;            // UnixEpoch: not told
  std::vector<std::string> reasons;  // codes that the gatekeeper gave for `trust`
  std::string incident_id;           // to ask operators about
  absl::Time heard_at;               // the gatekeeper, verdicts included; UnixEpoch: never
  bool listens = false;              // a quarantine would be told at once
  absl::Time last_try_at;
  absl::Time last_verdict_at;  // UnixEpoch: never
  absl::Time next_try_at;
  int failures = 0;                  // tries in a row without a verdict
  absl::Time credential_until;       // UnixEpoch: none is held
  std::vector<std::string> notices;  // no failure, and worth an operator's look
  Counts counts;
  std::optional<tpm::Health> tpm;  // nullopt: it did not answer
  tpm::Usage tpm_usage;
  // What `status` adds; not in the file.
  std::string ak;                       // whose attestation key: tpm::Name; empty: not told
  std::optional<SocketSummary> socket;  // for the programs of this host
};

// STATE_UNWRITABLE: the old file is as it was.
absl::Status WriteStatus(const std::string& state_folder, const StatusReport& report);
// kNotFound: the agent has not run here. STATE_CORRUPT as in state_file.h.
absl::StatusOr<StatusReport> ReadStatus(const std::string& state_folder);
// What the watch of the gatekeeper's notices knows: a file of its own, beside the report, which
// waits for the next attestation. ReadStatus takes it in.
absl::Status WriteListening(const std::string& state_folder, bool listens, absl::Time heard_at);
std::string StatusJson(const StatusReport& report);

// The sentence and the way out of what is reported: of the reason code when there is one, else of
// the phase; both empty for a phase that is not ours.
struct Advice {
  std::string meaning, way_out;
};
Advice AdviceFor(const StatusReport& report);

// Does the gatekeeper's last word say no?
bool IsCutOff(const StatusReport& report);

// "tpm2-tss 3.2.1, older than 4.2.0: ..."
std::string TssNote();

}  // namespace bootgate::agent::app

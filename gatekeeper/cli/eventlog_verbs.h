// Verbs `eventlog show`, `replay`, `explain`, `diff`, `predict`: boot logs read and explained,
// offline and without a store.
//
// All read `-` as standard input. A user-space log is systemd's, of the same boot: its records go
// on where the boot log ends. Of several logs in one file the first is read unless a number is
// given. Exit codes beside those of each verb: 2 what was given cannot be used, 3 it may not be
// read, 8 there is no such file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/exit_code.h"
#include "gatekeeper/cli/eventlog_input.h"

namespace bootgate::gatekeeper::cli {

// The events, each with what it says and whether its digest covers that; then the boot summed up.
// JSON: the `events` claim of the policy language, and "UserRecords" of the user-space log. 0; 7
// when a file is no such log or breaks off.
struct EventlogShowOptions {
  std::string file;
  std::optional<uint32_t> register_index = {};  // only its events and records
  std::optional<size_t> log = {};               // its number in the file, from 1
  std::optional<std::string> user_log = {};
};
ExitCode EventlogShow(const EventlogShowOptions& options, const EventlogIo& io);

// {"banks": {"sha256": {"0": "hex", ...}}, "events": N, "findings": [{"code", "severity", "event",
// "register", "text"}]}; with a user-space log the banks are what both lead to, and there is "nv":
// {"sha256": {"0x01d10200": {"name", "records", "value", "value_if_initialised"}}} and "records":
// N. 0, also with findings; 7 when a log could not be read to its end.
struct EventlogReplayOptions {
  std::string file = {};  // empty: the user-space log alone, from zeros
  std::optional<size_t> log = {};
  std::optional<std::string> user_log = {};
};
ExitCode EventlogReplay(const EventlogReplayOptions& options, const EventlogIo& io);

// Every register of `registers_file` that does not follow from the log, and why. Of several logs,
// in one file or many, that of the boot which the registers are of. 0 all follow; 6 some do not; 7
// a file is no such log.
struct EventlogExplainOptions {
  std::vector<std::string> files;
  std::string registers_file;
  std::optional<std::string> similar_file = {};  // another boot's log
  std::optional<std::string> user_log = {};
};
ExitCode EventlogExplain(const EventlogExplainOptions& options, const EventlogIo& io);

// What differs between two boots. 0 nothing; 6 something; 7 one of the files is no boot log.
struct EventlogDiffOptions {
  std::string first, second;
  std::optional<std::string> bank;  // none: the strongest that both have
};
ExitCode EventlogDiff(const EventlogDiffOptions& options, const EventlogIo& io);

// The registers once events have other digests ("45=HEX"). 0; 7 the file is no boot log.
struct EventlogPredictOptions {
  std::string file;
  std::vector<std::string> replacements;
};
ExitCode EventlogPredict(const EventlogPredictOptions& options, const EventlogIo& io);

}  // namespace bootgate::gatekeeper::cli

// Verbs `eventlog show`, `replay`, `explain`, `diff`, `predict`: boot logs read and explained,
// offline and without a store.
//
// All read `-` as standard input. Exit codes beside those of each verb: 2 what was given cannot be
// used, 3 it may not be read, 8 there is no such file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/exit_code.h"
#include "gatekeeper/cli/eventlog_input.h"

namespace bootgate::gatekeeper::cli {

// The events, each with what it says and whether its digest covers that; then the boot summed up.
// JSON: the `events` claim of the policy language. 0; 7 when the file is no boot log or breaks off.
struct EventlogShowOptions {
  std::string file;
  std::optional<uint32_t> register_index;  // only its events
};
ExitCode EventlogShow(const EventlogShowOptions& options, const EventlogIo& io);

// {"banks": {"sha256": {"0": "hex", ...}}, "events": N, "findings": [{"code", "severity", "event",
// "register", "text"}]}. 0, also with findings; 7 when the log could not be read to its end.
ExitCode EventlogReplay(const std::string& file, const EventlogIo& io);

// Every register of `registers_file` that does not follow from the log, and why. 0 all follow; 6
// some do not; 7 the file is no boot log.
struct EventlogExplainOptions {
  std::string file;
  std::string registers_file;
  std::optional<std::string> similar_file;  // another boot's log
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

// One TPM over time: what its quotes' counters and clock may do from one evidence
// to the next, and what it means when they do something else. Pure.
//
// Implements: TPM 2.0 Part 1, 36 (timing components), Part 2, 10.11.1 (TPMS_CLOCK_INFO).
//
//   forward       what an honest TPM does; also after a crash (reset counted, clock not safe)
//   rolled back   counters or clock went back: CLOCK_ROLLBACK. A restored snapshot, or TPM2_Clear.
//                 It proves nothing against the host; what was seen is kept as its second line.
//   clone         two lines move in turns: a second machine has the same TPM state.
//                 TPM_CLONE_SUSPECTED for either line, for as long as both are heard
//   anew          went back, and an operator has said beforehand that the TPM was cleared
//
// Beside them TPM_RESET_ANOMALY: the TPM was reset, its host was not.
//
// One machine that is rolled back once never makes a clone: it takes two lines that go on after
// each other was seen (A, B, A, B), within kSecondLineKept. A machine that is rolled back twice
// within that time cannot be told from two machines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/host/boot_mark.h"

namespace bootgate::gatekeeper::host {

// How long a second line is remembered after it was last heard.
inline constexpr absl::Duration kSecondLineKept = absl::Hours(24);
// A second line that goes on is written down anew no more often than this: refused evidence must
// not be able to fill our disk.
inline constexpr absl::Duration kSecondLineRefreshed = absl::Hours(1);
// How long an operator's word that a TPM was cleared waits for the evidence it is about.
inline constexpr absl::Duration kClearAccepted = absl::Hours(24);

// One authentic quote, and the kernel's boot id that it binds.
struct TpmNow {
  BootMark boot;
  bool clock_safe = true;
  std::string kernel_boot_id;       // empty: the host did not tell
  bool registers_at_start = false;  // of PCR 1-7 some were quoted, and none was ever extended
  absl::Time at;
};

// Where evidence that did not fit behind the last one stood.
struct TpmLine {
  BootMark boot;
  std::string kernel_boot_id;
  absl::Time seen_at;

  friend bool operator==(const TpmLine&, const TpmLine&) = default;
};

// What is kept of a host's TPM beside the BootMark of its last evidence.
struct TpmHistory {
  bool clock_safe = true;
  std::string kernel_boot_id;   // of the last boot; empty: never told
  std::string earlier_boot_id;  // told before it at the same reset count (kexec)
  std::optional<TpmLine> second_line;
  bool moved_since_second_line = false;            // the first has gone on since
  bool clone_suspected = false;                    // until second_line is forgotten
  std::optional<absl::Time> clear_accepted_until;  // by an operator; used up by a step "anew"

  friend bool operator==(const TpmHistory&, const TpmHistory&) = default;
};

enum class TpmStepKind { kForward, kRolledBack, kClone, kAnew };

struct TpmStep {
  TpmStepKind kind = TpmStepKind::kForward;
  // For the host's record. Of kRolledBack and of a clone's second line `last` is what it was.
  BootMark last;
  TpmHistory history;
  bool worth_writing = true;      // kRolledBack: the history has changed enough
  std::string went_back;          // kRolledBack, kClone, kAnew: what went back, in words
  std::vector<Finding> findings;  // TPM_RESET_ANOMALY, TPM_CLONE_SUSPECTED
};

// `last` of the host's last authentic evidence; none: this is the first.
TpmStep Follow(const std::optional<BootMark>& last, const TpmHistory& history, const TpmNow& now);

// What went back from `last` to `now`, in words; empty when nothing did. A clock that is not safe
// may be lower after a reset: TPM2.0 Part 1, 36.3.
std::string WentBack(const BootMark& last, const BootMark& now, bool clock_safe);

// An operator vouches for a cleared TPM, and for there being one machine: second lines are
// forgotten, and the counters may start anew once, within kClearAccepted.
TpmHistory WithClearAccepted(const TpmHistory& history, absl::Time now);

// "reset 7, restart 0, clock 100.000 s": for findings and tables.
std::string Describe(const BootMark& boot);

}  // namespace bootgate::gatekeeper::host

// Why a register does not hold what the log leads to: the one change to the log's story that makes
// the replay fit.
//
// A hash chain cannot be run backwards, so the search tries what firmware, operators and forgers
// do: it leaves out, repeats, swaps, moves, re-hashes and inserts events, starts elsewhere, and
// extends known values after the log's end. A fit is as certain as the hash: another story that
// gives the same value is not going to be found by accident. Where nothing fits, the explanation
// says what was excluded.
//
// Pure and bounded: work is counted in extends and ends at `max_extends` for each register.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/eventlog/log.h"
#include "common/registers/bank.h"

namespace bootgate::eventlog {

// What makes the replay fit, the most plausible first.
enum class Cause {
  kNeverExtended,        // the register stands at its start value
  kStoppedEarly,         // the first events fit, the rest never reached the TPM
  kStartValue,           // all events fit from another start value
  kDigestAltered,        // the hash of the event's own data fits, the digest in the log does not
  kEventRepeated,        // the log has an event twice that the TPM saw once
  kEventNotExtended,     // the TPM never saw the event
  kExtendedTwice,        // the TPM saw an event twice that the log has once
  kSwapped,              // two events the other way round
  kMoved,                // one event at another place
  kTypeAltered,          // an event that "extends nothing" was extended
  kOtherRegistersEvent,  // an event that the log gives to another register
  kEventReplaced,        // a known value in the place of the event's
  kEventMissing,         // a known value that the log lacks
  kExtendedLater,        // known values after the log's end
  kOtherRegister,        // the register holds what the log tells of another one
  kOtherBank,            // the digests of another bank were extended
  kLaterBeginning,       // the first events belong to another boot
  kEventsNotExtended,    // several events in a row that the TPM never saw
  kUnknown,              // nothing that was tried fits
};

// A stable name: "digest_altered".
absl::string_view Name(Cause cause);

struct Explanation {
  Cause cause = Cause::kUnknown;
  std::vector<uint32_t> events;  // numbers of the events it is about, as the log counts them
  std::string text;              // one sentence in words, without a full stop; safe to print
};

// One register that does not follow from the log.
struct Unexplained {
  uint32_t register_index = 0;
  crypto::Digest quoted, replayed;
  size_t events = 0;  // that the log has for it, with a digest of this bank
  Explanation why;
};

// A value that may have been extended, and what it is of: "event 45 of the other log: ...".
struct KnownDigest {
  crypto::Digest digest;
  std::string what;
};

inline constexpr uint64_t kMaxExtends = 4'000'000;        // for a person who waits
inline constexpr uint64_t kMaxExtendsInPassing = 20'000;  // while a host's evidence is judged
inline constexpr size_t kMaxKnownDigests = 4096;

struct ExplainOptions {
  uint64_t max_extends = kMaxExtends;
  std::vector<KnownDigest> known = {};  // beside the well-known ones; of the bank in question
};

// "PCR 7"; "RTMR 0 (register 1)" in the log of a confidential machine.
std::string SayRegister(const Log& log, uint32_t index);

// Why `quoted` is not what the log leads to. Ask only when it is not.
Explanation ExplainRegister(const Log& log, uint32_t register_index, const crypto::Digest& quoted,
                            const ExplainOptions& options);

// Every register of `quoted` that the log does not lead to, the most plausible explanation first.
// A register without events must stand at its start value. Register 10 belongs to IMA's list and
// is looked at only where the log has events for it.
std::vector<Unexplained> ExplainBank(const Log& log, const registers::RegisterBank& quoted,
                                     const ExplainOptions& options);

}  // namespace bootgate::eventlog

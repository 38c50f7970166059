#include "common/eventlog/explain/explain.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/decode/describe.h"
#include "common/eventlog/explain/search.h"
#include "common/eventlog/explain/well_known.h"
#include "common/eventlog/replay.h"

namespace bootgate::eventlog {
namespace {

using crypto::Digest;

constexpr uint32_t kImaRegister = 10;
constexpr size_t kMaxEventWords = 512;  // bytes of one event's description

struct Row {
  Cause cause;
  absl::string_view name;
};
constexpr Row kNames[] = {
    {Cause::kNeverExtended, "never_extended"},
    {Cause::kStoppedEarly, "stopped_early"},
    {Cause::kStartValue, "start_value"},
    {Cause::kDigestAltered, "digest_altered"},
    {Cause::kEventRepeated, "event_repeated"},
    {Cause::kEventNotExtended, "event_not_extended"},
    {Cause::kExtendedTwice, "extended_twice"},
    {Cause::kSwapped, "swapped"},
    {Cause::kMoved, "moved"},
    {Cause::kTypeAltered, "type_altered"},
    {Cause::kOtherRegistersEvent, "other_registers_event"},
    {Cause::kEventReplaced, "event_replaced"},
    {Cause::kEventMissing, "event_missing"},
    {Cause::kExtendedLater, "extended_later"},
    {Cause::kOtherRegister, "other_register"},
    {Cause::kOtherBank, "other_bank"},
    {Cause::kLaterBeginning, "later_beginning"},
    {Cause::kEventsNotExtended, "events_not_extended"},
    {Cause::kUnknown, "unknown"},
};

// The cheap tries first: a fit is a fit, and the budget is for what is left.
constexpr Answer (*kTries[])(const Question&) = {
    NeverExtended,     StoppedEarly,     OtherStartValue,     OtherRegister,
    OtherBank,         EventNotExtended, DigestAltered,       ExtendedTwice,
    NeighboursSwapped, TypeAltered,      OtherRegistersEvent, LaterBeginning,
    ExtendedLater,     EventReplaced,    EventMissing,        AnySwapped,
    MovedLater,        MovedEarlier,     SeveralNotExtended,  ExtendedLaterInAnyOrder,
};

// Who extends a register when no boot log tells of it.
absl::string_view WhoElse(const Log& log, uint32_t index) {
  if (log.register_kind() != RegisterKind::kPcr) return "";
  switch (index) {
    case kImaRegister:
      return "; Linux extends PCR 10 for every entry of IMA's list, which is not part of the boot "
             "log";
    case 11:
    case 12:
    case 13:
    case 15:
      return "; systemd extends this register after the boot log's end and writes that into its "
             "own log (tpm2-measure.log)";
    case 16:
    case 23:
      return "; any program may extend and reset this register";
    default:
      return IsDynamicRegister(index)
                 ? "; a dynamic launch (Intel TXT, AMD SKINIT) extends this register"
                 : "";
  }
}

std::string SayUnknown(const Question& q, uint64_t max_extends) {
  const std::string limit =
      q.budget.exhausted() ? absl::StrCat("; not searched further than ", max_extends, " extends")
                           : "";
  if (q.chain.size() == 0) {
    return absl::StrCat(
        "the log has no event of it, and no value that is known to be extended "
        "leads there: software extended it after the boot log's end, or its events "
        "were taken out of the log",
        WhoElse(q.log, q.register_index), limit);
  }
  return absl::StrCat(
      "no single change explains it: not leaving out, repeating, swapping, moving or hashing anew "
      "any of its ",
      q.chain.size(), q.chain.size() == 1 ? " event" : " events",
      ", no other start value, register or bank, and none of the values known to be extended. What "
      "remains: the log lacks an event or has one that was changed together with its data, or "
      "something was extended after the log's end",
      WhoElse(q.log, q.register_index), limit);
}

bool IsStart(const Log& log, uint32_t index, const Digest& value) {
  if (value.IsZero()) return true;
  if (IsDynamicRegister(index) && value == Digest::Ones(value.alg())) {
    return true;
  }
  return value == ValueAtStart(log, value.alg(), index);
}

// Of an event that one register lost and another gained there is more to say than "never seen".
void LinkRegisters(const Log& log, std::vector<Unexplained>* all) {
  for (const Unexplained& gained : *all) {
    if (gained.why.cause != Cause::kOtherRegistersEvent) continue;
    for (Unexplained& lost : *all) {
      const bool single = lost.why.cause == Cause::kEventNotExtended ||
                          lost.why.cause == Cause::kStoppedEarly ||
                          lost.why.cause == Cause::kEventRepeated;
      if (!single || lost.why.events.empty() || lost.why.events[0] != gained.why.events[0])
        continue;
      lost.why.text =
          absl::StrCat("event ", lost.why.events[0], " was extended into ",
                       SayRegister(log, gained.register_index), ", not into this register");
    }
  }
}

}  // namespace

absl::string_view Name(Cause cause) {
  for (const Row& row : kNames) {
    if (row.cause == cause) return row.name;
  }
  return "unknown";
}

std::string SayRegister(const Log& log, uint32_t index) {
  if (log.register_kind() == RegisterKind::kPcr) return absl::StrCat("PCR ", index);
  if (index < kFirstCcRegister || index > kLastCcRegister) return absl::StrCat("register ", index);
  return absl::StrCat("RTMR ", index - kFirstCcRegister, " (register ", index, ")");
}

std::string SayEvent(const Question& q, const Event& event) {
  return absl::StrCat("event ", event.number, " (",
                      Printable(Describe(q.log, event, q.alg()), kMaxEventWords), ")");
}

Explanation ExplainRegister(const Log& log, uint32_t register_index, const Digest& quoted,
                            const ExplainOptions& options) {
  const Chain chain(log, quoted.alg(), register_index);
  const std::vector<KnownDigest> well_known = WellKnownDigests(quoted.alg());
  std::vector<KnownDigest> known = options.known;
  known.resize(std::min(known.size(), kMaxKnownDigests));
  Budget budget(options.max_extends);
  const Question question{log, register_index, chain, quoted, well_known, known, budget};
  for (const auto attempt : kTries) {
    if (Answer answer = attempt(question)) return *std::move(answer);
  }
  return {
      .cause = Cause::kUnknown, .events = {}, .text = SayUnknown(question, options.max_extends)};
}

std::vector<Unexplained> ExplainBank(const Log& log, const registers::RegisterBank& quoted,
                                     const ExplainOptions& options) {
  const Replay replay = ReplayBank(log, quoted.alg());
  std::vector<Unexplained> out;
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    const std::optional<Digest> value = quoted.Get(i);
    const std::optional<Digest> told = replay.bank.Get(i);
    if (!value.has_value() || (told.has_value() ? *told == *value : IsStart(log, i, *value))) {
      continue;
    }
    if (!told.has_value() && i == kImaRegister) continue;
    out.push_back({.register_index = i,
                   .quoted = *value,
                   .replayed = told.value_or(ValueAtStart(log, quoted.alg(), i)),
                   .events = Chain(log, quoted.alg(), i).size(),
                   .why = ExplainRegister(log, i, *value, options)});
  }
  LinkRegisters(log, &out);
  std::ranges::stable_sort(out, {}, [](const Unexplained& row) { return row.why.cause; });
  return out;
}

}  // namespace bootgate::eventlog

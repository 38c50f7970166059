#include "gatekeeper/diagnosis/diff.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/eventlog/explain/explain.h"
#include "common/eventlog/replay.h"
#include "gatekeeper/diagnosis/causes.h"
#include "gatekeeper/reference/align.h"
#include "gatekeeper/reference/register_events.h"
#include "gatekeeper/reference/wording.h"

namespace bootgate::gatekeeper::diagnosis {
namespace {

using crypto::HashAlg;
using eventlog::Event;
using eventlog::Log;

constexpr size_t kMaxText = 2048;  // bytes of one sentence

// The banks of one sort of log, the strongest first.
constexpr HashAlg kByStrength[] = {HashAlg::kSha256, HashAlg::kSha384, HashAlg::kSha512,
                                   HashAlg::kSm3_256, HashAlg::kSha1};

std::string SayBanks(const Log& log) {
  if (log.banks().empty()) return "none that we know";
  return absl::StrJoin(log.banks(), ", ", [](std::string* out, HashAlg alg) {
    absl::StrAppend(out, crypto::Name(alg));
  });
}

absl::StatusOr<HashAlg> CommonBank(const Log& first, const Log& second,
                                   std::optional<HashAlg> wanted) {
  for (const HashAlg alg : kByStrength) {
    if (wanted.has_value() && *wanted != alg) continue;
    if (first.HasBank(alg) && second.HasBank(alg)) return alg;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "no ", wanted.has_value() ? absl::StrCat("bank ", crypto::Name(*wanted)) : "bank",
      " that both logs have: the first has ", SayBanks(first), ", the second ", SayBanks(second)));
}

// One register of one log.
struct Side {
  const Log& log;
  std::vector<const Event*> events;
  std::vector<reference::AlignEvent> to_align;

  Side(const Log& of, HashAlg bank, uint32_t index)
      : log(of), events(reference::EventsOf(of, bank, index)) {
    for (const Event* event : events) {
      to_align.push_back({reference::DigestOf(log, *event, bank), event->untrusted_type,
                          reference::KeyOf(*event)});
    }
  }
};

// Compares register by register and keeps what causes are picked from.
class Comparer {
 public:
  Comparer(const Log& first, const Log& second, HashAlg bank)
      : first_(first),
        second_(second),
        bank_(bank),
        first_replay_(eventlog::ReplayBank(first, bank).bank),
        second_replay_(eventlog::ReplayBank(second, bank).bank) {}

  LogDifference Run() {
    LogDifference out;
    out.bank = bank_;
    for (uint32_t i = 0; i < registers::kCount; ++i) CompareRegister(i, &out);
    out.causes = PickCauses(first_, second_, std::move(seen_));
    return out;
  }

 private:
  void CompareRegister(uint32_t index, LogDifference* out) {
    RegisterDifference difference;
    difference.register_index = index;
    difference.first =
        first_replay_.Get(index).value_or(eventlog::ValueAtStart(first_, bank_, index));
    difference.second =
        second_replay_.Get(index).value_or(eventlog::ValueAtStart(second_, bank_, index));
    if (difference.first == difference.second) return;
    const Side first(first_, bank_, index), second(second_, bank_, index);
    for (const reference::Difference& row : reference::Align(first.to_align, second.to_align)) {
      difference.changes.push_back(ChangeOf(index, first, second, row));
    }
    std::ranges::stable_sort(difference.changes, {}, [](const EventChange& change) {
      constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
      return std::min(change.first.value_or(kNone), change.second.value_or(kNone));
    });
    if (difference.changes.empty()) {
      difference.note = "the same events, from another start value";
      seen_.push_back(
          {index, nullptr, nullptr, ChangeKind::kChanged,
           absl::StrCat(eventlog::SayRegister(first_, index), " started from another value")});
    }
    out->registers.push_back(std::move(difference));
  }

  EventChange ChangeOf(uint32_t index, const Side& first, const Side& second,
                       const reference::Difference& row) {
    const Event* const was = row.reference ? first.events[*row.reference] : nullptr;
    const Event* const is = row.host ? second.events[*row.host] : nullptr;
    EventChange change;
    if (was != nullptr) {
      change.first = was->number;
      change.was = reference::WordsFor(first_, *was, bank_);
    }
    if (is != nullptr) {
      change.second = is->number;
      change.is = reference::WordsFor(second_, *is, bank_);
    }
    const bool moved = was != nullptr && is != nullptr &&
                       first.to_align[*row.reference].digest == second.to_align[*row.host].digest;
    Put(moved, &change);
    seen_.push_back({index, was, is, change.kind, change.text});
    return change;
  }

  // Kind and words of a change whose two sides are known.
  static void Put(bool moved, EventChange* change) {
    if (moved) {
      change->kind = ChangeKind::kMoved;
      change->text = absl::StrCat(change->is, " came in another order");
    } else if (change->first && change->second) {
      change->kind = ChangeKind::kChanged;
      change->text = reference::SayChange(change->was, change->is);
    } else if (change->first) {
      change->kind = ChangeKind::kOnlyInFirst;
      change->text = absl::StrCat("only in the first log: ", change->was);
    } else {
      change->kind = ChangeKind::kOnlyInSecond;
      change->text = absl::StrCat("only in the second log: ", change->is);
    }
    change->text = Printable(change->text, kMaxText);
  }

  const Log& first_;
  const Log& second_;
  const HashAlg bank_;
  const registers::RegisterBank first_replay_, second_replay_;
  std::vector<SeenChange> seen_;
};

}  // namespace

absl::string_view Name(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kChanged:
      return "changed";
    case ChangeKind::kMoved:
      return "moved";
    case ChangeKind::kOnlyInFirst:
      return "only_in_first";
    case ChangeKind::kOnlyInSecond:
      return "only_in_second";
  }
  __builtin_unreachable();
}

absl::StatusOr<LogDifference> CompareLogs(const Log& first, const Log& second,
                                          std::optional<HashAlg> bank) {
  BG_ASSIGN_OR_RETURN(const HashAlg common, CommonBank(first, second, bank));
  return Comparer(first, second, common).Run();
}

}  // namespace bootgate::gatekeeper::diagnosis

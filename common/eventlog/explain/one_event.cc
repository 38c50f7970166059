// Tries that change one event of the register, or the places of two.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/explain/search.h"
#include "common/eventlog/explain/well_known.h"

namespace bootgate::eventlog {
namespace {

using crypto::Digest;
using registers::Extended;

constexpr uint64_t kBytesOfAnExtend = 64;  // hashing this many costs as much as an extend

Explanation About(Cause cause, std::initializer_list<const Event*> events, std::string text) {
  Explanation explanation{.cause = cause, .events = {}, .text = std::move(text)};
  for (const Event* event : events) explanation.events.push_back(event->number);
  return explanation;
}

// Whether the story fits with `digest` in the place of link `i`.
bool FitsWith(const Question& q, size_t i, const Digest& digest) {
  return q.chain.Finish(Extended(q.chain.Before(i), digest), i + 1) == q.quoted;
}

// The link whose digest link `i` repeats, if there is one before it.
const Event* RepeatedBy(const Chain& chain, size_t i) {
  for (size_t j = i; j-- > 0;) {
    if (chain[j].digest == chain[i].digest) return chain[j].event;
  }
  return nullptr;
}

Answer SwapOf(const Question& q, size_t i, size_t j) {
  if (!q.budget.Spend(q.chain.size() - i)) return std::nullopt;
  Digest value = Extended(q.chain.Before(i), q.chain[j].digest);
  for (size_t k = i + 1; k < j; ++k) value = Extended(value, q.chain[k].digest);
  value = Extended(value, q.chain[i].digest);
  if (q.chain.Finish(value, j + 1) != q.quoted) return std::nullopt;
  const Event* const first = q.chain[i].event;
  const Event* const second = q.chain[j].event;
  return About(Cause::kSwapped, {first, second},
               absl::StrCat(SayEvent(q, *first), " and ", SayEvent(q, *second),
                            " were extended the other way round"));
}

Explanation Moved(const Question& q, size_t i, const Event& neighbour, absl::string_view where) {
  const Event* const event = q.chain[i].event;
  return About(Cause::kMoved, {event, &neighbour},
               absl::StrCat(SayEvent(q, *event), " was extended ", where, " ",
                            SayEvent(q, neighbour), ", not where the log has it"));
}

}  // namespace

Answer DigestAltered(const Question& q) {
  for (size_t i = 0; i < q.chain.size(); ++i) {
    const Event& event = *q.chain[i].event;
    if (!q.budget.Spend(1 + event.data.size() / kBytesOfAnExtend)) return std::nullopt;
    for (const Digest& digest : HashesOfData(event, q.alg())) {
      if (digest == q.chain[i].digest) continue;
      if (!q.budget.Spend(q.chain.size() - i)) return std::nullopt;
      if (!FitsWith(q, i, digest)) continue;
      return About(Cause::kDigestAltered, {&event},
                   absl::StrCat("the digest of event ", event.number,
                                " was changed in the log: the hash of the event's own data (",
                                SayEvent(q, event), ") gives the value that fits"));
    }
  }
  return std::nullopt;
}

Answer EventNotExtended(const Question& q) {
  for (size_t i = 0; i < q.chain.size(); ++i) {
    if (!q.budget.Spend(q.chain.size() - i)) return std::nullopt;
    if (q.chain.Finish(q.chain.Before(i), i + 1) != q.quoted) continue;
    // Of equal neighbours, any one left out gives the same value: the last one is the repetition.
    while (i + 1 < q.chain.size() && q.chain[i + 1].digest == q.chain[i].digest) ++i;
    const Event* const event = q.chain[i].event;
    if (const Event* const first = RepeatedBy(q.chain, i)) {
      return About(Cause::kEventRepeated, {event, first},
                   absl::StrCat(SayEvent(q, *event), " repeats event ", first->number,
                                ", and the TPM saw it once"));
    }
    return About(Cause::kEventNotExtended, {event},
                 absl::StrCat("the TPM never saw ", SayEvent(q, *event),
                              ": it was added to the log, or measured elsewhere"));
  }
  return std::nullopt;
}

Answer ExtendedTwice(const Question& q) {
  for (size_t i = 0; i < q.chain.size(); ++i) {
    if (!q.budget.Spend(q.chain.size() - i)) return std::nullopt;
    const Digest again = Extended(q.chain.Before(i + 1), q.chain[i].digest);
    if (q.chain.Finish(again, i + 1) != q.quoted) continue;
    const Event* const event = q.chain[i].event;
    return About(Cause::kExtendedTwice, {event},
                 absl::StrCat(SayEvent(q, *event), " was extended twice, and the log has it once"));
  }
  return std::nullopt;
}

Answer NeighboursSwapped(const Question& q) {
  for (size_t i = 0; i + 1 < q.chain.size() && !q.budget.exhausted(); ++i) {
    if (Answer answer = SwapOf(q, i, i + 1)) return answer;
  }
  return std::nullopt;
}

Answer AnySwapped(const Question& q) {
  for (size_t i = 0; i < q.chain.size(); ++i) {
    for (size_t j = i + 2; j < q.chain.size() && !q.budget.exhausted(); ++j) {
      if (Answer answer = SwapOf(q, i, j)) return answer;
    }
  }
  return std::nullopt;
}

Answer MovedLater(const Question& q) {
  for (size_t i = 0; i < q.chain.size(); ++i) {
    Digest value = q.chain.Before(i);
    for (size_t j = i + 1; j < q.chain.size(); ++j) {
      if (!q.budget.Spend(q.chain.size() - j + 1)) return std::nullopt;
      value = Extended(value, q.chain[j].digest);
      if (q.chain.Finish(Extended(value, q.chain[i].digest), j + 1) != q.quoted) continue;
      return Moved(q, i, *q.chain[j].event, "after");
    }
  }
  return std::nullopt;
}

Answer MovedEarlier(const Question& q) {
  for (size_t i = 1; i < q.chain.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (!q.budget.Spend(q.chain.size() - j)) return std::nullopt;
      Digest value = Extended(q.chain.Before(j), q.chain[i].digest);
      for (size_t k = j; k < i; ++k) value = Extended(value, q.chain[k].digest);
      if (q.chain.Finish(value, i + 1) != q.quoted) continue;
      return Moved(q, i, *q.chain[j].event, "before");
    }
  }
  return std::nullopt;
}

Answer EventReplaced(const Question& q) {
  for (const std::vector<KnownDigest>* list : {&q.known, &q.well_known}) {
    for (size_t i = 0; i < q.chain.size(); ++i) {
      for (const KnownDigest& known : *list) {
        if (!q.budget.Spend(q.chain.size() - i)) return std::nullopt;
        if (!FitsWith(q, i, known.digest)) continue;
        const Event* const event = q.chain[i].event;
        return About(Cause::kEventReplaced, {event},
                     absl::StrCat(SayEvent(q, *event), " was altered: the TPM saw ", known.what,
                                  " in its place"));
      }
    }
  }
  return std::nullopt;
}

}  // namespace bootgate::eventlog

// Tries that give the register events which the log does not have for it.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/eventlog/explain/search.h"
#include "common/eventlog/explain/well_known.h"
#include "common/eventlog/replay.h"

namespace bootgate::eventlog {
namespace {

using crypto::Digest;
using registers::Extended;

constexpr uint64_t kBytesOfAnExtend = 64;  // hashing this many costs as much as an extend

// Whether the story fits with `digest` before link `at`.
bool FitsBefore(const Question& q, size_t at, const Digest& digest) {
  return q.chain.Finish(Extended(q.chain.Before(at), digest), at) == q.quoted;
}

std::optional<Digest> DigestIn(const Question& q, const Event& event) {
  const std::optional<ByteView> bytes = q.log.DigestOf(event, q.alg());
  if (!bytes.has_value()) return std::nullopt;
  const absl::StatusOr<Digest> digest = crypto::Digest::From(q.alg(), *bytes);
  return digest.ok() ? std::optional<Digest>(*digest) : std::nullopt;
}

// nullptr when the digest is of nothing that is well known.
const KnownDigest* WellKnown(const Question& q, const Digest& digest) {
  const auto found = std::ranges::find(q.well_known, digest, &KnownDigest::digest);
  return found == q.well_known.end() ? nullptr : &*found;
}

std::string SayPlace(const Question& q, size_t at) {
  return at < q.chain.size() ? absl::StrCat("before ", SayEvent(q, *q.chain[at].event))
                             : "after its last event";
}

Explanation Later(const std::vector<std::string>& what) {
  return {.cause = Cause::kExtendedLater,
          .events = {},
          .text = absl::StrCat("after the log's end ", absl::StrJoin(what, ", then "),
                               what.size() == 1 ? " was extended" : " were extended")};
}

// Runs through the list in its own order, from each of its places.
Answer RunsOf(const Question& q, const std::vector<KnownDigest>& list) {
  for (size_t i = 0; i < list.size(); ++i) {
    Digest value = q.chain.Before(q.chain.size());
    std::vector<std::string> what;
    for (size_t j = i; j < list.size(); ++j) {
      if (!q.budget.Spend(1)) return std::nullopt;
      value = Extended(value, list[j].digest);
      what.push_back(list[j].what);
      if (value == q.quoted) return Later(what);
    }
  }
  return std::nullopt;
}

}  // namespace

Answer TypeAltered(const Question& q) {
  for (const Event& event : q.log.events()) {
    if (event.register_index != q.register_index || event.Extends()) continue;
    const size_t at = q.chain.FirstAfter(event.number);
    if (!q.budget.Spend(1 + event.data.size() / kBytesOfAnExtend)) return std::nullopt;
    std::vector<Digest> digests = HashesOfData(event, q.alg());
    if (const std::optional<Digest> told = DigestIn(q, event)) digests.push_back(*told);
    for (const Digest& digest : digests) {
      if (!q.budget.Spend(1 + q.chain.size() - at)) return std::nullopt;
      if (!FitsBefore(q, at, digest)) continue;
      const KnownDigest* const known = WellKnown(q, digest);
      return Explanation{
          .cause = Cause::kTypeAltered,
          .events = {event.number},
          .text = absl::StrCat(SayEvent(q, event), ", of a type that extends nothing, was extended",
                               known == nullptr ? "" : " as ", known == nullptr ? "" : known->what,
                               ": its type was changed in the log")};
    }
  }
  return std::nullopt;
}

Answer OtherRegistersEvent(const Question& q) {
  for (const Event& event : q.log.events()) {
    if (event.register_index == q.register_index || !event.Extends()) continue;
    const std::optional<Digest> digest = DigestIn(q, event);
    const size_t at = q.chain.FirstAfter(event.number);
    // A separator is in every register: that it is another one's event says nothing.
    if (!digest.has_value() || WellKnown(q, *digest) != nullptr) continue;
    if (!q.budget.Spend(1 + q.chain.size() - at)) return std::nullopt;
    if (!FitsBefore(q, at, *digest)) continue;
    return Explanation{
        .cause = Cause::kOtherRegistersEvent,
        .events = {event.number},
        .text = absl::StrCat(SayEvent(q, event), ", which the log gives to ",
                             SayRegister(q.log, event.register_index), ", was extended into ",
                             SayRegister(q.log, q.register_index))};
  }
  return std::nullopt;
}

Answer EventMissing(const Question& q) {
  for (const std::vector<KnownDigest>* list : {&q.known, &q.well_known}) {
    for (size_t at = 0; at <= q.chain.size(); ++at) {
      for (const KnownDigest& known : *list) {
        if (!q.budget.Spend(1 + q.chain.size() - at)) return std::nullopt;
        if (!FitsBefore(q, at, known.digest)) continue;
        Explanation missing{.cause = Cause::kEventMissing,
                            .events = {},
                            .text = absl::StrCat("the log lacks an event ", SayPlace(q, at),
                                                 ": the TPM saw ", known.what, " there")};
        if (at < q.chain.size()) missing.events = {q.chain[at].event->number};
        return missing;
      }
    }
  }
  return std::nullopt;
}

Answer ExtendedLater(const Question& q) {
  if (Answer answer = RunsOf(q, q.well_known)) return answer;
  return RunsOf(q, q.known);
}

// Two or three of the well-known values, in any order.
Answer ExtendedLaterInAnyOrder(const Question& q) {
  const Digest& end = q.chain.Before(q.chain.size());
  for (const KnownDigest& a : q.well_known) {
    const Digest one = Extended(end, a.digest);
    for (const KnownDigest& b : q.well_known) {
      if (!q.budget.Spend(2 + q.well_known.size())) return std::nullopt;
      const Digest two = Extended(one, b.digest);
      if (two == q.quoted) return Later({a.what, b.what});
      for (const KnownDigest& c : q.well_known) {
        if (Extended(two, c.digest) == q.quoted) return Later({a.what, b.what, c.what});
      }
    }
  }
  return std::nullopt;
}

}  // namespace bootgate::eventlog

// Tries that take all events of the register together.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/explain/search.h"
#include "common/eventlog/replay.h"

namespace bootgate::eventlog {
namespace {

using crypto::Digest;
using crypto::HashAlg;

constexpr uint8_t kLocalities = 5;  // 0..4

Digest Locality(HashAlg alg, uint8_t locality) {
  Digest value(alg);
  value.mutable_view().back() = locality;
  return value;
}

struct Start {
  Digest value;
  std::string what;
};

std::vector<Start> Starts(HashAlg alg) {
  std::vector<Start> starts;
  for (uint8_t i = 0; i < kLocalities; ++i) {
    starts.push_back({Locality(alg, i), i == 0 ? "zeros" : absl::StrCat("startup locality ", i)});
  }
  starts.push_back(
      {Digest::Ones(alg), "ones (a register of a dynamic launch that never happened)"});
  return starts;
}

std::string SayStart(const Question& q, const Digest& value) {
  for (const Start& start : Starts(q.alg())) {
    if (start.value == value) return start.what;
  }
  return value.hex();
}

std::vector<uint32_t> Numbers(const Chain& chain, size_t from, size_t to) {
  std::vector<uint32_t> numbers;
  for (size_t i = from; i < to; ++i) numbers.push_back(chain[i].event->number);
  return numbers;
}

std::string SayCount(size_t count) {
  return absl::StrCat(count, count == 1 ? " event" : " events");
}

// A digest of one bank in the size of another: cut, or filled with zeros.
Digest Fitted(ByteView digest, HashAlg alg) {
  Digest fitted(alg);
  std::copy_n(digest.begin(), std::min(digest.size(), fitted.size()),
              fitted.mutable_view().begin());
  return fitted;
}

Answer DigestsOfBank(const Question& q, HashAlg other) {
  const Chain theirs(q.log, other, q.register_index);
  if (theirs.size() == 0 || !q.budget.Spend(2 * theirs.size())) return std::nullopt;
  Digest value = ValueAtStart(q.log, q.alg(), q.register_index);
  for (const Link& link : theirs.links()) {
    value = registers::Extended(value, Fitted(link.digest.view(), q.alg()));
  }
  const bool bigger = crypto::DigestSize(other) > q.quoted.size();
  if (value == q.quoted) {
    return Explanation{
        .cause = Cause::kOtherBank,
        .events = {},
        .text = absl::StrCat("the ", crypto::Name(other), " digests of its ",
                             SayCount(theirs.size()), ", ", bigger ? "cut" : "filled with zeros",
                             " to the size of ", crypto::Name(q.alg()), ", were extended")};
  }
  if (SameBytes(theirs.Before(theirs.size()).view(), q.quoted.view())) {
    return Explanation{.cause = Cause::kOtherBank,
                       .events = {},
                       .text = absl::StrCat("the value is that of bank ", crypto::Name(other),
                                            ": the banks were taken for one another")};
  }
  return std::nullopt;
}

}  // namespace

Answer NeverExtended(const Question& q) {
  if (q.chain.size() == 0) return std::nullopt;
  const bool ones = IsDynamicRegister(q.register_index) && q.quoted == Digest::Ones(q.alg());
  if (!ones && !q.quoted.IsZero() && q.quoted != q.chain.start()) return std::nullopt;
  return Explanation{
      .cause = Cause::kNeverExtended,
      .events = {},
      .text = absl::StrCat("the register was never extended, and the log has ",
                           SayCount(q.chain.size()),
                           " for it: nobody measured into this bank, or the log is of another boot "
                           "or machine")};
}

Answer StoppedEarly(const Question& q) {
  for (size_t i = 1; i < q.chain.size(); ++i) {
    if (q.chain.Before(i) != q.quoted) continue;
    const size_t rest = q.chain.size() - i;
    // A last event that repeats the one before it is told as such (EventNotExtended).
    if (rest == 1 && q.chain[i].digest == q.chain[i - 1].digest) return std::nullopt;
    return Explanation{
        .cause = Cause::kStoppedEarly,
        .events = Numbers(q.chain, i, q.chain.size()),
        .text = absl::StrCat("the TPM stood there before ", SayEvent(q, *q.chain[i].event),
                             ": the last ", SayCount(rest), " of the log never reached it, or ",
                             rest == 1 ? "was" : "were", " added to the log")};
  }
  return std::nullopt;
}

Answer OtherStartValue(const Question& q) {
  if (q.chain.size() == 0) return std::nullopt;
  for (const Start& start : Starts(q.alg())) {
    if (start.value == q.chain.start()) continue;
    if (!q.budget.Spend(q.chain.size())) return std::nullopt;
    if (q.chain.Finish(start.value, 0) != q.quoted) continue;
    return Explanation{
        .cause = Cause::kStartValue,
        .events = {},
        .text = absl::StrCat("all ", SayCount(q.chain.size()), " fit when the register starts at ",
                             start.what, "; the log says ", SayStart(q, q.chain.start()))};
  }
  return std::nullopt;
}

Answer OtherRegister(const Question& q) {
  if (!q.budget.Spend(q.log.events().size())) return std::nullopt;
  const Replay replay = ReplayBank(q.log, q.alg());
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    if (i == q.register_index || replay.bank.Get(i) != q.quoted) continue;
    return Explanation{
        .cause = Cause::kOtherRegister,
        .events = {},
        .text = absl::StrCat("it holds what the log tells of ", SayRegister(q.log, i),
                             ": the registers of log or quote were mixed up")};
  }
  return std::nullopt;
}

Answer OtherBank(const Question& q) {
  for (const HashAlg other : q.log.banks()) {
    if (other == q.alg()) continue;
    if (Answer answer = DigestsOfBank(q, other)) return answer;
  }
  return std::nullopt;
}

Answer LaterBeginning(const Question& q) {
  for (size_t i = 1; i < q.chain.size(); ++i) {
    if (!q.budget.Spend(q.chain.size() - i)) return std::nullopt;
    if (q.chain.Finish(q.chain.start(), i) != q.quoted) continue;
    return Explanation{.cause = Cause::kLaterBeginning,
                       .events = Numbers(q.chain, 0, i),
                       .text = absl::StrCat(
                           "the TPM's story begins with ", SayEvent(q, *q.chain[i].event), ": the ",
                           SayCount(i), " before it never reached it, or are of an earlier boot")};
  }
  return std::nullopt;
}

Answer SeveralNotExtended(const Question& q) {
  for (size_t i = 1; i < q.chain.size(); ++i) {
    for (size_t j = i + 2; j < q.chain.size(); ++j) {
      if (!q.budget.Spend(q.chain.size() - j)) return std::nullopt;
      if (q.chain.Finish(q.chain.Before(i), j) != q.quoted) continue;
      return Explanation{
          .cause = Cause::kEventsNotExtended,
          .events = Numbers(q.chain, i, j),
          .text = absl::StrCat("the TPM never saw the ", SayCount(j - i), " from ",
                               SayEvent(q, *q.chain[i].event), " to ",
                               SayEvent(q, *q.chain[j - 1].event),
                               ": they were added to the log or measured elsewhere")};
    }
  }
  return std::nullopt;
}

}  // namespace bootgate::eventlog

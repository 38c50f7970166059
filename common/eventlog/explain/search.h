// The things that can have happened to one register, tried one by one.
//
// Each try answers nullopt when it does not fit, or when its work is beyond the budget.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/eventlog/explain/chain.h"
#include "common/eventlog/explain/explain.h"

namespace bootgate::eventlog {

// What is asked, and what the tries share. Borrows all of it.
struct Question {
  const Log& log;
  uint32_t register_index;
  const Chain& chain;
  const crypto::Digest& quoted;
  const std::vector<KnownDigest>& well_known;
  const std::vector<KnownDigest>& known;  // given by the caller
  Budget& budget;

  crypto::HashAlg alg() const { return quoted.alg(); }
};
using Answer = std::optional<Explanation>;

// "event 45 (kernel command line: ...)".
std::string SayEvent(const Question& question, const Event& event);

// whole_story.cc: all events together.
Answer NeverExtended(const Question& question);
Answer StoppedEarly(const Question& question);
Answer OtherStartValue(const Question& question);
Answer OtherRegister(const Question& question);
Answer OtherBank(const Question& question);
Answer LaterBeginning(const Question& question);
Answer SeveralNotExtended(const Question& question);

// one_event.cc: one event of the register, or two.
Answer DigestAltered(const Question& question);
Answer EventNotExtended(const Question& question);
Answer ExtendedTwice(const Question& question);
Answer NeighboursSwapped(const Question& question);
Answer AnySwapped(const Question& question);
Answer MovedLater(const Question& question);
Answer MovedEarlier(const Question& question);
Answer EventReplaced(const Question& question);

// more_events.cc: events that the log does not have for the register.
Answer TypeAltered(const Question& question);
Answer OtherRegistersEvent(const Question& question);
Answer EventMissing(const Question& question);
Answer ExtendedLater(const Question& question);
Answer ExtendedLaterInAnyOrder(const Question& question);

}  // namespace bootgate::eventlog

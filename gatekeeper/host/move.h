// How a host's state moves: state and event in, move out. Pure; whoever calls it commits the move.
//
//     pending --admit--> trusted --deny--> quarantined --investigate--> investigating --release-->
//        |                 |  ^   (or an operator)  ^                                    remediated
//        |                 |  |                     `------------ deny, reopen -------------'  |
//        |                 |  `----------------------- admit in a later boot ------------------'
//        |                 |--deny, at most restrict--> restricted --admit--> trusted
//        `-----------------`--deny, brake holds--> suspect --confirm--> quarantined
//                                                     `-----forgive--> pending
//
//   any --retire--> retired --reinstate--> pending; or quarantined, when it was shut out before
//
// From quarantined, investigating and remediated one way leads to trusted: an operator's release,
// then an ADMIT in a boot later than the bad one. No event that a host can bring about is on any
// other (attack A81). What a remediated host fails in does not matter: it is quarantined again.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gatekeeper/claims/action.h"
#include "gatekeeper/host/host.h"

namespace bootgate::gatekeeper::host {

// Evidence of the host was judged. REJECT, LIMIT and ERROR move nothing.
struct Judged {
  OutcomeClass outcome = OutcomeClass::kReject;
  BootMark boot;
  Action action = Action::kIsolate;  // what a DENY comes to: kRestrict or kIsolate
  bool brake_holds = false;          // too many fail at once: who fails now is held as suspect
  std::optional<BootMark> bad_boot;  // what a failure is remembered by; none: `boot`
  bool counted_anew = false;         // the TPM's counters began again: old marks mean nothing
};

// What operators do.
enum class Act {
  kQuarantine,
  kInvestigate,
  kRelease,
  kReopen,
  kRetire,
  kReinstate,
  kConfirm,  // of the brake: this suspect failed by itself
  kForgive   // of the brake: this suspect failed with all the others
};
absl::string_view Name(Act act);  // "quarantine", ...

using Event = std::variant<Judged, Act>;

struct Move {
  Trust next;
  bool may_issue = false;  // a credential may follow this commit
  std::vector<Effect> effects;
};

Move NextMove(const HostRecord& host, const Judged& judged);
// Nothing: the act is not for a host in this state.
std::optional<Move> NextMove(const HostRecord& host, Act act);
std::optional<Move> NextMove(const HostRecord& host, const Event& event);

// What a move changes in the record: trust and since when, which boot was bad, who shut it out. A
// host that is shut out and has no mark of a bad boot gets that of its next evidence.
HostRecord After(const HostRecord& host, const Event& event, const Move& move,
                 absl::string_view actor, absl::Time now);

// True when `boot` is a later boot than `before` (TPM reset counter moved on).
bool IsLaterBoot(const BootMark& before, const BootMark& boot);

}  // namespace bootgate::gatekeeper::host

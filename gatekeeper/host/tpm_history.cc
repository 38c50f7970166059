#include "gatekeeper/host/tpm_history.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper::host {
namespace {

constexpr size_t kShownBootId = 64;  // bytes
// The longest that an answer may be on its way: as long as a challenge can be configured to be
// good.
constexpr absl::Duration kLongestOnItsWay = absl::Minutes(10);

std::string RolledBack(absl::string_view what, uint64_t last, uint64_t now) {
  return absl::StrCat(what, " went back from ", last, " to ", now);
}

std::string WithId(const BootMark& boot, const std::string& kernel_boot_id) {
  if (kernel_boot_id.empty()) return Describe(boot);
  return absl::StrCat(Describe(boot), ", kernel boot ", Printable(kernel_boot_id, kShownBootId));
}

Finding Failing(Reason code, std::string expected, std::string actual, std::string text) {
  Finding finding;
  finding.code = code;
  finding.expected = std::move(expected);
  finding.actual = std::move(actual);
  finding.text = std::move(text);
  return finding;
}

Finding CloneFinding(const std::string& first, const std::string& second) {
  return Failing(Reason::kTpmCloneSuspected, first, second,
                 absl::StrCat("Two machines answer with this TPM in turns: one at ", first,
                              "; the other at ", second, "."));
}

bool IsHeard(const std::optional<TpmLine>& line, absl::Time now) {
  return line.has_value() && now - line->seen_at <= kSecondLineKept;
}

bool IsAllowedToStartAnew(const TpmHistory& history, absl::Time now) {
  return history.clear_accepted_until.has_value() && now <= *history.clear_accepted_until;
}

// Boot ids are random: one that was told before another at the same reset count never comes back
// on the same machine.
bool IsEarlierBootAgain(const BootMark& last, const TpmHistory& history, const TpmNow& now) {
  return !now.kernel_boot_id.empty() && now.boot.reset_count == last.reset_count &&
         now.kernel_boot_id == history.earlier_boot_id &&
         now.kernel_boot_id != history.kernel_boot_id;
}

// The clock alone went back, within one boot and by no more than answers can overtake one another.
// The older one is refused as rolled back; it says nothing of a second line, and nothing is kept.
bool MayBeLate(const BootMark& last, const TpmHistory& history, const TpmNow& now) {
  const bool same_boot = now.boot.reset_count == last.reset_count &&
                         now.boot.restart_count == last.restart_count &&
                         now.kernel_boot_id == history.kernel_boot_id;
  return same_boot && now.boot.clock_ms < last.clock_ms &&
         absl::Milliseconds(last.clock_ms - now.boot.clock_ms) <= kLongestOnItsWay;
}

// Both lines are known already: whose evidence is this?
bool IsOfSecondLine(const BootMark& last, const TpmHistory& history, const TpmNow& now) {
  if (!WentBack(last, now.boot, now.clock_safe).empty()) return true;
  const std::string& id = history.second_line->kernel_boot_id;
  return !id.empty() && id == now.kernel_boot_id && id != history.kernel_boot_id;
}

void TakeKernelBootId(const BootMark* last, const TpmNow& now, TpmHistory& history) {
  const bool same_reset = last != nullptr && last->reset_count == now.boot.reset_count;
  if (!same_reset) {
    history.earlier_boot_id.clear();
    history.kernel_boot_id = now.kernel_boot_id;
    return;
  }
  if (now.kernel_boot_id.empty() || now.kernel_boot_id == history.kernel_boot_id) return;
  history.earlier_boot_id = std::exchange(history.kernel_boot_id, now.kernel_boot_id);
}

TpmHistory Forward(const BootMark* last, TpmHistory history, const TpmNow& now) {
  TakeKernelBootId(last, now, history);
  history.clock_safe = now.clock_safe;
  if (!IsHeard(history.second_line, now.at)) {
    history.second_line.reset();
    history.clone_suspected = false;
  }
  history.moved_since_second_line = history.second_line.has_value();
  return history;
}

std::vector<Finding> ResetFindings(const BootMark& last, const TpmHistory& history,
                                   const TpmNow& now) {
  const bool reset = now.boot.reset_count != last.reset_count;
  const bool restarted = !reset && now.boot.restart_count != last.restart_count;
  if (reset && !now.kernel_boot_id.empty() && now.kernel_boot_id == history.kernel_boot_id) {
    return {
        Failing(Reason::kTpmResetAnomaly, "a new kernel boot id",
                Printable(now.kernel_boot_id, kShownBootId),
                absl::StrCat("The TPM was reset (", Describe(last), "; now ", Describe(now.boot),
                             ") while the same kernel went on running: what its registers show "
                             "may have been put there afterwards."))};
  }
  if (restarted && now.registers_at_start) {
    return {Failing(Reason::kTpmResetAnomaly, "PCR 1-7 as the firmware left them",
                    "PCR 1-7 at their start values",
                    absl::StrCat("The TPM was restarted (", Describe(last), "; now ",
                                 Describe(now.boot), ") and its registers were lost with it."))};
  }
  return {};
}

TpmStep Clone(const BootMark& last, TpmHistory history, const TpmNow& now, std::string went_back) {
  const std::string first = WithId(last, history.kernel_boot_id);
  const std::string second = WithId(now.boot, now.kernel_boot_id);
  history.second_line =
      TpmLine{.boot = now.boot, .kernel_boot_id = now.kernel_boot_id, .seen_at = now.at};
  history.moved_since_second_line = true;
  history.clone_suspected = true;
  return {.kind = TpmStepKind::kClone,
          .last = last,
          .history = std::move(history),
          .worth_writing = true,
          .went_back = std::move(went_back),
          .findings = {CloneFinding(first, second)}};
}

// The first line goes on while the second is still heard.
TpmStep FirstOfTwo(const BootMark& last, const TpmHistory& history, const TpmNow& now) {
  TpmStep step{.kind = TpmStepKind::kClone,
               .last = now.boot,
               .history = Forward(&last, history, now),
               .worth_writing = true,
               .went_back = "",
               .findings = ResetFindings(last, history, now)};
  const TpmLine& second = *history.second_line;
  step.findings.push_back(CloneFinding(WithId(now.boot, now.kernel_boot_id),
                                       WithId(second.boot, second.kernel_boot_id)));
  return step;
}

TpmStep Back(const BootMark& last, const TpmHistory& history, const TpmNow& now,
             std::string went_back) {
  TpmStep step{.kind = TpmStepKind::kRolledBack,
               .last = last,
               .history = history,
               .worth_writing = true,
               .went_back = std::move(went_back),
               .findings = {}};
  const std::optional<TpmLine>& known = history.second_line;
  const bool goes_on = IsHeard(known, now.at) && !history.moved_since_second_line &&
                       WentBack(known->boot, now.boot, now.clock_safe).empty();
  step.worth_writing = !goes_on || now.at - known->seen_at >= kSecondLineRefreshed;
  step.history.second_line =
      TpmLine{.boot = now.boot, .kernel_boot_id = now.kernel_boot_id, .seen_at = now.at};
  step.history.moved_since_second_line = false;
  step.history.clone_suspected = false;
  return step;
}

TpmStep Late(const BootMark& last, const TpmHistory& history, std::string went_back) {
  return {.kind = TpmStepKind::kRolledBack,
          .last = last,
          .history = history,
          .worth_writing = false,
          .went_back = std::move(went_back),
          .findings = {}};
}

TpmStep Anew(const TpmNow& now, std::string went_back) {
  return {.kind = TpmStepKind::kAnew,
          .last = now.boot,
          .history = Forward(nullptr, TpmHistory(), now),
          .worth_writing = true,
          .went_back = std::move(went_back),
          .findings = {}};
}

}  // namespace

std::string WentBack(const BootMark& last, const BootMark& now, bool clock_safe) {
  if (now.reset_count < last.reset_count) {
    return RolledBack("the TPM's reset count", last.reset_count, now.reset_count);
  }
  const bool same_reset = now.reset_count == last.reset_count;
  if (same_reset && now.restart_count < last.restart_count) {
    return RolledBack("the TPM's restart count", last.restart_count, now.restart_count);
  }
  // A crash counts as a reset, so within one reset count the clock never goes back.
  if ((same_reset || clock_safe) && now.clock_ms < last.clock_ms) {
    return RolledBack("the TPM's clock (ms)", last.clock_ms, now.clock_ms);
  }
  return "";
}

TpmStep Follow(const std::optional<BootMark>& last, const TpmHistory& history, const TpmNow& now) {
  if (!last.has_value()) {
    return {.kind = TpmStepKind::kForward,
            .last = now.boot,
            .history = Forward(nullptr, history, now),
            .worth_writing = true,
            .went_back = "",
            .findings = {}};
  }
  std::string went_back = WentBack(*last, now.boot, now.clock_safe);
  const bool two_are_heard = IsHeard(history.second_line, now.at);
  if (history.clone_suspected && two_are_heard) {
    if (IsOfSecondLine(*last, history, now))
      return Clone(*last, history, now, std::move(went_back));
    return FirstOfTwo(*last, history, now);
  }
  if (went_back.empty()) {
    if (IsEarlierBootAgain(*last, history, now)) return Clone(*last, history, now, "");
    return {.kind = TpmStepKind::kForward,
            .last = now.boot,
            .history = Forward(&*last, history, now),
            .worth_writing = true,
            .went_back = "",
            .findings = ResetFindings(*last, history, now)};
  }
  if (MayBeLate(*last, history, now)) return Late(*last, history, std::move(went_back));
  if (IsAllowedToStartAnew(history, now.at)) return Anew(now, std::move(went_back));
  if (two_are_heard && history.moved_since_second_line &&
      WentBack(history.second_line->boot, now.boot, now.clock_safe).empty()) {
    return Clone(*last, history, now, std::move(went_back));
  }
  return Back(*last, history, now, std::move(went_back));
}

TpmHistory WithClearAccepted(const TpmHistory& history, absl::Time now) {
  TpmHistory out = history;
  out.second_line.reset();
  out.moved_since_second_line = false;
  out.clone_suspected = false;
  out.earlier_boot_id.clear();
  out.clear_accepted_until = now + kClearAccepted;
  return out;
}

std::string Describe(const BootMark& boot) {
  constexpr uint64_t kMsPerSecond = 1000;
  return absl::StrFormat("reset %u, restart %u, clock %u.%03u s", boot.reset_count,
                         boot.restart_count, boot.clock_ms / kMsPerSecond,
                         boot.clock_ms % kMsPerSecond);
}

}  // namespace bootgate::gatekeeper::host

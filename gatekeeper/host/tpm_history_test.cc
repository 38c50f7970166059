#include "gatekeeper/host/tpm_history.h"

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::host {
namespace {

using enum TpmStepKind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

absl::Time At(int64_t minutes) { return absl::FromUnixSeconds(1'800'000'000 + 60 * minutes); }

// ---- one step

struct ClockRow {
  const char* name;
  BootMark boot;
  bool clock_safe;
  bool accepted;
};
void PrintTo(const ClockRow& row, std::ostream* os) { *os << row.name; }

// The last authentic evidence: reset 7, restart 2, clock 5000.
class MonotonicTest : public ::testing::TestWithParam<ClockRow> {};

TEST_P(MonotonicTest, A17_CountersAndClockNeverGoBack) {
  const BootMark last = {.reset_count = 7, .restart_count = 2, .clock_ms = 5000};
  const TpmStep step =
      Follow(last, {}, {.boot = GetParam().boot, .clock_safe = GetParam().clock_safe, .at = At(0)});
  EXPECT_EQ(step.kind, GetParam().accepted ? kForward : kRolledBack);
  EXPECT_EQ(step.went_back.empty(), GetParam().accepted);
  EXPECT_EQ(step.last, GetParam().accepted ? GetParam().boot : last);
}

INSTANTIATE_TEST_SUITE_P(Attack, MonotonicTest,
                         ::testing::ValuesIn(std::vector<ClockRow>{
                             {"SameInstant", {7, 2, 5000}, true, true},
                             {"LaterInTheSameBoot", {7, 2, 5001}, true, true},
                             {"ClockWentBackInTheSameBoot", {7, 2, 4999}, true, false},
                             {"ClockWentBackInTheSameBootAndIsNotSafe", {7, 2, 4999}, false, false},
                             {"Resumed", {7, 3, 5001}, true, true},
                             {"RestartCountWentBack", {7, 1, 6000}, true, false},
                             {"Rebooted", {8, 0, 6000}, true, true},
                             {"RebootedAfterACrash", {8, 0, 4000}, false, true},
                             {"RebootedWithTheClockBack", {8, 0, 4000}, true, false},
                             {"ResetCountWentBack", {6, 9, 9000}, true, false},
                             {"ResetCountWentBackAndIsNotSafe", {6, 9, 9000}, false, false},
                             {"SnapshotOfTheFirstBoot", {0, 0, 0}, true, false},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(TpmHistory, FirstEvidenceHasNothingToCompareWith) {
  const TpmStep step = Follow(std::nullopt, {}, {.kernel_boot_id = "x", .at = At(0)});
  EXPECT_EQ(step.kind, kForward);
  EXPECT_THAT(step.findings, IsEmpty());
  EXPECT_EQ(step.history.kernel_boot_id, "x");
}

// ---- a reset without a boot

struct ResetRow {
  const char* name;
  TpmNow now;
  bool anomaly;
};
void PrintTo(const ResetRow& row, std::ostream* os) { *os << row.name; }

class ResetTest : public ::testing::TestWithParam<ResetRow> {};

TEST_P(ResetTest, A61_ResetWithoutABootIsNamed) {
  const BootMark last = {.reset_count = 7, .restart_count = 2, .clock_ms = 5000};
  const TpmStep step = Follow(last, {.kernel_boot_id = "kernel-1"}, GetParam().now);
  EXPECT_EQ(step.kind, kForward);
  ASSERT_THAT(step.findings, SizeIs(GetParam().anomaly ? 1 : 0));
  if (!GetParam().anomaly) return;
  EXPECT_EQ(step.findings[0].code, Reason::kTpmResetAnomaly);
  EXPECT_EQ(step.findings[0].severity, Severity::kFail);
  EXPECT_THAT(step.findings[0].text, HasSubstr("reset 7, restart 2, clock 5.000 s"));
}

INSTANTIATE_TEST_SUITE_P(
    Attack, ResetTest,
    ::testing::ValuesIn(std::vector<ResetRow>{
        {"SameKernel", {.boot = {8, 0, 6000}, .kernel_boot_id = "kernel-1"}, true},
        {"SameKernelAfterACrashOfTheTpm",
         {.boot = {8, 0, 100}, .clock_safe = false, .kernel_boot_id = "kernel-1"},
         true},
        {"SameKernelManyResets", {.boot = {20, 0, 6000}, .kernel_boot_id = "kernel-1"}, true},
        {"NewKernel", {.boot = {8, 0, 6000}, .kernel_boot_id = "kernel-2"}, false},
        {"KernelNotTold", {.boot = {8, 0, 6000}}, false},
        {"NoReset", {.boot = {7, 2, 6000}, .kernel_boot_id = "kernel-1"}, false},
        {"Kexec", {.boot = {7, 2, 6000}, .kernel_boot_id = "kernel-2"}, false},
        {"SleptAndResumed", {.boot = {7, 3, 6000}, .kernel_boot_id = "kernel-1"}, false},
        {"RestartedAndRegistersLost",
         {.boot = {7, 3, 6000}, .kernel_boot_id = "kernel-1", .registers_at_start = true},
         true},
        {"RestartedAndRegistersLostKernelNotTold",
         {.boot = {7, 3, 6000}, .registers_at_start = true},
         true},
        {"NeverMeasured",
         {.boot = {7, 2, 6000}, .kernel_boot_id = "kernel-1", .registers_at_start = true},
         false},
    }),
    [](const auto& row) { return std::string(row.param.name); });

// ---- many steps: one host's record and the machines that answer for it

// Runs evidence after evidence through Follow as the gatekeeper does.
class Record {
 public:
  TpmStep See(TpmNow now) {
    now.at = At(minutes_ += 10);
    TpmStep step = Follow(last_, history_, now);
    if (step.worth_writing) {
      if (step.kind != kRolledBack) last_ = step.last;
      history_ = step.history;
    }
    written_ += step.worth_writing ? 1 : 0;
    return step;
  }
  void Pass(absl::Duration time) { minutes_ += absl::ToInt64Minutes(time); }
  void AcceptClear() { history_ = WithClearAccepted(history_, At(minutes_)); }
  const TpmHistory& history() const { return history_; }
  int written() const { return written_; }

 private:
  std::optional<BootMark> last_;
  TpmHistory history_;
  int64_t minutes_ = 0;
  int written_ = 0;
};

struct Machine {
  BootMark boot = {.reset_count = 7, .restart_count = 0, .clock_ms = 10'000'000};
  std::string kernel = "kernel-a";
  bool safe = true;

  TpmNow Quote() {
    boot.clock_ms += 1000;
    return {.boot = boot, .clock_safe = safe, .kernel_boot_id = kernel};
  }
  void Reboot(const char* new_kernel) {
    ++boot.reset_count;
    boot.restart_count = 0;
    kernel = new_kernel;
  }
};

struct Story {
  const char* name;
  // What the machines send, and what is to come of each.
  std::function<std::vector<TpmStepKind>(Record&)> told;
  std::vector<TpmStepKind> expected;
};
void PrintTo(const Story& row, std::ostream* os) { *os << row.name; }

class StoryTest : public ::testing::TestWithParam<Story> {};

TEST_P(StoryTest, A35_OnlyTwoLinesThatMoveInTurnsAreAClone) {
  Record record;
  EXPECT_EQ(GetParam().told(record), GetParam().expected);
}

std::vector<TpmStepKind> Send(Record& record, std::vector<Machine*> in_turn) {
  std::vector<TpmStepKind> kinds;
  for (Machine* machine : in_turn) kinds.push_back(record.See(machine->Quote()).kind);
  return kinds;
}

std::vector<TpmStepKind> OneHonestMachine(Record& record) {
  Machine one;
  std::vector<TpmStepKind> kinds = Send(record, {&one, &one});
  one.Reboot("kernel-b");
  kinds.push_back(record.See(one.Quote()).kind);
  one.kernel = "kernel-c";  // kexec
  kinds.push_back(record.See(one.Quote()).kind);
  return kinds;
}

// Each crash takes the clock back by up to its last save, and says so.
std::vector<TpmStepKind> OneThatCrashes(Record& record) {
  Machine one;
  std::vector<TpmStepKind> kinds = Send(record, {&one});
  for (const char* kernel : {"kernel-b", "kernel-c", "kernel-d", "kernel-e"}) {
    one.Reboot(kernel);
    one.boot.clock_ms -= 500'000;
    one.safe = false;
    kinds.push_back(record.See(one.Quote()).kind);
    one.boot.clock_ms += 800'000;
    one.safe = true;
    kinds.push_back(record.See(one.Quote()).kind);
  }
  return kinds;
}

std::vector<TpmStepKind> OneThatIsCleared(Record& record) {
  Machine one;
  std::vector<TpmStepKind> kinds = Send(record, {&one});
  one.boot = {};
  for (int i = 0; i < 5; ++i) kinds.push_back(record.See(one.Quote()).kind);
  record.AcceptClear();
  for (int i = 0; i < 2; ++i) kinds.push_back(record.See(one.Quote()).kind);
  return kinds;
}

// A snapshot was restored; after a while the machine is where it had been before.
std::vector<TpmStepKind> OneThatIsRolledBackAndCatchesUp(Record& record) {
  Machine one;
  std::vector<TpmStepKind> kinds = Send(record, {&one});
  one.boot.clock_ms -= 1'000'000;
  kinds.push_back(record.See(one.Quote()).kind);
  kinds.push_back(record.See(one.Quote()).kind);
  one.boot.clock_ms += 2'000'000;
  kinds.push_back(record.See(one.Quote()).kind);
  kinds.push_back(record.See(one.Quote()).kind);
  return kinds;
}

std::vector<TpmStepKind> OneThatIsRolledBackAgainNextWeek(Record& record) {
  std::vector<TpmStepKind> kinds = OneThatIsRolledBackAndCatchesUp(record);
  record.Pass(absl::Hours(24 * 7));
  Machine one = {.boot = {.reset_count = 7, .restart_count = 0, .clock_ms = 9'500'000}};
  kinds.push_back(record.See(one.Quote()).kind);
  return kinds;
}

// Under load an agent gives up and answers anew; the old answer is judged after the new one.
std::vector<TpmStepKind> OneWhoseAnswersOvertakeOneAnother(Record& record) {
  Machine one;
  std::vector<TpmStepKind> kinds;
  for (int i = 0; i < 4; ++i) {
    const TpmNow slow = one.Quote();
    one.boot.clock_ms += 50'000;
    kinds.push_back(record.See(one.Quote()).kind);
    kinds.push_back(record.See(slow).kind);
  }
  EXPECT_FALSE(record.history().second_line.has_value());
  EXPECT_EQ(record.written(), 4);
  return kinds;
}

std::vector<TpmStepKind> TwoOfWhichOneRebooted(Record& record) {
  Machine one, two;
  two.Reboot("kernel-b");
  return Send(record, {&one, &two, &one, &two, &one, &two, &one});
}

std::vector<TpmStepKind> TwoOfWhichOneIsBehind(Record& record) {
  Machine one, two;
  two.boot.clock_ms -= 3'000'000;
  return Send(record, {&one, &two, &two, &one, &two, &two, &one});
}

// Copied while off and booted at the same time: the clocks hardly tell them apart, the kernels do.
std::vector<TpmStepKind> TwoInStep(Record& record) {
  Machine one, two;
  two.kernel = "kernel-b";
  std::vector<TpmStepKind> kinds;
  for (int i = 0; i < 3; ++i) {
    two.boot.clock_ms = one.boot.clock_ms + 500;
    kinds.push_back(record.See(one.Quote()).kind);
    kinds.push_back(record.See(two.Quote()).kind);
    one.boot.clock_ms += 10'000;
  }
  return kinds;
}

std::vector<TpmStepKind> TwoOfWhichOneIsSwitchedOff(Record& record) {
  Machine one, two;
  two.boot.clock_ms -= 3'000'000;
  std::vector<TpmStepKind> kinds = Send(record, {&one, &two, &one, &two, &one});
  record.Pass(absl::Hours(25));
  kinds.push_back(record.See(one.Quote()).kind);
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(
    Attack, StoryTest,
    ::testing::ValuesIn(std::vector<Story>{
        {"OneHonestMachine", OneHonestMachine, {kForward, kForward, kForward, kForward}},
        {"OneThatCrashes", OneThatCrashes, std::vector<TpmStepKind>(9, kForward)},
        {"OneThatIsCleared",
         OneThatIsCleared,
         {kForward, kRolledBack, kRolledBack, kRolledBack, kRolledBack, kRolledBack, kAnew,
          kForward}},
        {"OneThatIsRolledBackAndCatchesUp",
         OneThatIsRolledBackAndCatchesUp,
         {kForward, kRolledBack, kRolledBack, kForward, kForward}},
        {"OneThatIsRolledBackAgainNextWeek",
         OneThatIsRolledBackAgainNextWeek,
         {kForward, kRolledBack, kRolledBack, kForward, kForward, kRolledBack}},
        {"OneWhoseAnswersOvertakeOneAnother",
         OneWhoseAnswersOvertakeOneAnother,
         {kForward, kRolledBack, kForward, kRolledBack, kForward, kRolledBack, kForward,
          kRolledBack}},
        {"TwoOfWhichOneRebooted",
         TwoOfWhichOneRebooted,
         {kForward, kForward, kRolledBack, kForward, kClone, kClone, kClone}},
        {"TwoOfWhichOneIsBehind",
         TwoOfWhichOneIsBehind,
         {kForward, kRolledBack, kRolledBack, kForward, kClone, kClone, kClone}},
        {"TwoInStep", TwoInStep, {kForward, kForward, kClone, kClone, kClone, kClone}},
        {"TwoOfWhichOneIsSwitchedOff",
         TwoOfWhichOneIsSwitchedOff,
         {kForward, kRolledBack, kForward, kClone, kClone, kForward}},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(TpmClone, FindingNamesBothLines) {
  Record record;
  Machine one, two;
  two.boot.reset_count = 5;
  two.kernel = "kernel-b";
  Send(record, {&one, &two, &one});
  const TpmStep step = record.See(two.Quote());
  ASSERT_THAT(step.findings, SizeIs(1));
  EXPECT_EQ(step.findings[0].code, Reason::kTpmCloneSuspected);
  EXPECT_THAT(step.findings[0].text,
              HasSubstr("reset 7, restart 0, clock 10002.000 s, kernel boot kernel-a"));
  EXPECT_THAT(step.findings[0].text,
              HasSubstr("reset 5, restart 0, clock 10002.000 s, kernel boot kernel-b"));
  EXPECT_EQ(step.last, one.boot) << "the second line must not take the first one's place";
}

// ---- refused evidence and the disk

TEST(TpmHistory, ALineThatIsRefusedAgainAndAgainIsWrittenOnceAnHour) {
  Record record;
  Machine one;
  Send(record, {&one});
  one.boot.reset_count = 3;
  for (int i = 0; i < 60; ++i) record.See(one.Quote());  // every ten minutes
  EXPECT_EQ(record.written(), 1 + 10);
}

// ---- an operator's word

TEST(AcceptClear, IsGoodForOneNewStart) {
  Record record;
  Machine one;
  Send(record, {&one});
  record.AcceptClear();
  one.boot = {};
  EXPECT_EQ(record.See(one.Quote()).kind, kAnew);
  EXPECT_FALSE(record.history().clear_accepted_until.has_value());
  one.boot.clock_ms -= 500;
  one.boot.clock_ms -= 1000;
  EXPECT_EQ(record.See({.boot = {.clock_ms = 1}}).kind, kRolledBack);
}

TEST(AcceptClear, LapsesWhenNothingHasStartedAnew) {
  Record record;
  Machine one;
  Send(record, {&one});
  record.AcceptClear();
  EXPECT_EQ(record.See(one.Quote()).kind, kForward);
  record.Pass(kClearAccepted + absl::Hours(1));
  one.boot = {};
  EXPECT_EQ(record.See(one.Quote()).kind, kRolledBack);
}

TEST(AcceptClear, EndsTheSuspicionOfAClone) {
  Record record;
  Machine one, two;
  two.boot.clock_ms -= 3'000'000;
  Send(record, {&one, &two, &one, &two});
  ASSERT_TRUE(record.history().clone_suspected);
  record.AcceptClear();
  EXPECT_EQ(record.See(one.Quote()).kind, kForward);
  EXPECT_FALSE(record.history().clone_suspected);
}

TEST(TpmHistory, RemembersWhetherTheClockWasSafe) {
  Record record;
  record.See({.boot = {1, 0, 10}, .clock_safe = false});
  EXPECT_FALSE(record.history().clock_safe);
  record.See({.boot = {1, 0, 20}, .clock_safe = true});
  EXPECT_TRUE(record.history().clock_safe);
}

}  // namespace
}  // namespace bootgate::gatekeeper::host

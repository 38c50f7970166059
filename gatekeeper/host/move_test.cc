// Every state, every event, every boot: the whole table, written out, and walked from end to end.
#include "gatekeeper/host/move.h"

#include <iterator>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::host {
namespace {

using ::testing::IsEmpty;

using enum Trust;

constexpr Trust kAllTrusts[] = {kPending,    kTrusted, kQuarantined, kInvestigating,
                                kRemediated, kRetired, kRestricted,  kSuspect};

constexpr BootMark kBadBoot = {.reset_count = 7, .restart_count = 2, .clock_ms = 5000};
constexpr BootMark kSameBoot = {.reset_count = 7, .restart_count = 3, .clock_ms = 9000};
constexpr BootMark kLaterBoot = {.reset_count = 8, .restart_count = 0, .clock_ms = 9500};
constexpr BootMark kEarlierBoot = {.reset_count = 6, .restart_count = 9, .clock_ms = 100};

// The boot of the evidence against the one that the record calls bad.
enum class Boot { kNoMark, kSame, kLater, kEarlier };
constexpr Boot kAllBoots[] = {Boot::kNoMark, Boot::kSame, Boot::kLater, Boot::kEarlier};
constexpr const char* kBootNames[] = {"no mark", "same boot", "later boot", "earlier boot"};

BootMark MarkOf(Boot boot) {
  if (boot == Boot::kEarlier) return kEarlierBoot;
  return boot == Boot::kSame ? kSameBoot : kLaterBoot;
}

HostRecord HostThatIs(Trust trust, Boot boot = Boot::kSame) {
  HostRecord host;
  host.id = "h-00112233445566778899aabbccddeeff";
  host.trust = trust;
  host.last_boot = kBadBoot;
  if (boot != Boot::kNoMark) host.quarantined_boot = kBadBoot;
  return host;
}

Judged Deny(Action action, bool brake_holds) {
  return {.outcome = OutcomeClass::kDeny, .boot = {}, .action = action, .brake_holds = brake_holds};
}

struct Happening {
  std::string name;
  Event event;
};
std::vector<Happening> Happenings() {
  std::vector<Happening> all = {{"admit", Judged{.outcome = OutcomeClass::kAdmit, .boot = {}}},
                                {"deny", Deny(Action::kIsolate, false)},
                                {"deny+brake", Deny(Action::kIsolate, true)},
                                {"restrict", Deny(Action::kRestrict, false)},
                                {"restrict+brake", Deny(Action::kRestrict, true)},
                                {"reject", Judged{.outcome = OutcomeClass::kReject, .boot = {}}},
                                {"limit", Judged{.outcome = OutcomeClass::kLimit, .boot = {}}},
                                {"error", Judged{.outcome = OutcomeClass::kError, .boot = {}}}};
  for (const Act act : {Act::kQuarantine, Act::kInvestigate, Act::kRelease, Act::kReopen,
                        Act::kRetire, Act::kReinstate, Act::kConfirm, Act::kForgive}) {
    all.push_back({std::string(Name(act)), act});
  }
  return all;
}

using Effects = std::vector<Effect>;
const Effects kNone = {};
const Effects kIssue = {Effect::kIssueCredential};
const Effects kBack = {Effect::kIssueCredential, Effect::kNotifyRelease};
const Effects kCut = {Effect::kRevokeCredentials, Effect::kOpenIncident, Effect::kNotifyQuarantine};
const Effects kOpen = {Effect::kOpenIncident};
const Effects kAgain = {Effect::kOpenIncident, Effect::kNotifyQuarantine};
const Effects kRevoke = {Effect::kRevokeCredentials};

// What one cell must be. `next` none: the act is not for that state.
struct Cell {
  std::optional<Trust> next;
  Effects effects;
};

// By event: one cell for each state, in the order of kAllTrusts:
//   pending, trusted, quarantined, investigating, remediated, retired, restricted, suspect.
const std::map<std::string, std::vector<Cell>>& Table() {
  const Cell no = {std::nullopt, kNone};
  const Cell trusted = {kTrusted, kIssue}, quarantined = {kQuarantined, kCut};
  const Cell restricted = {kRestricted, kOpen}, suspect = {kSuspect, kOpen};
  const Cell q = {kQuarantined, kNone}, i = {kInvestigating, kNone}, m = {kRemediated, kNone},
             x = {kRetired, kNone}, r = {kRestricted, kNone}, s = {kSuspect, kNone},
             p = {kPending, kNone}, t = {kTrusted, kNone};
  static const std::map<std::string, std::vector<Cell>> table = {
      // Of a remediated host: in the boot that was bad, or in one that cannot be told from it. The
      // row for a later boot is below.
      {"admit", {trusted, trusted, q, i, m, x, trusted, s}},
      {"admit, later boot", {trusted, trusted, q, i, {kTrusted, kBack}, x, trusted, s}},
      {"deny", {quarantined, quarantined, q, i, quarantined, x, quarantined, s}},
      {"deny+brake", {suspect, suspect, q, i, quarantined, x, suspect, s}},
      {"restrict", {restricted, restricted, q, i, quarantined, x, r, s}},
      {"restrict+brake", {restricted, restricted, q, i, quarantined, x, r, s}},
      {"reject", {p, t, q, i, m, x, r, s}},
      {"limit", {p, t, q, i, m, x, r, s}},
      {"error", {p, t, q, i, m, x, r, s}},
      {"quarantine", {quarantined, quarantined, no, no, quarantined, no, quarantined, quarantined}},
      {"investigate", {no, no, i, no, no, no, no, no}},
      {"release", {no, no, no, m, no, no, no, no}},
      {"reopen", {no, no, no, q, {kQuarantined, kAgain}, no, no, no}},
      {"retire",
       {{kRetired, kRevoke},
        {kRetired, kRevoke},
        {kRetired, kRevoke},
        {kRetired, kRevoke},
        {kRetired, kRevoke},
        no,
        {kRetired, kRevoke},
        {kRetired, kRevoke}}},
      // With a mark of a bad boot. The row without one is below.
      {"reinstate", {no, no, no, no, no, q, no, no}},
      {"reinstate, no mark", {no, no, no, no, no, p, no, no}},
      {"confirm", {no, no, no, no, no, no, no, quarantined}},
      {"forgive", {no, no, no, no, no, no, no, p}}};
  return table;
}

std::string RowFor(const std::string& event, Boot boot) {
  if (event == "admit" && boot == Boot::kLater) return "admit, later boot";
  if (event == "reinstate" && boot == Boot::kNoMark) return "reinstate, no mark";
  return event;
}

TEST(NextMove, EveryStateEventAndBootMovesAsTheTableSays) {
  std::map<std::string, int> walked;
  for (Happening& happening : Happenings()) {
    for (const Boot boot : kAllBoots) {
      const std::string row = RowFor(happening.name, boot);
      ++walked[row];
      ASSERT_TRUE(Table().contains(row)) << row;
      ASSERT_EQ(Table().at(row).size(), std::size(kAllTrusts)) << row;
      if (auto* const judged = std::get_if<Judged>(&happening.event)) judged->boot = MarkOf(boot);
      for (size_t i = 0; i < std::size(kAllTrusts); ++i) {
        SCOPED_TRACE(::testing::Message() << Name(kAllTrusts[i]) << " + " << happening.name << ", "
                                          << kBootNames[static_cast<size_t>(boot)]);
        const Cell& cell = Table().at(row)[i];
        const std::optional<Move> move = NextMove(HostThatIs(kAllTrusts[i], boot), happening.event);
        ASSERT_EQ(move.has_value(), cell.next.has_value());
        if (!move.has_value()) continue;
        EXPECT_EQ(move->next, *cell.next) << Name(move->next);
        EXPECT_EQ(move->effects, cell.effects);
        // A credential follows an ADMIT that ends in trust, and nothing else.
        EXPECT_EQ(move->may_issue, move->next == kTrusted && row.starts_with("admit"));
      }
    }
  }
  EXPECT_EQ(walked.size(), Table().size()) << "a row of the table is never reached";
}

TEST(NextMove, RemediatedWithoutAMarkOfTheBadBootWaits) {
  const Judged admit = {.outcome = OutcomeClass::kAdmit, .boot = kLaterBoot};
  const Move move = NextMove(HostThatIs(kRemediated, Boot::kNoMark), admit);
  EXPECT_EQ(move.next, kRemediated);
  EXPECT_FALSE(move.may_issue);
  EXPECT_THAT(move.effects, IsEmpty());
}

TEST(NextMove, AHostThatAnOperatorCutOffBeforeItEverAttestedIsReinstatedIntoQuarantine) {
  HostRecord host = HostThatIs(kRetired, Boot::kNoMark);
  host.shut_out_by = "operator alice";
  EXPECT_EQ(NextMove(host, Act::kReinstate)->next, kQuarantined);
}

// ---- what the record keeps of it

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1'800'000'000 + seconds); }

HostRecord Taken(const HostRecord& host, const Event& event) {
  return After(host, event, *NextMove(host, event), "operator alice", At(9));
}

TEST(After, SinceIsTheTimeOfTheMoveAndStaysWhereNothingMoved) {
  HostRecord host = HostThatIs(kTrusted);
  host.trust_since = At(1);
  const Judged admit = {.outcome = OutcomeClass::kAdmit, .boot = kSameBoot};
  EXPECT_EQ(Taken(host, admit).trust_since, At(1));
  EXPECT_EQ(Taken(host, Deny(Action::kIsolate, false)).trust_since, At(9));
}

TEST(After, AnOperatorsQuarantineMarksTheLastBootAndWhoDidIt) {
  HostRecord host = HostThatIs(kTrusted, Boot::kNoMark);
  host.last_boot = kLaterBoot;
  const HostRecord next = Taken(host, Act::kQuarantine);
  EXPECT_EQ(next.quarantined_boot, kLaterBoot);
  EXPECT_EQ(next.shut_out_by, "operator alice");
}

TEST(After, AHostThatIsShutOutWithoutAMarkGetsThatOfItsNextEvidence) {
  HostRecord host = HostThatIs(kQuarantined, Boot::kNoMark);
  const HostRecord next =
      Taken(host, Judged{.outcome = OutcomeClass::kAdmit, .boot = kEarlierBoot});
  EXPECT_EQ(next.trust, kQuarantined);
  EXPECT_EQ(next.quarantined_boot, kEarlierBoot);
}

TEST(After, ASuspectKeepsItsMarkUntilItIsForgiven) {
  HostRecord host = HostThatIs(kTrusted, Boot::kNoMark);
  Judged deny = Deny(Action::kIsolate, true);
  deny.boot = kSameBoot;
  const HostRecord suspect = Taken(host, deny);
  EXPECT_EQ(suspect.quarantined_boot, kSameBoot);
  const HostRecord passed =
      Taken(suspect, Judged{.outcome = OutcomeClass::kAdmit, .boot = kLaterBoot});
  EXPECT_EQ(passed.trust, kSuspect);
  EXPECT_EQ(passed.quarantined_boot, kSameBoot);
  EXPECT_EQ(Taken(passed, Act::kConfirm).quarantined_boot, kSameBoot);
  EXPECT_FALSE(Taken(passed, Act::kForgive).quarantined_boot.has_value());
}

TEST(After, ARestrictedHostHasNoMark) {
  Judged deny = Deny(Action::kRestrict, false);
  deny.boot = kSameBoot;
  EXPECT_FALSE(Taken(HostThatIs(kTrusted, Boot::kNoMark), deny).quarantined_boot.has_value());
}

TEST(After, ATrustedHostHasNeitherMarkNorWhoShutItOut) {
  HostRecord host = HostThatIs(kRemediated);
  host.shut_out_by = "operator alice";
  const HostRecord next = Taken(host, Judged{.outcome = OutcomeClass::kAdmit, .boot = kLaterBoot});
  EXPECT_EQ(next.trust, kTrusted);
  EXPECT_FALSE(next.quarantined_boot.has_value());
  EXPECT_EQ(next.shut_out_by, "");
}

TEST(After, CountersThatBeganAgainMoveTheMark) {
  const Judged admit = {
      .outcome = OutcomeClass::kAdmit, .boot = kEarlierBoot, .counted_anew = true};
  EXPECT_EQ(Taken(HostThatIs(kQuarantined), admit).quarantined_boot, kEarlierBoot);
}

TEST(After, WhatIsRefusedLeavesTheRecordAsItWas) {
  for (const Trust trust : kAllTrusts) {
    const HostRecord host = HostThatIs(trust);
    const HostRecord next =
        Taken(host, Judged{.outcome = OutcomeClass::kReject, .boot = kLaterBoot});
    EXPECT_EQ(next.trust, trust);
    EXPECT_EQ(next.quarantined_boot, host.quarantined_boot);
  }
}

TEST(LaterBoot, IsAboutTheResetCountAlone) {
  EXPECT_TRUE(IsLaterBoot(kBadBoot, kLaterBoot));
  EXPECT_FALSE(IsLaterBoot(kBadBoot, kSameBoot));
  EXPECT_FALSE(IsLaterBoot(kLaterBoot, kBadBoot));
}

}  // namespace
}  // namespace bootgate::gatekeeper::host

// A57 and A60: a host sends only what its IMA list gained. What does not fit what is known ends in
// the whole list being asked for, never in a quarantine; and nothing is forgotten on the way.
#include "common/crypto/hash.h"
#include "common/ima/list.h"
#include "gatekeeper/quarantine/waivers.h"
#include "gatekeeper/reference/reference.h"
#include "tests/attack/victim.h"

namespace bootgate::attack {
namespace {

using gatekeeper::admission::Admission;
using gatekeeper::admission::Decision;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kEntries = 86;  // of the case "good"

// A gatekeeper that was started again, or another one on the same store.
struct Replica {
  explicit Replica(Gate& gate)
      : nonces(gate.clock, {}),
        admission(gate.admission_options, *gate.store, nonces, gate.authority, gate.clock) {}
  agent::Challenge Ask(const SoftHost& host) {
    return gate::AsTold(admission.NewChallenge({}, host.id(), host.ak_name()).value());
  }
  gatekeeper::session::NonceBook nonces;
  Admission admission;
};

class Incremental : public Attack {
 protected:
  void SetUp() override {
    Attack::SetUp();
    victim_.sends_only_new = true;
    StoreMayChange();
  }

  uint64_t Known() { return gate_.Host(victim_.id()).ima_cursor.value().progress.entries; }

  absl::StatusOr<Decision> Attest() {
    return gate_.admission.Decide({}, victim_.Answer(Challenge()));
  }

  static std::string CheckedBy(const Decision& decision) {
    std::string out;
    for (const std::string& row : decision.verdict.coverage.checked)
      absl::StrAppend(&out, row, "\n");
    return out;
  }

  // Numbers of the entries that a verdict has findings of this kind about.
  static std::vector<uint32_t> EntriesWith(const Decision& decision, Reason reason) {
    std::vector<uint32_t> entries;
    for (const gatekeeper::Finding& finding : decision.verdict.findings) {
      if (finding.code == reason && finding.event.has_value()) entries.push_back(*finding.event);
    }
    return entries;
  }

  // What the victim has run so far is good; other files are judged by `unlisted`.
  std::string ReferenceOfVictim(gatekeeper::reference::Unlisted unlisted) const {
    const eventlog::Log log = eventlog::Log::Parse(victim_.boot.boot_log);
    const ima::List list = ima::List::Parse(victim_.boot.ima);
    return ToJson(gatekeeper::reference::Learn({.log = log,
                                                .banks = {crypto::HashAlg::kSha256},
                                                .mask = 0,
                                                .ima = &list,
                                                .ima_entries = list.entries().size(),
                                                .unlisted = unlisted}));
  }

  // A part of the list that the quote names, whatever it is.
  evidence::Evidence Sending(const agent::Challenge& challenge, uint64_t first, ByteView bytes,
                             uint64_t count) {
    evidence::Evidence evidence = victim_.Answer(challenge);
    evidence.ima = {.first_entry = first,
                    .before_quote = ToBytes(bytes),
                    .before_quote_count = count,
                    .after_quote = {}};
    victim_.Sign(challenge, &evidence);
    return evidence;
  }
};

TEST_F(Incremental, A60_NextPartCostsOnlyItsOwnEntries) {
  EXPECT_EQ(Known(), kEntries);
  victim_.Measure("/usr/bin/one");
  const agent::Challenge challenge = Challenge();
  EXPECT_EQ(challenge.ima_first_entry, kEntries);
  const evidence::Evidence evidence = victim_.Answer(challenge);
  EXPECT_EQ(ima::List::Parse(evidence.ima.before_quote).entries().size(), 1u);
  const absl::StatusOr<Decision> decision = gate_.admission.Decide({}, evidence);
  ASSERT_THAT(decision, IsOk());
  EXPECT_EQ(decision->verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_THAT(CheckedBy(*decision), HasSubstr("quoted PCR 10, 1 entry"));
  EXPECT_THAT(CheckedBy(*decision), HasSubstr("the first 86 entries"));
  EXPECT_EQ(Known(), kEntries + 1);
  EXPECT_EQ(decision->next.ima_first_entry, kEntries + 1);
}

TEST_F(Incremental, A60_HostWithNothingNewSendsNothing) {
  for (int i = 0; i < 3; ++i) {
    const evidence::Evidence evidence = victim_.Answer(Challenge());
    EXPECT_TRUE(evidence.ima.before_quote.empty());
    const absl::StatusOr<Decision> decision = gate_.admission.Decide({}, evidence);
    ASSERT_THAT(decision, IsOk());
    EXPECT_EQ(decision->verdict.outcome, OutcomeClass::kAdmit);
    EXPECT_EQ(Known(), kEntries);
  }
}

TEST_F(Incremental, A57_WrongOffsetIsAnsweredByAskingForTheWholeList) {
  const std::string before = gate_.Dump();
  for (const uint64_t offset : {uint64_t{3}, kEntries - 1, kEntries + 1, ~uint64_t{0}}) {
    EXPECT_THAT(client_->Submit(Sending(Challenge(), offset, {}, 0)),
                IsRejectedWith(Reason::kRetryResync))
        << offset;
  }
  EXPECT_TRUE(gate_.Dump() == before);
  EXPECT_EQ(Challenge().ima_first_entry, 0u);
  const absl::StatusOr<Decision> whole = Attest();
  ASSERT_THAT(whole, IsOk());
  EXPECT_EQ(whole->verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_EQ(Challenge().ima_first_entry, kEntries);
}

TEST_F(Incremental, A57_OthersCannotMakeAHostSendItsWholeList) {
  evidence::Evidence evidence = victim_.Answer(Challenge());
  evidence.ima.first_entry = 3;
  EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kNonceMismatch));
  EXPECT_EQ(Challenge().ima_first_entry, kEntries);
}

TEST_F(Incremental, A57_ReplayOfAnEarlierSegmentIsAMismatch) {
  const ima::List list = ima::List::Parse(victim_.boot.ima);
  const Bytes segment = ToBytes(ByteView(victim_.boot.ima).subspan(list.entries()[84].offset));
  Bytes replayed = victim_.boot.ima;
  replayed.insert(replayed.end(), segment.begin(), segment.end());
  victim_.Measure("/usr/bin/evil");
  EXPECT_THAT(client_->Submit(Sending(Challenge(), kEntries, segment, 2)),
              IsRejectedWith(Reason::kRetryResync));
  const int limit = gate_.admission_options.behind_limit;
  for (int i = 1; i < limit; ++i) {
    EXPECT_THAT(client_->Submit(Sending(Challenge(), 0, replayed, kEntries + 2)),
                IsRejectedWith(Reason::kRetryLogBehind))
        << i;
  }
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer,
                          client_->Submit(Sending(Challenge(), 0, replayed, kEntries + 2)));
  EXPECT_EQ(answer.outcome, "DENY");
  EXPECT_THAT(answer, HasFinding(Reason::kImaPcrMismatch));
}

TEST_F(Incremental, A57_PartThatDoesNotLeadToTheQuoteIsNoQuarantine) {
  victim_.Measure("/usr/bin/one");
  const std::string before = gate_.Dump();
  EXPECT_THAT(client_->Submit(Sending(Challenge(), kEntries, {}, 0)),
              IsRejectedWith(Reason::kRetryResync));
  const Bytes garbage(100, 0xff);
  Replica other(gate_);
  EXPECT_THAT(other.admission.Decide({}, Sending(other.Ask(victim_), kEntries, garbage, 1)),
              IsRejectedWith(Reason::kRetryResync));
  EXPECT_TRUE(gate_.Dump() == before);
  EXPECT_EQ(Attest()->verdict.outcome, OutcomeClass::kAdmit);
}

TEST_F(Incremental, A57_RebootWithAShorterListNeedsNoSecondQuestion) {
  victim_.Measure("/usr/bin/one");
  ASSERT_THAT(Attest(), IsOk());
  victim_.Reboot();
  const absl::StatusOr<Decision> decision = Attest();
  ASSERT_THAT(decision, IsOk());
  EXPECT_EQ(decision->verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_EQ(Known(), kEntries);
}

TEST_F(Incremental, A57_RebootWithALongerListIsAskedAgain) {
  victim_.Reboot();
  victim_.Measure("/usr/bin/one");
  const std::string before = gate_.Dump();
  EXPECT_THAT(Attest(), IsRejectedWith(Reason::kRetryResync));
  EXPECT_TRUE(gate_.Dump() == before);
  EXPECT_EQ(Attest()->verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_EQ(gate_.Host(victim_.id()).ima_cursor->reset_count, victim_.clock.reset_count);
}

// A resume from sleep counts as a restart: the list goes on, but the TPM's word is a new one.
TEST_F(Incremental, A57_RestartOfTheTpmIsAskedAgain) {
  ++victim_.clock.restart_count;
  EXPECT_THAT(Attest(), IsRejectedWith(Reason::kRetryResync));
  EXPECT_EQ(Attest()->verdict.outcome, OutcomeClass::kAdmit);
}

TEST_F(Incremental, A57_OtherGatekeeperThatAskedBeforeTheLastVerdict) {
  Replica other(gate_);
  const agent::Challenge old = other.Ask(victim_);
  ASSERT_EQ(old.ima_first_entry, kEntries);
  victim_.Measure("/usr/bin/one");
  ASSERT_THAT(Attest(), IsOk());
  victim_.Measure("/usr/bin/two");
  EXPECT_THAT(other.admission.Decide({}, victim_.Answer(old)),
              IsRejectedWith(Reason::kRetryResync));
  const absl::StatusOr<Decision> again =
      other.admission.Decide({}, victim_.Answer(other.Ask(victim_)));
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_EQ(Known(), kEntries + 2);
}

TEST_F(Incremental, GatekeeperThatWasStartedAgainGoesOnWhereItWas) {
  Replica restarted(gate_);
  victim_.Measure("/usr/bin/one");
  const agent::Challenge challenge = restarted.Ask(victim_);
  EXPECT_EQ(challenge.ima_first_entry, kEntries);
  EXPECT_THAT(restarted.admission.Decide({}, victim_.Answer(challenge)), IsOk());
  EXPECT_EQ(Known(), kEntries + 1);
}

TEST_F(Incremental, A57_TightenedPolicyIsAppliedToEntriesThatWereAccepted) {
  const std::string reference = ReferenceOfVictim(gatekeeper::reference::Unlisted::kFail);
  victim_.Measure("/usr/bin/evil");
  ASSERT_EQ(Attest()->verdict.outcome, OutcomeClass::kAdmit);
  const agent::Challenge asked_before = Challenge();
  ASSERT_EQ(asked_before.ima_first_entry, kEntries + 1);
  gate_.AssignReference(reference);
  EXPECT_THAT(client_->Submit(victim_.Answer(asked_before)), IsRejectedWith(Reason::kRetryResync));
  EXPECT_EQ(Challenge().ima_first_entry, 0u);
  const absl::StatusOr<Decision> decision = Attest();
  ASSERT_THAT(decision, IsOk());
  EXPECT_EQ(decision->verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(EntriesWith(*decision, Reason::kImaUnlisted), ::testing::ElementsAre(kEntries));
}

TEST_F(Incremental, A57_AnyOtherPolicyBeginsAnew) {
  gate_.AssignPolicy(absl::StrCat(gate::kSecureBootPolicy, "// stricter\n"));
  EXPECT_EQ(Challenge().ima_first_entry, 0u);
  ASSERT_THAT(Attest(), IsOk());
  EXPECT_EQ(Challenge().ima_first_entry, kEntries);
}

TEST_F(Incremental, PolicyThatReadsEventsSeesTheWholeList) {
  gate_.AssignPolicy(R"(version=1.0;
authorizationrules { => permit(); };
issuancerules { [type=="events"] => issue(type="sawEvents", value=true); };
)");
  ASSERT_THAT(Attest(), IsOk());
  EXPECT_EQ(Challenge().ima_first_entry, 0u);
}

TEST_F(Incremental, WholeListIsJudgedAgainAfterItsTime) {
  const absl::Duration every = gate_.admission_options.ima_whole_every;
  gate_.clock.Advance(every / 2);
  ASSERT_THAT(Attest(), IsOk());
  gate_.clock.Advance(every / 2 - absl::Seconds(1));
  EXPECT_EQ(Challenge().ima_first_entry, kEntries);
  gate_.clock.Advance(absl::Seconds(1));
  EXPECT_EQ(Challenge().ima_first_entry, 0u);
}

TEST_F(Incremental, WarningsAboutEarlierEntriesStay) {
  gate_.AssignReference(ReferenceOfVictim(gatekeeper::reference::Unlisted::kWarn));
  victim_.Measure("/usr/bin/one");
  ASSERT_THAT(EntriesWith(*Attest(), Reason::kImaUnlisted), ::testing::ElementsAre(kEntries));
  EXPECT_THAT(EntriesWith(*Attest(), Reason::kImaUnlisted), ::testing::ElementsAre(kEntries));
  victim_.Measure("/usr/bin/two");
  Replica restarted(gate_);
  const absl::StatusOr<Decision> later =
      restarted.admission.Decide({}, victim_.Answer(restarted.Ask(victim_)));
  ASSERT_THAT(later, IsOk());
  EXPECT_THAT(CheckedBy(*later), HasSubstr("quoted PCR 10, 1 entry"));
  EXPECT_THAT(EntriesWith(*later, Reason::kImaUnlisted),
              ::testing::ElementsAre(kEntries, kEntries + 1));
}

// What is known of earlier entries has no paths: a waiver that looks at them wants the whole list.
TEST_F(Incremental, AWaiverThatIsNarrowedToPathsGoesOnWithTheWholeList) {
  gate_.AssignReference(ReferenceOfVictim(gatekeeper::reference::Unlisted::kFail));
  const auto waive = [&](const std::string& path) {
    gatekeeper::softening::Waiver waiver;
    waiver.findings.emplace_back();
    waiver.findings[0].code = Reason::kImaUnlisted;
    waiver.findings[0].path = path;
    waiver.hosts = {victim_.id()};
    waiver.owner = waiver.reason = "a hot fix";
    waiver.expires_at = gate_.clock.Now() + absl::Hours(1);
    return gatekeeper::quarantine::AddWaiver(*gate_.store, waiver, "operator bob",
                                             gate_.clock.Now())
        ->waiver.id;
  };
  const std::string broad = waive("");
  victim_.Measure("/opt/agent/fix");
  ASSERT_EQ(Attest()->verdict.outcome, OutcomeClass::kAdmit);
  const agent::Challenge asked_before = Challenge();
  ASSERT_EQ(asked_before.ima_first_entry, kEntries + 1);
  waive("/opt/agent/*");
  ASSERT_THAT(gatekeeper::quarantine::RevokeWaiver(*gate_.store, broad, "narrowed", "operator bob",
                                                   gate_.clock.Now()),
              IsOk());
  EXPECT_THAT(client_->Submit(victim_.Answer(asked_before)), IsRejectedWith(Reason::kRetryResync));
  EXPECT_EQ(Challenge().ima_first_entry, 0u);
  EXPECT_EQ(Attest()->verdict.outcome, OutcomeClass::kAdmit);
}

TEST_F(Incremental, DenyFreezesThePartAndThenTheWholeListOnce) {
  gate_.AssignReference(ReferenceOfVictim(gatekeeper::reference::Unlisted::kFail));
  ASSERT_EQ(Attest()->verdict.outcome, OutcomeClass::kAdmit);
  victim_.Measure("/usr/bin/evil");
  const evidence::Evidence part = victim_.Answer(Challenge());
  ASSERT_EQ(part.ima.first_entry, kEntries);
  const absl::StatusOr<Decision> denied = gate_.admission.Decide({}, part);
  ASSERT_THAT(denied, IsOk());
  EXPECT_EQ(denied->verdict.outcome, OutcomeClass::kDeny);
  EXPECT_EQ(denied->next.ima_first_entry, 0u);
  EXPECT_FALSE(gate_.Host(victim_.id()).ima_cursor.has_value());
  const auto frozen = [&](ByteView bytes) {
    return gate_.store->GetBlob(crypto::Hash(crypto::HashAlg::kSha256, bytes).hex());
  };
  EXPECT_THAT(frozen(part.ima.before_quote), IsOk());
  EXPECT_FALSE(frozen(victim_.boot.ima).ok());
  ASSERT_EQ(Attest()->verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(frozen(victim_.boot.ima), IsOk());
  victim_.Measure("/usr/bin/more");
  ASSERT_EQ(Attest()->verdict.outcome, OutcomeClass::kDeny);
  EXPECT_FALSE(frozen(victim_.boot.ima).ok());
}

}  // namespace
}  // namespace bootgate::attack

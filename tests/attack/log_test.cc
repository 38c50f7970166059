// Attacks on boot log and IMA list by a host that controls both, but not its TPM. Each has a twin:
// the same logs without a quote that names them prove nothing and change nothing.
#include "common/eventlog/log.h"

#include "common/bytes/writer.h"
#include "common/ima/list.h"
#include "tests/attack/victim.h"

namespace bootgate::attack {
namespace {

void PutU32Le(Bytes& bytes, size_t offset, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) bytes[offset + i] = static_cast<uint8_t>(value >> (8 * i));
}

size_t OffsetOfEvent(ByteView log, size_t number) {
  return eventlog::Log::Parse(log).events().at(number).offset;
}

size_t OffsetOfEntry(ByteView list, size_t number) {
  return ima::List::Parse(list).entries()[number].offset;
}

struct LogAttack {
  const char* name;
  Reason reason;
  void (*change)(evidence::Evidence&);
};

const LogAttack kLogAttacks[] = {
    {"A41_CutInsideAnEvent", Reason::kLogTruncated,
     [](evidence::Evidence& e) { e.boot_log.erase(e.boot_log.end() - 3, e.boot_log.end()); }},
    {"A41_TextBehindTheEnd", Reason::kLogTrailing,
     [](evidence::Evidence& e) { e.boot_log.insert(e.boot_log.end(), 64, 'A'); }},
    {"A41_Empty", Reason::kLogMissing, [](evidence::Evidence& e) { e.boot_log.clear(); }},
    {"A41_CutAfterAGoodPrefix", Reason::kLogPcrMismatch,
     [](evidence::Evidence& e) { e.boot_log.resize(OffsetOfEvent(e.boot_log, 20)); }},
    {"A42_Register24", Reason::kLogPcrIndex,
     [](evidence::Evidence& e) { PutU32Le(e.boot_log, OffsetOfEvent(e.boot_log, 5), 24); }},
    {"A42_Register32", Reason::kLogPcrIndex,
     [](evidence::Evidence& e) { PutU32Le(e.boot_log, OffsetOfEvent(e.boot_log, 5), 32); }},
    {"A42_RegisterAllOnes", Reason::kLogPcrIndex,
     [](evidence::Evidence& e) { PutU32Le(e.boot_log, OffsetOfEvent(e.boot_log, 5), 0xffffffff); }},
    {"A44_HugeDigestCount", Reason::kLogLimit,
     [](evidence::Evidence& e) {
       PutU32Le(e.boot_log, OffsetOfEvent(e.boot_log, 5) + 8, 0xffffffff);
     }},
    {"A43_NoDigests", Reason::kLogDigests,
     [](evidence::Evidence& e) { PutU32Le(e.boot_log, OffsetOfEvent(e.boot_log, 5) + 8, 0); }},
    {"A46_EventsMovedToAnotherRegister", Reason::kLogPcrMismatch,
     [](evidence::Evidence& e) {
       const eventlog::Log log = eventlog::Log::Parse(e.boot_log);
       std::vector<size_t> offsets;
       for (const eventlog::Event& event : log.events()) {
         if (event.register_index == 5) offsets.push_back(event.offset);
       }
       for (const size_t offset : offsets) PutU32Le(e.boot_log, offset, 6);
     }},
    {"A38_EventsRelabelledAsInformation", Reason::kLogNoAction,
     [](evidence::Evidence& e) {
       const eventlog::Log log = eventlog::Log::Parse(e.boot_log);
       std::vector<size_t> offsets;
       for (const eventlog::Event& event : log.events()) {
         if (event.register_index == 7) offsets.push_back(event.offset);
       }
       for (const size_t offset : offsets) PutU32Le(e.boot_log, offset + 4, eventlog::kEvNoAction);
     }},
    {"A52_CutInsideAnEntry", Reason::kImaTruncated,
     [](evidence::Evidence& e) {
       e.ima.before_quote.erase(e.ima.before_quote.end() - 5, e.ima.before_quote.end());
     }},
    {"A41_ListGone", Reason::kImaMissing,
     [](evidence::Evidence& e) {
       e.ima.before_quote.clear();
       e.ima.before_quote_count = 0;
     }},
    {"A52_TemplateNameLength", Reason::kImaLimit,
     [](evidence::Evidence& e) {
       PutU32Le(e.ima.before_quote, OffsetOfEntry(e.ima.before_quote, 3) + 24, 0x7fffffff);
     }},
};

TEST_F(Attack, A41_A42_A43_A44_A46_A52_LogsOfALiarQuarantineTheLiar) {
  StoreMayChange();
  for (const LogAttack& row : kLogAttacks) {
    SoftHost liar = gate_.NewHost();
    const agent::Challenge challenge = liar.Ask(*client_).value();
    evidence::Evidence evidence = liar.Answer(challenge);
    row.change(evidence);
    liar.Sign(challenge, &evidence);
    const absl::StatusOr<agent::AttestAnswer> answer = client_->Submit(evidence);
    ASSERT_THAT(answer, IsOk()) << row.name;
    EXPECT_EQ(answer->outcome, "DENY") << row.name;
    EXPECT_THAT(*answer, HasFinding(row.reason)) << row.name;
    EXPECT_TRUE(answer->sealed.payload.empty()) << row.name;
    EXPECT_TRUE(answer->drop_credentials) << row.name;
    EXPECT_EQ(gate_.TrustOf(liar.id()), Trust::kQuarantined) << row.name;
  }
}

TEST_F(Attack, A41_A42_A43_A44_A46_A52_TheSameLogsUnsignedChangeNothing) {
  for (const LogAttack& row : kLogAttacks) {
    evidence::Evidence evidence = victim_.Answer(Challenge());
    row.change(evidence);
    EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kNonceMismatch)) << row.name;
  }
}

// ---- A16: the list and the quote are never of one instant

TEST_F(Attack, A16_EntriesAfterTheQuotedStateAreMarkedAndUnused) {
  StoreMayChange();
  evidence::Evidence evidence = victim_.Answer(Challenge());
  // A tail that would be a failure if it were looked at: it claims to be another boot's beginning.
  const Bytes again = victim_.boot.ima;
  evidence.ima.after_quote.assign(again.begin(),
                                  again.begin() + static_cast<ptrdiff_t>(OffsetOfEntry(again, 1)));
  const absl::StatusOr<gatekeeper::admission::Decision> decision =
      gate_.admission.Decide({}, evidence);
  ASSERT_THAT(decision, IsOk());
  EXPECT_EQ(decision->verdict.outcome, OutcomeClass::kAdmit);
  std::string not_checked;
  for (const gatekeeper::NotChecked& row : decision->verdict.coverage.not_checked)
    absl::StrAppend(&not_checked, row.what, ": ", row.why, "\n");
  EXPECT_THAT(not_checked, ::testing::HasSubstr("IMA")) << not_checked;
}

TEST_F(Attack, A16_QuoteThatRanAheadOfTheBoundPartIsMetInTheTail) {
  StoreMayChange();
  const agent::Challenge challenge = Challenge();
  evidence::Evidence evidence = victim_.Answer(challenge);
  const auto last = static_cast<ptrdiff_t>(
      OffsetOfEntry(evidence.ima.before_quote, victim_.boot.ima_entries - 1));
  Bytes& before = evidence.ima.before_quote;
  evidence.ima.after_quote.assign(before.begin() + last, before.end());
  before.resize(static_cast<size_t>(last));
  --evidence.ima.before_quote_count;
  victim_.Sign(challenge, &evidence);
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, client_->Submit(evidence));
  EXPECT_EQ(answer.outcome, "ADMIT");
}

// The victim's evidence without the last entry of its list.
evidence::Evidence Behind(SoftHost& host, const agent::Challenge& challenge) {
  evidence::Evidence evidence = host.Answer(challenge);
  evidence.ima.before_quote.resize(
      OffsetOfEntry(evidence.ima.before_quote, host.boot.ima_entries - 1));
  --evidence.ima.before_quote_count;
  host.Sign(challenge, &evidence);
  return evidence;
}

TEST_F(Attack, A16_ListThatLagsMayBeSentAgainButNotForEver) {
  StoreMayChange();
  const std::string before = gate_.Dump();
  const int limit = gate_.admission_options.behind_limit;
  for (int i = 1; i < limit; ++i) {
    EXPECT_THAT(client_->Submit(Behind(victim_, Challenge())),
                IsRejectedWith(Reason::kRetryLogBehind))
        << i;
    ASSERT_EQ(gate_.Dump(), before) << i;
  }
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer,
                          client_->Submit(Behind(victim_, Challenge())));
  EXPECT_EQ(answer.outcome, "DENY");
  EXPECT_THAT(answer, HasFinding(Reason::kImaPcrMismatch));
  EXPECT_EQ(gate_.TrustOf(victim_.id()), Trust::kQuarantined);
}

TEST_F(Attack, A16_ListThatCaughtUpStartsTheCountAnew) {
  StoreMayChange();
  const int limit = gate_.admission_options.behind_limit;
  for (int round = 0; round < 2; ++round) {
    for (int i = 1; i < limit; ++i) {
      EXPECT_THAT(client_->Submit(Behind(victim_, Challenge())),
                  IsRejectedWith(Reason::kRetryLogBehind));
    }
    BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, victim_.Attest(*client_));
    EXPECT_EQ(answer.outcome, "ADMIT");
  }
}

// Lagging lists that somebody else sends do not count against the host.
TEST_F(Attack, A16_OthersCannotUseUpTheHostsTries) {
  for (int i = 0; i < 2 * gate_.admission_options.behind_limit; ++i) {
    const evidence::Evidence good = victim_.Answer(Challenge());
    evidence::Evidence behind = Behind(victim_, Challenge());
    behind.quote = good.quote;
    EXPECT_THAT(client_->Submit(behind), IsRejectedWith(Reason::kNonceMismatch));
  }
  EXPECT_THAT(client_->Submit(Behind(victim_, Challenge())),
              IsRejectedWith(Reason::kRetryLogBehind));
}

TEST_F(Attack, A83_NoPolicyIsADeny) {
  StoreMayChange();
  Gate gate({.policy = ""});
  SoftHost host = gate.NewHost();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, host.Attest(*gate.Direct()));
  EXPECT_EQ(answer.outcome, "DENY");
  EXPECT_THAT(answer, HasFinding(Reason::kNoPolicy));
}

}  // namespace
}  // namespace bootgate::attack

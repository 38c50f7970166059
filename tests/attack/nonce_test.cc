// Attacks on freshness: old answers, other hosts' answers, answers given twice.
#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/base/hex.h"
#include "tests/attack/victim.h"
#include "tests/gate/port_gate.h"

namespace bootgate::attack {
namespace {

using tpm2::soft_tpm::AttestFields;

TEST_F(Attack, A12_ChallengesNeverRepeatAndAreLong) {
  std::set<Bytes> seen;
  for (int i = 0; i < 10'000; ++i) {
    const agent::Challenge challenge = Challenge();
    ASSERT_GE(challenge.nonce.size(), 32u);
    ASSERT_TRUE(seen.insert(challenge.nonce).second) << "challenge " << i;
  }
}

TEST_F(Attack, A12_QuoteWithoutANonce) {
  const agent::Challenge challenge = Challenge();
  evidence::Evidence evidence = victim_.Answer(challenge);
  AttestFields fields = QuoteFields(challenge, evidence);
  fields.extra_data.clear();
  SignAs(fields, &evidence);
  EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kNonceAbsent));
}

TEST_F(Attack, A12_YesterdaysAnswerAndInventedNonces) {
  const evidence::Evidence yesterday = victim_.Answer(Challenge());
  gate_.clock.Advance(absl::Hours(24));
  EXPECT_THAT(client_->Submit(yesterday), IsRejectedWith(Reason::kNonceUnknown));
  for (const Bytes& nonce : {Bytes(), Bytes(32, 0), Bytes(32, 0x5a), Bytes(512, 1)}) {
    agent::Challenge invented = Challenge();
    invented.nonce = nonce;
    EXPECT_THAT(client_->Submit(victim_.Answer(invented)), IsRejectedWith(Reason::kNonceUnknown));
  }
}

TEST_F(Attack, A13_ChallengeOfOneHostAnsweredByAnother) {
  SoftHost other = gate_.NewHost();
  StoreMayChange();
  const std::string before = gate_.Dump();
  const agent::Challenge challenge = Challenge();
  EXPECT_THAT(client_->Submit(other.Answer(challenge)), IsRejectedWith(Reason::kNonceBinding));
  EXPECT_EQ(gate_.Dump(), before);
  // It stays good for whom it was given to.
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer,
                          client_->Submit(victim_.Answer(challenge)));
  EXPECT_EQ(answer.outcome, "ADMIT");
}

TEST_F(Attack, A13_ChallengeOfAnEnrolmentAnsweredInAnAttestation) {
  agent::Challenge challenge = Challenge();
  challenge.nonce = gate_.nonces
                        .Issue({.host_id = victim_.id(),
                                .ak_name = victim_.ak_name(),
                                .purpose = gatekeeper::session::NoncePurpose::kEnroll,
                                .selection = registers::ParseSelection(challenge.selection).value(),
                                .ima_first_entry = 0})
                        .value();
  EXPECT_THAT(client_->Submit(victim_.Answer(challenge)), IsRejectedWith(Reason::kNonceBinding));
}

TEST_F(Attack, A13_AnswerForAnotherCluster) {
  agent::Challenge challenge = Challenge();
  challenge.cluster_id = "another";
  EXPECT_THAT(client_->Submit(victim_.Answer(challenge)), IsRejectedWith(Reason::kNonceMismatch));
}

TEST_F(Attack, A13_LogsThatTheQuoteDoesNotName) {
  struct Row {
    const char* name;
    void (*change)(evidence::Evidence&);
  };
  for (const Row& row : {
           Row{"log replaced", [](evidence::Evidence& e) { e.boot_log.back() ^= 1; }},
           Row{"log gone", [](evidence::Evidence& e) { e.boot_log.clear(); }},
           Row{"list replaced", [](evidence::Evidence& e) { e.ima.before_quote.back() ^= 1; }},
           Row{"list gone", [](evidence::Evidence& e) { e.ima.before_quote.clear(); }},
           Row{"count", [](evidence::Evidence& e) { ++e.ima.before_quote_count; }},
           Row{"list moved behind the quote",
               [](evidence::Evidence& e) { e.ima.after_quote.swap(e.ima.before_quote); }},
           Row{"log and list exchanged",
               [](evidence::Evidence& e) { e.boot_log.swap(e.ima.before_quote); }},
       }) {
    evidence::Evidence evidence = victim_.Answer(Challenge());
    row.change(evidence);
    EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kNonceMismatch)) << row.name;
  }
}

struct Tally {
  std::atomic<int> verdicts{0}, used{0}, busy{0}, other{0};
  void Count(const absl::StatusOr<agent::AttestAnswer>& answer) {
    if (answer.ok())
      ++verdicts;
    else if (ReasonOf(answer.status()) == Reason::kNonceUsed)
      ++used;
    else if (ReasonOf(answer.status()) == Reason::kTooManyRequests)
      ++busy;
    else
      ++other;
  }
};

// Every one of `kRacers` clients submits the same answer at the same time.
constexpr int kRacers = 64;
template <typename MakeClient>
void Race(const evidence::Evidence& answer, const MakeClient& make_client, Tally* tally) {
  std::atomic<bool> start = false;
  std::vector<std::thread> racers;
  for (int i = 0; i < kRacers; ++i) {
    racers.emplace_back([&, client = std::shared_ptr<agent::GatekeeperClient>(make_client())] {
      start.wait(false);
      tally->Count(client->Submit(answer));
    });
  }
  start = true;
  start.notify_all();
  for (std::thread& racer : racers) racer.join();
}

TEST_F(Attack, A14_OneAnswerSubmittedManyTimesAtOnceIsJudgedOnce) {
  StoreMayChange();
  const evidence::Evidence answer = victim_.Answer(Challenge());
  Tally tally;
  Race(
      answer, [&] { return gate_.Direct(); }, &tally);
  EXPECT_EQ(tally.verdicts, 1);
  EXPECT_EQ(tally.used, kRacers - 1);
  EXPECT_EQ(tally.other, 0);
}

TEST(AttackRace, A14_OneAnswerSubmittedManyTimesAtOnceIsJudgedOnce) {
  gate::PortGate port;
  SoftHost host = port.gate.NewHost();
  const evidence::Evidence answer = host.Answer(host.Ask(*port.gate.Direct()).value());
  Tally tally;
  Race(
      answer, [&] { return port.Connect(); }, &tally);
  EXPECT_EQ(tally.verdicts, 1);
  // The port lets a host have few submissions at a time.
  EXPECT_EQ(tally.used + tally.busy, kRacers - 1);
  EXPECT_EQ(tally.other, 0);
}

TEST_F(Attack, A14_AnswerASecondTooLate) {
  const agent::Challenge challenge = Challenge();
  const evidence::Evidence answer = victim_.Answer(challenge);
  gate_.clock.Advance(challenge.valid_for + absl::Seconds(1));
  EXPECT_THAT(client_->Submit(answer), IsRejectedWith(Reason::kNonceExpired));
}

TEST_F(Attack, A15_TheRightDataInAnotherForm) {
  struct Row {
    const char* name;
    Bytes (*form)(const Bytes& data, const Bytes& nonce);
  };
  const auto text = [](const std::string& s) { return ToBytes(AsBytes(s)); };
  static const auto kText = text;
  for (const Row& row :
       {Row{"hex", [](const Bytes& d, const Bytes&) { return kText(ToHex(d)); }},
        Row{"base64", [](const Bytes& d, const Bytes&) { return kText(ToBase64(d)); }},
        Row{"the bare nonce", [](const Bytes&, const Bytes& n) { return n; }},
        Row{"cut", [](const Bytes& d, const Bytes&) { return Bytes(d.begin(), d.end() - 1); }},
        Row{"cut to 20 bytes",
            [](const Bytes& d, const Bytes&) { return Bytes(d.begin(), d.begin() + 20); }},
        Row{"padded with a zero",
            [](const Bytes& d, const Bytes&) {
              Bytes padded = d;
              padded.push_back(0);
              return padded;
            }},
        Row{"padded to 64 bytes", [](const Bytes& d, const Bytes&) {
              Bytes padded = d;
              padded.resize(64);
              return padded;
            }}}) {
    const agent::Challenge challenge = Challenge();
    evidence::Evidence evidence = victim_.Answer(challenge);
    AttestFields fields = QuoteFields(challenge, evidence);
    fields.extra_data = row.form(fields.extra_data, challenge.nonce);
    SignAs(fields, &evidence);
    EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kNonceMismatch)) << row.name;
  }
}

}  // namespace
}  // namespace bootgate::attack

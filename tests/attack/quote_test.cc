// Attacks on the quote: what was signed, by whom, over what.
#include "common/bytes/writer.h"
#include "tests/attack/victim.h"

namespace bootgate::attack {
namespace {

using tpm2::AttestType;
using tpm2::soft_tpm::AttestFields;
using tpm2::soft_tpm::SoftAk;

// The victim's own TPM quotes other registers than it was asked for.
evidence::Evidence AnswerOver(const std::string& text, SoftHost& host,
                              const agent::Challenge& challenge) {
  evidence::Evidence evidence = host.Answer(challenge);
  agent::Challenge other = challenge;
  other.selection = text;
  host.Sign(other, &evidence);
  return evidence;
}

TEST_F(Attack, A1_SignedBytesWithoutTheTpmMagic) {
  for (const uint32_t magic : {0u, 0xff544346u, 0x4347544fu, 0x47435454u, 0xffffffffu}) {
    EXPECT_THAT(client_->Submit(Spoilt([&](AttestFields& fields) { fields.magic = magic; })),
                IsRejectedWith(Reason::kQuoteMagic));
  }
}

TEST_F(Attack, A2_OtherAttestationsInTheQuotesPlace) {
  for (const AttestType type :
       {AttestType::kNv, AttestType::kCommandAudit, AttestType::kSessionAudit, AttestType::kCertify,
        AttestType::kTime, AttestType::kCreation, AttestType::kNvDigest}) {
    EXPECT_THAT(client_->Submit(Spoilt([&](AttestFields& fields) { fields.type = type; })),
                IsRejectedWith(Reason::kQuoteType));
  }
}

TEST_F(Attack, A2_QuoteInTheCertificationsPlace) {
  evidence::Evidence evidence = victim_.Answer(Challenge());
  evidence.identity_keys[0].certify_attest = evidence.quote.attest;
  evidence.identity_keys[0].certify_signature = evidence.quote.signature;
  EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kCertifyType));
}

TEST_F(Attack, A3_QuoteOverNoRegisters) {
  const Bytes nothing = ToBytes(crypto::Hash(crypto::HashAlg::kSha256, ByteView()).view());
  bytes::Writer no_select;  // one bank, sizeofSelect 0
  no_select.U32Be(1).U16Be(0x000b).U8(0).Sized16Be(nothing);
  for (const Bytes& body :
       {tpm2::soft_tpm::QuoteBody({}, nothing),
        tpm2::soft_tpm::QuoteBody({{crypto::HashAlg::kSha256, 0}}, nothing), no_select.Finish()}) {
    EXPECT_THAT(client_->Submit(Spoilt([&](AttestFields& fields) { fields.body = body; })),
                IsRejectedWith(Reason::kQuoteSelectionEmpty));
  }
}

TEST_F(Attack, A4_QuoteOverOtherRegistersThanAskedFor) {
  for (const char* selection : {"sha256:0-13", "sha256:0-6,8-14", "sha256:0-15", "sha256:8-14",
                                "sha384:0-14", "sha1:0-14", "sha256:0-14+sha384:0-14"}) {
    const absl::StatusOr<agent::AttestAnswer> answer =
        client_->Submit(AnswerOver(selection, victim_, Challenge()));
    EXPECT_THAT(answer, IsRejectedWith(Reason::kQuoteSelectionMismatch)) << selection;
  }
}

TEST_F(Attack, A4_RefusalNamesTheMissingAndTheExtraRegisters) {
  const absl::Status status =
      client_->Submit(AnswerOver("sha256:0-6,8-15", victim_, Challenge())).status();
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("7"));
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("15"));
}

TEST_F(Attack, A5_ResettableRegistersRelabelled) {
  evidence::Evidence evidence = AnswerOver("sha256:16,23", victim_, Challenge());
  evidence.quote.values[0].index = 4;
  evidence.quote.values[1].index = 7;
  EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kQuoteSelectionMismatch));
}

TEST_F(Attack, A5_ValuesOfTwoRegistersSwapped) {
  evidence::Evidence evidence = victim_.Answer(Challenge());
  std::swap(evidence.quote.values[4].index, evidence.quote.values[7].index);
  EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kQuoteDigestMismatch));
}

TEST_F(Attack, A6_ValueOfABankThatWasNotQuoted) {
  evidence::Evidence evidence = victim_.Answer(Challenge());
  evidence.quote.values.push_back(
      {.bank = crypto::HashAlg::kSha384, .index = 7, .value = Bytes(48, 0)});
  EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kPcrNotQuoted));
}

TEST_F(Attack, A10_QuoteCutAtEveryByteOrWithAByteTooMany) {
  const evidence::Evidence good = victim_.Answer(Challenge());
  for (size_t size = 0; size < good.quote.attest.size(); ++size) {
    evidence::Evidence evidence = victim_.Answer(Challenge());
    evidence.quote.attest.resize(size);
    evidence.quote.signature = victim_.ak.Sign(evidence.quote.attest);
    const absl::StatusOr<agent::AttestAnswer> answer = client_->Submit(evidence);
    ASSERT_THAT(answer, IsRejectedWith(Reason::kTpmMarshal)) << size;
  }
  evidence::Evidence evidence = victim_.Answer(Challenge());
  evidence.quote.attest.push_back(0);
  evidence.quote.signature = victim_.ak.Sign(evidence.quote.attest);
  EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kTpmMarshal));
}

TEST_F(Attack, A17_CountersThatGoBack) {
  StoreMayChange();  // a line that went back is remembered; the host's state is as it was
  const tpm2::ClockInfo seen = victim_.clock;
  ASSERT_GT(seen.reset_count, 0u);
  struct Row {
    const char* name;
    uint32_t resets, restarts;
    uint64_t clock_ms;
  };
  for (const Row& row : {Row{"earlier boot", seen.reset_count - 1, 5, seen.clock_ms + 99'999},
                         Row{"clock in the same boot", seen.reset_count, 0, seen.clock_ms - 1},
                         Row{"clock across boots", seen.reset_count + 1, 0, seen.clock_ms - 1}}) {
    EXPECT_THAT(client_->Submit(Spoilt([&](AttestFields& fields) {
      fields.clock = {.clock_ms = row.clock_ms,
                      .reset_count = row.resets,
                      .restart_count = row.restarts,
                      .safe = true};
    })),
                IsRejectedWith(Reason::kClockRollback))
        << row.name;
    EXPECT_EQ(gate_.TrustOf(victim_.id()), Trust::kTrusted);
    EXPECT_EQ(gate_.Host(victim_.id()).last_boot->clock_ms, seen.clock_ms);
  }
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, victim_.Attest(*client_));
  EXPECT_EQ(answer.outcome, "ADMIT");
}

TEST_F(Attack, A18_AnotherKeyOfTheSameTpm) {
  const SoftAk other = SoftAk::Ecc();
  EXPECT_THAT(client_->GetChallenge(victim_.id(), other.area().Name()),
              IsRejectedWith(Reason::kAkUnknown));
  const agent::Challenge challenge = Challenge();
  evidence::Evidence evidence = victim_.Answer(challenge);
  const registers::Selection selection = registers::ParseSelection(challenge.selection).value();
  evidence.quote = other.Quote(selection, victim_.Registers(selection),
                               DataOf(victim_, challenge, evidence), victim_.clock);
  EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kSigInvalid));
}

TEST_F(Attack, A18_QualifiedSignerOfAnotherHierarchy) {
  const Bytes owner = tpm2::QualifiedName(tpm2::HandleName(tpm2::kRhOwner), victim_.ak.area());
  for (const Bytes& signer : {owner, Bytes(), victim_.ak_name()}) {
    EXPECT_THAT(
        client_->Submit(Spoilt([&](AttestFields& fields) { fields.qualified_signer = signer; })),
        IsRejectedWith(Reason::kAkQualifiedName));
  }
}

TEST_F(Attack, A20_KeyThatWasReplacedByANewEnrolment) {
  const agent::Challenge challenge = Challenge();
  const evidence::Evidence old_answer = victim_.Answer(challenge);
  const Bytes old_name = victim_.ak_name();
  victim_.ak = SoftAk::Ecc();
  ASSERT_THAT(victim_.Join(*client_, gate_.token), IsOk());
  StoreMayChange();
  const std::string before = gate_.Dump();
  EXPECT_THAT(client_->Submit(old_answer), IsRejectedWith(Reason::kSigInvalid));
  EXPECT_THAT(client_->GetChallenge(victim_.id(), old_name), IsRejectedWith(Reason::kAkUnknown));
  // The old challenge, answered by the new key.
  EXPECT_THAT(client_->Submit(victim_.Answer(challenge)), IsRejectedWith(Reason::kNonceBinding));
  EXPECT_EQ(gate_.Dump(), before);
}

// SHA-1 can be asked for by a mistaken configuration alone; nothing is judged on it.
TEST_F(Attack, A8_BankTooWeakToCarryAVerdict) {
  Gate gate({.selection = registers::ParseSelection("sha1:0-14").value(),
             .seal_selection = registers::ParseSelection("sha1:0-9").value()});
  SoftHost host = gate.NewHost();
  const std::string before = gate.Dump();
  EXPECT_THAT(host.Attest(*gate.Direct()), IsRejectedWith(Reason::kBankNotAllowed));
  EXPECT_EQ(gate.Dump(), before);
}

}  // namespace
}  // namespace bootgate::attack

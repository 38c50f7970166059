// Attacks on enrolment: keys that are not in a genuine TPM, or not in this one.
#include "tests/attack/victim.h"

namespace bootgate::attack {
namespace {

using ::testing::HasSubstr;
using tpm2::soft_tpm::AreaFields;
using tpm2::soft_tpm::SoftAk;

crypto::PrivateKey NewKey() { return crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value(); }

TEST_F(Attack, A19_CertificateOfOneTpmAndKeyOfAnother) {
  const SoftHost genuine(gate_.vendor);
  SoftHost forger(gate_.vendor);
  forger.ek_certificate = genuine.ek_certificate;
  EXPECT_THAT(forger.Join(*client_, gate_.token), IsRejectedWith(Reason::kEkCertKeyMismatch));
}

// The genuine TPM's key and certificate shown by somebody who has neither.
TEST_F(Attack, A19_CertificateAndKeyOfAnotherTpm) {
  const SoftHost thief(gate_.vendor);
  agent::JoinRequest request = thief.JoinRequest(gate_.token);
  request.ek_public = victim_.ek.area().Tpm2b();
  request.ek_certificate = victim_.ek_certificate;
  BG_ASSERT_OK_AND_ASSIGN(const agent::ActivationChallenge challenge,
                          client_->BeginEnrollment(request));
  EXPECT_FALSE(thief.Activate(challenge).ok());
  EXPECT_THAT(client_->CompleteEnrollment(challenge.session_id, SecretBytes(32), thief.ak_name()),
              IsRejectedWith(Reason::kActivationFailed));
}

TEST_F(Attack, A21_SecretIsGoodForFewTriesAndNotForLong) {
  const SoftHost host(gate_.vendor);
  BG_ASSERT_OK_AND_ASSIGN(const agent::ActivationChallenge challenge,
                          client_->BeginEnrollment(host.JoinRequest(gate_.token)));
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes secret, host.Activate(challenge));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(client_->CompleteEnrollment(challenge.session_id, SecretBytes(32), host.ak_name()),
                IsRejectedWith(Reason::kActivationFailed));
  }
  EXPECT_FALSE(client_->CompleteEnrollment(challenge.session_id, secret, host.ak_name()).ok());

  BG_ASSERT_OK_AND_ASSIGN(const agent::ActivationChallenge late,
                          client_->BeginEnrollment(host.JoinRequest(gate_.token)));
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes late_secret, host.Activate(late));
  gate_.clock.Advance(absl::Seconds(61));
  EXPECT_THAT(client_->CompleteEnrollment(late.session_id, late_secret, host.ak_name()),
              IsRejectedWith(Reason::kActivationExpired));
}

TEST_F(Attack, A21_AnswerIsGoodOnce) {
  StoreMayChange();
  const SoftHost host(gate_.vendor);
  BG_ASSERT_OK_AND_ASSIGN(const agent::ActivationChallenge challenge,
                          client_->BeginEnrollment(host.JoinRequest(gate_.token)));
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes secret, host.Activate(challenge));
  ASSERT_THAT(client_->CompleteEnrollment(challenge.session_id, secret, host.ak_name()), IsOk());
  EXPECT_THAT(client_->CompleteEnrollment(challenge.session_id, secret, host.ak_name()),
              IsRejectedWith(Reason::kActivationUnknown));
}

struct Bit {
  const char* name;
  uint32_t mask;
};

TEST_F(Attack, A22_AttestationKeyWithAnUnfitAttribute) {
  using namespace tpm2::attribute;  // NOLINT(google-build-using-namespace)
  for (const Bit& bit :
       {Bit{"fixedTPM", kFixedTpm}, Bit{"fixedParent", kFixedParent},
        Bit{"sensitiveDataOrigin", kSensitiveDataOrigin}, Bit{"restricted", kRestricted},
        Bit{"sign", kSign}, Bit{"decrypt", kDecrypt}, Bit{"stClear", kStClear},
        Bit{"encryptedDuplication", kEncryptedDuplication}}) {
    SoftHost host(gate_.vendor);
    AreaFields fields;
    fields.attributes ^= bit.mask;
    host.ak = SoftAk(NewKey(), fields);
    const absl::StatusOr<agent::JoinAnswer> answer = host.Join(*client_, gate_.token);
    EXPECT_THAT(answer, IsRejectedWith(Reason::kAkAttributes)) << bit.name;
    EXPECT_THAT(std::string(answer.status().message()), HasSubstr(bit.name));
  }
}

TEST_F(Attack, A23_NameWithAWeakHash) {
  SoftHost host(gate_.vendor);
  AreaFields fields;
  fields.name_alg = crypto::HashAlg::kSha1;
  host.ak = SoftAk(NewKey(), fields);
  EXPECT_THAT(host.Join(*client_, gate_.token), IsRejectedWith(Reason::kAkNameAlg));
}

TEST_F(Attack, A23_ActivationOfOneKeyCompletedForAnother) {
  SoftHost host(gate_.vendor);
  BG_ASSERT_OK_AND_ASSIGN(const agent::ActivationChallenge challenge,
                          client_->BeginEnrollment(host.JoinRequest(gate_.token)));
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes secret, host.Activate(challenge));
  EXPECT_THAT(
      client_->CompleteEnrollment(challenge.session_id, secret, SoftAk::Ecc().area().Name()),
      IsRejectedWith(Reason::kAkNameMismatch));
}

// A host id is the digest of an EK's Name; with a second EK under one id there must be something
// wrong with the store, and the record that was there first stays.
TEST_F(Attack, A24_HostIdTakenOverByAnotherTpm) {
  StoreMayChange();
  const SoftHost other(gate_.vendor);
  gate_.ChangeHost(victim_.id(), [&](gatekeeper::host::HostRecord& record) {
    record.ek_public = other.ek.area().raw;
  });
  const uint64_t revision = gate_.Host(victim_.id()).revision;
  const size_t audited = gate_.store->ListAudit(0, 10'000)->size();
  EXPECT_THAT(victim_.Join(*client_, gate_.token), IsRejectedWith(Reason::kHostIdBound));
  EXPECT_EQ(gate_.Host(victim_.id()).revision, revision);
  EXPECT_EQ(gate_.store->ListAudit(0, 10'000)->size(), audited + 1);
  EXPECT_EQ(gate_.store->ListAudit(0, 10'000)->back().action, "enroll.refused");
}

TEST_F(Attack, A25_EmulatorWithItsOwnCa) {
  const gatekeeper::enroll::TestCa own_ca(gate_.clock.Now());
  const SoftHost emulator(own_ca);
  EXPECT_THAT(emulator.Join(*client_, gate_.token), IsRejectedWith(Reason::kEkChainUntrusted));
}

// A TPM that no vendor speaks for joins, and waits for an operator; its token does not approve it.
TEST_F(Attack, A34_TpmThatNobodySpeaksForWaitsForApproval) {
  StoreMayChange();
  SoftHost stranger(gate_.vendor);
  stranger.ek_certificate.clear();
  BG_ASSERT_OK_AND_ASSIGN(const agent::JoinAnswer joined, stranger.Join(*client_, gate_.token));
  EXPECT_FALSE(joined.approved);
  EXPECT_EQ(ReasonOf(stranger.Ask(*client_).status()), Reason::kHostNotApproved);
  EXPECT_EQ(gate_.TrustOf(stranger.id()), Trust::kPending);
}

TEST_F(Attack, A32_GenuineTpmOutsideTheInventoryIsBoundToNoHost) {
  StoreMayChange();
  Gate strict({.ek_mode = gatekeeper::enroll::EkMode::kChainAndInventory});
  strict.AddToken({"plain", "plain secret"}, 1, false);
  SoftHost genuine(strict.vendor);
  BG_ASSERT_OK_AND_ASSIGN(const agent::JoinAnswer joined,
                          genuine.Join(*strict.Direct(), {"plain", "plain secret"}));
  EXPECT_FALSE(joined.approved);
  EXPECT_EQ(ReasonOf(genuine.Ask(*strict.Direct()).status()), Reason::kEkNotBound);
}

TEST_F(Attack, A73_HostIdsThatAreNone) {
  for (const std::string& id :
       {std::string(), std::string("h-"), std::string("../../etc/passwd"),
        std::string("h-0000000000000000000000000000000G"), victim_.id() + "\n", victim_.id() + " ",
        std::string("h-") + std::string(31, '0') + std::string(1, '\0'),
        std::string("h-' OR '1'='1"), std::string("H") + victim_.id().substr(1),
        std::string(512, 'h')}) {
    EXPECT_THAT(client_->GetChallenge(id, victim_.ak_name()),
                IsRejectedWith(Reason::kHostIdSyntax));
    evidence::Evidence evidence = victim_.Answer(Challenge());
    evidence.host_id = id;
    EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kHostIdSyntax));
  }
}

TEST_F(Attack, A73_WhatAHostTellsOfItselfIsKeptPrintable) {
  StoreMayChange();
  victim_.facts.hostname = "db7\n{\"level\":\"info\"}\x1b[2J";
  victim_.facts.kernel_release = std::string(500, 'k');
  ASSERT_THAT(victim_.Attest(*client_), IsOk());
  const gatekeeper::host::HostRecord record = gate_.Host(victim_.id());
  for (const char c : record.hostname) EXPECT_GE(c, ' ');
  EXPECT_THAT(record.hostname, HasSubstr("db7"));
}

TEST_F(Attack, A14_JoinTokenWithOneUseTakesOneHost) {
  StoreMayChange();
  const gate::JoinToken once = {"once", "once secret"};
  gate_.AddToken(once, 1);
  const SoftHost first(gate_.vendor), second(gate_.vendor);
  BG_ASSERT_OK_AND_ASSIGN(const agent::ActivationChallenge a,
                          client_->BeginEnrollment(first.JoinRequest(once)));
  BG_ASSERT_OK_AND_ASSIGN(const agent::ActivationChallenge b,
                          client_->BeginEnrollment(second.JoinRequest(once)));
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes secret_a, first.Activate(a));
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes secret_b, second.Activate(b));
  EXPECT_THAT(client_->CompleteEnrollment(a.session_id, secret_a, first.ak_name()), IsOk());
  EXPECT_THAT(client_->CompleteEnrollment(b.session_id, secret_b, second.ak_name()),
              IsRejectedWith(Reason::kJoinTokenUsed));
  EXPECT_TRUE(absl::IsNotFound(gate_.store->GetHost(second.id()).status()));
}

}  // namespace
}  // namespace bootgate::attack

// Attacks on somebody else: to quarantine, to speak for, or to launder another host's state.
#include "tests/attack/victim.h"
#include "tests/gate/port_gate.h"

namespace bootgate::attack {
namespace {

// Bad evidence that names `victim`, made by `attacker` out of what he may have seen.
std::vector<evidence::Evidence> BadEvidenceNaming(SoftHost& victim, SoftHost& attacker,
                                                  const agent::Challenge& of_victim,
                                                  const agent::Challenge& of_attacker) {
  std::vector<evidence::Evidence> out;
  evidence::Evidence own = attacker.Answer(of_attacker);
  own.host_id = victim.id();
  out.push_back(own);  // the attacker's evidence with the victim's name on it
  evidence::Evidence answered = attacker.Answer(of_victim);
  answered.host_id = victim.id();
  out.push_back(answered);  // the victim's challenge, signed by the attacker's TPM
  const evidence::Evidence genuine = victim.Answer(of_victim);
  for (auto change : {
           +[](evidence::Evidence& e) { e.boot_log = gate::LoadCase("secure-boot-off").boot_log; },
           +[](evidence::Evidence& e) { e.boot_log.clear(); },
           +[](evidence::Evidence& e) { e.ima.before_quote.clear(); },
           +[](evidence::Evidence& e) { e.quote.values[7].value.assign(32, 0); },
           +[](evidence::Evidence& e) { e.quote.values.clear(); },
           +[](evidence::Evidence& e) { e.quote.signature.back() ^= 1; },
           +[](evidence::Evidence& e) { e.quote.attest.clear(); },
           +[](evidence::Evidence& e) { e.nonce.assign(32, 0); },
       }) {
    out.push_back(genuine);
    change(out.back());
  }
  return out;
}

TEST_F(Attack, A82_NobodyCanQuarantineSomebodyElse) {
  SoftHost attacker(gate_.vendor);
  for (const bool with_peer : {false, true}) {
    gatekeeper::admission::Peer peer;
    if (with_peer) peer = {.host_id = "h-00000000000000000000000000000001", .serial = "01"};
    const auto client = gate_.Direct(peer);
    const size_t rows = BadEvidenceNaming(victim_, attacker, Challenge(), Challenge()).size();
    for (size_t i = 0; i < rows; ++i) {
      const evidence::Evidence evidence =
          BadEvidenceNaming(victim_, attacker, Challenge(), Challenge())[i];
      const absl::StatusOr<agent::AttestAnswer> answer = client->Submit(evidence);
      ASSERT_FALSE(answer.ok()) << i;
      EXPECT_THAT(answer, IsRejectedWith(*ReasonOf(answer.status()))) << i;
      if (with_peer) {
        EXPECT_THAT(answer, IsRejectedWith(Reason::kPeerHostMismatch)) << i;
      }
    }
  }
}

TEST(AttackOnPeers, A82_AHostsCertificateSpeaksForThatHostAlone) {
  gate::PortGate port;
  const auto anyone = port.Connect();
  SoftHost victim = port.gate.NewHost(), attacker = port.gate.NewHost();
  ASSERT_THAT(victim.Attest(*anyone), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer admitted, attacker.Attest(*anyone));
  const auto as_attacker = port.Connect(gate::CertificateOf(attacker, admitted.sealed));
  const std::string before = port.gate.Dump();

  EXPECT_THAT(as_attacker->GetChallenge(victim.id(), victim.ak_name()),
              IsRejectedWith(Reason::kPeerHostMismatch));
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge of_victim, victim.Ask(*anyone));
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge of_attacker, attacker.Ask(*anyone));
  for (const evidence::Evidence& evidence :
       BadEvidenceNaming(victim, attacker, of_victim, of_attacker)) {
    EXPECT_THAT(as_attacker->Submit(evidence), IsRejectedWith(Reason::kPeerHostMismatch));
  }
  // Even genuine evidence of the victim, relayed.
  EXPECT_THAT(as_attacker->Submit(victim.Answer(of_victim)),
              IsRejectedWith(Reason::kPeerHostMismatch));
  EXPECT_EQ(port.gate.Dump(), before);

  EXPECT_EQ(victim.Attest(*anyone)->outcome, "ADMIT");
  EXPECT_EQ(attacker.Attest(*as_attacker)->outcome, "ADMIT");
}

TEST(AttackOnPeers, A80_CertificateOfAQuarantinedHostIsRefusedAtOnce) {
  gate::PortGate port;
  const auto anyone = port.Connect();
  SoftHost host = port.gate.NewHost();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer admitted, host.Attest(*anyone));
  const auto with_certificate = port.Connect(gate::CertificateOf(host, admitted.sealed));
  ASSERT_THAT(host.Ask(*with_certificate), IsOk());

  host.Reboot(gate::LoadCase("secure-boot-off"));
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer denied, host.Attest(*anyone));
  EXPECT_EQ(denied.outcome, "DENY");
  EXPECT_TRUE(denied.drop_credentials);
  // The same connection that was good a moment ago.
  EXPECT_THAT(host.Ask(*with_certificate), IsRejectedWith(Reason::kPeerCertRevoked));
}

// A host that has failed once, and all it can do by itself to get back.
class Laundering : public Attack {
 protected:
  void SetUp() override {
    Attack::SetUp();
    StoreMayChange();
    victim_.Reboot(gate::LoadCase("secure-boot-off"));
    const absl::StatusOr<agent::AttestAnswer> denied = victim_.Attest(*client_);
    ASSERT_THAT(denied, IsOk());
    ASSERT_EQ(denied->outcome, "DENY");
    victim_.Reboot();
  }

  void ExpectStillQuarantined() {
    BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, victim_.Attest(*client_));
    EXPECT_EQ(answer.outcome, "ADMIT");  // the evidence itself is good
    EXPECT_EQ(answer.trust, "quarantined");
    EXPECT_TRUE(answer.drop_credentials);
    EXPECT_TRUE(answer.sealed.payload.empty());
    EXPECT_TRUE(answer.tpm_key.certificate.empty());
    const gatekeeper::host::HostRecord record = gate_.Host(victim_.id());
    EXPECT_EQ(record.trust, Trust::kQuarantined);
    EXPECT_FALSE(record.reasons.empty());
    EXPECT_FALSE(record.why.empty());
    const auto credentials = gate_.store->ListCredentials(victim_.id());
    ASSERT_THAT(credentials, IsOk());
    for (const auto& row : *credentials) {
      if (row.kind == "host") {
        EXPECT_TRUE(row.revoked) << row.serial;
      }
    }
  }
};

TEST_F(Laundering, A81_GoodEvidenceInANewBoot) { ExpectStillQuarantined(); }

TEST_F(Laundering, A81_ManyNewBoots) {
  for (int i = 0; i < 10; ++i) {
    victim_.Reboot();
    ExpectStillQuarantined();
  }
}

TEST_F(Laundering, A81_LongSilence) {
  gate_.clock.Advance(absl::Hours(24 * 30));
  // The certificates of test EKs end sooner; attesting needs none.
  ExpectStillQuarantined();
}

TEST_F(Laundering, A81_EnrolmentAnew) {
  ASSERT_THAT(victim_.Join(*client_, gate_.token), IsOk());
  ExpectStillQuarantined();
}

TEST_F(Laundering, A81_EnrolmentAnewWithANewKeyAndToken) {
  victim_.ak = tpm2::soft_tpm::SoftAk::Ecc();
  gate_.AddToken({"fresh", "fresh secret"}, 1);
  ASSERT_THAT(victim_.Join(*client_, {"fresh", "fresh secret"}), IsOk());
  ExpectStillQuarantined();
}

TEST_F(Laundering, A81_AnotherReplica) {
  gatekeeper::session::NonceBook nonces(gate_.clock, {});
  gatekeeper::admission::Admission other(gate_.admission_options, *gate_.store, nonces,
                                         gate_.authority, gate_.clock);
  const auto challenge = other.NewChallenge({}, victim_.id(), victim_.ak_name());
  ASSERT_THAT(challenge, IsOk());
  const auto decision = other.Decide({}, victim_.Answer(gate::AsTold(*challenge)));
  ASSERT_THAT(decision, IsOk());
  EXPECT_EQ(decision->trust, Trust::kQuarantined);
  EXPECT_FALSE(decision->issued.sealed.has_value());
  ExpectStillQuarantined();
}

TEST_F(Laundering, A81_ChallengeFromBeforeTheFailure) {
  // Asked for in good times, answered with good evidence after the failure.
  SoftHost host = gate_.NewHost();
  ASSERT_THAT(host.Attest(*client_), IsOk());
  const agent::Challenge kept = host.Ask(*client_).value();
  host.Reboot(gate::LoadCase("secure-boot-off"));
  ASSERT_EQ(host.Attest(*client_)->outcome, "DENY");
  host.Reboot();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, client_->Submit(host.Answer(kept)));
  EXPECT_EQ(answer.trust, "quarantined");
  EXPECT_TRUE(answer.sealed.payload.empty());
}

}  // namespace
}  // namespace bootgate::attack

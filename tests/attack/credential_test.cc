// Attacks on what an admitted host is given: for another key, another machine, another state.
#include "common/tpm2/policy_digest.h"
#include "pki/authority.h"
#include "pki/host_certificate.h"
#include "pki/verdict_extension.h"
#include "pki/x509_read.h"
#include "tests/attack/victim.h"
#include "tests/gate/port_gate.h"

namespace bootgate::attack {
namespace {

using ::testing::ElementsAre;

constexpr uint32_t kCap = 15;
constexpr absl::Duration kLifetime = absl::Hours(1);

registers::Selection SelectionOf(const std::string& text) {
  return registers::ParseSelection(text).value();
}

TEST_F(Attack, A66_SealedCredentialIsBoundToTheAttestedRegisters) {
  StoreMayChange();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, victim_.Attest(*client_));
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public object,
                          tpm2::Public::FromTpmt(answer.sealed.object_public));
  EXPECT_FALSE(object.auth_policy.empty());
  EXPECT_EQ(object.auth_policy, victim_.PolicyOver(SelectionOf("sha256:0-9,14")));
  EXPECT_EQ(
      object.attributes & (tpm2::attribute::kUserWithAuth | tpm2::attribute::kAdminWithPolicy), 0u);
  EXPECT_THAT(victim_.Unseal(answer.sealed), IsOk());
}

TEST_F(Attack, A66_SealedCredentialOpensNeitherElsewhereNorInAnotherState) {
  StoreMayChange();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, victim_.Attest(*client_));
  SoftHost other(gate_.vendor);
  EXPECT_FALSE(other.Unseal(answer.sealed).ok());
  for (const uint32_t bound : {0u, 4u, 7u, 9u, 14u}) {
    victim_.Extend(bound);
    EXPECT_FALSE(victim_.Unseal(answer.sealed).ok()) << bound;
    victim_.boot = gate::LoadCase("good");
  }
  EXPECT_THAT(victim_.Unseal(answer.sealed), IsOk());
}

TEST_F(Attack, A66_PayloadOfOneCredentialUnderTheKeyOfAnother) {
  StoreMayChange();
  BG_ASSERT_OK_AND_ASSIGN(agent::AttestAnswer first, victim_.Attest(*client_));
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer second, victim_.Attest(*client_));
  first.sealed.payload = second.sealed.payload;
  EXPECT_FALSE(victim_.Unseal(first.sealed).ok());
}

TEST_F(Attack, A67_SealedCredentialOpensOnceABoot) {
  StoreMayChange();
  Gate gate({.selection = SelectionOf("sha256:0-15"),
             .cap_register = kCap,
             .runtime_extended = 1u << kCap});
  const auto client = gate.Direct();
  SoftHost host = gate.NewHost();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, host.Attest(*client));
  EXPECT_EQ(answer.sealed.selection, "sha256:0-9,14-15");
  ASSERT_THAT(host.Unseal(answer.sealed), IsOk());
  host.Extend(kCap);
  EXPECT_FALSE(host.Unseal(answer.sealed).ok());

  // No new one in this boot: it would open at once, for whoever took the host over.
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer capped, host.Attest(*client));
  EXPECT_EQ(capped.outcome, "ADMIT");
  EXPECT_TRUE(capped.sealed.payload.empty());
  EXPECT_THAT(capped.seal_skipped_why, ::testing::HasSubstr(Code(Reason::kSealStateMoved)));

  host.Reboot();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer rebooted, host.Attest(*client));
  EXPECT_THAT(host.Unseal(rebooted.sealed), IsOk());
}

TEST_F(Attack, A79_KeyThatTheAttestationKeyDidNotCertify) {
  const tpm2::Public other = tpm2::soft_tpm::AreaFromTemplate(
      tpm2::IdentityKeyTemplateBytes(victim_.PolicyOver(SelectionOf("sha256:0-9,14"))),
      crypto::PrivateKey::GenerateEc(crypto::Curve::kP256)->Public());
  evidence::Evidence evidence = victim_.Answer(Challenge());
  evidence.identity_keys[0].public_area = other.Tpm2b();
  EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kKeyNotAttested));
}

TEST_F(Attack, A79_CertificationOfAnEarlierAnswer) {
  const evidence::Evidence earlier = victim_.Answer(Challenge());
  evidence::Evidence evidence = victim_.Answer(Challenge());
  evidence.identity_keys = earlier.identity_keys;
  EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kKeyNotAttested));
}

TEST_F(Attack, A79_MoreThanOneKey) {
  evidence::Evidence evidence = victim_.Answer(Challenge());
  evidence.identity_keys.push_back(evidence.identity_keys[0]);
  EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kMessageMalformed));
}

// Keys that the AK has certified, and that are of no use in the attested state alone.
TEST_F(Attack, A66_KeyThatWorksInOtherStatesToo) {
  const Bytes policy = victim_.PolicyOver(SelectionOf("sha256:0-9,14"));
  tpm2::soft_tpm::AreaFields fit;
  using namespace tpm2::attribute;  // NOLINT(google-build-using-namespace)
  fit.attributes = kFixedTpm | kFixedParent | kSensitiveDataOrigin | kNoDa | kSign;
  fit.auth_policy = policy;
  struct Row {
    const char* name;
    Reason reason;
    uint32_t flipped;
    Bytes policy;
  };
  for (const Row& row :
       {Row{"no policy", Reason::kKeyPolicy, 0, Bytes()},
        Row{"policy over fewer registers", Reason::kKeyPolicy, 0,
            victim_.PolicyOver(SelectionOf("sha256:0-7"))},
        Row{"policy over a resettable register", Reason::kKeyPolicy, 0,
            victim_.PolicyOver(SelectionOf("sha256:16"))},
        Row{"a password as good as the policy", Reason::kKeyAttributes, kUserWithAuth, policy},
        Row{"may be duplicated", Reason::kKeyAttributes, kFixedTpm | kFixedParent, policy},
        Row{"made outside", Reason::kKeyAttributes, kSensitiveDataOrigin, policy},
        Row{"decrypts", Reason::kKeyAttributes, kDecrypt, policy}}) {
    tpm2::soft_tpm::AreaFields fields = fit;
    fields.attributes ^= row.flipped;
    fields.auth_policy = row.policy;
    const tpm2::Public key = tpm2::soft_tpm::Area(victim_.identity.Public(), fields);
    const agent::Challenge challenge = Challenge();
    evidence::Evidence evidence = victim_.Answer(challenge);
    const tpm2::soft_tpm::SignedAttest certified =
        victim_.ak.Certify(key, DataOf(victim_, challenge, evidence));
    evidence.identity_keys = {{.public_area = key.Tpm2b(),
                               .certify_attest = certified.attest,
                               .certify_signature = certified.signature}};
    EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(row.reason)) << row.name;
  }
}

// Whatever the host says of itself, its certificate says what the gatekeeper knows.
TEST(AttackCertificates, A79_CertificateHoldsNothingThatTheHostChose) {
  gate::PortGate port;
  SoftHost host(port.gate.vendor);
  host.facts.hostname = "spiffe://test.bootgate.internal/host/h-other, CN=admin";
  host.facts.os_release = "CA:TRUE";
  const auto client = port.Connect();
  ASSERT_THAT(host.Join(*client, port.gate.token), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, host.Attest(*client));

  for (const Bytes& der : {answer.tpm_key.certificate, answer.sealed.certificate}) {
    BG_ASSERT_OK_AND_ASSIGN(const crypto::X509Ptr certificate, pki::ParseCertificate(der));
    EXPECT_FALSE(pki::IsCa(certificate.get()));
    EXPECT_THAT(pki::UriNames(certificate.get()),
                ElementsAre("spiffe://test.bootgate.internal/host/" + host.id()));
    EXPECT_GE(pki::SerialHex(certificate.get()).size(), 16u);  // 64 bits
    EXPECT_LE(pki::NotAfter(certificate.get()), port.gate.clock.Now() + kLifetime);
    BG_ASSERT_OK_AND_ASSIGN(const pki::VerdictExtension verdict, pki::VerdictExtensionOf(der));
    EXPECT_EQ(verdict.verdict_id, answer.verdict_id);
    EXPECT_FALSE(verdict.claims_digest.empty());
    const std::string text(AsText(der));
    EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("h-other")));
    EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("admin")));
  }
  BG_ASSERT_OK_AND_ASSIGN(const crypto::X509Ptr tpm_key,
                          pki::ParseCertificate(answer.tpm_key.certificate));
  EXPECT_EQ(pki::KeyOf(tpm_key.get())->SpkiDer(), host.identity.Public().SpkiDer());
}

}  // namespace
}  // namespace bootgate::attack

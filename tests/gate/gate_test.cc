// The rig itself: an honest host gets through it, both ways. Without this, attack tests prove
// nothing.
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "tests/gate/port_gate.h"

namespace bootgate::gate {
namespace {

using gatekeeper::host::Trust;
using testing::IsOk;

TEST(Gate, AdmitsAnHonestHostAndGivesItBothCredentials) {
  Gate gate;
  SoftHost host = gate.NewHost();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, host.Attest(*gate.Direct()));
  EXPECT_EQ(answer.outcome, "ADMIT");
  EXPECT_FALSE(answer.tpm_key.certificate.empty());
  EXPECT_THAT(host.Unseal(answer.sealed), IsOk());
  EXPECT_EQ(gate.TrustOf(host.id()), Trust::kTrusted);
}

TEST(Gate, DeniesAHostWhoseSecureBootIsOff) {
  Gate gate;
  SoftHost host = gate.NewHost("secure-boot-off");
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, host.Attest(*gate.Direct()));
  EXPECT_EQ(answer.outcome, "DENY");
  EXPECT_TRUE(answer.sealed.certificate.empty());
  EXPECT_EQ(gate.TrustOf(host.id()), Trust::kQuarantined);
}

// Quote, certification and AK certificate all go by the key's own hash.
TEST(Gate, AdmitsHostsWithAttestationKeysOfEveryKind) {
  using crypto::HashAlg;
  using tpm2::soft_tpm::AreaFields;
  using tpm2::soft_tpm::SoftAk;
  Gate gate;
  const auto p384 = [](HashAlg name_alg) {
    return SoftAk(crypto::PrivateKey::GenerateEc(crypto::Curve::kP384).value(),
                  AreaFields{.name_alg = name_alg, .scheme_hash = HashAlg::kSha384});
  };
  std::vector<SoftAk> keys;
  keys.push_back(p384(HashAlg::kSha256));
  keys.push_back(p384(HashAlg::kSha384));
  keys.push_back(SoftAk::Rsa(tpm2::Alg::kRsassa));
  keys.push_back(SoftAk::Rsa(tpm2::Alg::kRsapss));
  for (SoftAk& key : keys) {
    SoftHost host(gate.vendor);
    host.ak = std::move(key);
    BG_ASSERT_OK_AND_ASSIGN(const agent::JoinAnswer joined, host.Join(*gate.Direct(), gate.token));
    EXPECT_FALSE(joined.ak_certificate.empty());
    BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, host.Attest(*gate.Direct()));
    EXPECT_EQ(answer.outcome, "ADMIT");
    EXPECT_THAT(host.Unseal(answer.sealed), IsOk());
  }
}

TEST(Gate, HostThatCappedIsStillTrusted) {
  constexpr uint32_t kCap = 13;
  GateOptions options;
  options.cap_register = kCap;
  Gate gate(options);
  SoftHost host = gate.NewHost();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer first, host.Attest(*gate.Direct()));
  EXPECT_THAT(host.Unseal(first.sealed), IsOk());
  host.Extend(kCap);
  EXPECT_FALSE(host.Unseal(first.sealed).ok());
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer again, host.Attest(*gate.Direct()));
  EXPECT_EQ(again.outcome, "ADMIT");
  EXPECT_TRUE(again.sealed.certificate.empty());
  EXPECT_THAT(again.seal_skipped_why, ::testing::HasSubstr("SEAL_STATE_MOVED"));
}

TEST(Gate, DumpShowsEveryWrite) {
  Gate gate;
  SoftHost host = gate.NewHost();
  const std::string before = gate.Dump();
  EXPECT_EQ(gate.Dump(), before);
  ASSERT_THAT(host.Attest(*gate.Direct()), IsOk());
  EXPECT_NE(gate.Dump(), before);
}

TEST(PortGate, HostJoinsAttestsAndComesBackWithItsCertificate) {
  PortGate port;
  SoftHost host(port.gate.vendor);
  const auto client = port.Connect();
  BG_ASSERT_OK_AND_ASSIGN(const agent::JoinAnswer joined, host.Join(*client, port.gate.token));
  EXPECT_EQ(joined.host_id, host.id());
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, host.Attest(*client));
  EXPECT_EQ(answer.outcome, "ADMIT");
  const auto known = port.Connect(CertificateOf(host, answer.sealed));
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer again, host.Attest(*known));
  EXPECT_EQ(again.outcome, "ADMIT");
}

}  // namespace
}  // namespace bootgate::gate

// The CAs under a gatekeeper that serves: rotated, tainted, replaced with their root.
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/ca_steps.h"
#include "pki/host_certificate.h"
#include "pki/pem.h"
#include "tests/gate/port_gate.h"

namespace bootgate::gate {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;

class CaTest : public ::testing::Test {
 protected:
  std::string Folder() const { return port_.gate.folder + "/ca"; }
  absl::Time Now() const { return port_.gate.clock.Now(); }
  std::string Prepare(pki::CaUse use) {
    const auto step = pki::RotateCa(Folder(), use, std::nullopt, absl::Hours(24 * 100), Now());
    EXPECT_THAT(step.status(), IsOk());
    return step.ok() ? step->ca.id : "";
  }
  void Activate(const std::string& id) {
    EXPECT_THAT(pki::ActivateCa(Folder(), id, Now()).status(), IsOk());
    EXPECT_THAT(port_.gate.authority.Refresh(Now()), IsOk());
  }
  // The CA that a credential is of.
  std::string CaOf(const ClientCertificate& certificate) {
    const std::string& pem = certificate.chain_pem;
    const std::string leaf = pem.substr(0, pem.find("-----BEGIN", 1));
    const auto read = pki::ReadHostCertificate(leaf);
    EXPECT_THAT(read.status(), IsOk());
    if (!read.ok()) return "";
    const auto issuer = port_.gate.authority.IssuerFor(read->issuer_key_id);
    return issuer.ok() ? (*issuer)->id : "";
  }

  PortGate port_;
};

TEST_F(CaTest, HostsGetCertificatesOfTheNewCaAndTheOldOnesGoOn) {
  SoftHost host = port_.gate.NewHost();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer before, host.Attest(*port_.Connect()));
  const ClientCertificate old = CertificateOf(host, before.sealed);
  EXPECT_EQ(CaOf(old), "issuing");
  Activate(Prepare(pki::CaUse::kHosts));
  const auto connected = port_.Connect(old);
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer after, host.Attest(*connected));
  EXPECT_EQ(CaOf(CertificateOf(host, after.sealed)), "hosts-1");
}

TEST_F(CaTest, TheTrustBundleComesAheadOfTime) {
  SoftHost host = port_.gate.NewHost();
  agent::Endpoint endpoint = port_.EndpointFor();
  const auto attest = [&] { return host.Attest(*agent::Connect(endpoint).value()); };
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer first, attest());
  EXPECT_EQ(first.trust_bundle_pem, port_.gate.authority.trust_bundle()->pem);
  endpoint.ca_pem = first.trust_bundle_pem;
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer second, attest());
  EXPECT_EQ(second.trust_bundle_pem, "") << "it has the present one";
  EXPECT_EQ(port_.gate.Host(host.id()).trust_bundle,
            port_.gate.authority.trust_bundle()->sha256.hex());
  Prepare(pki::CaUse::kHosts);
  ASSERT_THAT(port_.gate.authority.Refresh(Now()), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer third, attest());
  EXPECT_THAT(third.trust_bundle_pem, HasSubstr(first.trust_bundle_pem));
  EXPECT_EQ(CaOf(CertificateOf(host, third.sealed)), "issuing") << "which signs nothing yet";
}

// On the connection that was open already, too; and the host gets a certificate of another CA.
TEST_F(CaTest, A80_CertificatesOfATaintedCaAreRefusedAtOnce) {
  SoftHost host = port_.gate.NewHost();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer before, host.Attest(*port_.Connect()));
  const ClientCertificate old = CertificateOf(host, before.sealed);
  const auto connected = port_.Connect(old);
  ASSERT_THAT(host.Ask(*connected).status(), IsOk());
  for (const pki::CaUse use : pki::kAllCaUses) Prepare(use);
  ASSERT_THAT(pki::TaintCa(Folder(), "issuing", "key copied", Now()).status(), IsOk());
  ASSERT_THAT(port_.gate.authority.Refresh(Now()), IsOk());
  EXPECT_THAT(host.Ask(*connected).status(), Refuses(Reason::kPeerCertRevoked));
  EXPECT_THAT(host.Ask(*port_.Connect(old)).status(), Refuses(Reason::kPeerCertRevoked));
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer after, host.Attest(*port_.Connect()));
  EXPECT_EQ(CaOf(CertificateOf(host, after.sealed)), "hosts-1");
}

// No CA signs: our own fault, and never a credential.
TEST_F(CaTest, WithoutACaThereIsNoCredential) {
  SoftHost host = port_.gate.NewHost();
  ASSERT_THAT(host.Attest(*port_.Connect()).status(), IsOk());
  ASSERT_THAT(pki::TaintCa(Folder(), "issuing", "key copied", Now()).status(), IsOk());
  ASSERT_THAT(port_.gate.authority.Refresh(Now()), IsOk());
  EXPECT_THAT(host.Attest(*port_.Connect()).status(), Refuses(Reason::kCa));
}

// An operator's certificate has our root's signature and is no host's, whatever is in it.
TEST_F(CaTest, ACertificateOfAnotherCaIsNoHosts) {
  SoftHost host = port_.gate.NewHost();
  ASSERT_THAT(host.Attest(*port_.Connect()).status(), IsOk());
  Activate(Prepare(pki::CaUse::kOperators));
  BG_ASSERT_OK_AND_ASSIGN(const auto key, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  BG_ASSERT_OK_AND_ASSIGN(
      const Bytes der, port_.gate.authority.IssueOperator("alice", {"viewer"}, key.Public(), Now(),
                                                          Now() + absl::Hours(1)));
  const ClientCertificate alice = {
      .chain_pem = pki::DerToPem(der) + port_.gate.authority.ChainOf(der),
      .key_pem = std::string(AsText(key.Pem().view()))};
  EXPECT_THAT(host.Ask(*port_.Connect(alice)).status(), Refuses(Reason::kCertParse));
}

// Once the servers' CA is below a new root, the port proves itself with that, without a restart.
TEST_F(CaTest, TheServersCertificateIsRenewedWhileItServes) {
  SoftHost host = port_.gate.NewHost();
  const auto open = port_.Connect();
  ASSERT_THAT(host.Attest(*open).status(), IsOk());
  agent::Endpoint early = port_.EndpointFor();
  BG_ASSERT_OK_AND_ASSIGN(const pki::CaStep root,
                          pki::RotateRoot(Folder(), {}, absl::Hours(24 * 3650), Now()));
  Activate(root.ca.id);
  Activate(Prepare(pki::CaUse::kServers));
  port_.RenewTls();
  ASSERT_THAT(host.Ask(*open).status(), IsOk()) << "open connections stay";
  EXPECT_THAT(host.Ask(*agent::Connect(early).value()).status(), Refuses(Reason::kServerAuth));
  agent::Endpoint late = early;
  late.ca_pem = port_.gate.authority.trust_bundle()->pem;
  EXPECT_THAT(host.Ask(*agent::Connect(late).value()).status(), IsOk());
}

}  // namespace
}  // namespace bootgate::gate

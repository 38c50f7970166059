// A known host's certificates over time, through the whole gate: what its vendor revokes, what is
// renewed, who is named as the signer of what.
#include <sstream>

#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/cli/ek_lists.h"
#include "gatekeeper/enroll/own_certificates.h"
#include "gmock/gmock.h"
#include "pki/ca_steps.h"
#include "pki/crl.h"
#include "pki/x509_read.h"
#include "tests/gate/gate.h"

namespace bootgate::gate {
namespace {

using gatekeeper::host::Trust;
using gatekeeper::store::CredentialRow;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Refuses;
using ::testing::SizeIs;

class IdentityTest : public ::testing::Test {
 protected:
  absl::StatusOr<agent::AttestAnswer> Attest(SoftHost& host) {
    gate_.clock.Advance(absl::Minutes(2));
    return host.Attest(*client_);
  }
  SoftHost HostWithSerial(uint8_t serial) {
    SoftHost host(gate_.vendor, LoadCase("good"));
    host.ek_certificate = gate_.vendor.CertificateFor(host.ek.area(), serial);
    return host;
  }
  ExitCode AddCrl(const Bytes& der) {
    const std::string file = gate_.folder + "/vendor.crl";
    EXPECT_THAT(WriteFileAtomically(file, AsBytes(pki::CrlToPem(der)), 0600), IsOk());
    return gatekeeper::cli::EkCrlAdd({.store = *gate_.store,
                                      .clock = gate_.clock,
                                      .actor = "operator alice",
                                      .out = told_,
                                      .err = told_},
                                     file);
  }
  std::vector<CredentialRow> Rows(const std::string& host_id, const std::string& kind) {
    std::vector<CredentialRow> rows = gate_.store->ListCredentials(host_id).value();
    std::erase_if(rows, [&](const CredentialRow& row) { return row.kind != kind; });
    return rows;
  }
  static std::string SignerOf(ByteView der) {
    return ToHex(pki::AuthorityKeyId(pki::ParseCertificate(der)->get()));
  }

  Gate gate_;
  const std::unique_ptr<agent::GatekeeperClient> client_ = gate_.Direct();
  std::ostringstream told_;
};

// ---- a vendor's revocation list

TEST_F(IdentityTest, A33_AListThatAnOperatorAddsCountsAtJoiningAndAtTheNextAttestation) {
  SoftHost joined = HostWithSerial(0x21), sound = HostWithSerial(0x22),
           later = HostWithSerial(0x23);
  for (SoftHost* const host : {&joined, &sound}) {
    ASSERT_THAT(host->Join(*client_, gate_.token), IsOk());
    ASSERT_EQ(Attest(*host)->outcome, "ADMIT");
  }
  ASSERT_EQ(AddCrl(gate_.vendor.Crl({0x21, 0x23})), ExitCode::kSuccess) << told_.str();

  EXPECT_THAT(later.Join(*client_, gate_.token).status(), Refuses(Reason::kEkRevoked));
  SoftHost third = HostWithSerial(0x24);
  EXPECT_THAT(third.Join(*client_, gate_.token), IsOk());

  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, Attest(joined));
  EXPECT_EQ(answer.outcome, "DENY");
  EXPECT_EQ(answer.findings.front().code, Code(Reason::kTpmDistrusted));
  EXPECT_EQ(gate_.TrustOf(joined.id()), Trust::kQuarantined);
  EXPECT_EQ(Attest(sound)->outcome, "ADMIT");
}

TEST_F(IdentityTest, A33_AnOlderListDoesNotTakeANewersPlace) {
  ASSERT_EQ(AddCrl(gate_.vendor.Crl({0x21}, 2)), ExitCode::kSuccess) << told_.str();
  EXPECT_NE(AddCrl(gate_.vendor.Crl({}, 1, absl::Hours(2))), ExitCode::kSuccess);
  EXPECT_THAT(HostWithSerial(0x21).Join(*client_, gate_.token).status(),
              Refuses(Reason::kEkRevoked));
}

// ---- certificates of the attestation key

TEST_F(IdentityTest, AnAkCertificateInItsLastThirdIsRenewedByAnAdmit) {
  SoftHost host = gate_.NewHost();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer first, Attest(host));
  EXPECT_THAT(first.ak_certificate, IsEmpty()) << "the one of joining is good";
  const Bytes before = gate_.Host(host.id()).ak_certificate;
  ASSERT_THAT(Rows(host.id(), "ak"), SizeIs(1));

  gate_.clock.Advance(gatekeeper::enroll::kAkCertificateLifetime * 2 / 3);
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, Attest(host));
  ASSERT_EQ(answer.outcome, "ADMIT");
  ASSERT_FALSE(answer.ak_certificate.empty());
  EXPECT_NE(answer.ak_certificate, before);
  EXPECT_EQ(gate_.Host(host.id()).ak_certificate, answer.ak_certificate);
  const auto certificate = pki::ParseCertificate(answer.ak_certificate);
  ASSERT_THAT(certificate, IsOk());
  EXPECT_TRUE(pki::KeyOf(certificate->get()).value() == host.ak.area().Key().value());
  EXPECT_EQ(gate_.store->GetCredential(pki::SerialHex(certificate->get()))->kind, "ak");
  EXPECT_THAT(Attest(host)->ak_certificate, IsEmpty()) << "once";
  // The old one is good until it ends.
  for (const CredentialRow& row : Rows(host.id(), "ak")) EXPECT_FALSE(row.revoked) << row.serial;
}

TEST_F(IdentityTest, ADenyRenewsNoAkCertificateAndAQuarantineLeavesTheOneThatIs) {
  SoftHost host = gate_.NewHost();
  ASSERT_EQ(Attest(host)->outcome, "ADMIT");
  const Bytes before = gate_.Host(host.id()).ak_certificate;
  host.Reboot(LoadCase("secure-boot-off"));
  ASSERT_EQ(Attest(host)->outcome, "DENY");
  EXPECT_EQ(gate_.Host(host.id()).ak_certificate, before);
  gate_.clock.Advance(gatekeeper::enroll::kAkCertificateLifetime * 2 / 3);
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer again, Attest(host));
  EXPECT_THAT(again.ak_certificate, IsEmpty());
  ASSERT_THAT(Rows(host.id(), "ak"), SizeIs(1));
  EXPECT_FALSE(Rows(host.id(), "ak").front().revoked);
}

// ---- who signed

TEST_F(IdentityTest, EachCredentialsRowNamesTheCaThatSignedIt) {
  const std::string ca = gate_.folder + "/ca";
  SoftHost host = gate_.NewHost();
  std::set<std::string> signers;
  for (int generation = 0; generation < 2; ++generation) {
    BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, Attest(host));
    for (const Bytes& der : {answer.tpm_key.certificate, answer.sealed.certificate}) {
      const auto certificate = pki::ParseCertificate(der);
      ASSERT_THAT(certificate, IsOk());
      const auto row = gate_.store->GetCredential(pki::SerialHex(certificate->get()));
      ASSERT_THAT(row, IsOk());
      EXPECT_EQ(row->issuer, SignerOf(der));
      signers.insert(row->issuer);
    }
    const absl::Time now = gate_.clock.Now();
    const auto next =
        pki::RotateCa(ca, pki::CaUse::kHosts, std::nullopt, absl::Hours(24 * 300), now);
    ASSERT_THAT(next, IsOk());
    ASSERT_THAT(pki::ActivateCa(ca, next->ca.id, now).status(), IsOk());
    ASSERT_THAT(gate_.authority.Refresh(now), IsOk());
  }
  EXPECT_THAT(signers, SizeIs(2));
  for (const char* const kind : {"host", "ak"}) {
    const std::vector<CredentialRow> rows = Rows(host.id(), kind);
    EXPECT_FALSE(rows.empty()) << kind;
    for (const CredentialRow& row : rows) EXPECT_FALSE(row.issuer.empty()) << row.serial;
  }
}

}  // namespace
}  // namespace bootgate::gate

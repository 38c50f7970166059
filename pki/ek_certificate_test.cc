#include "pki/ek_certificate.h"

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/authority.h"
#include "pki/ek_chain.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr char kHost[] = "h-00112233445566778899aabbccddeeff";

class EkCertificateTest : public ::testing::Test {
 protected:
  EkCertificateTest() {
    std::string made = ::testing::TempDir() + "/bootgate-ek-XXXXXX";
    folder_ = mkdtemp(made.data());
    const AuthorityFiles files = {folder_ + "/ca"};
    EXPECT_THAT(
        Authority::Create(files, {.cluster_id = "lab-1", .trust_domain = "bootgate.example"}, kNow),
        IsOk());
    authority_ = std::make_unique<Authority>(Authority::Open(files, kNow).value());
  }
  ~EkCertificateTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<Bytes> Make(const crypto::PublicKey& key) const {
    for (const IssuerPtr& issuer : authority_->Issuers()) {
      if (!issuer->uses.contains(CaUse::kAks)) continue;
      return MakeEkCertificate(*issuer,
                               {.serial_hex = NewSerialHex(),
                                .host_id = kHost,
                                .not_before = kNow,
                                .not_after = kNow + absl::Hours(24)},
                               key);
    }
    return absl::NotFoundError("no CA for it");
  }

  absl::StatusOr<VerifiedEkChain> Verify(ByteView certificate) const {
    return VerifiedEkChain::Verify(certificate, {PemToDer(authority_->issuing_pem()).value()},
                                   TrustAnchors::FromPem(authority_->root_pem()).value(), kNow);
  }

  // What the openssl command prints about a certificate.
  std::string Shown(const std::string& arguments, ByteView certificate) const {
    const std::string file = folder_ + "/shown.pem", out = folder_ + "/shown.txt";
    EXPECT_THAT(WriteFileAtomically(file, AsBytes(DerToPem(certificate)), 0600), IsOk());
    const std::string command =
        absl::StrCat("openssl ", arguments, " -in ", file, " >", out, " 2>&1");
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return ReadTextFile(out, 1 << 20).value_or("");
  }

  std::string folder_;
  std::unique_ptr<Authority> authority_;
};

TEST_F(EkCertificateTest, IsBelievedAsAnEkCertificateOfOurs) {
  for (const absl::StatusOr<crypto::PrivateKey>& key :
       {crypto::PrivateKey::GenerateEc(crypto::Curve::kP256),
        crypto::PrivateKey::GenerateEc(crypto::Curve::kP384),
        crypto::PrivateKey::GenerateRsa(2048)}) {
    ASSERT_THAT(key, IsOk());
    BG_ASSERT_OK_AND_ASSIGN(const Bytes certificate, Make(key->Public()));
    BG_ASSERT_OK_AND_ASSIGN(const VerifiedEkChain chain, Verify(certificate));
    EXPECT_EQ(chain.key(), key->Public());
  }
}

TEST_F(EkCertificateTest, SaysWhatTheProfileWantsAndNothingElse) {
  const auto key = crypto::PrivateKey::GenerateRsa(2048);
  BG_ASSERT_OK_AND_ASSIGN(const Bytes certificate, Make(key->Public()));
  const std::string text = Shown("x509 -noout -text", certificate);
  EXPECT_THAT(text, HasSubstr("CA:FALSE"));
  EXPECT_THAT(text, HasSubstr("Key Encipherment"));
  EXPECT_THAT(text, HasSubstr("2.23.133.8.1"));
  EXPECT_THAT(text, HasSubstr(kHost));
  EXPECT_THAT(text, Not(HasSubstr("Client Authentication")));
  const auto ecc = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256);
  EXPECT_THAT(Shown("x509 -noout -text", Make(ecc->Public()).value()), HasSubstr("Key Agreement"));
}

// An AK certificate is none, although the same CA signs both.
TEST_F(EkCertificateTest, NoOtherCertificateOfOursIsTakenForOne) {
  const auto key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256);
  BG_ASSERT_OK_AND_ASSIGN(const Bytes ak, authority_->IssueAk({.serial_hex = NewSerialHex(),
                                                               .host_id = kHost,
                                                               .tpm_san_der = {},
                                                               .not_before = kNow,
                                                               .not_after = kNow + absl::Hours(1)},
                                                              key->Public()));
  EXPECT_THAT(Verify(ak), Refuses(Reason::kEkCertProfile));
}

TEST_F(EkCertificateTest, NeverOutlivesItsCaAndNeverWithoutItsKey) {
  const auto key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256);
  Issuer issuer = *authority_->Issuers().front();
  const EkCertificateRequest request = {.serial_hex = NewSerialHex(),
                                        .host_id = kHost,
                                        .not_before = kNow,
                                        .not_after = issuer.not_after + absl::Seconds(1)};
  EXPECT_THAT(MakeEkCertificate(issuer, request, key->Public()), Refuses(Reason::kCa));
  issuer.signer.reset();
  EXPECT_THAT(MakeEkCertificate(issuer,
                                {.serial_hex = NewSerialHex(),
                                 .host_id = kHost,
                                 .not_before = kNow,
                                 .not_after = kNow + absl::Hours(1)},
                                key->Public()),
              Refuses(Reason::kCa));
}

// The three things an AK certificate can say of how its TPM was believed, read by somebody else.
TEST_F(EkCertificateTest, AkCertificatesSayHowTheTpmWasBelieved) {
  const auto key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256);
  Authority::AkCertificateRequest request;
  request.serial_hex = NewSerialHex();
  request.host_id = kHost;
  request.not_before = kNow;
  request.not_after = kNow + absl::Hours(1);
  const auto policies = [&] {
    const Bytes certificate = authority_->IssueAk(request, key->Public()).value();
    EXPECT_THAT(Shown("x509 -noout -text", certificate), HasSubstr("2.23.133.8.3"));
    return Shown("x509 -noout -ext certificatePolicies", certificate) +
           Shown("asn1parse", certificate);
  };
  EXPECT_THAT(policies(), HasSubstr("1.3.6.1.4.1.311.21.30"));
  request.ek_certificate_verified = true;
  EXPECT_THAT(policies(), HasSubstr("1.3.6.1.4.1.311.21.31"));
  request.ek_certificate_verified = false;
  request.cloud_ak_verified = true;
  EXPECT_THAT(policies(), HasSubstr("1.3.6.1.4.1.58888.3.1"));
}

}  // namespace
}  // namespace bootgate::pki

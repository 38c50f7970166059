// Attestation keys that a cloud left in its vTPM: the TPM is a software TPM, and the test plays the
// cloud that fills NV and persistent handles.
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/reason.h"
#include "gatekeeper/enroll/test_ca.h"
#include "tests/desk/process.h"
#include "tests/desk/tpm_fixture.h"

namespace bootgate::agent::tpm {
namespace {

using gatekeeper::enroll::TestCa;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Refuses;

constexpr char kGoogleRsaCertificate[] = "0x01c10000", kGoogleRsaTemplate[] = "0x01c10001";
constexpr char kGoogleEccCertificate[] = "0x01c10002", kGoogleEccTemplate[] = "0x01c10003";
constexpr char kAzureCertificate[] = "0x01c101d0", kAzureKey[] = "0x81000003";

const registers::Selection kBoot = {{crypto::HashAlg::kSha256, 0x7fff}};  // 0-14

// Each test has a TPM as it comes from its manufacturer.
class CloudAkTest : public desk::TpmTest {
 protected:
  static void SetUpTestSuite() {}
  static void TearDownTestSuite() {}
  void SetUp() override {
    desk::TpmTest::SetUpTestSuite();
    ASSERT_NE(host_, nullptr);
    Reopen({.tcti = host_->tcti()});
  }
  void TearDown() override {
    tpm_.reset();
    desk::TpmTest::TearDownTestSuite();
  }

  // As tpm2-tools do it, while nobody else is on the bus.
  void Tool(std::vector<std::string> command) {
    tpm_.reset();
    command.insert(command.begin() + 1, {"-T", host_->tcti()});
    ASSERT_THAT(desk::RunToEnd(command, scratch_->path() + "/tool.log"), IsOk()) << command[0];
    Reopen({.tcti = host_->tcti()});
  }
  void WriteNv(const std::string& index, ByteView bytes) {
    const std::string file = scratch_->path() + "/nv";
    ASSERT_THAT(WriteFileAtomically(file, bytes, 0600), IsOk());
    Tool({"tpm2_nvdefine", index, "-C", "o", "-s", std::to_string(bytes.size()), "-a",
          "ownerread|authread|ownerwrite|authwrite"});
    Tool({"tpm2_nvwrite", index, "-C", "o", "-i", file});
  }
  // The key that Azure makes persistent: restricted, RSA, in the owner's hierarchy.
  void MakeAzureKey(const std::string& attributes) {
    const std::string file = scratch_->path() + "/key.ctx";
    Tool({"tpm2_createprimary", "-C", "o", "-g", "sha256", "-G", "rsa2048:rsassa-sha256:null", "-a",
          attributes, "-c", file});
    Tool({"tpm2_evictcontrol", "-C", "o", "-c", file, kAzureKey});
  }

  const TestCa cloud_{absl::Now()};
};

constexpr char kAttestationKey[] =
    "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign";

TEST_F(CloudAkTest, NoCloudHasBeenHere) {
  BG_ASSERT_OK_AND_ASSIGN(const auto found, tpm_->FindCloudAk(AkKind::kEcc));
  EXPECT_FALSE(found.has_value());
}

// The template is that of our own keys, so that the key is known before the certificate is.
TEST_F(CloudAkTest, GooglesIsMadeFromItsTemplate) {
  for (const bool ecc : {true, false}) {
    BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(ecc ? AkKind::kEcc : AkKind::kRsa));
    const Bytes certificate = cloud_.AkCertificateFor(ak);
    WriteNv(ecc ? kGoogleEccTemplate : kGoogleRsaTemplate, tpm2::AkTemplateBytes(ecc));
    WriteNv(ecc ? kGoogleEccCertificate : kGoogleRsaCertificate, certificate);
    BG_ASSERT_OK_AND_ASSIGN(const auto found, tpm_->FindCloudAk(ecc ? AkKind::kEcc : AkKind::kRsa));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->kind, ecc ? AkKind::kGoogleEcc : AkKind::kGoogleRsa);
    EXPECT_EQ(found->public_area.Name(), ak.Name());
    EXPECT_EQ(found->certificate, certificate);
    BG_ASSERT_OK_AND_ASSIGN(const auto quote, tpm_->Quote(found->kind, kBoot, Bytes(32, 1)));
    EXPECT_FALSE(quote.signature.empty());
    BG_ASSERT_OK_AND_ASSIGN(const auto again, tpm_->AkPublic(found->kind));
    EXPECT_EQ(again.Name(), ak.Name());
  }
}

TEST_F(CloudAkTest, AzuresIsPersistent) {
  MakeAzureKey(kAttestationKey);
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(AkKind::kAzure));
  Bytes padded = cloud_.AkCertificateFor(ak);
  padded.resize(padded.size() + 200, 0);
  WriteNv(kAzureCertificate, padded);
  BG_ASSERT_OK_AND_ASSIGN(const auto found, tpm_->FindCloudAk(AkKind::kEcc));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->kind, AkKind::kAzure);
  BG_ASSERT_OK_AND_ASSIGN(const auto ek, tpm_->EkPublic(tpm2::EkTemplate::kRsa2048Low));
  const SecretBytes secret(Bytes(32, 7));
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, tpm2::MakeCredential(ek, ak.Name(), secret));
  BG_ASSERT_OK_AND_ASSIGN(
      const SecretBytes activated,
      tpm_->ActivateCredential(PinnedEk::FromName(tpm2::EkTemplate::kRsa2048Low, ek.Name()),
                               AkKind::kAzure, blob));
  EXPECT_TRUE(activated.ConstantTimeEquals(secret.view()));
}

TEST_F(CloudAkTest, CertificateOfAnotherKeyIsRefused) {
  BG_ASSERT_OK_AND_ASSIGN(const auto other, tpm_->AkPublic(AkKind::kRsa));
  WriteNv(kGoogleEccTemplate, tpm2::AkTemplateBytes(true));
  WriteNv(kGoogleEccCertificate, cloud_.AkCertificateFor(other));
  const auto found = tpm_->FindCloudAk(AkKind::kEcc);
  EXPECT_THAT(found, Refuses(Reason::kAkChainUntrusted));
  EXPECT_THAT(found.status().message(), HasSubstr("NV 0x01c10002 is for another key"));
}

TEST_F(CloudAkTest, CertificateWithoutItsKeyIsRefused) {
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(AkKind::kEcc));
  const Bytes certificate = cloud_.AkCertificateFor(ak);
  WriteNv(kAzureCertificate, certificate);
  const auto azure = tpm_->FindCloudAk(AkKind::kEcc);
  EXPECT_THAT(azure, Refuses(Reason::kTpm));
  EXPECT_THAT(azure.status().message(), HasSubstr("no key at 0x81000003"));
  WriteNv(kGoogleEccCertificate, certificate);
  const auto google = tpm_->FindCloudAk(AkKind::kEcc);
  EXPECT_THAT(google, Refuses(Reason::kTpm));
  EXPECT_THAT(google.status().message(), HasSubstr("no template in NV 0x01c10003"));
}

TEST_F(CloudAkTest, KeyThatSignsWhateverItIsGivenIsRefused) {
  MakeAzureKey("fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign");
  BG_ASSERT_OK_AND_ASSIGN(const auto key, tpm_->AkPublic(AkKind::kAzure));
  WriteNv(kAzureCertificate, cloud_.AkCertificateFor(key));
  EXPECT_THAT(tpm_->FindCloudAk(AkKind::kEcc), Refuses(Reason::kAkAttributes));
}

TEST_F(CloudAkTest, TemplateOfAStorageKeyIsRefused) {
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(AkKind::kEcc));
  WriteNv(kGoogleEccTemplate, tpm2::SrkTemplateBytes());
  WriteNv(kGoogleEccCertificate, cloud_.AkCertificateFor(ak));
  EXPECT_THAT(tpm_->FindCloudAk(AkKind::kEcc), Refuses(Reason::kAkAttributes));
}

TEST_F(CloudAkTest, TemplateThatIsNoneIsRefused) {
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(AkKind::kEcc));
  WriteNv(kGoogleEccTemplate, Bytes(40, 0xff));
  WriteNv(kGoogleEccCertificate, cloud_.AkCertificateFor(ak));
  EXPECT_FALSE(tpm_->FindCloudAk(AkKind::kEcc).ok());
}

}  // namespace
}  // namespace bootgate::agent::tpm

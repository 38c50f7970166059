#include "agent/tpm/tpm.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "tests/desk/process.h"
#include "tests/desk/tpm_fixture.h"

namespace bootgate::agent::tpm {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using crypto::HashAlg;
using desk::TpmTest;
using tpm2::EkTemplate;

const registers::Selection kBoot = {{HashAlg::kSha256, 0x7fff}};    // 0-14
const registers::Selection kSealed = {{HashAlg::kSha256, 0x0090}};  // 4 and 7
const Bytes kQualifying(32, 0xa5);

// ---- Identity

TEST_F(TpmTest, FindsTheManufacturersCertificatesAndTheirKeys) {
  BG_ASSERT_OK_AND_ASSIGN(const auto certificates, tpm_->EkCertificates());
  ASSERT_EQ(certificates.size(), 2u);
  EXPECT_EQ(certificates[0].ek_template, EkTemplate::kRsa2048Low);
  EXPECT_EQ(certificates[1].ek_template, EkTemplate::kP384High);
  for (const EkCertificate& certificate : certificates) {
    BG_ASSERT_OK_AND_ASSIGN(const auto ek, tpm_->EkPublic(certificate.ek_template));
    EXPECT_THAT(PinnedEk::FromCertificate(ek, certificate.der), IsOk());
  }
}

// As swtpm_setup certifies an EK of 3072 bits (H-6): the template makes that very key, whose sealed
// data it opens.
TEST(Rsa3072Ek, IsFoundByItsCertificateAndOpensWhatIsSealedToIt) {
  const desk::ScratchFolder scratch;
  BG_ASSERT_OK_AND_ASSIGN(const auto host,
                          desk::Host::Up({.folder = scratch.path() + "/host",
                                          .case_folder = testing::CorpusPath("boots/good"),
                                          .rsa_bits = 3072}));
  BG_ASSERT_OK_AND_ASSIGN(const auto tpm, Tpm::Open({.tcti = host->tcti()}));
  BG_ASSERT_OK_AND_ASSIGN(const auto certificates, tpm->EkCertificates());
  const auto rsa =
      std::ranges::find(certificates, EkTemplate::kRsa3072High, &EkCertificate::ek_template);
  ASSERT_NE(rsa, certificates.end());
  BG_ASSERT_OK_AND_ASSIGN(const auto ek, tpm->EkPublic(EkTemplate::kRsa3072High));
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk pinned, PinnedEk::FromCertificate(ek, rsa->der));
  EXPECT_THAT(tpm->CheckPinned(pinned), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto banks, tpm->ReadRegisters(kSealed));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes policy, PcrPolicy(kSealed, banks));
  const SecretBytes data = crypto::RandomSecret(32);
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, tpm2::SealForImport(ek, policy, data));
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes opened, tpm->Unseal(pinned, blob, kSealed));
  EXPECT_TRUE(opened.ConstantTimeEquals(data.view()));
}

// As tpm2-tools write an index, while nobody else is on the bus.
void WriteNv(const std::string& tcti, const std::string& index, const std::string& file,
             size_t size_bytes) {
  const std::string log = file + ".log";
  ASSERT_THAT(
      desk::RunToEnd({"tpm2_nvdefine", "-T", tcti, index, "-C", "o", "-s",
                      std::to_string(size_bytes), "-a", "ownerread|authread|ownerwrite|authwrite"},
                     log),
      IsOk());
  ASSERT_THAT(desk::RunToEnd({"tpm2_nvwrite", "-T", tcti, index, "-C", "o", "-i", file}, log),
              IsOk());
}

TEST_F(TpmTest, FindsTheCasBetween) {
  BG_ASSERT_OK_AND_ASSIGN(const auto none, tpm_->EkChain());
  EXPECT_THAT(none, ::testing::IsEmpty());
  tpm_.reset();
  const Bytes first(1500, 0x30), second(700, 0x31);  // the first is longer than one read
  const std::string file = scratch_->path() + "/nv";
  ASSERT_THAT(WriteFileAtomically(file, first, 0600), IsOk());
  WriteNv(host_->tcti(), "0x1c00100", file, first.size());
  ASSERT_THAT(WriteFileAtomically(file, second, 0600), IsOk());
  WriteNv(host_->tcti(), "0x1c00101", file, second.size());
  Reopen({.tcti = host_->tcti()});
  BG_ASSERT_OK_AND_ASSIGN(const auto chain, tpm_->EkChain());
  EXPECT_THAT(chain, ::testing::ElementsAre(first, second));
}

TEST_F(TpmTest, CertificateOfAnotherKeyPinsNothing) {
  BG_ASSERT_OK_AND_ASSIGN(const auto ek, tpm_->EkPublic(EkTemplate::kRsa2048Low));
  EXPECT_THAT(PinnedEk::FromCertificate(ek, testing::CorpusFile("boots/good/ek-rsa.cert.der")),
              Refuses(Reason::kEkCertKeyMismatch));
}

TEST_F(TpmTest, AttestationKeysAreTheSameEveryTimeAndAcceptable) {
  for (const AkKind kind : {AkKind::kEcc, AkKind::kRsa}) {
    BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(kind));
    EXPECT_THAT(tpm2::CheckAk(ak), IsOk());
    BG_ASSERT_OK_AND_ASSIGN(const auto again, tpm_->AkPublic(kind));
    EXPECT_EQ(ak.Name(), again.Name());
  }
}

struct Enrolment {
  EkTemplate ek;
  AkKind ak;
};
void PrintTo(const Enrolment& row, std::ostream* os) {
  *os << tpm2::Name(row.ek) << ", AK " << Name(row.ak);
}
class ActivationTest : public TpmTest, public ::testing::WithParamInterface<Enrolment> {};

TEST_P(ActivationTest, OpensWhatWasMadeForThisEkAndThisAk) {
  BG_ASSERT_OK_AND_ASSIGN(const auto ek, tpm_->EkPublic(GetParam().ek));
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(GetParam().ak));
  const SecretBytes credential = crypto::RandomSecret(32);
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, tpm2::MakeCredential(ek, ak.Name(), credential));
  const PinnedEk pinned = PinnedEk::FromName(GetParam().ek, ek.Name());
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes activated,
                          tpm_->ActivateCredential(pinned, GetParam().ak, blob));
  EXPECT_TRUE(activated.ConstantTimeEquals(credential.view()));
  EXPECT_FALSE(bus_.Carried(credential.view()));
}

INSTANTIATE_TEST_SUITE_P(Keys, ActivationTest,
                         ::testing::Values(Enrolment{EkTemplate::kRsa2048Low, AkKind::kEcc},
                                           Enrolment{EkTemplate::kRsa2048Low, AkKind::kRsa},
                                           Enrolment{EkTemplate::kP256Low, AkKind::kEcc},
                                           Enrolment{EkTemplate::kRsa2048High, AkKind::kEcc},
                                           Enrolment{EkTemplate::kP256High, AkKind::kRsa},
                                           Enrolment{EkTemplate::kP384High, AkKind::kEcc},
                                           Enrolment{EkTemplate::kP521High, AkKind::kEcc},
                                           Enrolment{EkTemplate::kRsa3072High, AkKind::kRsa}));

TEST_F(TpmTest, CredentialForAnotherAkDoesNotOpen) {
  BG_ASSERT_OK_AND_ASSIGN(const auto ek, tpm_->EkPublic(EkTemplate::kP256Low));
  BG_ASSERT_OK_AND_ASSIGN(const auto rsa_ak, tpm_->AkPublic(AkKind::kRsa));
  BG_ASSERT_OK_AND_ASSIGN(const auto blob,
                          tpm2::MakeCredential(ek, rsa_ak.Name(), crypto::RandomSecret(32)));
  EXPECT_THAT(tpm_->ActivateCredential(PinnedEk::FromName(EkTemplate::kP256Low, ek.Name()),
                                       AkKind::kEcc, blob),
              Refuses(Reason::kTpmIntegrity));
}

// ---- Registers and quotes

TEST_F(TpmTest, QuoteVerifiesAndShowsTheCapturedRegisters) {
  BG_ASSERT_OK_AND_ASSIGN(const desk::CapturedBoot boot, desk::LoadBoot(Case()));
  registers::Selection all;
  for (const auto& bank : boot.registers) all.push_back({bank.alg(), bank.mask()});
  for (const AkKind kind : {AkKind::kEcc, AkKind::kRsa}) {
    BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(kind));
    BG_ASSERT_OK_AND_ASSIGN(const auto raw, tpm_->Quote(kind, all, kQualifying));
    const Bytes signer = tpm2::QualifiedName(tpm2::HandleName(tpm2::kRhEndorsement), ak);
    BG_ASSERT_OK_AND_ASSIGN(const auto quoted,
                            tpm2::QuotedPcrs::Verify({.ak = ak,
                                                      .ak_qualified_name = signer,
                                                      .selection = all,
                                                      .qualifying_data = kQualifying},
                                                     raw));
    EXPECT_EQ(quoted.banks(), boot.registers);
  }
}

TEST_F(TpmTest, QuoteFollowsRegistersThatMoveMeanwhile) {
  int moves = 2;
  bus_.before_command = [&](ByteView command) {
    constexpr uint32_t kQuote = 0x158;
    if (desk::CommandCode(command) == kQuote && moves-- > 0) {
      EXPECT_THAT(host_->Extend(10, "moved"), IsOk());
    }
  };
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(AkKind::kEcc));
  BG_ASSERT_OK_AND_ASSIGN(const auto raw, tpm_->Quote(AkKind::kEcc, kBoot, kQualifying));
  EXPECT_THAT(
      tpm2::QuotedPcrs::Verify({.ak = ak, .selection = kBoot, .qualifying_data = kQualifying}, raw),
      IsOk());
}

TEST_F(TpmTest, BankThatIsNotAllocatedIsRefusedInsteadOfSilentlyDropped) {
  const registers::Selection sha512 = {{HashAlg::kSha512, 0xff}};
  EXPECT_THAT(tpm_->ReadRegisters(sha512), HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(tpm_->Quote(AkKind::kEcc, sha512, kQualifying),
              HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(tpm_->SignWithIdentityKey(Bytes(32), sha512, crypto::Digest()),
              HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(tpm_->Quote(AkKind::kEcc, {}, kQualifying),
              HasCode(absl::StatusCode::kInvalidArgument));
  BG_ASSERT_OK_AND_ASSIGN(const auto banks, tpm_->AllocatedBanks());
  EXPECT_EQ(registers::MaskOf(banks, HashAlg::kSha256), 0xffffffu);
  EXPECT_EQ(registers::MaskOf(banks, HashAlg::kSha512), 0u);
}

// ---- Identity key

TEST_F(TpmTest, IdentityKeyIsCertifiedAndSignsOnlyInItsState) {
  BG_ASSERT_OK_AND_ASSIGN(const auto banks, tpm_->ReadRegisters(kSealed));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes policy, PcrPolicy(kSealed, banks));
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(AkKind::kEcc));
  BG_ASSERT_OK_AND_ASSIGN(const auto key,
                          tpm_->CertifyIdentityKey(AkKind::kEcc, policy, kQualifying));
  EXPECT_THAT(tpm2::CheckIdentityKey(key.public_area, policy), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto certify, tpm2::ParseCertify(key.certify_attest));
  EXPECT_EQ(certify.name, key.public_area.Name());
  EXPECT_EQ(certify.header.extra_data, kQualifying);
  BG_ASSERT_OK_AND_ASSIGN(const auto signature, tpm2::ParseSignature(key.certify_signature));
  EXPECT_THAT(tpm2::VerifySignature(ak, key.certify_attest, signature), IsOk());

  const crypto::Digest digest = crypto::Hash(HashAlg::kSha256, AsBytes("handshake"));
  BG_ASSERT_OK_AND_ASSIGN(const auto signed_digest,
                          tpm_->SignWithIdentityKey(policy, kSealed, digest));
  BG_ASSERT_OK_AND_ASSIGN(const auto public_key, key.public_area.Key());
  EXPECT_THAT(public_key.VerifyEcdsa(digest, signed_digest.r, signed_digest.s), IsOk());

  ASSERT_THAT(host_->Extend(7, "changed"), IsOk());
  EXPECT_THAT(tpm_->SignWithIdentityKey(policy, kSealed, digest), Refuses(Reason::kTpmPolicy));
}

// ---- Sealed data

class SealTest : public TpmTest {
 protected:
  absl::StatusOr<tpm2::ImportBlob> Seal(EkTemplate which, const SecretBytes& data) {
    BG_ASSIGN_OR_RETURN(const auto banks, tpm_->ReadRegisters(kSealed));
    BG_ASSIGN_OR_RETURN(const Bytes policy, PcrPolicy(kSealed, banks));
    BG_ASSIGN_OR_RETURN(const auto ek, tpm_->EkPublic(which));
    return tpm2::SealForImport(ek, policy, data);
  }
};

class SealToTest : public SealTest, public ::testing::WithParamInterface<EkTemplate> {};

TEST_P(SealToTest, UnsealsInThatStateAsOftenAsAsked) {
  const SecretBytes data = crypto::RandomSecret(32);
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(GetParam(), data));
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, GetParam()));
  for (int i = 0; i < 2; ++i) {
    BG_ASSERT_OK_AND_ASSIGN(const SecretBytes unsealed, tpm_->Unseal(ek, blob, kSealed));
    EXPECT_TRUE(unsealed.ConstantTimeEquals(data.view()));
  }
}

INSTANTIATE_TEST_SUITE_P(Eks, SealToTest,
                         ::testing::Values(EkTemplate::kRsa2048Low, EkTemplate::kP256Low,
                                           EkTemplate::kRsa2048High, EkTemplate::kP256High,
                                           EkTemplate::kP384High, EkTemplate::kP521High,
                                           EkTemplate::kRsa3072High));

TEST_F(SealTest, UnsealTriesAgainWhenARegisterOutsideTheSelectionMoves) {
  const SecretBytes data = crypto::RandomSecret(32);
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(EkTemplate::kP256Low, data));
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, EkTemplate::kP256Low));
  int unseals = 0;
  bus_.before_command = [&](ByteView command) {
    constexpr uint32_t kUnseal = 0x15e;
    if (desk::CommandCode(command) != kUnseal) return;
    if (++unseals <= 2) {
      EXPECT_THAT(host_->Extend(10, "measured"), IsOk());
    }
  };
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes unsealed, tpm_->Unseal(ek, blob, kSealed));
  EXPECT_TRUE(unsealed.ConstantTimeEquals(data.view()));
  EXPECT_EQ(unseals, 3);
}

TEST_F(SealTest, UnsealGivesUpWhenRegistersNeverRest) {
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(EkTemplate::kP256Low, crypto::RandomSecret(32)));
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, EkTemplate::kP256Low));
  bus_.before_command = [&](ByteView command) {
    constexpr uint32_t kUnseal = 0x15e;
    if (desk::CommandCode(command) == kUnseal) {
      EXPECT_THAT(host_->Extend(10, "x"), IsOk());
    }
  };
  EXPECT_THAT(tpm_->Unseal(ek, blob, kSealed), Refuses(Reason::kTpmPcrChanged));
}

// ---- Housekeeping

TEST_F(SealTest, EveryOperationLeavesTheTpmAsItFoundIt) {
  BG_ASSERT_OK_AND_ASSIGN(const LoadedHandles before, tpm_->CountHandles());
  EXPECT_EQ(before.objects + before.sessions + before.saved_sessions, 0u);
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(EkTemplate::kP256Low, crypto::RandomSecret(32)));
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, EkTemplate::kP256Low));
  ASSERT_THAT(tpm_->Unseal(ek, blob, kSealed), IsOk());
  ASSERT_THAT(tpm_->Quote(AkKind::kEcc, kBoot, kQualifying), IsOk());
  ASSERT_THAT(tpm_->CertifyIdentityKey(AkKind::kEcc, Bytes(32, 1), kQualifying), IsOk());
  ASSERT_THAT(tpm_->Extend(4, {crypto::Digest()}), IsOk());
  EXPECT_THAT(tpm_->Unseal(ek, blob, kSealed), Refuses(Reason::kTpmPolicy));
  EXPECT_THAT(tpm_->ActivateCredential(ek, AkKind::kEcc, {Bytes(66), Bytes(68)}),
              Refuses(Reason::kTpm));
  BG_ASSERT_OK_AND_ASSIGN(const LoadedHandles after, tpm_->CountHandles());
  EXPECT_EQ(after.objects + after.sessions + after.saved_sessions, 0u);
}

TEST_F(TpmTest, TellsWhatItIs) {
  BG_ASSERT_OK_AND_ASSIGN(const Properties properties, tpm_->ReadProperties());
  EXPECT_EQ(properties.manufacturer, "IBM");
  EXPECT_THAT(properties.vendor, ::testing::HasSubstr("SW"));
  EXPECT_NE(properties.firmware_version, 0u);
  BG_ASSERT_OK_AND_ASSIGN(const auto clock, tpm_->ReadClock());
  EXPECT_GT(clock.reset_count, 0u);
  BG_ASSERT_OK_AND_ASSIGN(const Bytes one, tpm_->GetRandom(32));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes two, tpm_->GetRandom(32));
  EXPECT_NE(one, two);
}

TEST_F(TpmTest, ManyThreadsAreServedByOneOwner) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j) good += tpm_->Quote(AkKind::kEcc, kSealed, kQualifying).ok();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 40);
}

TEST(NoTpm, IsSaidSo) {
  EXPECT_THAT(Tpm::Open({.tcti = "swtpm:path=/nonexistent"}), Refuses(Reason::kTpmMissing));
  EXPECT_THAT(Tpm::Open({.tcti = "device:/nonexistent"}), Refuses(Reason::kTpmMissing));
  EXPECT_THAT(Tpm::Open({.tcti = "nonsense"}), Refuses(Reason::kTpmMissing));
}

}  // namespace
}  // namespace bootgate::agent::tpm

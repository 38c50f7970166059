#include "gatekeeper/credential/credential.h"

#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/writer.h"
#include "common/evidence/evidence.h"
#include "common/evidence/sealed_payload.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/key_profile.h"
#include "common/tpm2/policy_digest.h"
#include "common/tpm2/soft_tpm/soft_ak.h"
#include "common/tpm2/soft_tpm/soft_storage_key.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/verdict_extension.h"
#include "pki/x509_read.h"

namespace bootgate::gatekeeper::credential {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace soft_tpm = tpm2::soft_tpm;
namespace attribute = tpm2::attribute;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr char kHost[] = "h-00112233445566778899aabbccddeeff";
constexpr char kVerdict[] = "v-0123456789abcdef0123456789abcdef";
constexpr uint32_t kCap = 11;
constexpr uint32_t kIdentityAttributes = attribute::kFixedTpm | attribute::kFixedParent |
                                         attribute::kSensitiveDataOrigin | attribute::kNoDa |
                                         attribute::kSign;

registers::Selection Select(absl::string_view text) { return *registers::ParseSelection(text); }

// Every register 0..14 of the bank: a value of its own, but the cap register at its start.
registers::RegisterBank Booted(crypto::HashAlg alg) {
  registers::RegisterBank bank(alg);
  for (uint32_t i = 0; i <= 14; ++i) {
    const uint8_t byte = static_cast<uint8_t>(i);
    bank.Set(i, i == kCap ? crypto::Digest(alg) : crypto::Hash(alg, ByteView(&byte, 1)));
  }
  return bank;
}

Bytes PolicyOver(const registers::Selection& selection,
                 const std::vector<registers::RegisterBank>& banks) {
  const auto digest = tpm2::PcrDigest(crypto::HashAlg::kSha256, selection, banks);
  return ToBytes(
      tpm2::PolicyDigest(crypto::HashAlg::kSha256).Pcr(selection, *digest).value().view());
}

class CredentialTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string made = ::testing::TempDir() + "/bootgate-credential-XXXXXX";
    folder_ = new std::string(mkdtemp(made.data()));
    ASSERT_THAT(
        pki::Authority::Create({*folder_}, {.cluster_id = "c", .trust_domain = "d.example"}, kNow),
        IsOk());
    ek_ =
        new soft_tpm::SoftStorageKey(soft_tpm::SoftStorageKey::MakeEk(tpm2::EkTemplate::kP256Low));
  }
  static void TearDownTestSuite() {
    std::filesystem::remove_all(*folder_);
    delete folder_;
    delete ek_;
  }

  CredentialTest() : authority_(*pki::Authority::Open({*folder_}, kNow)) {}

  tpm2::QuotedPcrs Quoted() const {
    const Bytes name = ak_.qualified_name();
    return *tpm2::QuotedPcrs::Verify({ak_.area(), name, quoted_selection_, qualifying_},
                                     ak_.Quote(quoted_selection_, banks_, qualifying_));
  }

  // The identity key of an honest host, in the state `banks_`.
  tpm2::Public IdentityArea(uint32_t attributes = kIdentityAttributes) const {
    return soft_tpm::Area(identity_.Public(),
                          {.attributes = attributes,
                           .auth_policy = PolicyOver(options_.seal_selection, banks_),
                           .scheme = tpm2::Alg::kNull});
  }

  evidence::CertifiedKey Certified(const tpm2::Public& area, const soft_tpm::SoftAk& ak,
                                   ByteView qualifying) const {
    soft_tpm::SignedAttest attest = ak.Certify(area, qualifying);
    return {area.Tpm2b(), std::move(attest.attest), std::move(attest.signature)};
  }
  evidence::CertifiedKey Certified(const tpm2::Public& area) const {
    return Certified(area, ak_, qualifying_);
  }

  absl::StatusOr<Plan> PlanWith(const std::optional<evidence::CertifiedKey>& key,
                                absl::Time verdict_expires = absl::InfiniteFuture()) const {
    const tpm2::QuotedPcrs quoted = Quoted();
    std::optional<tpm2::CertifiedObject> identity_key;
    if (key.has_value()) {
      BG_ASSIGN_OR_RETURN(identity_key,
                          tpm2::CertifiedObject::Verify(
                              {ak_.area(), qualifying_},
                              {key->public_area, key->certify_attest, key->certify_signature}));
    }
    return PlanCredentials(options_,
                           {.host_id = kHost,
                            .verdict_id = kVerdict,
                            .policy_id = std::string(64, 'a'),
                            .claims_digest_hex = std::string(64, 'b'),
                            .ek = ek_->area(),
                            .quoted = quoted,
                            .identity_key = identity_key,
                            .now = kNow,
                            .verdict_expires = verdict_expires},
                           authority_);
  }

  static std::string* folder_;
  static soft_tpm::SoftStorageKey* ek_;
  pki::Authority authority_;
  soft_tpm::SoftAk ak_ = soft_tpm::SoftAk::Ecc();
  crypto::PrivateKey identity_ = *crypto::PrivateKey::GenerateEc(crypto::Curve::kP256);
  Bytes qualifying_ = Bytes(32, 0x51);
  registers::Selection quoted_selection_ = Select("sha256:0-14");
  std::vector<registers::RegisterBank> banks_ = {Booted(crypto::HashAlg::kSha256)};
  Options options_ = {.seal_selection = Select("sha256:0-7")};
};
std::string* CredentialTest::folder_ = nullptr;
soft_tpm::SoftStorageKey* CredentialTest::ek_ = nullptr;

TEST_F(CredentialTest, TpmKeyCertificateIsForTheCertifiedKey) {
  BG_ASSERT_OK_AND_ASSIGN(const Plan plan, PlanWith(Certified(IdentityArea())));
  BG_ASSERT_OK_AND_ASSIGN(const Issued issued, Issue(plan, authority_));
  ASSERT_TRUE(issued.tpm_key.has_value());
  BG_ASSERT_OK_AND_ASSIGN(const auto certificate,
                          pki::ParseCertificate(issued.tpm_key->certificate));
  BG_ASSERT_OK_AND_ASSIGN(const auto key, pki::KeyOf(certificate.get()));
  EXPECT_TRUE(key == identity_.Public());
  EXPECT_EQ(issued.tpm_key->ca_chain_pem, authority_.chain_pem());
}

TEST_F(CredentialTest, SealedCredentialOpensForThisTpm) {
  BG_ASSERT_OK_AND_ASSIGN(const Plan plan, PlanWith(std::nullopt));
  std::map<std::string, SecretBytes> secrets;
  secrets.emplace("disk", SecretBytes(AsBytes("hunter2")));
  BG_ASSERT_OK_AND_ASSIGN(const Issued issued, Issue(plan, authority_, secrets));
  EXPECT_FALSE(issued.tpm_key.has_value());
  ASSERT_TRUE(issued.sealed.has_value());
  const SealedCredential& sealed = *issued.sealed;
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes key, ek_->Unseal(sealed.blob));
  BG_ASSERT_OK_AND_ASSIGN(
      const auto payload,
      evidence::OpenPayload(key, kHost, plan.rows().front().serial, sealed.payload));
  EXPECT_EQ(payload.chain_pem, pki::DerToPem(sealed.certificate) + authority_.issuing_pem());
  EXPECT_EQ(AsText(payload.secrets.at("disk").view()), "hunter2");
  BG_ASSERT_OK_AND_ASSIGN(const auto private_key,
                          crypto::PrivateKey::FromPem(AsText(payload.private_key_pem.view())));
  BG_ASSERT_OK_AND_ASSIGN(const auto certificate, pki::ParseCertificate(sealed.certificate));
  BG_ASSERT_OK_AND_ASSIGN(const auto certified, pki::KeyOf(certificate.get()));
  EXPECT_TRUE(private_key.Public() == certified);
  EXPECT_EQ(sealed.not_after, pki::NotAfter(certificate.get()));
}

TEST_F(CredentialTest, PlannedRowsAreWhatIsIssued) {
  BG_ASSERT_OK_AND_ASSIGN(const Plan plan, PlanWith(Certified(IdentityArea())));
  ASSERT_EQ(plan.rows().size(), 2u);
  EXPECT_EQ(plan.rows()[0].profile, kTpmKeyProfile);
  EXPECT_EQ(plan.rows()[1].profile, kSealedProfile);
  EXPECT_NE(plan.rows()[0].serial, plan.rows()[1].serial);
  BG_ASSERT_OK_AND_ASSIGN(const Issued issued, Issue(plan, authority_));
  const auto check = [](const Bytes& der, const PlannedRow& row) {
    BG_ASSERT_OK_AND_ASSIGN(const auto certificate, pki::ParseCertificate(der));
    EXPECT_EQ(pki::SerialHex(certificate.get()), row.serial);
    EXPECT_EQ(pki::NotBefore(certificate.get()), row.not_before);
    EXPECT_EQ(pki::NotAfter(certificate.get()), row.not_after);
    EXPECT_EQ(ToHex(pki::AuthorityKeyId(certificate.get())), row.issuer);
  };
  check(issued.tpm_key->certificate, plan.rows()[0]);
  check(issued.sealed->certificate, plan.rows()[1]);
}

TEST_F(CredentialTest, NothingOutlivesTheIssuingCa) {
  options_.lifetime = absl::Hours(24 * 5000);
  BG_ASSERT_OK_AND_ASSIGN(const Plan plan, PlanWith(std::nullopt));
  EXPECT_EQ(plan.rows().front().not_after, authority_.not_after());
  EXPECT_THAT(Issue(plan, authority_), IsOk());
}

// ---- What credentials are bound to ----

TEST_F(CredentialTest, A66_TheSealedPolicyIsThatOfTheAttestedRegisters) {
  BG_ASSERT_OK_AND_ASSIGN(const Plan plan, PlanWith(std::nullopt));
  BG_ASSERT_OK_AND_ASSIGN(const Issued issued, Issue(plan, authority_));
  BG_ASSERT_OK_AND_ASSIGN(const auto area,
                          tpm2::Public::FromTpmt(issued.sealed->blob.object_public));
  EXPECT_THAT(area.auth_policy, ::testing::SizeIs(32));
  EXPECT_EQ(area.auth_policy, PolicyOver(options_.seal_selection, banks_));
  EXPECT_EQ(area.attributes & attribute::kUserWithAuth, 0u);
  EXPECT_EQ(issued.sealed->selection, options_.seal_selection);
  // A host whose register 4 differs gets something else.
  banks_[0].Extend(4, crypto::Digest());
  EXPECT_NE(area.auth_policy, PolicyOver(options_.seal_selection, banks_));
}

TEST_F(CredentialTest, A66_AnotherTpmCannotOpenIt) {
  BG_ASSERT_OK_AND_ASSIGN(const Plan plan, PlanWith(std::nullopt));
  BG_ASSERT_OK_AND_ASSIGN(const Issued issued, Issue(plan, authority_));
  const auto other = soft_tpm::SoftStorageKey::MakeEk(tpm2::EkTemplate::kP256Low);
  EXPECT_FALSE(other.Unseal(issued.sealed->blob).ok());
}

struct BadOptions {
  const char *name, *seal;
  std::optional<uint32_t> cap;
  const char* says;
};
class A66_OptionsTest : public ::testing::TestWithParam<BadOptions> {};

TEST_P(A66_OptionsTest, BindingToTheWrongThingIsRefused) {
  const Options options = {.seal_selection = Select(GetParam().seal),
                           .cap_register = GetParam().cap};
  const absl::Status status = Check(options, Select("sha1:0-14+sha256:0-14,16"));
  ASSERT_THAT(status, HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(Selections, A66_OptionsTest,
                         ::testing::ValuesIn(std::vector<BadOptions>{
                             {"Sha1Alone", "sha1:0-7", {}, "other than SHA-1"},
                             {"NotQuotedRegister", "sha256:0-7,15", {}, "sha256:15"},
                             {"NotQuotedBank", "sha384:0-7", {}, "sha384:0-7"},
                             {"Resettable", "sha256:0-7,16", {}, "reset registers"},
                             {"CapIsSealed", "sha256:0-7", 7, "in the seal selection"},
                             {"CapCanBeReset", "sha256:0-7", 16, "cannot be a cap"},
                             {"CapNotQuoted", "sha256:0-7", 15, "sha256:15"},
                             {"CapIsNoRegister", "sha256:0-7", 4'000'000'000, "cannot be a cap"},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(CredentialTest, A66_AnEmptySelectionIsRefused) {
  EXPECT_THAT(Check({.seal_selection = {}}, quoted_selection_),
              HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Check({.seal_selection = {{crypto::HashAlg::kSha256, 0}}}, quoted_selection_),
              HasCode(absl::StatusCode::kInvalidArgument));
  options_.seal_selection = {};
  EXPECT_THAT(PlanWith(std::nullopt), Refuses(Reason::kInternal));
}

TEST_F(CredentialTest, A67_TheSealedProfileIsBoundToTheCapRegisterAtItsStart) {
  options_.cap_register = kCap;
  BG_ASSERT_OK_AND_ASSIGN(const Plan plan, PlanWith(Certified(IdentityArea())));
  BG_ASSERT_OK_AND_ASSIGN(const Issued issued, Issue(plan, authority_));
  ASSERT_TRUE(issued.sealed.has_value());
  EXPECT_EQ(issued.sealed->selection, Select("sha256:0-7,11"));
  BG_ASSERT_OK_AND_ASSIGN(const auto area,
                          tpm2::Public::FromTpmt(issued.sealed->blob.object_public));
  EXPECT_EQ(area.auth_policy, PolicyOver(Select("sha256:0-7,11"), banks_));
  // Once the agent has capped, the same policy cannot be met again.
  banks_[0].Extend(kCap, crypto::Hash(crypto::HashAlg::kSha256, AsBytes("cap")));
  EXPECT_NE(area.auth_policy, PolicyOver(Select("sha256:0-7,11"), banks_));
}

TEST_F(CredentialTest, A67_NothingIsSealedOnceTheRegisterIsCapped) {
  options_.cap_register = kCap;
  banks_[0].Extend(kCap, crypto::Hash(crypto::HashAlg::kSha256, AsBytes("cap")));
  BG_ASSERT_OK_AND_ASSIGN(const Plan plan, PlanWith(Certified(IdentityArea())));
  EXPECT_THAT(plan.seal_skipped_why(), HasSubstr("SEAL_STATE_MOVED"));
  ASSERT_EQ(plan.rows().size(), 1u);
  BG_ASSERT_OK_AND_ASSIGN(const Issued issued, Issue(plan, authority_));
  EXPECT_FALSE(issued.sealed.has_value());
  EXPECT_THAT(issued.seal_skipped_why, HasSubstr("register 11"));
  // The key in the TPM is not bound to the cap and goes on working.
  EXPECT_TRUE(issued.tpm_key.has_value());
}

// ---- The key that the host shows ----

TEST_F(CredentialTest, A79_TheCertificateHoldsNothingOfTheHostsChoice) {
  BG_ASSERT_OK_AND_ASSIGN(const Plan plan,
                          PlanWith(Certified(IdentityArea()), kNow + absl::Minutes(10)));
  BG_ASSERT_OK_AND_ASSIGN(const Issued issued, Issue(plan, authority_));
  for (const Bytes& der : {issued.tpm_key->certificate, issued.sealed->certificate}) {
    BG_ASSERT_OK_AND_ASSIGN(const auto certificate, pki::ParseCertificate(der));
    EXPECT_FALSE(pki::IsCa(certificate.get()));
    EXPECT_THAT(pki::UriNames(certificate.get()),
                ::testing::ElementsAre(absl::StrCat("spiffe://d.example/host/", kHost)));
    EXPECT_LE(pki::NotAfter(certificate.get()), kNow + absl::Minutes(10));
    BG_ASSERT_OK_AND_ASSIGN(const auto verdict, pki::VerdictExtensionOf(der));
    EXPECT_EQ(verdict.verdict_id, kVerdict);
  }
  // At least 64 bits of each serial are random: no two agree in any half.
  std::set<std::string> halves;
  for (int i = 0; i < 64; ++i) {
    BG_ASSERT_OK_AND_ASSIGN(const Plan next, PlanWith(std::nullopt));
    ASSERT_TRUE(halves.insert(next.rows().front().serial.substr(0, 16)).second);
    ASSERT_TRUE(halves.insert(next.rows().front().serial.substr(16)).second);
  }
}

TEST_F(CredentialTest, A79_AKeyThatTheAkDidNotCertifyIsRefused) {
  const tpm2::Public honest = IdentityArea();
  // Certified by somebody else's AK.
  EXPECT_THAT(PlanWith(Certified(honest, soft_tpm::SoftAk::Ecc(), qualifying_)),
              Refuses(Reason::kKeyNotAttested));
  // Certified for another question.
  EXPECT_THAT(PlanWith(Certified(honest, ak_, Bytes(32, 0x52))), Refuses(Reason::kKeyNotAttested));
  EXPECT_THAT(PlanWith(Certified(honest, ak_, {})), Refuses(Reason::kKeyNotAttested));
  // Another key than the certified one.
  evidence::CertifiedKey swapped = Certified(honest);
  const auto other = *crypto::PrivateKey::GenerateEc(crypto::Curve::kP256);
  swapped.public_area = soft_tpm::Area(other.Public(), {.attributes = kIdentityAttributes,
                                                        .auth_policy = honest.auth_policy,
                                                        .scheme = tpm2::Alg::kNull})
                            .Tpm2b();
  EXPECT_THAT(PlanWith(swapped), Refuses(Reason::kKeyNotAttested));
  // The AK itself is no identity key, and a quote is no certification.
  EXPECT_THAT(PlanWith(Certified(ak_.area())), Refuses(Reason::kKeyAttributes));
  evidence::CertifiedKey quote = Certified(honest);
  const tpm2::RawQuote raw = ak_.Quote(quoted_selection_, banks_, qualifying_);
  quote.certify_attest = raw.attest;
  quote.certify_signature = raw.signature;
  EXPECT_THAT(PlanWith(quote), Refuses(Reason::kCertifyType));
}

TEST_F(CredentialTest, A79_ACertificationThatNoTpmMadeIsRefused) {
  const tpm2::Public area = IdentityArea();
  soft_tpm::AttestFields fields;
  fields.magic = 0x12345678;
  fields.type = tpm2::AttestType::kCertify;
  fields.extra_data = qualifying_;
  fields.body = soft_tpm::CertifyBody(area.Name(), area.Name());
  const soft_tpm::SignedAttest forged = ak_.SignAttest(fields);
  EXPECT_THAT(PlanWith(evidence::CertifiedKey{area.Tpm2b(), forged.attest, forged.signature}),
              Refuses(Reason::kCertifyMagic));
}

struct BadBits {
  const char* name;
  uint32_t attributes;
};
class A79_AttributesTest : public CredentialTest, public ::testing::WithParamInterface<BadBits> {};

TEST_P(A79_AttributesTest, AKeyThatCouldLeaveOrWorkWithoutThePolicyIsRefused) {
  EXPECT_THAT(PlanWith(Certified(IdentityArea(GetParam().attributes))),
              Refuses(Reason::kKeyAttributes));
}

INSTANTIATE_TEST_SUITE_P(Attributes, A79_AttributesTest,
                         ::testing::ValuesIn(std::vector<BadBits>{
                             {"UsableByPassword", kIdentityAttributes | attribute::kUserWithAuth},
                             {"NotFixedToTpm", kIdentityAttributes & ~attribute::kFixedTpm},
                             {"NotFixedToParent", kIdentityAttributes & ~attribute::kFixedParent},
                             {"MadeOutside",
                              kIdentityAttributes & ~attribute::kSensitiveDataOrigin},
                             {"CannotSign", kIdentityAttributes & ~attribute::kSign},
                             {"Decrypts", kIdentityAttributes | attribute::kDecrypt},
                             {"Restricted", kIdentityAttributes | attribute::kRestricted},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(CredentialTest, A66_AKeyBoundToAnotherStateIsRefused) {
  const auto with_policy = [&](Bytes policy) {
    return Certified(soft_tpm::Area(identity_.Public(), {.attributes = kIdentityAttributes,
                                                         .auth_policy = std::move(policy),
                                                         .scheme = tpm2::Alg::kNull}));
  };
  EXPECT_THAT(PlanWith(with_policy({})), Refuses(Reason::kKeyPolicy));
  EXPECT_THAT(PlanWith(with_policy(PolicyOver(Select("sha256:0-6"), banks_))),
              Refuses(Reason::kKeyPolicy));
  std::vector<registers::RegisterBank> moved = banks_;
  moved[0].Extend(4, crypto::Digest());
  EXPECT_THAT(PlanWith(with_policy(PolicyOver(options_.seal_selection, moved))),
              Refuses(Reason::kKeyPolicy));
}

TEST_F(CredentialTest, A79_MalformedPartsAreRefused) {
  const evidence::CertifiedKey key = Certified(IdentityArea());
  evidence::CertifiedKey cut = key;
  cut.public_area.pop_back();
  EXPECT_THAT(PlanWith(cut), Refuses(Reason::kTpmMarshal));
  cut = key;
  cut.certify_signature.pop_back();
  EXPECT_THAT(PlanWith(cut), Refuses(Reason::kTpmMarshal));
  cut = key;
  cut.certify_attest.clear();
  EXPECT_THAT(PlanWith(cut), Refuses(Reason::kKeyNotAttested));
}

}  // namespace
}  // namespace bootgate::gatekeeper::credential

#include "pki/ak_chain.h"

#include "common/base/reason.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/baked_chain_test.h"
#include "pki/ek_chain.h"
#include "pki/trust_anchor_files.h"

namespace bootgate::pki {
namespace {

using namespace baked;  // NOLINT(google-build-using-namespace): the recipes are what is read
using ::bootgate::testing::CorpusFile;
using ::bootgate::testing::CorpusText;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::bootgate::testing::SourcePath;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::Time Day(int year, int month, int day) {
  return absl::FromCivil(absl::CivilDay(year, month, day), absl::UTCTimeZone());
}
TrustAnchors Bundled(const char* file) {
  return *ReadTrustAnchors({SourcePath(absl::StrCat("pki/roots/", file))});
}

TEST(AkChain, GooglesAkIsGoogles) {
  const Bytes leaf = *PemToDer(CorpusText("ek/google_go-tpm-tools/pca_tpm_ecc_sign_cert.pem"));
  BG_ASSERT_OK_AND_ASSIGN(const auto chain,
                          VerifiedAkChain::Verify(leaf, {}, Bundled("cloud/google.pem"), kNow));
  EXPECT_EQ(Name(chain.assurance()), "google");
  EXPECT_THAT(chain.anchor(), HasSubstr("CN=EK/AK CA Root"));
  EXPECT_THAT(chain.tolerances(), ElementsAre(HasSubstr("no extended key usage")));
  EXPECT_EQ(chain.path().size(), 3u);
}

TEST(AkChain, GooglesKeyForEncryptionIsNoAk) {
  const Bytes leaf = *PemToDer(CorpusText("ek/google_go-tpm-tools/pca_tpm_ecc_enc_cert.pem"));
  EXPECT_THAT(VerifiedAkChain::Verify(leaf, {}, Bundled("cloud/google.pem"), kNow),
              Refuses(Reason::kCertProfile));
}

TEST(AkChain, WindowsAikLeadsToMicrosoft) {
  const Bytes leaf = CorpusFile("ek/duo-labs_py_webauthn/webauthn-py_webauthn-2-x5c0.der");
  const Bytes issuer = CorpusFile("ek/duo-labs_py_webauthn/webauthn-py_webauthn-2-x5c1.der");
  const TrustAnchors anchors = Bundled("ak/microsoft.pem");
  BG_ASSERT_OK_AND_ASSIGN(const auto chain,
                          VerifiedAkChain::Verify(leaf, {issuer}, anchors, Day(2025, 1, 1)));
  EXPECT_EQ(Name(chain.assurance()), "aik");
  EXPECT_EQ(chain.subject(), "manufacturer id:4E544300, model NPCT75x, version id:00070002");
  EXPECT_THAT(chain.tolerances(), IsEmpty());
  EXPECT_FALSE(chain.tpm_san_der().empty());
  const auto late = VerifiedAkChain::Verify(leaf, {issuer}, anchors, Day(2028, 1, 1));
  ASSERT_THAT(late, Refuses(Reason::kAkChainUntrusted));
  EXPECT_THAT(std::string(late.status().message()), HasSubstr("is valid from"));
  // And it is no EK certificate.
  EXPECT_THAT(VerifiedEkChain::Verify(leaf, {issuer}, anchors, Day(2025, 1, 1)),
              Refuses(Reason::kEkCertProfile));
}

Recipe AkLeaf() {
  Recipe leaf = Leaf();
  leaf.extensions[1] = ext::KeyUsage(ext::kDigitalSignature);
  leaf.extensions[2] = ext::ExtendedKeyUsage({ext::oid::AikCertificate()});
  return leaf;
}
absl::StatusOr<VerifiedAkChain> VerifyAk(const Recipe& leaf, const Recipe& middle) {
  return VerifiedAkChain::Verify(Bake(leaf), {Bake(middle)},
                                 *TrustAnchors::FromPem(DerToPem(Bake(Root()))), kNow);
}

TEST(AkChain, AnyPrivacyCaThatIsConfiguredMayCertifyAks) {
  BG_ASSERT_OK_AND_ASSIGN(const auto chain, VerifyAk(AkLeaf(), Intermediate()));
  EXPECT_EQ(Name(chain.assurance()), "aik");
  EXPECT_TRUE(chain.key() == KeyNamed("ek").key->Public());
}

struct AkDefect {
  const char* name;
  Reason reason;
  const char* says;
  void (*spoil)(Recipe& leaf, Recipe& middle);
};
void PrintTo(const AkDefect& row, std::ostream* os) { *os << row.name; }
class AkChainAttackTest : public ::testing::TestWithParam<AkDefect> {};
TEST_P(AkChainAttackTest, A26_OneDefectIsEnoughAndIsNamed) {
  Recipe leaf = AkLeaf(), middle = Intermediate();
  GetParam().spoil(leaf, middle);
  const auto chain = VerifyAk(leaf, middle);
  ASSERT_THAT(chain, Refuses(GetParam().reason));
  EXPECT_THAT(std::string(chain.status().message()), HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(
    Defects, AkChainAttackTest,
    ::testing::ValuesIn(std::vector<AkDefect>{
        {"IsCa", Reason::kCertProfile, "is a CA",
         [](Recipe& leaf, Recipe&) { leaf.extensions[0] = ext::BasicConstraintsCa(0); }},
        {"NoKeyUsage", Reason::kCertProfile, "no key usage",
         [](Recipe& leaf, Recipe&) { leaf.extensions.erase(leaf.extensions.begin() + 1); }},
        {"NotForSigning", Reason::kCertProfile, "not for signing",
         [](Recipe& leaf, Recipe&) { leaf.extensions[1] = ext::KeyUsage(ext::kKeyEncipherment); }},
        {"PurposeOfAnEk", Reason::kCertProfile, "lacks 2.23.133.8.3",
         [](Recipe& leaf, Recipe&) { leaf.extensions[2] = EkPurpose(); }},
        {"NoPurpose", Reason::kCertProfile, "has: none",
         [](Recipe& leaf, Recipe&) { leaf.extensions.erase(leaf.extensions.begin() + 2); }},
        {"EmptyPurposes", Reason::kCertProfile, "extended key usage",
         [](Recipe& leaf, Recipe&) { leaf.extensions[2] = ext::ExtendedKeyUsage({}); }},
        {"CaForEks", Reason::kCertProfile, "other key purposes",
         [](Recipe&, Recipe& middle) { middle.extensions.push_back(EkPurpose()); }},
        {"Expired", Reason::kAkChainUntrusted, "is valid from",
         [](Recipe& leaf, Recipe&) { leaf.not_after = kNow - absl::Minutes(1); }},
        {"SignedByAnother", Reason::kAkChainUntrusted, "signature",
         [](Recipe& leaf, Recipe&) { leaf.signed_by = "stranger"; }},
        {"UnknownIssuer", Reason::kAkChainUntrusted, "ek root add",
         [](Recipe&, Recipe& middle) { middle.issuer = "stranger"; }},
    }),
    [](const auto& row) { return std::string(row.param.name); });

// What the certificate says of itself gives it no cloud's assurance.
TEST(AkChain, A27_TheAnchorAloneSaysWhoStandsForTheKey) {
  Recipe leaf = AkLeaf();
  leaf.subject_name = NameDer("Google LLC", "vm");
  Recipe middle = Intermediate();
  EXPECT_EQ(Name(VerifyAk(leaf, middle)->assurance()), "aik");
}

}  // namespace
}  // namespace bootgate::pki

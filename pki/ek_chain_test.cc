#include "pki/ek_chain.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/authority.h"
#include "pki/baked_chain_test.h"
#include "pki/extensions.h"
#include "pki/pem.h"
#include "pki/weak_keys_test.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::CorpusFile;
using ::bootgate::testing::CorpusText;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using namespace baked;  // NOLINT(google-build-using-namespace): the recipes are what is read
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// ---- Certificates that TPMs really carry ----

struct CorpusChain {
  std::string name, leaf, issuer, root;
};
void PrintTo(const CorpusChain& row, std::ostream* os) { *os << row.name; }
class CorpusChainTest : public ::testing::TestWithParam<CorpusChain> {
 protected:
  Bytes leaf_ = CorpusFile(GetParam().leaf);
  Bytes issuer_ = *PemToDer(CorpusText(GetParam().issuer));
  TrustAnchors root_ = *TrustAnchors::FromPem(CorpusText(GetParam().root));
};

TEST_P(CorpusChainTest, LeadsToTheRoot) {
  BG_ASSERT_OK_AND_ASSIGN(const auto chain, VerifiedEkChain::Verify(leaf_, {issuer_}, root_, kNow));
  EXPECT_THAT(chain.tolerances(), IsEmpty());
  EXPECT_EQ(chain.subject(), "manufacturer id:00001014, model swtpm, version id:20191023");
  EXPECT_EQ(chain.issuer(), "CN=swtpm-localca");
  BG_ASSERT_OK_AND_ASSIGN(const auto key, KeyOfCertificate(leaf_));
  EXPECT_TRUE(chain.key() == key);
}

TEST_P(CorpusChainTest, LeadsToAnIssuingCaThatIsTrustedItself) {
  BG_ASSERT_OK_AND_ASSIGN(const auto anchors, TrustAnchors::FromPem(CorpusText(GetParam().issuer)));
  EXPECT_THAT(VerifiedEkChain::Verify(leaf_, {}, anchors, kNow), IsOk());
}

TEST_P(CorpusChainTest, IsUntrustedWithoutAnchors) {
  const auto chain = VerifiedEkChain::Verify(leaf_, {issuer_}, TrustAnchors::None(), kNow);
  ASSERT_THAT(chain, Refuses(Reason::kEkChainUntrusted));
  EXPECT_THAT(std::string(chain.status().message()), HasSubstr("swtpm-localca-rootca"));
  EXPECT_THAT(std::string(chain.status().message()), HasSubstr("ek.roots"));
}

TEST_P(CorpusChainTest, IsUntrustedWithoutItsIntermediate) {
  const auto chain = VerifiedEkChain::Verify(leaf_, {}, root_, kNow);
  ASSERT_THAT(chain, Refuses(Reason::kEkChainUntrusted));
  EXPECT_THAT(std::string(chain.status().message()), HasSubstr("\"CN=swtpm-localca\""));
}

TEST_P(CorpusChainTest, PaddingIsTrimmedAndSaid) {
  for (const uint8_t pad : {uint8_t{0x00}, uint8_t{0xff}}) {
    Bytes padded = leaf_;
    padded.resize(padded.size() + 100, pad);
    BG_ASSERT_OK_AND_ASSIGN(const auto chain,
                            VerifiedEkChain::Verify(padded, {issuer_}, root_, kNow));
    EXPECT_THAT(chain.tolerances(), ElementsAre("trimmed 100 bytes of NV padding"));
  }
}

TEST_P(CorpusChainTest, IsValidInTheFarFutureButNotBeforeItWasMade) {
  // notAfter 9999-12-31 means "no end".
  const absl::Time far = absl::FromCivil(absl::CivilDay(9000, 1, 1), absl::UTCTimeZone());
  EXPECT_THAT(VerifiedEkChain::Verify(leaf_, {issuer_}, root_, far), IsOk());
  EXPECT_THAT(VerifiedEkChain::Verify(leaf_, {issuer_}, root_, kNow - absl::Hours(24 * 365)),
              Refuses(Reason::kEkChainExpired));
}

TEST_P(CorpusChainTest, EveryCutIsRefused) {
  for (size_t size = 0; size < leaf_.size(); size += 7) {
    EXPECT_THAT(VerifiedEkChain::Verify(ByteView(leaf_).first(size), {issuer_}, root_, kNow),
                Refuses(Reason::kCertParse))
        << size;
  }
}

TEST_P(CorpusChainTest, NoFlippedBitIsAccepted) {
  for (size_t at = 0; at < leaf_.size(); at += 5) {
    Bytes flipped = leaf_;
    flipped[at] ^= 0x04;
    EXPECT_FALSE(VerifiedEkChain::Verify(flipped, {issuer_}, root_, kNow).ok()) << at;
  }
}

std::vector<CorpusChain> CorpusChains() {
  std::vector<CorpusChain> rows = {
      {"FlowsRsa", "tpm-flows/nv-01c00002.der", "tpm-flows/ca/issuer.pem", "tpm-flows/ca/root.pem"},
      {"FlowsEcc", "tpm-flows/nv-01c00016.der", "tpm-flows/ca/issuer.pem",
       "tpm-flows/ca/root.pem"}};
  for (const std::string boot : {"good", "secure-boot-off", "cmdline-changed", "ima-policy"}) {
    const std::string folder = absl::StrCat("boots/", boot, "/");
    for (const char* leaf : {"ek-rsa.cert.der", "ek-ecc384h.cert.der"}) {
      rows.push_back({absl::StrReplaceAll(absl::StrCat(boot, "_", leaf), {{"-", "_"}, {".", "_"}}),
                      folder + leaf, folder + "ca/issuercert.pem",
                      folder + "ca/swtpm-localca-rootca-cert.pem"});
    }
  }
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Corpus, CorpusChainTest, ::testing::ValuesIn(CorpusChains()),
                         [](const auto& row) { return row.param.name; });

// ---- Chains with one defect each ----

absl::StatusOr<VerifiedEkChain> VerifyBaked(const Recipe& leaf, const std::vector<Recipe>& middles,
                                            const Recipe& root = Root()) {
  const auto anchors = TrustAnchors::FromPem(DerToPem(Bake(root)));
  if (!anchors.ok()) return anchors.status();
  std::vector<Bytes> intermediates;
  for (const Recipe& middle : middles) intermediates.push_back(Bake(middle));
  return VerifiedEkChain::Verify(Bake(leaf), intermediates, *anchors, kNow);
}

TEST(EkChain, TheSoundOneIsAccepted) {
  BG_ASSERT_OK_AND_ASSIGN(const auto chain, VerifyBaked(Leaf(), {Intermediate()}));
  EXPECT_THAT(chain.tolerances(), IsEmpty());
  EXPECT_EQ(chain.subject(), "manufacturer id:54455354, model Test, version id:00010002");
}

TEST(EkChain, EmptySubjectWithCriticalNamesIsNormal) {
  Recipe leaf = Leaf();
  leaf.subject_name = NameDer("", "");
  BG_ASSERT_OK_AND_ASSIGN(const auto chain, VerifyBaked(leaf, {Intermediate()}));
  EXPECT_THAT(chain.tolerances(), IsEmpty());
}

TEST(EkChain, DeparturesThatWeLiveWithAreNamed) {
  Recipe leaf = Leaf();
  leaf.extensions = {};
  Recipe middle = Intermediate();
  middle.extensions.push_back(EkPurpose());  // a CA for nothing but EKs
  BG_ASSERT_OK_AND_ASSIGN(const auto chain, VerifyBaked(leaf, {middle}));
  EXPECT_THAT(chain.tolerances(),
              ElementsAre(HasSubstr("no extended key usage"), HasSubstr("no key usage"),
                          HasSubstr("no subject alternative name")));
  EXPECT_EQ(chain.subject(), "CN=ek");
}

// The SubjectPublicKeyInfo of an RSA key; `algorithm` 1: rsaEncryption, 7: id-RSAES-OAEP.
Bytes RsaSpki(ByteView modulus, uint32_t algorithm) {
  static constexpr uint8_t kExponent[] = {1, 0, 1};
  const Bytes parameters =
      algorithm == 1 ? Bytes{0x05, 0x00} : der::Sequence({});  // NULL; all of OAEP's defaults
  const Bytes key = der::Sequence({der::Integer(modulus), der::Integer(kExponent)});
  return der::Sequence({der::Sequence({der::Oid({1, 2, 840, 113549, 1, 1, algorithm}), parameters}),
                        der::BitString(key)});
}

TEST(EkChain, KeysMarkedForOaepAreAccepted) {
  Recipe leaf = Leaf();
  leaf.spki = RsaSpki(OddModulus(256), 7);
  BG_ASSERT_OK_AND_ASSIGN(const auto chain, VerifyBaked(leaf, {Intermediate()}));
  EXPECT_EQ(chain.key().kind(), crypto::PublicKey::Kind::kRsa);
  EXPECT_EQ(chain.key().bits(), 2048);
}

TEST(EkChain, KeysMarkedForOaepLeadToAnIssuingCaThatIsTrustedItself) {
  Recipe leaf = Leaf();
  leaf.spki = RsaSpki(OddModulus(256), 7);
  Recipe anchor = Intermediate();
  EXPECT_THAT(VerifyBaked(leaf, {}, anchor), IsOk());
}

struct Defect {
  const char* name;
  Reason reason;
  const char* says;
  void (*spoil)(Recipe& leaf, std::vector<Recipe>& middles, Recipe& root);
};
void PrintTo(const Defect& row, std::ostream* os) { *os << row.name; }
class EkChainAttackTest : public ::testing::TestWithParam<Defect> {};

TEST_P(EkChainAttackTest, A26_OneDefectIsEnoughAndIsNamed) {
  Recipe leaf = Leaf(), root = Root();
  std::vector<Recipe> middles = {Intermediate()};
  GetParam().spoil(leaf, middles, root);
  const auto chain = VerifyBaked(leaf, middles, root);
  ASSERT_THAT(chain, Refuses(GetParam().reason));
  EXPECT_THAT(std::string(chain.status().message()), HasSubstr(GetParam().says));
}

// The same for a leaf whose key OpenSSL cannot read, where a part of the checks is our own.
TEST_P(EkChainAttackTest, A26_OneDefectIsEnoughForAKeyMarkedForOaepToo) {
  Recipe leaf = Leaf(), root = Root();
  leaf.spki = RsaSpki(OddModulus(256), 7);
  std::vector<Recipe> middles = {Intermediate()};
  GetParam().spoil(leaf, middles, root);
  EXPECT_THAT(VerifyBaked(leaf, middles, root), Refuses(GetParam().reason));
}

using Middles = std::vector<Recipe>;
Bytes UnknownCritical() {
  return ext::Extension(der::Oid({1, 3, 6, 1, 4, 1, 99999, 7}), ext::Criticality::kCritical,
                        der::Text("?"));
}

INSTANTIATE_TEST_SUITE_P(
    Defects, EkChainAttackTest,
    ::testing::ValuesIn(std::vector<Defect>{
        {"LeafIsCa", Reason::kEkCertProfile, "is a CA",
         [](Recipe& leaf, Middles&, Recipe&) { leaf.extensions[0] = ext::BasicConstraintsCa(0); }},
        {"LeafMaySignCertificates", Reason::kEkCertProfile, "CA certificate",
         [](Recipe& leaf, Middles&, Recipe&) {
           leaf.extensions = {CaUsage(), EkPurpose()};
         }},
        {"LeafForTls", Reason::kEkCertProfile, "lacks 2.23.133.8.1",
         [](Recipe& leaf, Middles&, Recipe&) {
           leaf.extensions[2] = ext::ExtendedKeyUsage({ext::oid::ClientAuth()});
         }},
        {"LeafForPlatform", Reason::kEkCertProfile, "2.23.133.8.2",
         [](Recipe& leaf, Middles&, Recipe&) {
           leaf.extensions[2] = ext::ExtendedKeyUsage({der::Oid({2, 23, 133, 8, 2})});
         }},
        {"LeafWithoutAnyPurposeInTheList", Reason::kEkCertProfile, "extended key usage",
         [](Recipe& leaf, Middles&, Recipe&) { leaf.extensions[2] = ext::ExtendedKeyUsage({}); }},
        {"LeafWithTwoPurposeLists", Reason::kCertParse, "stands twice",
         [](Recipe& leaf, Middles&, Recipe&) { leaf.extensions.push_back(EkPurpose()); }},
        {"LeafWithUnknownCriticalExtension", Reason::kEkCertProfile, "1.3.6.1.4.1.99999.7",
         [](Recipe& leaf, Middles&, Recipe&) { leaf.extensions.push_back(UnknownCritical()); }},
        {"LeafWithoutAnyName", Reason::kEkCertProfile, "neither subject nor",
         [](Recipe& leaf, Middles&, Recipe&) {
           leaf.subject_name = NameDer("", "");
           leaf.extensions.pop_back();
         }},
        {"LeafExpired", Reason::kEkChainExpired, "CN=ek",
         [](Recipe& leaf, Middles&, Recipe&) { leaf.not_after = kNow - absl::Minutes(1); }},
        {"LeafNotYetValid", Reason::kEkChainExpired, "CN=ek",
         [](Recipe& leaf, Middles&, Recipe&) { leaf.not_before = kNow + absl::Minutes(1); }},
        {"LeafSignedByAnother", Reason::kEkChainUntrusted, "signature",
         [](Recipe& leaf, Middles&, Recipe&) { leaf.signed_by = "stranger"; }},
        {"LeafSignedByItself", Reason::kEkChainUntrusted, "ek.roots",
         [](Recipe& leaf, Middles&, Recipe&) { leaf.issuer = "ek"; }},
        {"IntermediateExpired", Reason::kEkChainExpired, "CN=middle",
         [](Recipe&, Middles& middles, Recipe&) {
           middles[0].not_after = kNow - absl::Minutes(1);
         }},
        {"RootExpired", Reason::kEkChainExpired, "CN=root",
         [](Recipe&, Middles&, Recipe& root) { root.not_after = kNow - absl::Minutes(1); }},
        {"IntermediateIsNoCa", Reason::kEkChainUntrusted, "CA",
         [](Recipe&, Middles& middles, Recipe&) {
           middles[0].extensions = {ext::BasicConstraintsEndEntity()};
         }},
        {"IntermediateWithoutConstraints", Reason::kEkChainUntrusted, "CA",
         [](Recipe&, Middles& middles, Recipe&) { middles[0].extensions = {CaUsage()}; }},
        {"IntermediateMayNotSign", Reason::kEkChainUntrusted, "",
         [](Recipe&, Middles& middles, Recipe&) {
           middles[0].extensions[1] = ext::KeyUsage(ext::kDigitalSignature);
         }},
        {"IntermediateUnknownCritical", Reason::kEkChainUntrusted, "critical extension",
         [](Recipe&, Middles& middles, Recipe&) {
           middles[0].extensions.push_back(UnknownCritical());
         }},
        {"IntermediateSignedByAnother", Reason::kEkChainUntrusted, "signature",
         [](Recipe&, Middles& middles, Recipe&) { middles[0].signed_by = "stranger"; }},
        {"PathTooLong", Reason::kEkChainUntrusted, "path length",
         [](Recipe& leaf, Middles& middles, Recipe&) {
           middles.push_back({.subject = "lower",
                              .issuer = "middle",
                              .extensions = {ext::BasicConstraintsCa(0), CaUsage()}});
           leaf.issuer = "lower";
         }},
        {"OwnRootBroughtAlong", Reason::kEkChainUntrusted, "CN=evil",
         [](Recipe&, Middles& middles, Recipe&) {
           middles[0].issuer = "evil";
           middles.push_back({.subject = "evil",
                              .issuer = "evil",
                              .extensions = {ext::BasicConstraintsCa(1), CaUsage()}});
         }},
        {"RootByNameOnly", Reason::kEkChainUntrusted, "",
         [](Recipe&, Middles& middles, Recipe& root) {
           // The host's own "root": the name of the configured one over another key.
           middles[0].signed_by = "stranger";
           middles.push_back({.subject = "root",
                              .issuer = "root",
                              .signed_by = "stranger",
                              .spki = KeyNamed("stranger").spki,
                              .extensions = {ext::BasicConstraintsCa(1), CaUsage()}});
           root.subject = "root";
         }},
        {"NameOutsideTheConstraints", Reason::kEkChainUntrusted, "permitted",
         [](Recipe& leaf, Middles& middles, Recipe&) {
           leaf.extensions[3] = ext::SubjectAltName({ext::DnsName("tpm.other.example")});
           const Bytes permitted = der::Element(der::kContextConstructed | 0,
                                                {der::Sequence({ext::DnsName("vendor.example")})});
           middles[0].extensions.push_back(ext::Extension(
               der::Oid({2, 5, 29, 30}), ext::Criticality::kCritical, der::Sequence({permitted})));
         }},
        {"TooManyIntermediates", Reason::kCertParse, "more than 8 intermediate",
         [](Recipe&, Middles& middles, Recipe&) { middles.resize(9, Intermediate()); }},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Attack, A26_TheEkCertificateItselfIsNoRoot) {
  // Nothing below a CA can be configured as an anchor...
  EXPECT_THAT(TrustAnchors::FromPem(DerToPem(Bake(Leaf()))), Refuses(Reason::kCertParse));
  // ...and a self-made CA certificate as the leaf is no EK certificate.
  const auto anchors = *TrustAnchors::FromPem(DerToPem(Bake(Root())));
  EXPECT_THAT(VerifiedEkChain::Verify(Bake(Root()), {}, anchors, kNow),
              Refuses(Reason::kEkCertProfile));
}

TEST(Attack, A29_BytesThatAreNoPaddingAreRefused) {
  const auto anchors = *TrustAnchors::FromPem(DerToPem(Bake(Root())));
  for (const Bytes& tail : {Bytes{0x01}, Bytes{0x00, 0x00, 0x30}, Bytes{0xff, 0xfe}}) {
    Bytes leaf = Bake(Leaf());
    leaf.insert(leaf.end(), tail.begin(), tail.end());
    EXPECT_THAT(VerifiedEkChain::Verify(leaf, {Bake(Intermediate())}, anchors, kNow),
                Refuses(Reason::kCertParse));
  }
  // The same beside the leaf: intermediates come out of NV indexes, too.
  Bytes garbage = Bake(Intermediate());
  garbage.push_back(0x01);
  EXPECT_THAT(VerifiedEkChain::Verify(Bake(Leaf()), {garbage}, anchors, kNow),
              Refuses(Reason::kCertParse));
}

TEST(Attack, A28_ParserAbuseIsRefused) {
  const auto anchors = *TrustAnchors::FromPem(DerToPem(Bake(Root())));
  const auto verify = [&](const Bytes& leaf) {
    return VerifiedEkChain::Verify(leaf, {Bake(Intermediate())}, anchors, kNow);
  };
  EXPECT_THAT(verify({}), Refuses(Reason::kCertParse));
  EXPECT_THAT(verify({0x30, 0x00}), Refuses(Reason::kCertParse));
  EXPECT_THAT(verify({0x30, 0x80, 0x00, 0x00}), Refuses(Reason::kCertParse));
  EXPECT_THAT(verify(Bytes(100'000, 0x30)), Refuses(Reason::kCertParse));
  Bytes nested;  // sequences in sequences, as deep as the size allows
  for (int i = 0; i < 4000; ++i) nested = der::Sequence({nested});
  EXPECT_THAT(verify(nested), Refuses(Reason::kCertParse));
  Recipe many = Leaf();
  many.extensions[3] = ext::SubjectAltName(std::vector<Bytes>(10'000, ext::UriName("x")));
  EXPECT_THAT(verify(Bake(many)), Refuses(Reason::kCertParse));
  Recipe no_purpose = Leaf();
  no_purpose.extensions[2] =
      ext::Extension(der::Oid({2, 5, 29, 37}), ext::Criticality::kNotCritical,
                     der::Sequence({der::Element(der::kOid, {})}));
  EXPECT_FALSE(verify(Bake(no_purpose)).ok());
}

TEST(Attack, A31_OversizedKeysAreRefusedBeforeAnySignature) {
  const auto anchors = *TrustAnchors::FromPem(DerToPem(Bake(Root())));
  Recipe leaf = Leaf();
  leaf.spki = RsaSpki(OddModulus(2048), 1);
  leaf.signed_by = "stranger";  // would fail too, but is not reached
  EXPECT_THAT(VerifiedEkChain::Verify(Bake(leaf), {Bake(Intermediate())}, anchors, kNow),
              Refuses(Reason::kKeyTooLarge));
  Recipe middle = Intermediate();
  middle.spki = RsaSpki(OddModulus(1024), 1);
  EXPECT_THAT(VerifiedEkChain::Verify(Bake(Leaf()), {Bake(middle)}, anchors, kNow),
              Refuses(Reason::kKeyTooLarge));
}

class WeakKeyTest : public ::testing::TestWithParam<WeakKey> {};

TEST_P(WeakKeyTest, A30_IsRefusedInTheEkAndInAnyCaAboveIt) {
  Recipe leaf = Leaf();
  leaf.spki = GetParam().spki();
  const auto chain = VerifyBaked(leaf, {Intermediate()});
  ASSERT_THAT(chain, Refuses(Reason::kKeyWeak));
  EXPECT_THAT(std::string(chain.status().message()), HasSubstr(GetParam().says));
  EXPECT_THAT(KeyOfCertificate(Bake(leaf)), Refuses(Reason::kKeyWeak));
  Recipe middle = Intermediate();
  middle.spki = leaf.spki;
  EXPECT_THAT(VerifyBaked(Leaf(), {middle}), Refuses(Reason::kKeyWeak));
  Recipe root = Root();
  root.spki = leaf.spki;
  EXPECT_THAT(TrustAnchors::FromPem(DerToPem(Bake(root))), Refuses(Reason::kKeyWeak));
}

INSTANTIATE_TEST_SUITE_P(Keys, WeakKeyTest, ::testing::ValuesIn(AllWeakKeys()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Attack, A31_HugeExponentsAreRefusedBeforeAnySignature) {
  Recipe leaf = Leaf();
  leaf.spki = RsaSpkiWith(OddModulus(256), OddModulus(256));
  leaf.signed_by = "stranger";  // would fail too, but is not reached
  EXPECT_THAT(VerifyBaked(leaf, {Intermediate()}), Refuses(Reason::kKeyTooLarge));
}

// A27: the key handed on is the certificate's, whatever was sent beside it.
TEST(Attack, A27_TheKeyIsTheCertificatesOwn) {
  BG_ASSERT_OK_AND_ASSIGN(const auto chain, VerifyBaked(Leaf(), {Intermediate()}));
  EXPECT_TRUE(chain.key() == KeyNamed("ek").key->Public());
}

TEST(EkChain, TheUntrustedMessageTellsWhereTheIssuerIsToBeFound) {
  Recipe leaf = Leaf();
  const Bytes access = der::Sequence({der::Sequence(
      {der::Oid({1, 3, 6, 1, 5, 5, 7, 48, 2}), ext::UriName("http://vendor.example/ica.crt")})});
  leaf.extensions.push_back(ext::Extension(der::Oid({1, 3, 6, 1, 5, 5, 7, 1, 1}),
                                           ext::Criticality::kNotCritical, access));
  const auto chain = VerifyBaked(leaf, {});
  ASSERT_THAT(chain, Refuses(Reason::kEkChainUntrusted));
  const std::string message(chain.status().message());
  EXPECT_THAT(message, HasSubstr("CN=middle"));
  EXPECT_THAT(message, HasSubstr("http://vendor.example/ica.crt"));
  EXPECT_THAT(message, HasSubstr("ek.roots"));
}

TEST(TrustAnchors, NamesTheCertificateThatIsWrong) {
  const auto anchors =
      TrustAnchors::FromPem(absl::StrCat(DerToPem(Bake(Root())), DerToPem(Bake(Leaf()))));
  ASSERT_THAT(anchors, Refuses(Reason::kCertParse));
  EXPECT_THAT(std::string(anchors.status().message()), HasSubstr("certificate 2"));
}

TEST(TrustAnchors, AddTakesAllOrNothing) {
  TrustAnchors anchors = *TrustAnchors::FromPem(DerToPem(Bake(Root())));
  EXPECT_THAT(anchors.Add(absl::StrCat(DerToPem(Bake(Intermediate())), DerToPem(Bake(Leaf())))),
              Refuses(Reason::kCertParse));
  EXPECT_EQ(anchors.size(), 1u);
  EXPECT_THAT(anchors.Add(DerToPem(Bake(Intermediate()))), IsOk());
  EXPECT_EQ(anchors.size(), 2u);
  EXPECT_THAT(VerifiedEkChain::Verify(Bake(Leaf()), {}, anchors, kNow), IsOk());
  EXPECT_THAT(anchors.Add("no certificate here"), Refuses(Reason::kPemFormat));
}

// Every file of the wider corpus, whatever it is, gets an answer with a reason.
TEST(WiderCorpus, EveryCertificateGetsAnAnswer) {
  const std::optional<std::string> corpus = testing::WiderCorpus();
  if (!corpus.has_value()) GTEST_SKIP() << "the wider corpus is not here";
  size_t read = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*corpus + "/ek")) {
    if (!entry.is_regular_file()) continue;
    const auto bytes = ReadFile(entry.path(), 1 << 20);
    ASSERT_THAT(bytes, IsOk());
    std::vector<Bytes> ders = {*bytes};
    const auto pem = CertificatesFromPem(AsText(*bytes));
    if (pem.ok() && !pem->empty()) ders = *pem;
    for (const Bytes& der : ders) {
      const auto chain = VerifiedEkChain::Verify(der, {}, TrustAnchors::None(), kNow);
      EXPECT_TRUE(ReasonOf(chain.status()).has_value()) << entry.path();
      ++read;
    }
  }
  EXPECT_GT(read, 100u);
}

}  // namespace
}  // namespace bootgate::pki

// The bundles of pki/roots, as they are shipped.
#include <openssl/x509v3.h>

#include <filesystem>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/crypto/hash.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/authority.h"
#include "pki/ek_chain.h"
#include "pki/ek_path.h"
#include "pki/pem.h"
#include "pki/trust_anchor_files.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::CorpusText;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::bootgate::testing::SourcePath;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

// The day of the last review (scripts/data/ek_roots.txt).
absl::Time Reviewed() {
  const std::string text = *ReadTextFile(SourcePath("scripts/data/ek_roots.txt"), 1 << 20);
  const size_t at = text.find("\ndate ") + 6;
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d", text.substr(at, 10), &time, &error)) << error;
  return time;
}

std::vector<std::string> Bundles() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(SourcePath("pki/roots"))) {
    if (entry.path().extension() == ".pem") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string Text(const std::string& file) { return *ReadTextFile(file, kMaxPemSize); }
std::string Sha256(ByteView der) { return crypto::Hash(crypto::HashAlg::kSha256, der).hex(); }

class BundleTest : public ::testing::TestWithParam<std::string> {};

TEST_P(BundleTest, EveryRootIsSelfSignedAndEveryCaBelowLeadsToOne) {
  BG_ASSERT_OK_AND_ASSIGN(const TrustAnchors anchors, ReadTrustAnchors({GetParam()}));
  EXPECT_GT(anchors.anchors().size(), 0u);
  for (const auto& root : anchors.anchors()) {
    EXPECT_NE(X509_get_extension_flags(root.get()) & EXFLAG_SS, 0u) << SubjectText(root.get());
    EXPECT_EQ(X509_verify(root.get(), X509_get0_pubkey(root.get())), 1) << SubjectText(root.get());
    EXPECT_GT(NotAfter(root.get()), Reviewed());
  }
  for (const auto& ca : anchors.known()) {
    EXPECT_THAT(VerifyPath(ca.get(), {.intermediates = {}, .anchors = anchors, .now = Reviewed()}),
                IsOk())
        << SubjectText(ca.get());
  }
}

TEST_P(BundleTest, TheCommentsTellTheTruth) {
  const std::string text = Text(GetParam());
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<Bytes> ders, CertificatesFromPem(text));
  std::vector<std::string> said;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::StartsWith(line, "# sha256:")) continue;
    std::string digest;
    for (const char c : line.substr(9)) {
      if (absl::ascii_isxdigit(static_cast<unsigned char>(c))) {
        digest.push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
      }
    }
    said.push_back(digest);
  }
  std::vector<std::string> is;
  for (const Bytes& der : ders) is.push_back(Sha256(der));
  EXPECT_EQ(said, is);
  for (const char* fact : {"# subject: ", "# valid:   ", "# origin:  ", "# licence: "}) {
    EXPECT_EQ(std::vector<std::string>(absl::StrSplit(text, fact)).size(), ders.size() + 1) << fact;
  }
}

// Software TPMs, tests, pilots and forgeries: nobody's hardware.
TEST_P(BundleTest, A25_NothingOfAnEmulatorOrATestIsIn) {
  BG_ASSERT_OK_AND_ASSIGN(const TrustAnchors anchors, ReadTrustAnchors({GetParam()}));
  for (const auto* set : {&anchors.anchors(), &anchors.known()}) {
    for (const auto& certificate : *set) {
      const std::string name = absl::AsciiStrToLower(NamesOf(certificate.get()));
      for (const char* word : {"swtpm", "fake", " test", "-test", "pilot", "example", "debug",
                               "localca", "mtwilson", "simulator", "ibm"}) {
        EXPECT_THAT(name, ::testing::Not(HasSubstr(word)));
      }
    }
  }
}

std::string RowName(const ::testing::TestParamInfo<std::string>& row) {
  const fs::path file(row.param);
  std::string name =
      absl::StrCat(std::string(file.parent_path().stem()), "_", std::string(file.stem()));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Shipped, BundleTest, ::testing::ValuesIn(Bundles()), RowName);

// "STM TPM EK Intermediate CA 02", issued by "Fake Root CA": the genuine name over another's key.
TEST(Bundles, A26_TheImpostorOfStIsInNone) {
  const Bytes impostor = *PemToDer(CorpusText("ek/nsacyber_HIRS/fakestmtpmekint02.pem"));
  const crypto::X509Ptr parsed = *ParseCertificate(impostor);
  ASSERT_EQ(SubjectText(parsed.get()),
            "CN=STM TPM EK Intermediate CA 02,O=STMicroelectronics NV,C=CH");
  ASSERT_EQ(IssuerText(parsed.get()), "CN=Fake Root CA");
  const std::string key = Sha256(SpkiOf(parsed.get()));
  const std::vector<std::string> files = Bundles();
  EXPECT_GE(files.size(), 10u);
  for (const std::string& file : files) {
    BG_ASSERT_OK_AND_ASSIGN(const std::vector<Bytes> ders, CertificatesFromPem(Text(file)));
    for (const Bytes& der : ders) {
      EXPECT_NE(der, impostor) << file;
      EXPECT_NE(Sha256(SpkiOf(ParseCertificate(der)->get())), key) << file;
    }
  }
  // And it leads to nothing that is shipped.
  BG_ASSERT_OK_AND_ASSIGN(const TrustAnchors all, ReadTrustAnchors(files));
  const auto path =
      VerifyPath(parsed.get(), {.intermediates = {}, .anchors = all, .now = Reviewed()});
  EXPECT_THAT(path, Refuses(Reason::kEkChainUntrusted));
}

TEST(Bundles, A25_AnEmulatorsOwnCaIsUntrusted) {
  BG_ASSERT_OK_AND_ASSIGN(const TrustAnchors all, ReadTrustAnchors(Bundles()));
  const Bytes leaf = testing::CorpusFile("boots/good/ek-rsa.cert.der");
  const Bytes issuer = *PemToDer(CorpusText("boots/good/ca/issuercert.pem"));
  const Bytes root = *PemToDer(CorpusText("boots/good/ca/swtpm-localca-rootca-cert.pem"));
  const auto chain = VerifiedEkChain::Verify(leaf, {issuer, root}, all, Reviewed());
  ASSERT_THAT(chain, Refuses(Reason::kEkChainUntrusted));
  // The message has all that an operator needs to decide.
  EXPECT_THAT(std::string(chain.status().message()),
              AllOf(HasSubstr("CN=swtpm-localca-rootca"), HasSubstr(Sha256(root)),
                    HasSubstr("bootgate-gatekeeper ek root add FILE")));
}

TEST(Bundles, AFolderMeansTheFilesThatLieInIt) {
  BG_ASSERT_OK_AND_ASSIGN(const TrustAnchors folder, ReadTrustAnchors({SourcePath("pki/roots")}));
  BG_ASSERT_OK_AND_ASSIGN(const TrustAnchors all, ReadTrustAnchors(Bundles()));
  EXPECT_LT(folder.size(), all.size());
  const auto google = *ReadTrustAnchors({SourcePath("pki/roots/cloud")});
  for (const Bytes& der : google.der()) {
    EXPECT_EQ(std::count(folder.der().begin(), folder.der().end(), der), 0);
  }
  EXPECT_EQ(ReadTrustAnchors({SourcePath("scripts")}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(ReadTrustAnchors({SourcePath("pki/roots/README.md")}), Refuses(Reason::kPemFormat));
}

}  // namespace
}  // namespace bootgate::pki

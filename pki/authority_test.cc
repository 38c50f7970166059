#include "pki/authority.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/verdict_extension.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr char kHost[] = "h-00112233445566778899aabbccddeeff";

struct Folder {
  Folder() {
    std::string made = ::testing::TempDir() + "/bootgate-ca-XXXXXX";
    path = mkdtemp(made.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  AuthorityFiles files() const { return {path + "/ca"}; }
  std::string path;
};

AuthorityOptions Options() { return {.cluster_id = "lab-1", .trust_domain = "bootgate.example"}; }

HostCertificateRequest HostRequest() {
  return {.serial_hex = NewSerialHex(),
          .host_id = kHost,
          .verdict_id = "v-0123456789abcdef0123456789abcdef",
          .policy_id = std::string(64, 'a'),
          .claims_digest_hex = std::string(64, 'b'),
          .not_before = kNow - absl::Minutes(5),
          .not_after = kNow + absl::Hours(1)};
}

class AuthorityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(Authority::Create(folder_.files(), Options(), kNow), IsOk());
    BG_ASSERT_OK_AND_ASSIGN(auto authority, Authority::Open(folder_.files(), kNow));
    authority_ = std::make_unique<Authority>(std::move(authority));
    BG_ASSERT_OK_AND_ASSIGN(auto key, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
    key_ = std::make_unique<crypto::PublicKey>(key.Public());
  }

  // OpenSSL's verdict over leaf, issuing CA and root; X509_V_OK or the error.
  int Verify(ByteView leaf_der, int purpose, absl::Time at = kNow) const {
    const auto leaf = ParseCertificate(leaf_der);
    const auto issuing = ParseCertificate(*PemToDer(authority_->issuing_pem()));
    const auto root = ParseCertificate(*PemToDer(authority_->root_pem()));
    if (!leaf.ok() || !issuing.ok() || !root.ok()) return -1;
    const crypto::X509StorePtr store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), root->get());
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()), absl::ToTimeT(at));
    X509_STORE_set_flags(store.get(), X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    STACK_OF(X509)* untrusted = sk_X509_new_null();
    sk_X509_push(untrusted, issuing->get());
    const crypto::X509StoreCtxPtr context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), store.get(), leaf->get(), untrusted);
    if (purpose != 0) X509_STORE_CTX_set_purpose(context.get(), purpose);
    X509_verify_cert(context.get());
    sk_X509_free(untrusted);
    return X509_STORE_CTX_get_error(context.get());
  }

  Folder folder_;
  std::unique_ptr<Authority> authority_;
  std::unique_ptr<crypto::PublicKey> key_;
};

std::string ExtensionText(const X509* certificate, int nid) {
  const int at = X509_get_ext_by_NID(certificate, nid, -1);
  if (at < 0) return "absent";
  X509_EXTENSION* extension = X509_get_ext(certificate, at);
  const crypto::BioPtr out(BIO_new(BIO_s_mem()));
  X509V3_EXT_print(out.get(), extension, X509V3_EXT_ERROR_UNKNOWN, 0);
  char* text = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(out.get(), &text));
  return absl::StrCat(X509_EXTENSION_get_critical(extension) ? "critical " : "",
                      std::string(text, size));
}

TEST_F(AuthorityTest, FilesHaveTheRightModes) {
  const auto mode = [&](const char* name) {
    struct stat info {};
    stat(absl::StrCat(folder_.files().folder, "/", name).c_str(), &info);
    return info.st_mode & 0777;
  };
  EXPECT_EQ(mode("root.key"), 0600u);
  EXPECT_EQ(mode("issuing.key"), 0600u);
  EXPECT_EQ(mode("root.pem"), 0644u);
  EXPECT_EQ(mode("issuing.pem"), 0644u);
}

TEST_F(AuthorityTest, NeverMadeOverAnotherOne) {
  EXPECT_THAT(Authority::Create(folder_.files(), Options(), kNow),
              HasCode(absl::StatusCode::kAlreadyExists));
  std::filesystem::remove(folder_.files().folder + "/issuing.pem");
  EXPECT_THAT(Authority::Create(folder_.files(), Options(), kNow),
              HasCode(absl::StatusCode::kAlreadyExists));
}

TEST_F(AuthorityTest, TrustDomainComesFromTheCertificate) {
  EXPECT_EQ(authority_->trust_domain(), "bootgate.example");
}

TEST_F(AuthorityTest, OpensWithTheRootKeyKeptElsewhere) {
  std::filesystem::remove(folder_.files().folder + "/root.key");
  EXPECT_THAT(Authority::Open(folder_.files(), kNow), IsOk());
}

TEST(AuthorityOptionsTest, NamesThatAreNoneAreRefused) {
  const Folder folder;
  for (const char* domain : {"", "Upper.example", "with space", "a/b", "x\ny"}) {
    EXPECT_THAT(
        Authority::Create(folder.files(), {.cluster_id = "c", .trust_domain = domain}, kNow),
        HasCode(absl::StatusCode::kInvalidArgument))
        << domain;
  }
  EXPECT_THAT(Authority::Create(folder.files(), {.cluster_id = "a,b", .trust_domain = "d"}, kNow),
              HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_FALSE(FileExists(folder.files().folder));
}

struct Breakage {
  const char* name;
  void (*break_it)(const std::string& folder, const std::string& other);
  absl::StatusCode code;
  const char* says;
};
class BrokenAuthorityTest : public ::testing::TestWithParam<Breakage> {};

void CopyOver(const std::string& from, const std::string& to) {
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
}

TEST_P(BrokenAuthorityTest, IsNotOpenedAndTheFileIsNamed) {
  const Folder folder, other;
  ASSERT_THAT(Authority::Create(folder.files(), Options(), kNow), IsOk());
  ASSERT_THAT(Authority::Create(other.files(), Options(), kNow), IsOk());
  GetParam().break_it(folder.files().folder, other.files().folder);
  const auto opened = Authority::Open(folder.files(), kNow);
  ASSERT_THAT(opened, HasCode(GetParam().code));
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Breakages, BrokenAuthorityTest,
    ::testing::ValuesIn(std::vector<Breakage>{
        {"NoIssuing",
         [](const std::string& f, const std::string&) {
           std::filesystem::remove(f + "/issuing.pem");
         },
         absl::StatusCode::kNotFound, "issuing.pem"},
        {"NoIssuingKey",
         [](const std::string& f, const std::string&) {
           std::filesystem::remove(f + "/issuing.key");
         },
         absl::StatusCode::kNotFound, "issuing.key"},
        {"OtherIssuingKey",
         [](const std::string& f, const std::string& o) {
           CopyOver(o + "/issuing.key", f + "/issuing.key");
         },
         absl::StatusCode::kFailedPrecondition, "issuing.key: is not the key"},
        {"OtherRootKey",
         [](const std::string& f, const std::string& o) {
           CopyOver(o + "/root.key", f + "/root.key");
         },
         absl::StatusCode::kFailedPrecondition, "root.key: is not the key"},
        {"OtherRoot",
         [](const std::string& f, const std::string& o) {
           CopyOver(o + "/root.pem", f + "/root.pem");
           std::filesystem::remove(f + "/root.key");
         },
         absl::StatusCode::kFailedPrecondition, "issuing.pem: is not signed by root.pem"},
        {"CertificatesSwapped",
         [](const std::string& f, const std::string&) {
           CopyOver(f + "/issuing.pem", f + "/root.pem");
         },
         absl::StatusCode::kFailedPrecondition, "root.pem: is not signed by its own key"},
        {"NotACertificate",
         [](const std::string& f, const std::string&) {
           ASSERT_THAT(WriteFileAtomically(f + "/root.pem", AsBytes("hello"), 0644), IsOk());
         },
         absl::StatusCode::kFailedPrecondition, "root.pem"},
        {"NotAKey",
         [](const std::string& f, const std::string&) {
           ASSERT_THAT(WriteFileAtomically(f + "/issuing.key", AsBytes("hello"), 0600), IsOk());
         },
         absl::StatusCode::kFailedPrecondition, "issuing.key"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(AuthorityTest, ExpiredOrNotYetValidIsSaid) {
  const auto late = Authority::Open(folder_.files(), kNow + absl::Hours(24 * 731));
  ASSERT_THAT(late, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(late, Refuses(Reason::kCa));
  EXPECT_THAT(std::string(late.status().message()), HasSubstr("issuing.pem: expired at"));
  const auto early = Authority::Open(folder_.files(), kNow - absl::Hours(1));
  EXPECT_THAT(std::string(early.status().message()), HasSubstr("root.pem: not valid before"));
}

TEST_F(AuthorityTest, HostCertificateIsWhatWasPromised) {
  const HostCertificateRequest request = HostRequest();
  BG_ASSERT_OK_AND_ASSIGN(const Bytes der, authority_->IssueHost(request, *key_));
  EXPECT_EQ(Verify(der, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
  EXPECT_EQ(Verify(der, X509_PURPOSE_SSL_SERVER), X509_V_OK);
  BG_ASSERT_OK_AND_ASSIGN(const auto certificate, ParseCertificate(der));
  const X509* x = certificate.get();
  EXPECT_EQ(X509_get_version(x), 2);
  EXPECT_EQ(SubjectText(x), absl::StrCat("serialNumber=", kHost));
  EXPECT_THAT(UriNames(x), ElementsAre(absl::StrCat("spiffe://bootgate.example/host/", kHost)));
  EXPECT_EQ(ExtensionText(x, NID_basic_constraints), "critical CA:FALSE");
  EXPECT_EQ(ExtensionText(x, NID_key_usage), "critical Digital Signature");
  EXPECT_EQ(ExtensionText(x, NID_ext_key_usage),
            "TLS Web Client Authentication, TLS Web Server Authentication");
  EXPECT_NE(ExtensionText(x, NID_subject_key_identifier), "absent");
  EXPECT_NE(ExtensionText(x, NID_authority_key_identifier), "absent");
  EXPECT_EQ(NotBefore(x), request.not_before);
  EXPECT_EQ(NotAfter(x), request.not_after);
  EXPECT_EQ(X509_get_signature_nid(x), NID_ecdsa_with_SHA256);
  BG_ASSERT_OK_AND_ASSIGN(const auto key, KeyOf(x));
  EXPECT_TRUE(key == *key_);
  EXPECT_EQ(SerialHex(x), request.serial_hex);
}

TEST_F(AuthorityTest, HostCertificateNamesItsVerdict) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes der, authority_->IssueHost(HostRequest(), *key_));
  BG_ASSERT_OK_AND_ASSIGN(const VerdictExtension verdict, VerdictExtensionOf(der));
  EXPECT_EQ(verdict.verdict_id, "v-0123456789abcdef0123456789abcdef");
  EXPECT_EQ(verdict.policy_id, std::string(64, 'a'));
  EXPECT_EQ(ToHex(verdict.claims_digest), std::string(64, 'b'));
  EXPECT_THAT(VerdictExtensionOf(testing::CorpusFile("tpm-flows/nv-01c00002.der")),
              HasCode(absl::StatusCode::kNotFound));
}

TEST_F(AuthorityTest, CertificatesOfEveryKindOfKey) {
  for (const crypto::Curve curve :
       {crypto::Curve::kP256, crypto::Curve::kP384, crypto::Curve::kP521}) {
    BG_ASSERT_OK_AND_ASSIGN(const auto key, crypto::PrivateKey::GenerateEc(curve));
    BG_ASSERT_OK_AND_ASSIGN(const Bytes der, authority_->IssueHost(HostRequest(), key.Public()));
    EXPECT_EQ(Verify(der, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
  }
  BG_ASSERT_OK_AND_ASSIGN(const auto rsa, crypto::PrivateKey::GenerateRsa(2048));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes der, authority_->IssueHost(HostRequest(), rsa.Public()));
  EXPECT_EQ(Verify(der, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
}

TEST_F(AuthorityTest, ExpiredHostCertificateDoesNotVerify) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes der, authority_->IssueHost(HostRequest(), *key_));
  EXPECT_EQ(Verify(der, X509_PURPOSE_SSL_CLIENT, kNow + absl::Hours(2)),
            X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST_F(AuthorityTest, RequestsThatMakeNoSenseAreNotSigned) {
  const auto refused = [&](auto change) {
    HostCertificateRequest request = HostRequest();
    change(request);
    return authority_->IssueHost(request, *key_);
  };
  using R = HostCertificateRequest;
  EXPECT_THAT(refused([](R& r) { r.serial_hex = std::string(32, '0'); }), Refuses(Reason::kCa));
  EXPECT_THAT(refused([](R& r) { r.serial_hex[0] = '8'; }), Refuses(Reason::kCa));
  EXPECT_THAT(refused([](R& r) { r.serial_hex = "01"; }), Refuses(Reason::kCa));
  EXPECT_THAT(refused([](R& r) { r.host_id = ""; }), Refuses(Reason::kCa));
  EXPECT_THAT(refused([](R& r) { r.host_id = "h/../other"; }), Refuses(Reason::kCa));
  EXPECT_THAT(refused([](R& r) { r.verdict_id = ""; }), Refuses(Reason::kCa));
  EXPECT_THAT(refused([](R& r) { r.claims_digest_hex = "xyz"; }), Refuses(Reason::kCa));
  EXPECT_THAT(refused([](R& r) { r.not_after = r.not_before; }), Refuses(Reason::kCa));
  EXPECT_THAT(refused([](R& r) { r.not_after = kNow + absl::Hours(24 * 1000); }),
              Refuses(Reason::kCa));
}

TEST_F(AuthorityTest, ServerCertificateIsForTheNamesGiven) {
  BG_ASSERT_OK_AND_ASSIGN(
      const Bytes der, authority_->IssueServer({"gate.example", "192.0.2.7", "2001:db8::7"}, *key_,
                                               kNow - absl::Minutes(5), kNow + absl::Hours(24)));
  EXPECT_EQ(Verify(der, X509_PURPOSE_SSL_SERVER), X509_V_OK);
  EXPECT_EQ(Verify(der, X509_PURPOSE_SSL_CLIENT), X509_V_ERR_INVALID_PURPOSE);
  BG_ASSERT_OK_AND_ASSIGN(const auto certificate, ParseCertificate(der));
  X509* x = certificate.get();
  EXPECT_EQ(X509_check_host(x, "gate.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(x, "other.example", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(x, "192.0.2.7", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(x, "2001:db8::7", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(x, "192.0.2.8", 0), 0);
  EXPECT_THAT(UriNames(x), IsEmpty());
}

TEST_F(AuthorityTest, ServerNamesAreNeverSyntax) {
  for (const char* name : {"", "a,DNS:evil.example", "a\nIP:1.2.3.4", "*", "-a.example", "a..b",
                           "a b", "URI:spiffe://x/host/y", "300.1.1.1/8"}) {
    EXPECT_THAT(authority_->IssueServer({name}, *key_, kNow, kNow + absl::Hours(1)),
                Refuses(Reason::kCa))
        << name;
  }
  EXPECT_THAT(authority_->IssueServer({}, *key_, kNow, kNow + absl::Hours(1)),
              Refuses(Reason::kCa));
}

Authority::AkCertificateRequest AkRequest(bool ek_certificate_verified) {
  const auto ek = ParseCertificate(testing::CorpusFile("tpm-flows/nv-01c00002.der"));
  return {.serial_hex = NewSerialHex(),
          .host_id = kHost,
          .ek_certificate_verified = ek_certificate_verified,
          .tpm_san_der = SubjectAltNameDer(ek->get()),
          .not_before = kNow,
          .not_after = kNow + absl::Hours(24)};
}

TEST_F(AuthorityTest, AkCertificateSaysHowTheEkWasVerified) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes der, authority_->IssueAk(AkRequest(true), *key_));
  EXPECT_EQ(Verify(der, 0), X509_V_OK);
  EXPECT_EQ(Verify(der, X509_PURPOSE_SSL_CLIENT), X509_V_ERR_INVALID_PURPOSE);
  BG_ASSERT_OK_AND_ASSIGN(const auto with, ParseCertificate(der));
  EXPECT_EQ(ExtensionText(with.get(), NID_ext_key_usage), "2.23.133.8.3");
  const std::string policies = ExtensionText(with.get(), NID_certificate_policies);
  EXPECT_THAT(policies, HasSubstr("2.23.133.11.1.1"));
  EXPECT_THAT(policies, HasSubstr("2.23.133.11.1.3"));
  EXPECT_THAT(policies, HasSubstr("1.3.6.1.4.1.311.21.31"));
  EXPECT_THAT(ExtensionText(with.get(), NID_subject_alt_name), HasSubstr("id:00001014"));

  BG_ASSERT_OK_AND_ASSIGN(const Bytes other, authority_->IssueAk(AkRequest(false), *key_));
  BG_ASSERT_OK_AND_ASSIGN(const auto without, ParseCertificate(other));
  EXPECT_THAT(ExtensionText(without.get(), NID_certificate_policies),
              HasSubstr("1.3.6.1.4.1.311.21.30"));
  EXPECT_EQ(ExtensionText(without.get(), NID_subject_alt_name), "absent");
}

// A27: what the EK certificate says beside the TPM's model does not get into our certificate.
TEST_F(AuthorityTest, A27_OtherNamesInTheEkCertificateAreNotCopied) {
  Authority::AkCertificateRequest request = AkRequest(true);
  // GeneralNames { URI "spiffe://bootgate.example/host/x" } as the only name.
  const std::string uri = "spiffe://bootgate.example/host/x";
  request.tpm_san_der = {0x30, static_cast<uint8_t>(uri.size() + 2), 0x86,
                         static_cast<uint8_t>(uri.size())};
  request.tpm_san_der.insert(request.tpm_san_der.end(), uri.begin(), uri.end());
  BG_ASSERT_OK_AND_ASSIGN(const Bytes der, authority_->IssueAk(request, *key_));
  BG_ASSERT_OK_AND_ASSIGN(const auto certificate, ParseCertificate(der));
  EXPECT_EQ(ExtensionText(certificate.get(), NID_subject_alt_name), "absent");
  request.tpm_san_der.pop_back();
  EXPECT_THAT(authority_->IssueAk(request, *key_), Refuses(Reason::kCa));
}

TEST(NewSerial, IsPositiveOfOneLengthAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string serial = NewSerialHex();
    ASSERT_EQ(serial.size(), 34u);
    ASSERT_EQ(serial.substr(0, 2), "01");
    ASSERT_TRUE(seen.insert(serial).second);
  }
}

// What another implementation's command says, where it is installed.
TEST_F(AuthorityTest, TheOpensslCommandAcceptsTheChain) {
  if (std::system("command -v openssl >/dev/null 2>&1") != 0) GTEST_SKIP() << "no openssl command";
  BG_ASSERT_OK_AND_ASSIGN(const Bytes der, authority_->IssueHost(HostRequest(), *key_));
  const std::string leaf = folder_.path + "/leaf.pem";
  ASSERT_THAT(WriteFileAtomically(leaf, AsBytes(DerToPem(der)), 0644), IsOk());
  const std::string ca = folder_.files().folder;
  EXPECT_EQ(
      std::system(absl::StrCat("openssl verify -x509_strict -purpose sslclient -attime ",
                               absl::ToUnixSeconds(kNow), " -CAfile ", ca, "/root.pem -untrusted ",
                               ca, "/issuing.pem ", leaf, " >/dev/null")
                      .c_str()),
      0);
}

}  // namespace
}  // namespace bootgate::pki

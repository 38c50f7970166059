// What operators add while gatekeepers run, certificates of our own making, and a cloud's word for
// an AK: through the enroller, as hosts meet it.
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/crypto/hash.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/soft_tpm/soft_ak.h"
#include "common/tpm2/soft_tpm/soft_storage_key.h"
#include "gatekeeper/enroll/ek_documents.h"
#include "gatekeeper/enroll/enroller.h"
#include "gatekeeper/enroll/own_certificates.h"
#include "gatekeeper/enroll/test_ca.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/ek_chain.h"
#include "pki/x509_read.h"

namespace bootgate::gatekeeper::enroll {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tpm2::soft_tpm::SoftAk;
using tpm2::soft_tpm::SoftStorageKey;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class TrustTest : public ::testing::Test {
 protected:
  TrustTest() : vendor_(kNow) {
    std::string made = ::testing::TempDir() + "/trust.XXXXXX";
    folder_ = mkdtemp(made.data());
    const pki::AuthorityFiles files = {folder_ + "/ca"};
    EXPECT_THAT(pki::Authority::Create(
                    files, {.cluster_id = "c", .trust_domain = "bootgate.example"}, kNow),
                IsOk());
    authority_ = std::make_unique<pki::Authority>(pki::Authority::Open(files, kNow).value());
    store_ = Open();
    other_process_ = Open();
    store::JoinToken token;
    token.id = "token";
    token.secret_sha256 = Sha256("join secret");
    token.labels = {{"role", "db"}, {"rack", "?"}};
    token.uses_left = 1000;
    token.expires_at = kNow + absl::Hours(24 * 365);
    EXPECT_THAT(store_->PutJoinToken(token, store::AuditRow()), IsOk());
    Use({});
  }
  ~TrustTest() override { std::filesystem::remove_all(folder_); }

  static Bytes Sha256(absl::string_view text) {
    return ToBytes(crypto::Hash(crypto::HashAlg::kSha256, AsBytes(text)).view());
  }
  std::unique_ptr<store::Store> Open() {
    return store::OpenSqlite({.path = folder_ + "/store.db", .create = true}).value();
  }
  void Use(EkPolicy policy) {
    enroller_ = std::make_unique<Enroller>(*store_, activations_, clock_, std::move(policy),
                                           authority_.get());
  }

  BeginRequest Request(ByteView ek_certificate) const {
    BeginRequest request;
    request.join_token_id = "token";
    request.join_token_secret = ToBytes(AsBytes("join secret"));
    request.ek_public = ek_.area().Tpm2b();
    request.ek_certificate = ToBytes(ek_certificate);
    request.ak_public = ak_.area().Tpm2b();
    return request;
  }
  absl::StatusOr<host::HostRecord> Enrol(const BeginRequest& request) {
    const absl::StatusOr<ActivationChallenge> challenge = enroller_->Begin(request);
    if (!challenge.ok()) return challenge.status();
    const absl::StatusOr<SecretBytes> secret = ek_.ActivateCredential(
        {.id_object = challenge->id_object, .encrypted_secret = challenge->encrypted_secret},
        ak_.area().Name());
    if (!secret.ok()) return secret.status();
    return enroller_->Complete({.session_id = challenge->session_id,
                                .ak_name = ak_.area().Name(),
                                .activated_secret = ToBytes(secret->view())});
  }

  // What another process, an operator's verb, writes.
  void Add(const std::string& kind, const std::string& name, const std::string& text) {
    ASSERT_THAT(
        AddEkDocument(*other_process_, kind,
                      {.name = name, .title = "t", .text = text, .author = "op", .at = kNow},
                      store::AuditRow()),
        IsOk());
  }
  void Remove(const std::string& kind, const std::string& name) {
    ASSERT_THAT(
        RemoveEkDocument(*other_process_, kind,
                         {.name = name, .title = "", .text = "", .author = "op", .at = kNow}, "",
                         store::AuditRow()),
        IsOk());
  }
  void Approve(const std::string& id) {
    store::Commit commit;
    commit.host = store_->GetHost(id).value();
    commit.host->approved = true;
    commit.audit.emplace_back();
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }
  std::string HostId() const { return host::HostIdFor(ek_.area().Name()); }
  static std::string Serial(ByteView certificate) {
    return pki::SerialHex(pki::ParseCertificate(certificate)->get());
  }

  testing::FakeClock clock_{kNow};
  const TestCa vendor_;
  std::string folder_;
  std::unique_ptr<pki::Authority> authority_;
  std::unique_ptr<store::Store> store_, other_process_;
  session::ActivationBook activations_{clock_, {}};
  std::unique_ptr<Enroller> enroller_;
  SoftStorageKey ek_ = SoftStorageKey::MakeEk(tpm2::EkTemplate::kP256Low);
  SoftAk ak_ = SoftAk::Ecc();
};

// ---- what operators add

TEST_F(TrustTest, RootThatAnotherProcessAddsCountsAtTheNextEnrolment) {
  Use({.mode = EkMode::kChain});
  const Bytes certificate = vendor_.CertificateFor(ek_.area());
  EXPECT_THAT(Enrol(Request(certificate)), Refuses(Reason::kEkChainUntrusted));
  Add(kEkRootKind, "aa", vendor_.RootPem());
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord host, Enrol(Request(certificate)));
  EXPECT_EQ(host.ek_trust, "chain");
  EXPECT_EQ(host.assurance, host::kAssuranceEkCertificate);
  Remove(kEkRootKind, "aa");
  EXPECT_THAT(Enrol(Request(certificate)), Refuses(Reason::kEkChainUntrusted));
}

TEST_F(TrustTest, RootForAksSpeaksForNoEk) {
  Use({.mode = EkMode::kChain});
  Add(kAkRootKind, "aa", vendor_.RootPem());
  EXPECT_THAT(Enrol(Request(vendor_.CertificateFor(ek_.area()))),
              Refuses(Reason::kEkChainUntrusted));
}

TEST_F(TrustTest, SettingsAreReadAgainOnlyWhenDocumentsChanged) {
  Use({.mode = EkMode::kChain, .anchors = vendor_.Anchors()});
  BG_ASSERT_OK_AND_ASSIGN(const auto before, enroller_->policies().Current());
  ASSERT_THAT(Enrol(Request(vendor_.CertificateFor(ek_.area()))), IsOk());
  EXPECT_EQ(enroller_->policies().Current().value(), before);
  Add(kEkDistrustKind, std::string(64, 'a'), std::string(64, 'a') + " stolen");
  EXPECT_NE(enroller_->policies().Current().value(), before);
}

// Half of what operators said is worse than none of it.
TEST_F(TrustTest, DocumentThatCannotBeReadStopsEnrolment) {
  Use({.mode = EkMode::kChain, .anchors = vendor_.Anchors()});
  Add(kEkDistrustKind, "aa", "no digest at all");
  EXPECT_FALSE(Enrol(Request(vendor_.CertificateFor(ek_.area()))).ok());
}

TEST_F(TrustTest, Attack_A33_DistrustedTpmsAndCasEnrolNoMore) {
  Use({.mode = EkMode::kChain, .anchors = vendor_.Anchors()});
  const Bytes certificate = vendor_.CertificateFor(ek_.area());
  const std::string leaf = crypto::Hash(crypto::HashAlg::kSha256, certificate).hex();
  const std::string root =
      crypto::Hash(crypto::HashAlg::kSha256, pki::PemToDer(vendor_.RootPem()).value()).hex();
  const std::string key = crypto::Hash(crypto::HashAlg::kSha256, ek_.area().Key()->SpkiDer()).hex();
  for (const std::string& digest : {leaf, root, key}) {
    Add(kEkDistrustKind, digest, digest + " ROCA");
    const absl::StatusOr<host::HostRecord> refused = Enrol(Request(certificate));
    EXPECT_THAT(refused, Refuses(Reason::kTpmDistrusted));
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("ROCA"));
    Remove(kEkDistrustKind, digest);
    EXPECT_THAT(Enrol(Request(certificate)), IsOk());
  }
}

// An EK without certificate is not beyond the list.
TEST_F(TrustTest, Attack_A33_DistrustedKeyWithoutCertificate) {
  const std::string key = crypto::Hash(crypto::HashAlg::kSha256, ek_.area().Key()->SpkiDer()).hex();
  Add(kEkDistrustKind, key, key + " stolen");
  EXPECT_THAT(Enrol(Request({})), Refuses(Reason::kTpmDistrusted));
}

TEST_F(TrustTest, Attack_A33_HardRevocationRefusesWhatNoListSpeaksOf) {
  Use({.mode = EkMode::kChain,
       .anchors = vendor_.Anchors(),
       .revocation = pki::RevocationMode::kHard});
  EXPECT_THAT(Enrol(Request(vendor_.CertificateFor(ek_.area()))),
              Refuses(Reason::kEkRevocationUnknown));
}

// ---- inventory

TEST_F(TrustTest, InventoryNamesAnEkInAnyOfFourWays) {
  const Bytes certificate = vendor_.CertificateFor(ek_.area());
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<std::string> keys,
                          InventoryKeys(ek_.area(), certificate));
  ASSERT_EQ(keys.size(), 4u);
  Use({.mode = EkMode::kChainAndInventory, .anchors = vendor_.Anchors()});
  for (const std::string& key : keys) {
    EXPECT_TRUE(IsInventoryKey(key));
    EXPECT_EQ(Enrol(Request(certificate))->ek_trust, "chain");
    ASSERT_THAT(other_process_->PutInventory({{.ek = key}}, store::AuditRow()), IsOk());
    EXPECT_EQ(Enrol(Request(certificate))->ek_trust, "chain+inventory") << key;
    ASSERT_THAT(other_process_->RemoveInventory({key}, store::AuditRow()), IsOk());
  }
}

// An NV index may be padded; the list has the certificate's own digest.
TEST_F(TrustTest, InventoryKnowsTheCertificateWithoutItsPadding) {
  const Bytes certificate = vendor_.CertificateFor(ek_.area());
  Bytes padded = certificate;
  padded.resize(padded.size() + 100, 0xff);
  EXPECT_EQ(InventoryKeys(ek_.area(), padded).value(),
            InventoryKeys(ek_.area(), certificate).value());
}

TEST_F(TrustTest, LabelsOfTheInventoryGoBeforeThoseOfTheToken) {
  Use({.mode = EkMode::kInventory});
  ASSERT_THAT(
      store_->PutInventory({{.ek = HostId(), .labels = {{"rack", "7"}}}}, store::AuditRow()),
      IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord host, Enrol(Request({})));
  EXPECT_TRUE(host.approved);
  EXPECT_EQ(host.labels.at("rack"), "7");
  EXPECT_EQ(host.labels.at("role"), "db");
}

// ---- certificates of our own

TEST_F(TrustTest, ApprovedEkWithoutCertificateGetsOneOfOursAndIsBelievedByIt) {
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord first, Enrol(Request({})));
  EXPECT_FALSE(first.approved);
  EXPECT_TRUE(first.own_ek_certificate.empty()) << "nobody has approved it";
  EXPECT_TRUE(first.ak_certificate.empty()) << "nobody says that its AK is in a TPM";
  Approve(first.id);
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord second, Enrol(Request({})));
  ASSERT_FALSE(second.own_ek_certificate.empty());
  EXPECT_EQ(store_->GetHost(first.id)->own_ek_certificate, second.own_ek_certificate);
  EXPECT_EQ(store_->GetCredential(Serial(second.own_ek_certificate))->kind, "ek");

  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord third, Enrol(Request(second.own_ek_certificate)));
  EXPECT_EQ(third.ek_trust, "own");
  EXPECT_EQ(third.assurance, host::kAssuranceEkKey);
  EXPECT_TRUE(third.ek_certificate.empty()) << "that place is the vendor's";
  EXPECT_EQ(third.own_ek_certificate, second.own_ek_certificate) << "not made anew";
}

TEST_F(TrustTest, Attack_A19_CertificateOfOursForAnotherTpmIsRefused) {
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord host, Enrol(Request({})));
  Approve(host.id);
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord mine, Enrol(Request({})));
  ek_ = SoftStorageKey::MakeEk(tpm2::EkTemplate::kP256Low);
  EXPECT_THAT(Enrol(Request(mine.own_ek_certificate)), Refuses(Reason::kEkCertKeyMismatch));
}

TEST_F(TrustTest, CertificateOfOursThatWasRevokedIsNotBelieved) {
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord host, Enrol(Request({})));
  Approve(host.id);
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord certified, Enrol(Request({})));
  store::Commit revoke;
  revoke.revoke_serials = {Serial(certified.own_ek_certificate)};
  revoke.audit.emplace_back();
  ASSERT_THAT(store_->Apply(revoke), IsOk());
  EXPECT_THAT(Enrol(Request(certified.own_ek_certificate)), Refuses(Reason::kEkRevoked));
}

TEST_F(TrustTest, AkCertificateIsKeptUntilItIsDueOrTheAkIsAnother) {
  Use({.mode = EkMode::kChain, .anchors = vendor_.Anchors()});
  const Bytes certificate = vendor_.CertificateFor(ek_.area());
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord first, Enrol(Request(certificate)));
  ASSERT_FALSE(first.ak_certificate.empty());
  EXPECT_EQ(first.ak_certificate_until, kNow + kAkCertificateLifetime);
  EXPECT_EQ(Enrol(Request(certificate))->ak_certificate, first.ak_certificate);

  ak_ = SoftAk::Ecc();
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord other, Enrol(Request(certificate)));
  EXPECT_NE(other.ak_certificate, first.ak_certificate);
  EXPECT_TRUE(store_->IsRevoked(Serial(first.ak_certificate)).value());
  EXPECT_FALSE(store_->IsRevoked(Serial(other.ak_certificate)).value());
}

TEST_F(TrustTest, RenewalComesInTheLastThirdAndNotForWhoIsShutOut) {
  Use({.mode = EkMode::kChain, .anchors = vendor_.Anchors()});
  BG_ASSERT_OK_AND_ASSIGN(host::HostRecord host,
                          Enrol(Request(vendor_.CertificateFor(ek_.area()))));
  const Bytes first = host.ak_certificate;
  const absl::Time early = kNow + kAkCertificateLifetime * 2 / 3 - absl::Minutes(1);
  EXPECT_TRUE(RenewCertificates(host, *authority_, early)->empty());
  const absl::Time late = early + absl::Minutes(2);
  host.trust = host::Trust::kQuarantined;
  EXPECT_TRUE(RenewCertificates(host, *authority_, late)->empty());
  host.trust = host::Trust::kTrusted;
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<store::CredentialRow> rows,
                          RenewCertificates(host, *authority_, late));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].kind, "ak");
  EXPECT_EQ(rows[0].serial, Serial(host.ak_certificate));
  EXPECT_NE(host.ak_certificate, first);
  EXPECT_FALSE(rows[0].issuer.empty());
}

// ---- a cloud's word for the AK

TEST_F(TrustTest, CloudAkCountsOnlyWhereItIsTurnedOn) {
  BeginRequest request = Request({});
  request.ak_certificate = vendor_.AkCertificateFor(ak_.area());
  EkPolicy policy = {.mode = EkMode::kChain, .ak_anchors = vendor_.Anchors()};
  Use(policy);
  EXPECT_EQ(Enrol(request)->ek_trust, "none");
  policy.cloud_ak = true;
  Use(policy);
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord host, Enrol(request));
  EXPECT_EQ(host.ek_trust, "cloud-ak");
  EXPECT_EQ(host.assurance, host::kAssuranceCloudAk);
  EXPECT_TRUE(host.ak_qualified_name.empty()) << "the hierarchy is the cloud's choice";
  EXPECT_TRUE(host.approved);
}

TEST_F(TrustTest, CloudAkIsNotEnoughWhereTheInventoryIsAsked) {
  BeginRequest request = Request({});
  request.ak_certificate = vendor_.AkCertificateFor(ak_.area());
  Use({.mode = EkMode::kChainAndInventory, .ak_anchors = vendor_.Anchors(), .cloud_ak = true});
  EXPECT_FALSE(Enrol(request)->approved);
  ASSERT_THAT(store_->PutInventory({{.ek = HostId()}}, store::AuditRow()), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord host, Enrol(request));
  EXPECT_EQ(host.ek_trust, "cloud-ak+inventory");
  EXPECT_TRUE(host.approved);
}

TEST_F(TrustTest, Attack_A20_CloudAkCertificateOfAnotherKeyIsRefused) {
  Use({.mode = EkMode::kChain, .ak_anchors = vendor_.Anchors(), .cloud_ak = true});
  BeginRequest request = Request({});
  request.ak_certificate = vendor_.AkCertificateFor(SoftAk::Ecc().area());
  EXPECT_THAT(Enrol(request), Refuses(Reason::kAkChainUntrusted));
  const TestCa stranger(kNow);
  request.ak_certificate = stranger.AkCertificateFor(ak_.area());
  EXPECT_THAT(Enrol(request), Refuses(Reason::kAkChainUntrusted));
}

// The activation still happens: a certificate is public, the key's TPM is not.
TEST_F(TrustTest, CloudAkIsActivatedLikeAnyOther) {
  Use({.mode = EkMode::kChain, .ak_anchors = vendor_.Anchors(), .cloud_ak = true});
  BeginRequest request = Request({});
  request.ak_certificate = vendor_.AkCertificateFor(ak_.area());
  BG_ASSERT_OK_AND_ASSIGN(const ActivationChallenge challenge, enroller_->Begin(request));
  EXPECT_THAT(enroller_->Complete({.session_id = challenge.session_id,
                                   .ak_name = ak_.area().Name(),
                                   .activated_secret = Bytes(32, 0)}),
              Refuses(Reason::kActivationFailed));
}

}  // namespace
}  // namespace bootgate::gatekeeper::enroll

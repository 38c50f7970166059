#include "pki/ca_steps.h"

#include <sys/stat.h>

#include "absl/strings/escaping.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "pki/ca_certificate.h"
#include "pki/ca_request.h"
#include "pki/ca_test.h"
#include "pki/der.h"
#include "pki/extensions.h"
#include "pki/file_key.h"
#include "pki/operator_certificate.h"
#include "pki/pem.h"
#include "pki/weak_keys_test.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;
using ::testing::Not;

crypto::PublicKey NewKey() {
  return crypto::PrivateKey::GenerateEc(crypto::Curve::kP256)->Public();
}

// The key id that a certificate names as its issuer's.
Bytes IssuerOf(ByteView der) { return AuthorityKeyId(ParseCertificate(der)->get()); }

class CaStepsTest : public ::testing::Test {
 protected:
  void Create() { ASSERT_THAT(CreateCas(PlanIn(scratch_), kCaNow).status(), IsOk()); }
  void Open() {
    BG_ASSERT_OK_AND_ASSIGN(auto authority, Authority::Open({scratch_.ca()}, kCaNow));
    authority_.emplace(std::move(authority));
  }
  Bytes Host() {
    auto der = authority_->IssueHost(HostRequestAt(kCaNow), key_);
    EXPECT_THAT(der.status(), IsOk());
    return der.value_or(Bytes{});
  }
  CaRecord Ca(const std::string& id) {
    const absl::StatusOr<CaFolder> folder = LoadCaFolder(scratch_.ca());
    EXPECT_THAT(folder.status(), IsOk());
    const CaRecord* const ca = folder.ok() ? folder->Find(id) : nullptr;
    EXPECT_NE(ca, nullptr) << id;
    return ca == nullptr ? CaRecord{} : *ca;
  }

  CaScratch scratch_;
  std::optional<Authority> authority_;
  const crypto::PublicKey key_ = NewKey();
};

TEST_F(CaStepsTest, EachUseHasAnIssuingCaOfItsOwn) {
  Create();
  Open();
  std::set<std::string> key_ids;
  for (const IssuerPtr& issuer : authority_->Issuers()) {
    EXPECT_EQ(issuer->uses.size(), 1u) << issuer->id;
    EXPECT_TRUE(key_ids.insert(ToHex(issuer->key_id)).second);
    EXPECT_THAT(*authority_->IssuerFor(issuer->key_id), issuer);
  }
  EXPECT_EQ(key_ids.size(), 4u);
  const Bytes host = Host();
  EXPECT_TRUE(authority_->MayIssue(CaUse::kHosts, IssuerOf(host)));
  EXPECT_FALSE(authority_->MayIssue(CaUse::kOperators, IssuerOf(host)));
  EXPECT_EQ(authority_->ChainOf(host), authority_->issuing_pem(CaUse::kHosts));
  for (const char* const name :
       {"root.key", "hosts-1.key", "aks-1.key", "servers-1.key", "operators-1.key", "ca.toml"}) {
    struct stat info {};
    ASSERT_EQ(stat((scratch_.ca() + "/" + name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
  EXPECT_THAT(CreateCas(PlanIn(scratch_), kCaNow).status(),
              HasCode(absl::StatusCode::kAlreadyExists));
}

struct Kind {
  const char* name;
  CaUse use;
  const char* purpose;
  const char* says;  // in the text form
  absl::StatusOr<Bytes> (*issue)(const Authority& authority, const crypto::PublicKey& key);
};
const absl::Time kTomorrow = kCaNow + absl::Hours(24);
const Kind kKinds[] = {
    {"Host", CaUse::kHosts, "sslclient",
     "URI:spiffe://bootgate.example/host/h-00112233445566778899aabbccddeeff",
     [](const Authority& a, const crypto::PublicKey& key) {
       return a.IssueHost(HostRequestAt(kCaNow), key);
     }},
    {"Server", CaUse::kServers, "sslserver", "DNS:gate.example, IP Address:192.0.2.7",
     [](const Authority& a, const crypto::PublicKey& key) {
       return a.IssueServer({"gate.example", "192.0.2.7"}, key, kCaNow, kTomorrow);
     }},
    {"TokenSigner", CaUse::kServers, "any", "1.3.6.1.4.1.58888.2.1",
     [](const Authority& a, const crypto::PublicKey& key) {
       return a.IssueTokenSigner(key, kCaNow, kTomorrow);
     }},
    {"Ak", CaUse::kAks, "any", "2.23.133.8.3",
     [](const Authority& a, const crypto::PublicKey& key) {
       return a.IssueAk({.serial_hex = NewSerialHex(),
                         .host_id = "h-00112233445566778899aabbccddeeff",
                         .not_before = kCaNow,
                         .not_after = kTomorrow},
                        key);
     }},
    {"Operator", CaUse::kOperators, "sslclient",
     "URI:spiffe://bootgate.example/operator/alice.smith",
     [](const Authority& a, const crypto::PublicKey& key) {
       return a.IssueOperator("alice.smith", {"security", "viewer"}, key, kCaNow, kTomorrow);
     }},
};

// What other implementations say: OpenSSL's command with its strict checks.
TEST_F(CaStepsTest, PeersAcceptEveryKindOfCertificate) {
  Create();
  Open();
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.name);
    BG_ASSERT_OK_AND_ASSIGN(const Bytes der, kind.issue(*authority_, key_));
    EXPECT_TRUE(authority_->MayIssue(kind.use, IssuerOf(der)));
    EXPECT_TRUE(OpensslVerifies(scratch_, authority_->roots_pem(), authority_->ChainOf(der), der,
                                kind.purpose))
        << PeerSays(scratch_);
    EXPECT_THAT(OpensslText(scratch_, der), HasSubstr(kind.says));
  }
}

// GnuTLS judges at the present time alone, so that its CAs are made now.
TEST_F(CaStepsTest, GnutlsAcceptsHostsAndServers) {
  if (std::system("command -v certtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "no certtool";
  const absl::Time now = absl::Now();
  ASSERT_THAT(CreateCas(PlanIn(scratch_), now).status(), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const Authority authority, Authority::Open({scratch_.ca()}, now));
  const std::string roots = scratch_.Write("gnutls-roots.pem", authority.roots_pem());
  BG_ASSERT_OK_AND_ASSIGN(const Bytes host, authority.IssueHost(HostRequestAt(now), key_));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes server,
                          authority.IssueServer({"gate.example", "192.0.2.7"}, key_,
                                                now - absl::Minutes(5), now + absl::Hours(1)));
  for (const Bytes& der : {host, server}) {
    const std::string chain = scratch_.Write(
        "gnutls.pem", DerToPem(der) + authority.ChainOf(der) + authority.roots_pem());
    EXPECT_EQ(
        std::system(absl::StrCat("certtool --verify --load-ca-certificate ", roots, " --infile ",
                                 chain, " >", scratch_.File("peer.out"), " 2>&1")
                        .c_str()),
        0)
        << PeerSays(scratch_);
  }
}

TEST_F(CaStepsTest, IssuingCasSayWhatTheyAreFor) {
  Create();
  Open();
  for (const IssuerPtr& issuer : authority_->Issuers()) {
    const std::string text = OpensslText(scratch_, issuer->certificate);
    EXPECT_THAT(text, HasSubstr("CA:TRUE, pathlen:0")) << issuer->id;
    EXPECT_THAT(text, HasSubstr("X509v3 Extended Key Usage")) << issuer->id;
    EXPECT_THAT(text, HasSubstr("URI:spiffe://bootgate.example")) << issuer->id;
    const bool servers = issuer->uses.count(CaUse::kServers) != 0;
    EXPECT_EQ(text.find("X509v3 Name Constraints: critical") == std::string::npos, servers)
        << issuer->id;
    EXPECT_TRUE(OpensslVerifies(scratch_, authority_->roots_pem(), authority_->roots_pem(),
                                issuer->certificate, "any"))
        << PeerSays(scratch_);
  }
}

// Even with its key stolen, a CA for hosts makes no server that a TLS library believes.
TEST_F(CaStepsTest, ACaForHostsMakesNoServers) {
  Create();
  Open();
  const IssuerPtr hosts = authority_->Issuers().front();
  ASSERT_EQ(hosts->uses, std::set<CaUse>{CaUse::kHosts});
  const Bytes spki = key_.SpkiDer();
  for (const Bytes& name : {ext::DnsName("gate.example"), ext::IpName(Bytes{192, 0, 2, 7})}) {
    Bytes extensions;
    for (const Bytes& part :
         {ext::BasicConstraintsEndEntity(), ext::ExtendedKeyUsage({ext::oid::ServerAuth()}),
          ext::AuthorityKeyIdentifier(hosts->key_id), ext::SubjectKeyIdentifier(ext::KeyIdOf(spki)),
          ext::SubjectAltName({name})}) {
      extensions.insert(extensions.end(), part.begin(), part.end());
    }
    const Bytes serial = *FromHex(NewSerialHex()), subject = NameDer("", "x");
    BG_ASSERT_OK_AND_ASSIGN(const Bytes der, hosts->signer->Sign({.serial = serial,
                                                                  .issuer = hosts->name,
                                                                  .subject = subject,
                                                                  .not_before = kCaNow,
                                                                  .not_after = kTomorrow,
                                                                  .spki = spki,
                                                                  .extensions = extensions}));
    EXPECT_FALSE(
        OpensslVerifies(scratch_, authority_->roots_pem(), hosts->chain_pem, der, "sslserver"));
    EXPECT_THAT(PeerSays(scratch_), HasSubstr("excluded subtree violation"));
  }
}

TEST_F(CaStepsTest, TheNextCaIsKnownBeforeItSigns) {
  Create();
  Open();
  const Bytes before = Host();
  const crypto::Digest bundle = authority_->trust_bundle()->sha256;
  BG_ASSERT_OK_AND_ASSIGN(const CaStep next, RotateCa(scratch_.ca(), CaUse::kHosts, std::nullopt,
                                                      absl::Hours(24 * 30), kCaNow));
  EXPECT_EQ(next.ca.id, "hosts-2");
  EXPECT_EQ(next.ca.state, CaRecord::State::kPrepared);
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  EXPECT_NE(authority_->trust_bundle()->sha256, bundle);
  BG_ASSERT_OK_AND_ASSIGN(const std::string pem,
                          ReadTextFile(scratch_.ca() + "/hosts-2.pem", 65536));
  EXPECT_THAT(authority_->trust_bundle()->pem, HasSubstr(pem));
  EXPECT_EQ(IssuerOf(Host()), IssuerOf(before));

  BG_ASSERT_OK_AND_ASSIGN(const CaStep active, ActivateCa(scratch_.ca(), "hosts-2", kCaNow));
  EXPECT_EQ(active.replaced, "hosts-1");
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  const Bytes after = Host();
  EXPECT_NE(IssuerOf(after), IssuerOf(before));
  EXPECT_EQ(Ca("hosts-1").state, CaRecord::State::kRetired);
  for (const Bytes& der : {before, after}) {
    EXPECT_TRUE(authority_->MayIssue(CaUse::kHosts, IssuerOf(der)));
    EXPECT_TRUE(OpensslVerifies(scratch_, authority_->roots_pem(), authority_->ChainOf(der), der,
                                "sslclient"));
  }
  // The retired one still signs CRLs.
  BG_ASSERT_OK_AND_ASSIGN(const IssuerPtr retired, authority_->IssuerFor(IssuerOf(before)));
  EXPECT_THAT(retired->SignElement(der::Sequence({})).status(), IsOk());
}

TEST_F(CaStepsTest, AFolderOfTheSimpleFormIsTakenApart) {
  ASSERT_THAT(
      Authority::Create({scratch_.ca()},
                        {.cluster_id = "lab-1", .trust_domain = "bootgate.example"}, kCaNow),
      IsOk());
  Open();
  const Bytes before = Host();
  for (const CaUse use : kAllCaUses) {
    BG_ASSERT_OK_AND_ASSIGN(const CaStep next,
                            RotateCa(scratch_.ca(), use, std::nullopt, absl::Hours(24), kCaNow));
    ASSERT_THAT(ActivateCa(scratch_.ca(), next.ca.id, kCaNow).status(), IsOk());
    EXPECT_EQ(Ca("issuing").signs.count(use), 0u);
  }
  EXPECT_EQ(Ca("issuing").state, CaRecord::State::kRetired);
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  EXPECT_TRUE(authority_->MayIssue(CaUse::kHosts, IssuerOf(before)));
  const Bytes after = Host();
  EXPECT_THAT(authority_->IssuerFor(IssuerOf(after)).value()->id, "hosts-1");
}

TEST_F(CaStepsTest, NothingBelowATaintedCaIsBelieved) {
  Create();
  Open();
  const Bytes host = Host();
  BG_ASSERT_OK_AND_ASSIGN(const IssuerPtr hosts, authority_->IssuerFor(IssuerOf(host)));
  ASSERT_THAT(TaintCa(scratch_.ca(), "hosts-1", "key copied", kCaNow).status(), IsOk());
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  EXPECT_TRUE(authority_->IsTainted(hosts->key_id));
  EXPECT_FALSE(authority_->MayIssue(CaUse::kHosts, hosts->key_id));
  EXPECT_THAT(authority_->trust_bundle()->pem, Not(HasSubstr(hosts->chain_pem)));
  EXPECT_THAT(authority_->client_ca_pem(), HasSubstr(hosts->chain_pem));
  EXPECT_THAT(authority_->IssueHost(HostRequestAt(kCaNow), key_), Refuses(Reason::kCa));
  EXPECT_EQ(Ca("hosts-1").why, "key copied");
  // Other uses go on.
  EXPECT_THAT(authority_->IssueServer({"gate.example"}, key_, kCaNow, kTomorrow).status(), IsOk());
  EXPECT_THAT(ActivateCa(scratch_.ca(), "hosts-1", kCaNow).status(), Refuses(Reason::kCa));
  EXPECT_THAT(TaintCa(scratch_.ca(), "hosts-9", "x", kCaNow).status(),
              HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(TaintCa(scratch_.ca(), "aks-1", "", kCaNow).status(),
              HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_F(CaStepsTest, APreparedCaTakesATaintedOnesPlace) {
  Create();
  Open();
  const Bytes host = Host();
  ASSERT_THAT(
      RotateCa(scratch_.ca(), CaUse::kHosts, std::nullopt, absl::Hours(24), kCaNow).status(),
      IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const CaStep step,
                          TaintCa(scratch_.ca(), "hosts-1", "key copied", kCaNow));
  EXPECT_EQ(step.replaced, "hosts-2");
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  EXPECT_NE(IssuerOf(Host()), IssuerOf(host));
}

TEST_F(CaStepsTest, ATaintByWordOfAnotherGatekeeperHoldsToo) {
  Create();
  Open();
  const Bytes host = Host();
  BG_ASSERT_OK_AND_ASSIGN(const IssuerPtr before, authority_->IssuerFor(IssuerOf(host)));
  const std::set<std::string> taint = {ToHex(IssuerOf(host))};
  authority_->SetTainted(taint);
  EXPECT_TRUE(authority_->IsTainted(IssuerOf(host)));
  EXPECT_THAT(authority_->IssueHost(HostRequestAt(kCaNow), key_), Refuses(Reason::kCa));
  // Bundle and issuers follow, as they do when the folder says so.
  EXPECT_THAT(authority_->trust_bundle()->pem, HasSubstr(before->chain_pem));
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  EXPECT_THAT(authority_->trust_bundle()->pem, Not(HasSubstr(before->chain_pem)));
  EXPECT_TRUE(authority_->IssuerFor(IssuerOf(host)).value()->tainted);
  // The same word again, and another step in the folder: it stays.
  authority_->SetTainted(taint);
  ASSERT_THAT(RotateCa(scratch_.ca(), CaUse::kAks, std::nullopt, absl::Hours(24), kCaNow).status(),
              IsOk());
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  EXPECT_TRUE(authority_->IssuerFor(IssuerOf(host)).value()->tainted);
}

TEST_F(CaStepsTest, ARootTaintedElsewhereTakesAllBelowItAlong) {
  Create();
  Open();
  const Bytes host = Host();
  BG_ASSERT_OK_AND_ASSIGN(const CaFolder folder, LoadCaFolder(scratch_.ca()));
  authority_->SetTainted({KeyIdOfCa(folder, *folder.Find("root-1"))});
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  EXPECT_TRUE(authority_->IsTainted(IssuerOf(host)));
  EXPECT_THAT(authority_->IssueHost(HostRequestAt(kCaNow), key_), Refuses(Reason::kCa));
  EXPECT_EQ(authority_->roots_pem(), "");
}

TEST_F(CaStepsTest, AHostCertificateIsSignedByTheCaThatWasToOrByNone) {
  Create();
  Open();
  HostCertificateRequest request = HostRequestAt(kCaNow);
  request.issuer_key_id = authority_->ActiveIssuer(CaUse::kHosts).value()->key_id;
  EXPECT_THAT(authority_->IssueHost(request, key_), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const CaStep next, RotateCa(scratch_.ca(), CaUse::kHosts, std::nullopt,
                                                      absl::Hours(24), kCaNow));
  ASSERT_THAT(ActivateCa(scratch_.ca(), next.ca.id, kCaNow).status(), IsOk());
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  EXPECT_THAT(authority_->IssueHost(request, key_).status(),
              ::testing::AllOf(Refuses(Reason::kCa), HasCode(absl::StatusCode::kUnavailable)));
}

TEST_F(CaStepsTest, ARootIsReplacedWithBothInTheBundle) {
  Create();
  Open();
  const std::string old_root = authority_->roots_pem();
  const Bytes before = Host();
  BG_ASSERT_OK_AND_ASSIGN(const CaStep next,
                          RotateRoot(scratch_.ca(), {}, absl::Hours(24 * 3650), kCaNow));
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto both, CertificatesFromPem(authority_->roots_pem()));
  EXPECT_EQ(both.size(), 2u);
  EXPECT_EQ(IssuerOf(Host()), IssuerOf(before));
  ASSERT_THAT(ActivateCa(scratch_.ca(), next.ca.id, kCaNow).status(), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const CaStep hosts, RotateCa(scratch_.ca(), CaUse::kHosts, std::nullopt,
                                                       absl::Hours(24), kCaNow));
  EXPECT_EQ(hosts.ca.under, next.ca.id);
  ASSERT_THAT(ActivateCa(scratch_.ca(), hosts.ca.id, kCaNow).status(), IsOk());
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  const Bytes after = Host();
  EXPECT_FALSE(OpensslVerifies(scratch_, old_root, authority_->ChainOf(after), after, "sslclient"));
  for (const Bytes& der : {before, after}) {
    EXPECT_TRUE(OpensslVerifies(scratch_, authority_->roots_pem(), authority_->ChainOf(der), der,
                                "sslclient"));
  }
  // The old root goes with all that is below it.
  ASSERT_THAT(TaintCa(scratch_.ca(), "root-1", "retired for good", kCaNow).status(), IsOk());
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  EXPECT_TRUE(authority_->IsTainted(IssuerOf(before)));
  EXPECT_FALSE(authority_->IsTainted(IssuerOf(after)));
  EXPECT_THAT(authority_->roots_pem(), Not(HasSubstr(old_root)));
}

TEST_F(CaStepsTest, AnOfflineRootsKeyIsNeverInTheFolder) {
  CaPlan plan = PlanIn(scratch_);
  plan.root = RootAt::kOffline;
  plan.root_out = scratch_.File("away");
  ASSERT_THAT(CreateCas(plan, kCaNow).status(), IsOk());
  EXPECT_TRUE(FileExists(scratch_.File("away/root.key")));
  EXPECT_FALSE(FileExists(scratch_.ca() + "/root.key"));
  Open();
  const absl::Status no_key =
      RotateCa(scratch_.ca(), CaUse::kHosts, std::nullopt, absl::Hours(24), kCaNow).status();
  EXPECT_THAT(no_key, Refuses(Reason::kCa));
  EXPECT_THAT(std::string(no_key.message()), HasSubstr("ca csr"));

  BG_ASSERT_OK_AND_ASSIGN(const CaStep request,
                          RequestCa(scratch_.ca(), {CaUse::kHosts}, std::nullopt, kCaNow));
  BG_ASSERT_OK_AND_ASSIGN(
      const std::string chain,
      SignCaRequest({.root_folder = scratch_.File("away"), .uses = {CaUse::kHosts}},
                    request.request_pem, kCaNow));
  BG_ASSERT_OK_AND_ASSIGN(const CaStep installed, InstallChain(scratch_.ca(), chain, kCaNow));
  EXPECT_EQ(installed.ca.id, "hosts-2");
  EXPECT_EQ(installed.ca.under, "root-1");
  EXPECT_EQ(installed.ca.state, CaRecord::State::kPrepared);
  ASSERT_THAT(ActivateCa(scratch_.ca(), "hosts-2", kCaNow).status(), IsOk());
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  EXPECT_EQ(authority_->IssuerFor(IssuerOf(Host())).value()->id, "hosts-2");
}

// A company's CA: a root, and perhaps something between, made with our own DER.
struct Company {
  explicit Company(uint8_t path_length = 1, const std::string& domain = "bootgate.example")
      : key(std::make_shared<const crypto::PrivateKey>(
            *crypto::PrivateKey::GenerateEc(crypto::Curve::kP384))),
        signer(*CertificateSigner::For(key)),
        name(NameDer("Company", "Company root")) {
    const Bytes spki = key->Public().SpkiDer();
    key_id = ext::KeyIdOf(spki);
    Bytes extensions;
    for (const Bytes& part :
         {ext::BasicConstraintsCa(path_length), ext::KeyUsage(ext::kKeyCertSign | ext::kCrlSign),
          ext::SubjectKeyIdentifier(key_id), ext::AuthorityKeyIdentifier(key_id)}) {
      extensions.insert(extensions.end(), part.begin(), part.end());
    }
    const Bytes serial = *FromHex(NewSerialHex());
    root = *signer.Sign({.serial = serial,
                         .issuer = name,
                         .subject = name,
                         .not_before = kCaNow - absl::Hours(1),
                         .not_after = kCaNow + absl::Hours(24 * 3650),
                         .spki = spki,
                         .extensions = extensions});
    trust_domain = domain;
  }

  std::string Certify(const std::string& request_pem, const std::set<CaUse>& uses,
                      absl::Time now = kCaNow) const {
    const CaRequest request = *ReadCaRequest(request_pem);
    return DerToPem(*MakeIssuingCertificate(
        {.common_name = request.common_name,
         .trust_domain = trust_domain,
         .uses = uses,
         .now = now,
         .lifetime = absl::Hours(24)},
        request.key, {signer, name, key_id, kCaNow + absl::Hours(24 * 3650)}));
  }

  std::shared_ptr<const crypto::PrivateKey> key;
  CertificateSigner signer;
  Bytes name, key_id, root;
  std::string trust_domain;
};

TEST_F(CaStepsTest, ACompanysCaIsTheRoot) {
  CaPlan plan = PlanIn(scratch_);
  plan.root = RootAt::kUpstream;
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<CaStep> steps, CreateCas(plan, kCaNow));
  ASSERT_EQ(steps.size(), 4u);
  const Company company;
  for (const CaStep& step : steps) {
    BG_ASSERT_OK_AND_ASSIGN(
        const CaStep installed,
        InstallChain(scratch_.ca(),
                     company.Certify(step.request_pem, step.ca.uses) + DerToPem(company.root),
                     kCaNow));
    EXPECT_EQ(installed.ca.state, CaRecord::State::kActive);
  }
  Open();
  EXPECT_EQ(authority_->roots_pem(), DerToPem(company.root));
  EXPECT_THAT(authority_->trust_bundle()->pem, HasSubstr(DerToPem(company.root)));
  const Bytes host = Host();
  EXPECT_TRUE(OpensslVerifies(scratch_, DerToPem(company.root), authority_->ChainOf(host), host,
                              "sslclient"))
      << PeerSays(scratch_);
}

TEST_F(CaStepsTest, AChainThatWouldNotBeBelievedIsNotInstalled) {
  CaPlan plan = PlanIn(scratch_);
  plan.root = RootAt::kUpstream;
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<CaStep> steps, CreateCas(plan, kCaNow));
  const CaStep& hosts = steps.front();
  ASSERT_EQ(hosts.ca.uses, std::set<CaUse>{CaUse::kHosts});
  const Company company, shallow(0), other, elsewhere(1, "other.example");
  const auto root = [](const Company& of) { return DerToPem(of.root); };
  const auto certified = [&](const Company& by, const std::set<CaUse>& uses,
                             absl::Time now = kCaNow) {
    return by.Certify(hosts.request_pem, uses, now);
  };
  const std::set<CaUse> right = {CaUse::kHosts};
  BG_ASSERT_OK_AND_ASSIGN(auto stranger, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  const CertificateSigner strange =
      *CertificateSigner::For(std::make_shared<const crypto::PrivateKey>(std::move(stranger)));
  const struct {
    const char* name;
    std::string pem;
    const char* says;
  } rows[] = {
      {"NothingAtAll", "", "2 to 8 certificates"},
      {"WithoutItsRoot", certified(company, right), "2 to 8 certificates"},
      {"AnotherRoot", certified(company, right) + root(other), "would not be believed"},
      {"RootFirst", root(company) + certified(company, right), "no request of this folder"},
      {"KeyOfSomebodyElse", company.Certify(*MakeCaRequest("x", strange), right) + root(company),
       "no request of this folder"},
      {"PathTooLong", certified(shallow, right) + root(shallow), "path length"},
      {"ForServersOnly", certified(company, {CaUse::kServers}) + root(company), "purpose"},
      {"OtherTrustDomain", certified(elsewhere, right) + root(elsewhere), "other.example"},
      {"Expired", certified(company, right, kCaNow - absl::Hours(48)) + root(company), "expired"},
      {"NotYet", certified(company, right, kCaNow + absl::Hours(48)) + root(company),
       "not valid before"},
  };
  for (const auto& row : rows) {
    const absl::Status status = InstallChain(scratch_.ca(), row.pem, kCaNow).status();
    EXPECT_FALSE(status.ok()) << row.name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.says)) << row.name;
  }
  EXPECT_EQ(Ca(hosts.ca.id).state, CaRecord::State::kRequested);
}

TEST_F(CaStepsTest, AKeyFileWithAPassphraseOpensWithItAlone) {
  CaPlan plan = PlanIn(scratch_);
  const std::string right = scratch_.Write("passphrase", "correct horse\n");
  plan.key.secret = {SecretSource::Kind::kFile, right};
  ASSERT_THAT(CreateCas(plan, kCaNow).status(), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const std::string pem,
                          ReadTextFile(scratch_.ca() + "/hosts-1.key", 65536));
  EXPECT_THAT(pem, HasSubstr("BEGIN ENCRYPTED PRIVATE KEY"));
  Open();
  Host();
  for (const char* const text : {"wrong battery\n", ""}) {
    scratch_.Write("passphrase", text);
    const absl::Status status = Authority::Open({scratch_.ca()}, kCaNow).status();
    EXPECT_THAT(status, Refuses(Reason::kCaKey));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("battery")));
  }
  scratch_.Write("passphrase", "correct horse\n", 0644);
  EXPECT_THAT(Authority::Open({scratch_.ca()}, kCaNow), Refuses(Reason::kCaKey));
  std::filesystem::remove(right);
  EXPECT_THAT(Authority::Open({scratch_.ca()}, kCaNow), Refuses(Reason::kCaKey));
  // What is open stays open.
  ASSERT_THAT(TaintCa(scratch_.ca(), "aks-1", "x", kCaNow).status(), IsOk());
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  Host();
}

TEST(Secrets, ComeFromWhereTheySayAndNowhereElse) {
  const CaScratch scratch;
  scratch.Write("pin", "1234\r\n", 0400);
  setenv("CREDENTIALS_DIRECTORY", scratch.path().c_str(), 1);
  BG_ASSERT_OK_AND_ASSIGN(const SecretSource credential, ParseSecretSource("credential:pin"));
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes secret, ReadSecret(credential, "PIN"));
  EXPECT_EQ(AsText(secret.view()), "1234");
  unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_THAT(ReadSecret(credential, "PIN").status(), Refuses(Reason::kCaKey));
  for (const char* const text : {"credential:", "credential:../pin", "credential:a/b", "file:pin",
                                 "file:", "hunter2", "typed "}) {
    const absl::Status status = ParseSecretSource(text).status();
    EXPECT_THAT(status, HasCode(absl::StatusCode::kInvalidArgument)) << text;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
  }
  for (const char* const text : {"", "credential:pin", "file:/run/pin", "typed"}) {
    BG_ASSERT_OK_AND_ASSIGN(const SecretSource source, ParseSecretSource(text));
    EXPECT_EQ(Text(source), text);
  }
}

TEST_F(CaStepsTest, AFolderThatIsBrokenIsNamedAndTheOldStateStays) {
  Create();
  Open();
  BG_ASSERT_OK_AND_ASSIGN(const std::string good, ReadTextFile(scratch_.ca() + "/ca.toml", 65536));
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    EXPECT_NE(text.find(from), std::string::npos) << from;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& text :
       {std::string("not toml ="), replaced("lab-1", "a b"), replaced("\"hosts-1\"", "\"../x\""),
        replaced("state = \"active\"", "state = \"running\""),
        replaced("\"hosts-1\"", "\"hosts-7\""), replaced("under = \"root-1\"", "under = \"x\""),
        replaced("holder = \"file\"", "holder = \"paper\""),
        replaced("certificate = \"hosts-1.pem\"", "certificate = \"../../etc/passwd\""),
        replaced("signs = [\"aks\"]", "signs = [\"hosts\"]"), good + "\nfurther = 1\n"}) {
    ASSERT_THAT(WriteFileAtomically(scratch_.ca() + "/ca.toml", AsBytes(text), 0600), IsOk());
    const absl::Status opened = Authority::Open({scratch_.ca()}, kCaNow).status();
    EXPECT_FALSE(opened.ok()) << text;
    EXPECT_THAT(std::string(opened.message()), HasSubstr(scratch_.ca())) << opened;
    EXPECT_FALSE(authority_->Refresh(kCaNow).ok());
    EXPECT_THAT(authority_->Refresh(kCaNow), IsOk()) << "told once";
    Host();
  }
}

TEST_F(CaStepsTest, StepsDoNotCrossEachOther) {
  Create();
  BG_ASSERT_OK_AND_ASSIGN(const CaFolderLock lock, CaFolderLock::Take(scratch_.ca()));
  EXPECT_THAT(
      RotateCa(scratch_.ca(), CaUse::kHosts, std::nullopt, absl::Hours(24), kCaNow).status(),
      HasCode(absl::StatusCode::kAborted));
}

TEST_F(CaStepsTest, OperatorsAreReadBackWithTheirRoles) {
  Create();
  Open();
  BG_ASSERT_OK_AND_ASSIGN(
      const Bytes der,
      authority_->IssueOperator("alice", {"viewer", "security"}, key_, kCaNow, kTomorrow));
  BG_ASSERT_OK_AND_ASSIGN(const OperatorCertificate read, ReadOperatorCertificate(DerToPem(der)));
  EXPECT_EQ(read.name, "alice");
  EXPECT_THAT(read.roles, ::testing::ElementsAre("viewer", "security"));
  EXPECT_TRUE(authority_->MayIssue(CaUse::kOperators, read.issuer_key_id));
  EXPECT_THAT(ReadOperatorCertificate(DerToPem(Host())).status(), Refuses(Reason::kCertParse));
  using Roles = std::vector<std::string>;
  for (const auto& [name, roles] : {std::pair<std::string, Roles>{"", {"viewer"}},
                                    {"a/b", {"viewer"}},
                                    {"alice", {}},
                                    {"alice", {"View er"}},
                                    {"alice", Roles(17, "viewer")},
                                    {std::string(49, 'a'), {"viewer"}}}) {
    EXPECT_THAT(authority_->IssueOperator(name, roles, key_, kCaNow, kTomorrow).status(),
                HasCode(absl::StatusCode::kInvalidArgument))
        << name;
  }
}

TEST(CaRequest, OnlyItsOwnKeyMayHaveSignedIt) {
  const auto signer = [] {
    return *CertificateSigner::For(std::make_shared<const crypto::PrivateKey>(
        *crypto::PrivateKey::GenerateEc(crypto::Curve::kP256)));
  };
  BG_ASSERT_OK_AND_ASSIGN(const std::string pem, MakeCaRequest("Bootgate hosts", signer()));
  BG_ASSERT_OK_AND_ASSIGN(const CaRequest read, ReadCaRequest(pem));
  EXPECT_EQ(read.common_name, "Bootgate hosts");
  std::string changed = pem;
  changed[pem.size() / 2] = changed[pem.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(ReadCaRequest(changed).ok());
  for (const std::string& text : {std::string(), std::string("hello"), std::string(20000, 'x')}) {
    EXPECT_THAT(ReadCaRequest(text).status(), Refuses(Reason::kCa));
  }
}

// ---- going

TEST_F(CaStepsTest, ActivatingLeavesTheTrustBundleAsItIs) {
  Create();
  Open();
  ASSERT_THAT(
      RotateCa(scratch_.ca(), CaUse::kHosts, std::nullopt, absl::Hours(24), kCaNow).status(),
      IsOk());
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  const std::string prepared = authority_->trust_bundle()->pem;
  ASSERT_THAT(ActivateCa(scratch_.ca(), "hosts-2", kCaNow).status(), IsOk());
  ASSERT_THAT(authority_->Refresh(kCaNow), IsOk());
  EXPECT_EQ(authority_->trust_bundle()->pem, prepared);
}

TEST_F(CaStepsTest, ACaGoesWhenItHasExpiredAndNotBefore) {
  Create();
  EXPECT_THAT(RemoveCa(scratch_.ca(), "hosts-9", kCaNow).status(),
              HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(RemoveCa(scratch_.ca(), "hosts-1", kCaNow).status(), Refuses(Reason::kCa)) << "signs";
  ASSERT_THAT(
      RotateCa(scratch_.ca(), CaUse::kHosts, std::nullopt, absl::Hours(24 * 1000), kCaNow).status(),
      IsOk());
  ASSERT_THAT(ActivateCa(scratch_.ca(), "hosts-2", kCaNow).status(), IsOk());
  const absl::Status early = RemoveCa(scratch_.ca(), "hosts-1", kCaNow).status();
  EXPECT_THAT(early, Refuses(Reason::kCa));
  EXPECT_THAT(std::string(early.message()), HasSubstr("has not expired"));
  EXPECT_THAT(RemoveCa(scratch_.ca(), "root-1", kCaNow).status(), Refuses(Reason::kCa));

  const absl::Time later = kCaNow + absl::Hours(24 * 800);
  BG_ASSERT_OK_AND_ASSIGN(const CaStep gone, RemoveCa(scratch_.ca(), "hosts-1", later));
  EXPECT_EQ(gone.ca.id, "hosts-1");
  EXPECT_FALSE(FileExists(scratch_.ca() + "/hosts-1.pem"));
  EXPECT_FALSE(FileExists(scratch_.ca() + "/hosts-1.key"));
  EXPECT_TRUE(FileExists(scratch_.ca() + "/hosts-2.key"));
  BG_ASSERT_OK_AND_ASSIGN(const CaFolder folder, LoadCaFolder(scratch_.ca()));
  EXPECT_EQ(folder.Find("hosts-1"), nullptr);
  EXPECT_EQ(folder.NewId("hosts"), "hosts-3") << "the name does not come back";
}

TEST_F(CaStepsTest, ATaintedCaGoesWhenItHasExpiredAndARequestAtOnce) {
  Create();
  ASSERT_THAT(TaintCa(scratch_.ca(), "aks-1", "x", kCaNow).status(), IsOk());
  EXPECT_THAT(RemoveCa(scratch_.ca(), "aks-1", kCaNow).status(), Refuses(Reason::kCa));
  EXPECT_THAT(RemoveCa(scratch_.ca(), "aks-1", kCaNow + absl::Hours(24 * 800)), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const CaStep request,
                          RequestCa(scratch_.ca(), {CaUse::kAks}, std::nullopt, kCaNow));
  EXPECT_THAT(RemoveCa(scratch_.ca(), request.ca.id, kCaNow), IsOk());
  EXPECT_FALSE(FileExists(absl::StrCat(scratch_.ca(), "/", request.ca.id, ".key")));
}

// A request as it travels, for any key; nobody has signed it.
std::string RequestFor(const Bytes& spki) {
  const Bytes version = {0x02, 0x01, 0x00};
  const Bytes info =
      der::Sequence({version, NameDer("Bootgate", "hosts"), spki, Bytes{0xa0, 0x00}});
  const Bytes ecdsa_with_sha256 = der::Sequence({der::Oid({1, 2, 840, 10045, 4, 3, 2})});
  const Bytes request = der::Sequence({info, ecdsa_with_sha256, der::BitString(Bytes(64, 1))});
  return absl::StrCat("-----BEGIN CERTIFICATE REQUEST-----\n", absl::Base64Escape(AsText(request)),
                      "\n-----END CERTIFICATE REQUEST-----\n");
}

class WeakRequestTest : public ::testing::TestWithParam<WeakKey> {};

TEST_P(WeakRequestTest, A30_AWeakKeyIsRefusedInARequest) {
  const auto request = ReadCaRequest(RequestFor(GetParam().spki()));
  ASSERT_THAT(request.status(), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(std::string(request.status().message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(Keys, WeakRequestTest, ::testing::ValuesIn(AllWeakKeys()),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace bootgate::pki

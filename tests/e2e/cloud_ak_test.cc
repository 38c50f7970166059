// A host of a cloud: no EK certificate in its TPM, an attestation key with a certificate instead.
// Agent and gatekeeper are the real programs; the test plays the cloud that fills the TPM.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "agent/client/gatekeeper_client.h"
#include "agent/tpm/tpm.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/config/join_file.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/key_profile.h"
#include "gatekeeper/enroll/test_ca.h"
#include "tests/e2e/ends_with.h"
#include "tests/e2e/world.h"

namespace bootgate::e2e {
namespace {

using agent::tpm::AkKind;
using agent::tpm::Tpm;
using gatekeeper::enroll::TestCa;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using testing::Refuses;

constexpr size_t kMaxFile = size_t{1} << 20;
constexpr char kAzureHandle[] = "0x81000003";
constexpr char kAttestationKey[] =
    "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign";

// Where a cloud puts things.
struct Cloud {
  const char* name;
  AkKind kind;
  const char* certificate;   // NV index
  const char* key_template;  // NV index; empty: the key itself is persistent
};
constexpr Cloud kClouds[] = {
    {"GoogleEcc", AkKind::kGoogleEcc, "0x01c10002", "0x01c10003"},
    {"GoogleRsa", AkKind::kGoogleRsa, "0x01c10000", "0x01c10001"},
    {"Azure", AkKind::kAzure, "0x01c101d0", ""},
};
constexpr const Cloud& kGoogle = kClouds[0];
void PrintTo(const Cloud& row, std::ostream* os) { *os << row.name; }

void Edit(const std::string& path, const std::string& from, const std::string& to) {
  const absl::StatusOr<std::string> text = ReadTextFile(path, kMaxFile);
  ASSERT_THAT(text, IsOk());
  ASSERT_THAT(*text, HasSubstr(from)) << path;
  const std::string edited = absl::StrReplaceAll(*text, {{from, to}});
  ASSERT_THAT(WriteFileAtomically(path, AsBytes(edited), 0600), IsOk());
}

class CloudAkTest : public ::testing::TestWithParam<Cloud> {
 protected:
  CloudAkTest()
      : host_({.folder = scratch_.path() + "/host",
               .ca_folder = World::VendorFolder(),
               .install = true}),
        gatekeeper_({}) {
    // What a maker left: a cloud's vTPM has none of it.
    for (const char* const index : {"0x01c00002", "0x01c00016"}) {
      Tool({"tpm2_nvundefine", "-C", "p", index});
    }
    JudgeBySecureBootAndReference(gatekeeper_);
  }

  void Tool(std::vector<std::string> words) {
    words.insert(words.end(), {"-T", host_.desk().tcti()});
    EXPECT_THAT(RunProgram(words), Succeeds()) << words[0];
  }
  void WriteNv(const std::string& index, ByteView bytes) {
    const std::string file = scratch_.path() + "/nv";
    ASSERT_THAT(WriteFileAtomically(file, bytes, 0600), IsOk());
    Tool({"tpm2_nvdefine", index, "-C", "o", "-s", std::to_string(bytes.size()), "-a",
          "ownerread|authread|ownerwrite|authwrite"});
    Tool({"tpm2_nvwrite", index, "-C", "o", "-i", file});
  }
  // The key as its cloud makes it; what the certificate says is up to the test.
  tpm2::Public MakeKey(const Cloud& cloud) {
    if (cloud.kind == AkKind::kAzure) {
      const std::string file = scratch_.path() + "/key.ctx";
      Tool({"tpm2_createprimary", "-C", "o", "-g", "sha256", "-G", "rsa2048:rsassa-sha256:null",
            "-a", kAttestationKey, "-c", file});
      Tool({"tpm2_evictcontrol", "-C", "o", "-c", file, kAzureHandle});
    } else {
      WriteNv(cloud.key_template, tpm2::AkTemplateBytes(cloud.kind == AkKind::kGoogleEcc));
    }
    return PublicOf(cloud.kind);
  }
  tpm2::Public PublicOf(AkKind kind) {
    const auto tpm = Tpm::Open({.tcti = host_.desk().tcti()});
    return (*tpm)->AkPublic(kind).value();
  }
  void AkSource(const std::string& source) {
    Edit(host_.config_path(), "[tpm]\n", absl::StrCat("[tpm]\nak_source = \"", source, "\"\n"));
  }
  // Serves; `believes`: certificates of `cloud_` count for EK certificates.
  void Serve(bool believes = true) {
    if (believes) {
      Edit(gatekeeper_.folder() + "/gatekeeper.toml", "[ek]\n", "[ek]\ncloud_ak = true\n");
    }
    const std::string root = gatekeeper_.Beside("cloud.pem");
    ASSERT_THAT(WriteFileAtomically(root, AsBytes(cloud_.RootPem()), 0600), IsOk());
    gatekeeper_.Do({"ek", "root", "add", root, "--for", "ak", "--yes"});
    gatekeeper_.Start();
  }
  Ran Join() { return host_.Verb({"join", gatekeeper_.JoinFile("join")}); }
  // As `host list` names it.
  std::string OnlyHost() const {
    const std::string list = gatekeeper_.Do({"host", "list"});
    const size_t at = std::min(list.find("h-"), list.size());
    return list.substr(at, list.find_first_of(" \n", at) - at);
  }
  // The gatekeeper refused, and knows nobody.
  void ExpectRefused(const Ran& joined, Reason reason, const std::string& says) {
    EXPECT_NE(joined.exit_code, 0);
    EXPECT_THAT(joined.err, HasSubstr(std::string(Code(reason))));
    EXPECT_THAT(joined.err, HasSubstr(says));
    EXPECT_THAT(gatekeeper_.Do({"host", "list"}), Not(HasSubstr("h-")));
  }

  const desk::ScratchFolder scratch_;
  const TestCa cloud_{absl::Now()};
  AgentHost host_;
  Gatekeeper gatekeeper_;
};

using EveryCloud = CloudAkTest;
INSTANTIATE_TEST_SUITE_P(Clouds, EveryCloud, ::testing::ValuesIn(kClouds),
                         [](const auto& row) { return std::string(row.param.name); });

// "auto", as it is shipped: the TPM has no EK certificate.
TEST_P(EveryCloud, JoinsAttestsAndOpensItsCredentialWithTheCloudsKey) {
  WriteNv(GetParam().certificate, cloud_.AkCertificateFor(MakeKey(GetParam())));
  Serve();
  ASSERT_THAT(Join(), Succeeds());
  EXPECT_THAT(host_.Verb({"status"}).out, HasSubstr("the cloud's own"));
  ASSERT_THAT(host_.Verb({"attest"}), Succeeds());
  EXPECT_TRUE(host_.IsInstalled());
  EXPECT_THAT(gatekeeper_.Do({"host", "show", OnlyHost()}), HasSubstr("cloud-ak"));

  host_.Reboot("good");
  EXPECT_THAT(host_.Verb({"credential", "unseal", "--out", scratch_.path() + "/early"}),
              Succeeds());
  EXPECT_TRUE(FileExists(scratch_.path() + "/early/key.pem"));
  EXPECT_THAT(host_.Verb({"attest"}), Succeeds()) << "the same key after a reboot";
}

TEST_F(CloudAkTest, ABootThatIsNotBelievedOpensNothing) {
  WriteNv(kGoogle.certificate, cloud_.AkCertificateFor(MakeKey(kGoogle)));
  Serve();
  ASSERT_THAT(Join(), Succeeds());
  ASSERT_THAT(host_.Verb({"attest"}), Succeeds());
  host_.Reboot("secure-boot-off");
  EXPECT_NE(host_.Verb({"credential", "unseal", "--out", scratch_.path() + "/early"}).exit_code, 0);
  EXPECT_FALSE(FileExists(scratch_.path() + "/early/key.pem"));
  EXPECT_THAT(host_.Verb({"attest"}), EndsWith(ExitCode::kDenied));
}

TEST_F(CloudAkTest, CertificateOfAnotherCaIsRefused) {
  const TestCa stranger{absl::Now()};
  WriteNv(kGoogle.certificate, stranger.AkCertificateFor(MakeKey(kGoogle)));
  Serve();
  ExpectRefused(Join(), Reason::kAkChainUntrusted, "signature");
}

TEST_F(CloudAkTest, CertificateThatHasExpiredIsRefused) {
  WriteNv(kGoogle.certificate, cloud_.AkCertificateFor(MakeKey(kGoogle), -absl::Minutes(5)));
  Serve();
  ExpectRefused(Join(), Reason::kAkChainUntrusted, "is valid from");
}

// An honest agent finds it in its TPM, whatever the gatekeeper would say.
TEST_F(CloudAkTest, CertificateOfAnotherKeyIsNotShown) {
  MakeKey(kGoogle);
  WriteNv(kGoogle.certificate, cloud_.AkCertificateFor(PublicOf(AkKind::kRsa)));
  Serve();
  AkSource("cloud");
  ExpectRefused(Join(), Reason::kAkChainUntrusted, "is for another key");
}

TEST_F(CloudAkTest, A20_CertificateOfAnotherKeyIsRefusedByTheGatekeeper) {
  const tpm2::Public own = PublicOf(AkKind::kEcc), other = PublicOf(AkKind::kRsa);
  Serve();
  const auto text = ReadTextFile(gatekeeper_.JoinFile("join"), kMaxFile);
  ASSERT_THAT(text, IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const config::JoinFile file, config::ParseJoinFile(*text, "join"));
  BG_ASSERT_OK_AND_ASSIGN(const auto client, agent::Connect(gatekeeper_.Endpoint()));
  agent::JoinRequest request;
  request.token_id = file.token_id;
  request.token_secret = file.token_secret.Clone();
  {
    BG_ASSERT_OK_AND_ASSIGN(const auto tpm, Tpm::Open({.tcti = host_.desk().tcti()}));
    BG_ASSERT_OK_AND_ASSIGN(const auto ek, tpm->EkPublic(tpm2::EkTemplate::kRsa2048Low));
    request.ek_public = ek.Tpm2b();
  }
  request.ak_public = own.Tpm2b();
  request.ak_certificate = cloud_.AkCertificateFor(other);
  EXPECT_THAT(client->BeginEnrollment(request), Refuses(Reason::kAkChainUntrusted));
  request.ak_certificate = cloud_.AkCertificateFor(own);
  EXPECT_THAT(client->BeginEnrollment(request), IsOk()) << "nothing else was wrong";
}

// A token's approval is for TPMs that somebody vouches for.
TEST_F(CloudAkTest, WhereCloudsAreNotBelievedTheHostWaitsForAnOperator) {
  WriteNv(kGoogle.certificate, cloud_.AkCertificateFor(MakeKey(kGoogle)));
  Serve(/*believes=*/false);
  const Ran joined = Join();
  EXPECT_THAT(joined.out + joined.err, HasSubstr("approve"));
  host_.Verb({"attest"});
  EXPECT_FALSE(host_.IsInstalled());
}

TEST_F(CloudAkTest, WithoutACloudTheAgentThatInsistsSaysWhatToDo) {
  Serve();
  AkSource("cloud");
  const Ran joined = Join();
  EXPECT_NE(joined.exit_code, 0);
  EXPECT_THAT(joined.err, HasSubstr("set it to \"auto\" or \"own\""));
}

}  // namespace
}  // namespace bootgate::e2e

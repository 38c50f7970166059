// The agent's life on a host: joining, attesting, waiting, credentials, leaving.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "tests/e2e/ends_with.h"
#include "tests/e2e/eventually.h"
#include "tests/e2e/notify_socket.h"
#include "tests/e2e/world.h"

namespace bootgate::e2e {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using ::testing::StartsWith;

constexpr size_t kMaxFile = size_t{1} << 20;

std::string ReadText(const std::string& path) { return ReadTextFile(path, kMaxFile).value_or(""); }

bool Comes(const AgentHost& host, const std::string& phase) {
  return Eventually([&] { return host.Status("phase") == phase; });
}

// ---- run

TEST(AgentRun, TriesAgainUntilTheGatekeeperIsThereAndSaysSo) {
  World world({.install = true});
  ASSERT_THAT(world.Join(), Succeeds());
  ASSERT_EQ(world.gatekeeper.End(SIGTERM), 0);
  NotifySocket manager(world.scratch.path() + "/notify");
  const auto run = world.host.Run({manager.variable()});
  EXPECT_TRUE(manager.Hears("READY=1")) << "a service that waits for its gatekeeper has started";
  const auto failures = [&] {
    int count = 0;
    return absl::SimpleAtoi(world.host.Status("failures"), &count) ? count : 0;
  };
  ASSERT_TRUE(Eventually([&] { return failures() >= 3; })) << ReadText(world.host.log_path());
  EXPECT_EQ(world.host.Status("phase"), "gatekeeper unreachable");
  EXPECT_GE(world.host.Status("next_try_at"), world.host.Status("last_try_at"));
  const Ran status = world.host.Verb({"status"});
  EXPECT_THAT(status, Succeeds());
  EXPECT_THAT(status.out, HasSubstr("gatekeeper unreachable, since 2"));
  EXPECT_THAT(status.out, HasSubstr("next try:     2"));
  EXPECT_THAT(status.out, HasSubstr("backing off"));

  world.gatekeeper.Start();
  ASSERT_TRUE(Comes(world.host, "trusted")) << ReadText(world.host.log_path());
  EXPECT_EQ(world.host.Status("failures"), "0");
  EXPECT_TRUE(world.host.IsInstalled());
  const std::string verdict = world.host.Status("verdict");
  EXPECT_THAT(verdict, StartsWith("v-"));

  // It would attest again in ten minutes.
  run->Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return world.host.Status("verdict") != verdict; }));

  EXPECT_EQ(run->End(SIGTERM), 0);
  EXPECT_TRUE(manager.Hears("STOPPING=1"));
  EXPECT_FALSE(world.host.IsInstalled()) << "the key must not outlive the service";
  EXPECT_TRUE(world.host.HoldsSealed());
}

TEST(AgentRun, DenialTakesItsCredentialsAway) {
  World world({.install = true});
  ASSERT_THAT(world.Join(), Succeeds());
  const auto run = world.host.Run();
  ASSERT_TRUE(Comes(world.host, "trusted")) << ReadText(world.host.log_path());
  ASSERT_TRUE(world.host.IsInstalled());

  world.host.Reboot("secure-boot-off");
  run->Signal(SIGHUP);
  ASSERT_TRUE(Comes(world.host, "quarantined")) << ReadText(world.host.log_path());
  EXPECT_FALSE(world.host.IsInstalled());
  EXPECT_FALSE(world.host.HoldsSealed());
  const Ran status = world.host.Verb({"status"});
  EXPECT_THAT(status.out, HasSubstr("quarantined"));
  EXPECT_THAT(status.out, HasSubstr("SecureBoot"));
  EXPECT_EQ(run->End(SIGTERM), 0);
}

TEST(AgentRun, HostThatNeverJoinedIsToldHow) {
  World world;
  const Ran ran = world.host.Verb({"attest"});
  EXPECT_THAT(ran, EndsWith(ExitCode::kConflict));
  EXPECT_THAT(ran.err, HasSubstr("bootgate-agent join FILE"));
  EXPECT_EQ(world.host.Run()->Wait(), static_cast<int>(ExitCode::kConflict));
}

TEST(GatekeeperRun, TellsTheServiceManagerWhenItServesAndWhenItStops) {
  World world;
  ASSERT_EQ(world.gatekeeper.End(SIGTERM), 0);
  NotifySocket manager(world.scratch.path() + "/notify");
  world.gatekeeper.Start({manager.variable()});
  EXPECT_TRUE(manager.Hears("READY=1"));
  EXPECT_EQ(world.gatekeeper.End(SIGTERM), 0);
  EXPECT_TRUE(manager.Hears("STOPPING=1"));
}

// ---- join

class JoinTest : public ::testing::Test {
 protected:
  // The agent's answer to a join file in which `from` was replaced.
  Ran JoinWith(const std::string& from, const std::string& to) {
    const std::string file = world_.gatekeeper.JoinFile("changed");
    const std::string text = ReadText(file);
    EXPECT_THAT(text, HasSubstr(from));
    std::ofstream(file) << absl::StrReplaceAll(text, {{from, to}});
    return world_.host.Verb({"join", file});
  }

  World world_;
};

TEST_F(JoinTest, TokenIsGoodOnce) {
  const std::string file = world_.gatekeeper.JoinFile("once");
  EXPECT_THAT(world_.host.Verb({"join", file}), Succeeds());
  const Ran again = world_.host.Verb({"join", file});
  EXPECT_THAT(again, EndsWith(ExitCode::kRejected));
  EXPECT_THAT(again.err, HasSubstr("JOIN_TOKEN_USED"));
  EXPECT_THAT(again.err, HasSubstr("join-token create"));
}

// Whoever can write it can name another gatekeeper; whoever can read it can join with it.
TEST_F(JoinTest, AFileThatOthersMayWriteIsRefusedAndOneTheyMayReadIsTold) {
  const std::string file = world_.gatekeeper.JoinFile("open");
  ASSERT_EQ(chmod(file.c_str(), 0662), 0);
  const Ran written = world_.host.Verb({"join", file});
  EXPECT_THAT(written, EndsWith(ExitCode::kConflict));
  EXPECT_THAT(written.err, HasSubstr("may be written by others"));
  EXPECT_THAT(world_.host.Verb({"status"}), EndsWith(ExitCode::kConflict)) << "nothing was joined";
  ASSERT_EQ(chmod(file.c_str(), 0644), 0);
  const Ran read = world_.host.Verb({"join", file});
  EXPECT_THAT(read, Succeeds());
  EXPECT_THAT(read.err, HasSubstr("warning: others may read"));
}

TEST_F(JoinTest, WrongSecretIsAnUnknownToken) {
  const Ran ran = JoinWith("token_secret = \"", "token_secret = \"00");
  EXPECT_THAT(ran, EndsWith(ExitCode::kRejected));
  EXPECT_THAT(ran.err, HasSubstr("JOIN_TOKEN_UNKNOWN"));
}

TEST_F(JoinTest, ExpiredTokenIsRefused) {
  const std::string file = world_.gatekeeper.Beside("expired.join");
  world_.gatekeeper.Do({"join-token", "create", "--out", file, "--ttl", "1ms", "--address",
                        world_.gatekeeper.address()});
  const Ran ran = world_.host.Verb({"join", file});
  EXPECT_THAT(ran, EndsWith(ExitCode::kRejected));
  EXPECT_THAT(ran.err, HasSubstr("JOIN_TOKEN_EXPIRED"));
}

TEST_F(JoinTest, GatekeeperMustProveThatItIsTheOneOfTheJoinFile) {
  const std::string ours = ReadText(world_.gatekeeper.folder() + "/ca/root.pem");
  const std::string another = ReadText(desk::RootCertificatePath(World::VendorFolder()));
  ASSERT_FALSE(another.empty());
  const Ran ran = JoinWith(ours, another);
  EXPECT_THAT(ran, EndsWith(ExitCode::kNotAuthorised));
  EXPECT_THAT(ran.err, HasSubstr("SERVER_AUTH"));
  EXPECT_THAT(world_.host.Verb({"status"}), EndsWith(ExitCode::kConflict)) << "nothing was joined";
}

TEST_F(JoinTest, NameInTheServersCertificateCounts) {
  const Ran ran = JoinWith("server_name = \"\"", "server_name = \"another.example\"");
  EXPECT_THAT(ran, EndsWith(ExitCode::kNotAuthorised));
  EXPECT_THAT(ran.err, HasSubstr("SERVER_AUTH"));
}

TEST_F(JoinTest, NobodyThereIsSaidSo) {
  ASSERT_EQ(world_.gatekeeper.End(SIGTERM), 0);
  const Ran ran = world_.Join();
  EXPECT_THAT(ran, EndsWith(ExitCode::kUnreachable));
  EXPECT_THAT(ran.err, HasSubstr(world_.gatekeeper.address()));
}

TEST_F(JoinTest, UnknownKeyInTheConfigurationNamesTheNearest) {
  std::ofstream(world_.host.config_path(), std::ios::app) << "frist = \"1s\"\n";
  const Ran ran = world_.Join();
  EXPECT_THAT(ran, EndsWith(ExitCode::kUsage));
  EXPECT_THAT(ran.err, HasSubstr("did you mean retry.first?"));
}

// ---- evidence in files

TEST(EvidenceExport, IsWhatTheOfflineVerifierAndTpm2ToolsAccept) {
  World world;
  const std::string folder = world.scratch.path() + "/evidence", nonce = "0102030405060708";
  ASSERT_THAT(world.host.Verb({"evidence", "export", folder, "--nonce", nonce}), Succeeds());
  const std::string reference = world.scratch.path() + "/learned.json";
  const std::string gatekeeper = Program("bootgate-gatekeeper");
  EXPECT_THAT(
      RunProgram({gatekeeper, "reference", "learn", "--evidence", folder, "--out", reference}),
      Succeeds());
  for (const char* quote : {"sha256", "sha384", "all", "ecc"}) {
    const Ran ran =
        RunProgram({gatekeeper, "evidence", "verify", folder, "--quote", quote, "--policy",
                    testing::SourcePath("deploy/policies/baseline.policy"), "--reference",
                    reference, "--ek-root", desk::RootCertificatePath(World::VendorFolder()),
                    "--ek-root", desk::IssuerCertificatePath(World::VendorFolder())});
    EXPECT_THAT(ran, Succeeds()) << quote;
    EXPECT_THAT(ran.out, StartsWith("ADMIT")) << quote;
  }
  EXPECT_THAT(
      RunProgram({"tpm2_checkquote", "-u", folder + "/ak.pub", "-m", folder + "/quote-sha256.msg",
                  "-s", folder + "/quote-sha256.sig", "-g", "sha256", "-q", nonce}),
      Succeeds());
  // The same tool finds a nonce that was not asked for.
  EXPECT_THAT(
      RunProgram({"tpm2_checkquote", "-u", folder + "/ak.pub", "-m", folder + "/quote-sha256.msg",
                  "-s", folder + "/quote-sha256.sig", "-g", "sha256", "-q", "ff"}),
      Not(Succeeds()));
}

// ---- credentials

std::string CertificateIn(const AgentHost& host) {
  return ReadText(host.runtime_folder() + "/cert.pem");
}

TEST(Credential, WithACapIsUnsealedOncePerBoot) {
  World world({.cap_register = 13}, "\n[credential]\ncap_register = 13\n");
  ASSERT_THAT(world.Join(), Succeeds());
  ASSERT_THAT(world.host.Verb({"attest"}), Succeeds());
  EXPECT_THAT(world.host.Verb({"credential", "unseal"}), Succeeds());
  const Ran again = world.host.Verb({"credential", "unseal"});
  EXPECT_THAT(again, EndsWith(ExitCode::kTpm));
  EXPECT_THAT(again.err, HasSubstr("TPM_POLICY"));
  // The host that capped is as good as before; it is only given nothing that it could not open.
  const Ran attested = world.host.Verb({"attest"});
  EXPECT_THAT(attested, Succeeds());
  EXPECT_THAT(attested.out, HasSubstr("no sealed credential: SEAL_STATE_MOVED"));

  world.host.Reboot("good");
  EXPECT_THAT(world.host.Verb({"attest"}), Succeeds());
  EXPECT_THAT(world.host.Verb({"credential", "unseal"}), Succeeds());
}

TEST(Credential, OfOneHostDoesNotOpenOnAnother) {
  World world;
  ASSERT_THAT(world.Join(), Succeeds());
  ASSERT_THAT(world.host.Verb({"attest"}), Succeeds());
  const AgentHost thief = world.NewHost("thief");
  ASSERT_THAT(world.Join(thief), Succeeds());
  std::filesystem::copy(world.host.state_folder() + "/credential.json", thief.state_folder());
  EXPECT_THAT(thief.Verb({"credential", "unseal"}), EndsWith(ExitCode::kTpm));
  // Nor with all that the other agent keeps.
  std::filesystem::copy(
      world.host.state_folder(), thief.state_folder(),
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  const Ran ran = thief.Verb({"credential", "unseal"});
  EXPECT_THAT(ran, Not(Succeeds()));
  EXPECT_THAT(ran.err, HasSubstr("TPM_REPLACED"));
  EXPECT_FALSE(thief.IsInstalled());
  EXPECT_THAT(world.host.Verb({"credential", "unseal"}), Succeeds());
}

TEST(Credential, QuarantineOutlivesAGoodReboot) {
  World world({.boot = "secure-boot-off"});
  ASSERT_THAT(world.Join(), Succeeds());
  ASSERT_THAT(world.host.Verb({"attest"}), EndsWith(ExitCode::kDenied));
  world.host.Reboot("good");
  const Ran ran = world.host.Verb({"attest"});
  EXPECT_THAT(ran, EndsWith(ExitCode::kDenied));
  EXPECT_THAT(ran.out, HasSubstr("quarantined"));
  EXPECT_FALSE(world.host.HoldsSealed());
  EXPECT_THAT(world.host.Verb({"credential", "unseal"}), Not(Succeeds()));
}

struct KeyKinds {
  const char *name, *ak, *ek;
};
void PrintTo(const KeyKinds& row, std::ostream* os) { *os << row.name; }
class KeyKindsTest : public ::testing::TestWithParam<KeyKinds> {};

TEST_P(KeyKindsTest, JoinAttestAndUnseal) {
  World world({.ak = GetParam().ak, .ek = GetParam().ek});
  ASSERT_THAT(world.Join(), Succeeds());
  EXPECT_THAT(world.host.Verb({"attest"}), Succeeds());
  EXPECT_THAT(world.host.Verb({"credential", "unseal"}), Succeeds());
  EXPECT_THAT(CertificateIn(world.host), HasSubstr("BEGIN CERTIFICATE"));
}

INSTANTIATE_TEST_SUITE_P(Keys, KeyKindsTest,
                         ::testing::Values(KeyKinds{"RsaEkEccAk", "ecc", "rsa"},
                                           KeyKinds{"RsaEkRsaAk", "rsa", "rsa"},
                                           KeyKinds{"P384EkEccAk", "ecc", "ecc"},
                                           KeyKinds{"P384EkRsaAk", "rsa", "ecc"}),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace bootgate::e2e

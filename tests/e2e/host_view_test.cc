// What a host learns of itself: at once when it is cut off, in words when it asks, and beforehand
// whether it would pass.
#include <signal.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/sanitizer.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "tests/e2e/ends_with.h"
#include "tests/e2e/eventually.h"
#include "tests/e2e/world.h"

namespace bootgate::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

constexpr size_t kMaxFile = size_t{1} << 20;
const absl::Duration kPromise = absl::Seconds(testing::kAddressSanitizer ? 10 : 1);

std::string ReadText(const std::string& path) { return ReadTextFile(path, kMaxFile).value_or(""); }

nlohmann::json StatusOf(const AgentHost& host) {
  return nlohmann::json::parse(host.Verb({"status", "-o", "json"}).out, nullptr, false);
}

// As an operator's verb does it, in another process than the gatekeeper's.
void Quarantine(const Gatekeeper& at, const std::string& host_id) {
  namespace store = gatekeeper::store;
  const auto opened = store::OpenSqlite({.path = at.store_path()}).value();
  store::Commit commit;
  commit.host = opened->GetHost(host_id).value();
  commit.host->trust = gatekeeper::host::Trust::kQuarantined;
  commit.host->trust_since = absl::Now();
  commit.host->shut_out_by = "operator alice";
  commit.host->why = "do not tell the intruder";
  commit.revoke_host_credentials = true;
  store::AuditRow row;
  row.at = absl::Now();
  row.actor = "operator alice";
  row.action = "quarantine.add";
  row.subject = host_id;
  row.detail_json = "{}";
  commit.audit.push_back(row);
  ASSERT_THAT(opened->Apply(commit), IsOk());
}

// A80, with the real programs: from an operator's commit to a host without a credential.
TEST(HostView, A80_AQuarantineTakesTheCredentialFromTheHostWithinASecond) {
  World world({.install = true});
  ASSERT_THAT(world.Join(), Succeeds());
  const auto run = world.host.Run();
  ASSERT_TRUE(Eventually([&] {
    const nlohmann::json status = StatusOf(world.host);
    return status.is_object() && status.value("phase", "") == "trusted" &&
           status.value("listens", false);
  })) << ReadText(world.host.log_path());
  ASSERT_TRUE(world.host.IsInstalled());
  ASSERT_THAT(world.host.Verb({"status"}), Succeeds());

  Quarantine(world.gatekeeper, world.host.id());
  const absl::Time decided = absl::Now();
  ASSERT_TRUE(Eventually([&] { return !world.host.IsInstalled() && !world.host.HoldsSealed(); }))
      << ReadText(world.host.log_path());
  const absl::Duration took = absl::Now() - decided;
  std::cout << "commit to an empty host: " << took << "\n";
  EXPECT_LT(took, kPromise);

  // It has asked what became of it, and says so.
  ASSERT_TRUE(Eventually([&] { return world.host.Status("phase") == "quarantined"; }))
      << ReadText(world.host.log_path());
  const Ran status = world.host.Verb({"status"});
  EXPECT_THAT(status, EndsWith(ExitCode::kDenied));
  EXPECT_THAT(status.out,
              AllOf(HasSubstr("trust:        quarantined, since 2"),
                    HasSubstr("OPERATOR_QUARANTINE"), HasSubstr("after release: reboot"),
                    Not(HasSubstr("alice")), Not(HasSubstr("intruder"))));
  EXPECT_EQ(run->End(SIGTERM), 0);
}

class Selftest : public ::testing::Test {
 protected:
  static Ran Run(const AgentHost& host, std::vector<std::string> more) {
    std::vector<std::string> arguments = {"selftest"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return host.Verb(arguments);
  }
  AgentHost NewHost(const std::string& boot) {
    return AgentHost(
        {.folder = scratch_.path() + "/" + boot, .ca_folder = World::VendorFolder(), .boot = boot});
  }
  std::string File(const std::string& name, const std::string& text) {
    const std::string path = scratch_.path() + "/" + name;
    EXPECT_THAT(WriteFileAtomically(path, AsBytes(text), 0644), IsOk());
    return path;
  }

  const std::string policy_ = testing::SourcePath("deploy/policies/secure-boot.policy");
  const desk::ScratchFolder scratch_;
};

TEST_F(Selftest, TellsAHostThatWouldPassSo) {
  const AgentHost host = NewHost("good");
  const Ran ran = Run(host, {"--policy", policy_});
  EXPECT_THAT(ran, Succeeds());
  EXPECT_THAT(ran.out, AllOf(HasSubstr("ADMIT: this host would pass"),
                             HasSubstr("not checked here"), HasSubstr("whose TPM this is")));
  EXPECT_EQ(host.Status("host"), "") << "nothing was joined, nothing is left";
}

TEST_F(Selftest, TellsWhatWouldFail) {
  const AgentHost host = NewHost("secure-boot-off");
  const Ran ran = Run(host, {"--policy", policy_, "-o", "json"});
  EXPECT_THAT(ran, EndsWith(ExitCode::kDenied));
  const auto json = nlohmann::json::parse(ran.out, nullptr, false);
  ASSERT_TRUE(json.is_object()) << ran.out;
  EXPECT_FALSE(json["would_pass"].get<bool>());
  EXPECT_FALSE(json["findings"].empty());
}

TEST_F(Selftest, BadFilesAreNamedWithLineAndColumn) {
  const AgentHost host = NewHost("good");
  const Ran bad = Run(
      host, {"--policy", File("bad.policy", "version= 1.2;\nauthorizationrules {\n  =>\n};\n")});
  EXPECT_THAT(bad, EndsWith(ExitCode::kUsage));
  EXPECT_THAT(bad.err, HasSubstr("bad.policy:4:1: syntax"));
  const Ran missing = Run(host, {"--policy", scratch_.path() + "/none"});
  EXPECT_THAT(missing, EndsWith(ExitCode::kUsage));
  EXPECT_THAT(missing.err, HasSubstr("none"));
  const Ran reference = Run(host, {"--policy", policy_, "--reference", File("r.json", "{")});
  EXPECT_THAT(reference, EndsWith(ExitCode::kUsage));
  EXPECT_THAT(reference.err, HasSubstr("r.json"));
  const Ran set = Run(host, {"--policy", policy_, "--set", File("s.imaset", "no set")});
  EXPECT_THAT(set, EndsWith(ExitCode::kUsage));
  EXPECT_THAT(set.err, HasSubstr("s.imaset"));
  EXPECT_THAT(Run(host, {"--policy", policy_, "--selection", "sha257:1"}),
              EndsWith(ExitCode::kUsage));
  EXPECT_THAT(Run(host, {}), EndsWith(ExitCode::kUsage)) << "a policy is asked for";
}

TEST_F(Selftest, WithoutATpmSaysSo) {
  const std::string config =
      File("agent.toml", absl::StrCat("[tpm]\ntcti = \"device:", scratch_.path(), "/no-tpm\"\n"));
  EXPECT_THAT(
      RunProgram({Program("bootgate-agent"), "selftest", "--policy", policy_, "--config", config}),
      EndsWith(ExitCode::kTpm));
}

}  // namespace
}  // namespace bootgate::e2e

// A policy on its way over a fleet that another process, the gatekeeper, judges meanwhile: each
// step is a verb of its own on the store that both share.
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/files.h"
#include "common/config/join_file.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "tests/e2e/ends_with.h"
#include "tests/e2e/gatekeeper.h"
#include "tests/gate/soft_host.h"

namespace bootgate::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using Json = nlohmann::json;
using enum ExitCode;

constexpr char kPermitAll[] = "version=1.0;\nauthorizationrules { => permit(); };\n";
constexpr char kStrict[] =
    "version=1.0;\nauthorizationrules {\n  [type==\"secureBootEnabled\", value==true] => "
    "permit();\n};\n";

class RolloutTest : public ::testing::Test {
 protected:
  RolloutTest() : vendor_(absl::Now()), gatekeeper_({Write("root.pem", vendor_.RootPem())}) {
    gatekeeper_.Do({"policy", "activate", Write("fleet.policy", kPermitAll)});
    gatekeeper_.Start();
  }
  ~RolloutTest() override { gatekeeper_.End(SIGTERM); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(scratch_.path() + "/" + name) << text;
    return scratch_.path() + "/" + name;
  }
  gate::SoftHost Joined(const std::string& boot) {
    gate::SoftHost host(vendor_, gate::LoadCase(boot));
    const std::string file = gatekeeper_.JoinFile(absl::StrCat("join-", ++joins_));
    const auto join = config::ParseJoinFile(ReadTextFile(file, 1 << 20).value(), file).value();
    EXPECT_THAT(
        host.Join(*Connect(), {join.token_id, std::string(AsText(join.token_secret.view()))}),
        IsOk());
    return host;
  }
  std::unique_ptr<agent::GatekeeperClient> Connect() const {
    return agent::Connect(gatekeeper_.Endpoint()).value();
  }
  std::string Outcome(gate::SoftHost& host) const {
    const absl::StatusOr<agent::AttestAnswer> answer = host.Attest(*Connect());
    EXPECT_THAT(answer, IsOk());
    return answer.ok() ? answer->outcome : "";
  }
  Json Diff() const {
    return Json::parse(gatekeeper_.Do({"policy", "diff", "-o", "json"}), nullptr, false).at(0);
  }

  const desk::ScratchFolder scratch_;
  const gatekeeper::enroll::TestCa vendor_;
  Gatekeeper gatekeeper_;
  int joins_ = 0;
};

TEST_F(RolloutTest, EveryStepIsSeenByTheRunningGatekeeperAtOnce) {
  gate::SoftHost good = Joined("good"), off = Joined("secure-boot-off");
  EXPECT_EQ(Outcome(good), "ADMIT");
  EXPECT_EQ(Outcome(off), "ADMIT");

  const std::string strict = Write("fleet.policy", kStrict);
  EXPECT_THAT(gatekeeper_.Verb({"policy", "plan", strict, "--fleet"}), EndsWith(kDenied));
  EXPECT_THAT(gatekeeper_.Do({"policy", "push", strict}), HasSubstr("fleet@2"));
  gatekeeper_.Do({"policy", "activate", "fleet@2", "--mode", "report"});
  EXPECT_EQ(Outcome(good), "ADMIT");
  EXPECT_EQ(Outcome(off), "ADMIT");
  const Json diff = Diff();
  EXPECT_EQ(diff.at("hosts"), 2);
  EXPECT_EQ(diff.at("same"), 1);
  EXPECT_EQ(diff.at("to_deny").at(0).at("host"), off.id());

  EXPECT_THAT(gatekeeper_.Verb({"policy", "activate", "fleet"}), EndsWith(kConflict));
  EXPECT_EQ(Outcome(off), "ADMIT");
  gatekeeper_.Do({"policy", "activate", "fleet", "--accept-changes", "1"});
  EXPECT_EQ(Outcome(good), "ADMIT");
  EXPECT_EQ(Outcome(off), "DENY");
  EXPECT_THAT(gatekeeper_.Do({"quarantine", "list"}), HasSubstr(off.id()));

  gatekeeper_.Do({"policy", "rollback", "--reason", "test"});
  gate::SoftHost late = Joined("secure-boot-off");
  EXPECT_EQ(Outcome(late), "ADMIT");
  EXPECT_THAT(gatekeeper_.Do({"policy", "list"}),
              AllOf(HasSubstr("roll-back"), HasSubstr("fleet@1")));
}

TEST_F(RolloutTest, HostsOfALabelGoFirst) {
  gate::SoftHost host = Joined("secure-boot-off");
  const std::string id = host.id();
  gatekeeper_.Do({"policy", "activate", Write("canary.policy", kStrict), "--for", "ring=canary"});
  EXPECT_EQ(Outcome(host), "ADMIT") << "it does not bear the label";
  EXPECT_THAT(gatekeeper_.Verb({"policy", "rollback", "--reason", "x", "--for", "ring=none"}),
              EndsWith(kConflict));
  EXPECT_THAT(gatekeeper_.Do({"policy", "rollback", "--reason", "x", "--for", "ring=canary"}),
              HasSubstr("not enforced any more"));
}

TEST_F(RolloutTest, UsageIsToldBeforeAnythingIsDone) {
  const std::string before = gatekeeper_.Do({"policy", "list", "-o", "json"});
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {"policy", "activate", "fleet", "--mode", "maybe"},
           {"policy", "activate", "fleet", "--accept-changes", "-1"},
           {"policy", "activate", "fleet", "--force"},
           {"policy", "rollback"},
           {"policy", "plan", Write("p.policy", kStrict)},
           {"policy", "push", Write("p.policy", kStrict), "--name", "a b"}}) {
    EXPECT_THAT(gatekeeper_.Verb(line), EndsWith(kUsage)) << line.back();
  }
  EXPECT_THAT(gatekeeper_.Verb({"policy", "activate", "nothing"}), EndsWith(kNotFound));
  EXPECT_THAT(gatekeeper_.Verb({"policy", "show", "fleet@7"}), EndsWith(kNotFound));
  EXPECT_EQ(gatekeeper_.Do({"policy", "list", "-o", "json"}), before);
}

}  // namespace
}  // namespace bootgate::e2e

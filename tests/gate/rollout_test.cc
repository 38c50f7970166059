// A policy on its way over a fleet: reported on, counted, enforced, taken back; judged by the whole
// admission, moved by the operator's verbs.
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/cli/policy_activate.h"
#include "gatekeeper/cli/policy_diff.h"
#include "gmock/gmock.h"
#include "tests/gate/gate.h"

namespace bootgate::gate {
namespace {

namespace cli = gatekeeper::cli;
using gatekeeper::host::Trust;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using Json = nlohmann::json;

constexpr char kPermitAll[] = "version=1.0;\nauthorizationrules { => permit(); };\n";
constexpr char kReadsEvents[] =
    "version=1.0;\nauthorizationrules { [type==\"events\"] => permit(); };\n";

struct Told {
  ExitCode code;
  std::string out, err;
};

class Rollout : public ::testing::Test {
 protected:
  static GateOptions Lenient() {
    GateOptions options;
    options.policy = kPermitAll;
    return options;
  }

  Told Run(const std::function<ExitCode(const cli::Operator&)>& verb,
           cli::OutputFormat format = cli::OutputFormat::kTable) {
    std::ostringstream out, err;
    const ExitCode code = verb({.store = *gate.store,
                                .clock = gate.clock,
                                .actor = "operator test",
                                .format = format,
                                .out = out,
                                .err = err});
    return {code, out.str(), err.str()};
  }
  Told Activate(const std::string& text, cli::PolicyMode mode, int64_t accept = 0) {
    const std::string file = gate.folder + "/next.policy";
    std::ofstream(file) << text;
    return Run([&](const cli::Operator& op) {
      return cli::PolicyActivate(op, {.policy = file, .mode = mode, .accept_changes = accept});
    });
  }
  Json Diff() {
    const Told told = Run([](const cli::Operator& op) { return cli::PolicyDiff(op, std::nullopt); },
                          cli::OutputFormat::kJson);
    EXPECT_EQ(told.code, ExitCode::kSuccess) << told.err;
    return Json::parse(told.out, nullptr, false).at(0);
  }
  std::string Outcome(SoftHost& host) {
    const absl::StatusOr<agent::AttestAnswer> answer = host.Attest(*gate.Direct());
    EXPECT_THAT(answer, IsOk());
    return answer.ok() ? answer->outcome : "";
  }
  Json LastVerdict(const SoftHost& host) {
    const std::string id = gate.Host(host.id()).last_verdict_id;
    return Json::parse(gate.store->GetVerdict(id)->body_json);
  }

  Gate gate{Lenient()};
};

TEST_F(Rollout, FleetIsReportedOnThenEnforcedThenTakenBack) {
  SoftHost first = gate.NewHost(), second = gate.NewHost(), off = gate.NewHost("secure-boot-off");
  for (SoftHost* host : {&first, &second, &off}) ASSERT_EQ(Outcome(*host), "ADMIT");

  ASSERT_EQ(Activate(kSecureBootPolicy, cli::PolicyMode::kReport).code, ExitCode::kSuccess);
  EXPECT_EQ(Diff().at("not_compared").size(), 3u);
  for (SoftHost* host : {&first, &off}) {
    BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, host->Attest(*gate.Direct()));
    EXPECT_EQ(answer.outcome, "ADMIT");
    EXPECT_FALSE(answer.tpm_key.certificate.empty()) << "a report has no effect";
    EXPECT_EQ(gate.TrustOf(host->id()), Trust::kTrusted);
  }
  const Json diff = Diff();
  EXPECT_EQ(diff.at("same"), 1);
  EXPECT_EQ(diff.at("not_compared").size(), 1u);
  ASSERT_EQ(diff.at("to_deny").size(), 1u);
  EXPECT_EQ(diff.at("to_deny").at(0).at("host"), off.id());
  EXPECT_EQ(diff.at("to_deny").at(0).at("codes").at(0), "POLICY_NOT_PERMITTED");
  EXPECT_TRUE(gate.store->ListIncidents("")->empty());

  EXPECT_THAT(Activate(kSecureBootPolicy, cli::PolicyMode::kEnforce).err,
              HasSubstr("POLICY_WOULD_DENY"));
  EXPECT_EQ(Outcome(off), "ADMIT");
  const Told enforced = Activate(kSecureBootPolicy, cli::PolicyMode::kEnforce, 1);
  EXPECT_EQ(enforced.code, ExitCode::kSuccess) << enforced.err;
  EXPECT_EQ(Outcome(first), "ADMIT");
  EXPECT_EQ(Outcome(second), "ADMIT");
  EXPECT_EQ(Outcome(off), "DENY");
  EXPECT_EQ(gate.TrustOf(off.id()), Trust::kQuarantined);
  EXPECT_FALSE(LastVerdict(first).contains("report")) << "what is enforced is not reported on";

  // Back: whoever is quarantined stays so, and nobody else will be.
  SoftHost late = gate.NewHost("secure-boot-off");
  EXPECT_EQ(Run([](const cli::Operator& op) {
              return cli::PolicyRollback(op, {.selector = "", .reason = "test"});
            }).code,
            ExitCode::kSuccess);
  EXPECT_EQ(Outcome(late), "ADMIT");
  EXPECT_EQ(gate.TrustOf(off.id()), Trust::kQuarantined);
}

TEST_F(Rollout, A83_WithoutAPolicyEveryHostIsDenied) {
  GateOptions options;
  options.policy = "";
  Gate empty(options);
  SoftHost host = empty.NewHost();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, host.Attest(*empty.Direct()));
  EXPECT_EQ(answer.outcome, "DENY");
  ASSERT_FALSE(answer.findings.empty());
  EXPECT_EQ(answer.findings.front().code, "NO_POLICY");
}

// The list is followed on; a candidate does not make every host send everything anew.
TEST_F(Rollout, ReportingOnAPolicyDoesNotMoveTheImaCursor) {
  SoftHost host = gate.NewHost();
  host.sends_only_new = true;
  ASSERT_EQ(Outcome(host), "ADMIT");
  const auto known = gate.Host(host.id()).ima_cursor;
  ASSERT_TRUE(known.has_value());
  ASSERT_EQ(Activate(kSecureBootPolicy, cli::PolicyMode::kReport).code, ExitCode::kSuccess);
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge challenge, host.Ask(*gate.Direct()));
  EXPECT_EQ(challenge.ima_first_entry, known->progress.entries);
  ASSERT_THAT(gate.Direct()->Submit(host.Answer(challenge)), IsOk());
  EXPECT_EQ(gate.Host(host.id()).ima_cursor->rules, known->rules);
  EXPECT_EQ(LastVerdict(host).at("report").at("outcome"), "ADMIT");
}

TEST_F(Rollout, WhatReadsEventsSeesWholeListsOrSaysWhatWasMissing) {
  SoftHost host = gate.NewHost();
  host.sends_only_new = true;
  ASSERT_EQ(Outcome(host), "ADMIT");
  // Asked before the policy was there, answered after.
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge asked, host.Ask(*gate.Direct()));
  ASSERT_GT(asked.ima_first_entry, 0u);
  ASSERT_EQ(Activate(kReadsEvents, cli::PolicyMode::kReport).code, ExitCode::kSuccess);
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer,
                          gate.Direct()->Submit(host.Answer(asked)));
  EXPECT_EQ(answer.outcome, "ADMIT");
  EXPECT_THAT(LastVerdict(host).at("report").dump(),
              AllOf(HasSubstr("IMA entries in the events claim"), HasSubstr("ADMIT")));
  EXPECT_EQ(LastVerdict(host).dump().find("\"type\":\"events\""), std::string::npos)
      << "made for the report alone";

  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge next, host.Ask(*gate.Direct()));
  EXPECT_EQ(next.ima_first_entry, 0u);
  ASSERT_THAT(gate.Direct()->Submit(host.Answer(next)), IsOk());
  EXPECT_TRUE(LastVerdict(host).at("report").at("not_checked").empty());
}

}  // namespace
}  // namespace bootgate::gate

// Policies as an operator manages them: versions, two steps, back, plans, signers. On a real store
// with hosts whose verdicts are made.
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/testing/corpus.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/cli/documents.h"
#include "gatekeeper/cli/policy_activate.h"
#include "gatekeeper/cli/policy_diff.h"
#include "gatekeeper/cli/policy_list.h"
#include "gatekeeper/cli/policy_plan.h"
#include "gatekeeper/cli/policy_signers.h"
#include "gatekeeper/cli/policy_upload.h"
#include "gatekeeper/rollout/made_signer_test.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using Json = nlohmann::json;

constexpr char kGood[] =
    R"({"type":"secureBootEnabled","value":true,"issuer":"AttestationService"})";
constexpr char kOff[] =
    R"({"type":"secureBootEnabled","value":false,"issuer":"AttestationService"})";

std::string Permits(const std::string& condition, const std::string& comment = "") {
  return absl::StrCat("// ", comment, "\nversion=1.2;\nauthorizationrules {\n", condition,
                      " => permit();\n};\n");
}
const std::string kSecure = R"([type=="secureBootEnabled", value==true])";

struct Ran {
  ExitCode code = ExitCode::kInternal;
  std::string out, err;
};

class Rollout : public ::testing::Test {
 protected:
  Rollout() : clock_(rollout::SignerTime()) {
    std::string pattern = ::testing::TempDir() + "/rollout.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    store_ = store::OpenSqlite({.path = folder_ + "/s.db", .create = true}).value();
  }
  ~Rollout() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string File(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    return folder_ + "/" + name;
  }
  Ran Run(const std::function<ExitCode(const Operator&)>& verb,
          OutputFormat format = OutputFormat::kTable) {
    std::ostringstream out, err;
    const Operator op{.store = *store_,
                      .clock = clock_,
                      .actor = "operator test",
                      .format = format,
                      .out = out,
                      .err = err};
    Ran ran;
    ran.code = verb(op);
    ran.out = out.str();
    ran.err = err.str();
    return ran;
  }
  Ran Push(const std::string& file, const std::string& name = "", const Force& force = {}) {
    return Run([&](const Operator& op) {
      return PolicyPush(op, {.file = file, .name = name, .force = force});
    });
  }
  Ran Activate(const PolicyActivateOptions& options) {
    return Run([&](const Operator& op) { return PolicyActivate(op, options); });
  }
  Ran Enforce(const std::string& policy, const Force& force = {}) {
    return Activate({.policy = policy, .force = force});
  }
  Ran Report(const std::string& policy, const std::string& selector = "") {
    return Activate({.policy = policy, .selector = selector, .mode = PolicyMode::kReport});
  }
  Ran Rollback(const std::string& reason, const std::string& selector = "") {
    return Run([&](const Operator& op) {
      return PolicyRollback(op, {.selector = selector, .reason = reason});
    });
  }
  Json List() { return Json::parse(Run(PolicyList, OutputFormat::kJson).out); }
  // "NAME@VERSION" of what is enforced for a selector ("default"), or reported on.
  std::string Active(const std::string& selector = "default", const char* member = "active_for") {
    const Json list = List();
    for (const Json& row : list.at("policies")) {
      for (const Json& active : row.at(member)) {
        if (active == selector)
          return absl::StrCat(row.at("name").get<std::string>(), "@", row.at("version").get<int>());
      }
    }
    return "";
  }
  std::string Audit() {
    const auto rows = store_->ListAudit(0, 1000);
    std::string text;
    for (const store::AuditRow& row : *rows)
      absl::StrAppend(&text, row.actor, " ", row.action, " ", row.detail_json, "\n");
    return text;
  }

  void AddHost(const std::string& id, const std::string& outcome, const std::string& claims,
               const std::string& report = "") {
    store::AuditRow audit;
    audit.action = "test";
    audit.detail_json = "{}";
    const auto known = store_->GetHost(id);
    store::Commit commit;
    commit.host = known.ok() ? *known : host::HostRecord();
    commit.host->id = id;
    commit.host->last_verdict_id = absl::StrCat("v-", id, "-", ++verdicts_);
    commit.audit = {audit};
    commit.verdict.emplace();
    commit.verdict->id = commit.host->last_verdict_id;
    commit.verdict->host_id = id;
    commit.verdict->outcome = outcome;
    const auto standing = store_->ListAssignments("policy");
    for (const store::AssignmentRow& row : *standing) {
      if (row.step != store::Step::kReport) commit.verdict->policy_id = row.document_id;
    }
    commit.verdict->body_json = absl::StrCat(R"({"findings":[],"claims":[)", claims, "]",
                                             report.empty() ? "" : ",\"report\":" + report, "}");
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }

  testing::FakeClock clock_;
  std::string folder_;
  std::unique_ptr<store::Store> store_;
  int verdicts_ = 0;
};

// ---- versions

TEST_F(Rollout, PushStoresVersionsAndSaysSo) {
  const std::string file = File("web.policy", Permits(kSecure, "one"));
  EXPECT_THAT(Push(file).out, HasSubstr("policy web@1"));
  const Ran again = Push(file);
  EXPECT_EQ(again.code, ExitCode::kSuccess);
  EXPECT_THAT(again.out, HasSubstr("no new version"));
  File("web.policy", Permits(kSecure, "two"));
  EXPECT_THAT(Push(file).out, HasSubstr("policy web@2"));
  EXPECT_THAT(Push(file, "other").out, HasSubstr("policy other@1"));
  EXPECT_EQ(Push(file, "no/name").code, ExitCode::kUsage);
  EXPECT_EQ(Push(folder_ + "/none").code, ExitCode::kNotFound);
  EXPECT_EQ(List().at("policies").size(), 3u);
  EXPECT_EQ(Active(), "") << "a push applies to nobody";

  const Ran shown = Run([](const Operator& op) { return PolicyShow(op, "web@1"); });
  EXPECT_THAT(shown.out, AllOf(HasSubstr("// one"), HasSubstr("operator test"),
                               HasSubstr("x-ms-policy-hash")));
  EXPECT_THAT(Run([](const Operator& op) { return PolicyShow(op, "web"); }).out,
              HasSubstr("// two"));
  EXPECT_EQ(Run([](const Operator& op) { return PolicyShow(op, "web@9"); }).code,
            ExitCode::kNotFound);
}

TEST_F(Rollout, A83_UnreadableUploadIsRefusedAndTheOldOneStaysActive) {
  ASSERT_EQ(Enforce(File("web.policy", Permits(kSecure))).code, ExitCode::kSuccess);
  const std::string before = Run(PolicyList, OutputFormat::kJson).out;
  for (const char* const text :
       {"", "version=1.0;", "version=1.0;\nauthorizationrules { => permitt(); };\n",
        "version=1.2;\nauthorizationrules { c:[type==\"x\"] => add(type=\"y\", "
        "value=NoSuchFunction(c.value)); };\n"}) {
    const std::string file = File("web.policy", text);
    for (const Ran& ran : {Push(file), Enforce(file), Report(file)}) {
      EXPECT_EQ(ran.code, ExitCode::kUsage) << text;
      EXPECT_THAT(ran.err, AllOf(HasSubstr("POLICY_PARSE"), HasSubstr("web.policy:"))) << text;
    }
  }
  EXPECT_EQ(Run(PolicyList, OutputFormat::kJson).out, before);
}

// ---- forward, and back

TEST_F(Rollout, A83_LowerVersionIsRefusedUnlessForcedAndAudited) {
  const std::string file = File("web.policy", Permits(kSecure, "one"));
  ASSERT_EQ(Enforce(file).code, ExitCode::kSuccess);
  File("web.policy", Permits(kSecure, "two"));
  ASSERT_EQ(Enforce(file).code, ExitCode::kSuccess);
  ASSERT_EQ(Active(), "web@2");

  File("web.policy", Permits(kSecure, "one"));
  const std::string copy = File("copy.policy", Permits(kSecure, "one"));
  for (const std::string& older : {std::string("web@1"), file, copy}) {
    const Ran refused = Enforce(older);
    EXPECT_EQ(refused.code, ExitCode::kConflict) << older;
    EXPECT_THAT(refused.err, HasSubstr("POLICY_ROLLBACK")) << older;
  }
  EXPECT_EQ(Active(), "web@2");
  EXPECT_EQ(List().at("policies").size(), 2u) << "what was refused is not stored";
  EXPECT_THAT(Enforce("web@1", {.given = true, .reason = ""}).err, HasSubstr("--reason"));
  EXPECT_EQ(Active(), "web@2");

  EXPECT_EQ(Enforce("web@1", {.given = true, .reason = "two locks out rack 7"}).code,
            ExitCode::kSuccess);
  EXPECT_EQ(Active(), "web@1");
  EXPECT_THAT(Audit(), HasSubstr("two locks out rack 7"));
  EXPECT_EQ(List().at("history").back().at("why"), "two locks out rack 7");
}

TEST_F(Rollout, BackInOneCommand) {
  const std::string file = File("web.policy", Permits(kSecure, "one"));
  ASSERT_EQ(Enforce(file).code, ExitCode::kSuccess);
  EXPECT_EQ(Rollback("nothing is before it").code, ExitCode::kConflict);
  File("web.policy", Permits(kSecure, "two"));
  ASSERT_EQ(Enforce(file).code, ExitCode::kSuccess);
  EXPECT_EQ(Rollback("").code, ExitCode::kUsage);
  const Ran back = Rollback("it was too strict");
  EXPECT_EQ(back.code, ExitCode::kSuccess) << back.err;
  EXPECT_THAT(back.out, AllOf(HasSubstr("web@1 is enforced again"), HasSubstr("before: web@2")));
  EXPECT_EQ(Active(), "web@1");
  EXPECT_THAT(Audit(), AllOf(HasSubstr("policy.rollback"), HasSubstr("it was too strict")));
  EXPECT_EQ(Enforce("web@2").code, ExitCode::kSuccess) << "forward again";
  EXPECT_EQ(Active(), "web@2");
}

TEST_F(Rollout, SelectorsFirstPolicyGivesWayToTheDefault) {
  const std::string file = File("web.policy", Permits(kSecure));
  ASSERT_EQ(Activate({.policy = file, .selector = "role=db"}).code, ExitCode::kSuccess);
  EXPECT_EQ(Rollback("no default", "role=db").code, ExitCode::kConflict);
  ASSERT_EQ(Enforce(file).code, ExitCode::kSuccess);
  const Ran back = Rollback("the default will do", "role=db");
  EXPECT_EQ(back.code, ExitCode::kSuccess) << back.err;
  EXPECT_EQ(Active("role=db"), "");
  EXPECT_EQ(Active(), "web@1");
}

TEST_F(Rollout, SelectorsAreWrittenInOneWay) {
  const std::string file = File("web.policy", Permits(kSecure));
  ASSERT_EQ(Activate({.policy = file, .selector = "role=db,rack=7"}).code, ExitCode::kSuccess);
  const Ran again = Activate({.policy = "web", .selector = "rack=7,role=db"});
  EXPECT_THAT(again.out, HasSubstr("already"));
  EXPECT_EQ(Active("rack=7,role=db"), "web@1");
  EXPECT_EQ(Activate({.policy = "web", .selector = "role"}).code, ExitCode::kUsage);
}

// ---- two steps

TEST_F(Rollout, ReportThenEnforceWithTheDifferenceBetween) {
  ASSERT_EQ(Enforce(File("web.policy", Permits(""))).code, ExitCode::kSuccess);
  const std::string id = [&] {
    const Ran ran = Report(File("web.policy", Permits(kSecure)));
    EXPECT_EQ(ran.code, ExitCode::kSuccess) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("without effect"));
    return List().at("policies").at(0).at("id").get<std::string>();
  }();
  EXPECT_EQ(Active(), "web@1");
  EXPECT_EQ(Active("default", "report_only_for"), "web@2");

  AddHost("h-good", "ADMIT", kGood, absl::StrCat(R"({"policy":")", id, R"(","outcome":"ADMIT"})"));
  AddHost("h-off", "ADMIT", kOff,
          absl::StrCat(R"({"policy":")", id,
                       R"(","outcome":"DENY","findings":[{"code":"POLICY_NOT_PERMITTED",)",
                       R"("severity":"fail","text":"No rule permits."}]})"));
  const Ran diff = Run([](const Operator& op) { return PolicyDiff(op, std::nullopt); });
  EXPECT_THAT(diff.out, AllOf(HasSubstr("web@2"), HasSubstr("against web@1"),
                              HasSubstr("1 the same, 1 would be denied"), HasSubstr("h-off"),
                              HasSubstr("POLICY_NOT_PERMITTED"), Not(HasSubstr("h-good"))));
  const Ran json = Run([](const Operator& op) { return PolicyDiff(op, ""); }, OutputFormat::kJson);
  EXPECT_EQ(Json::parse(json.out).at(0).at("to_deny").at(0).at("host"), "h-off");

  // An operator does not deny hosts by accident.
  const Ran refused = Enforce("web@2");
  EXPECT_EQ(refused.code, ExitCode::kConflict);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("POLICY_WOULD_DENY"), HasSubstr("1 of 2 hosts"), HasSubstr("h-off")));
  EXPECT_EQ(Active(), "web@1");
  const Ran taken = Activate({.policy = "web@2", .accept_changes = 1});
  EXPECT_EQ(taken.code, ExitCode::kSuccess) << taken.err;
  EXPECT_THAT(taken.out,
              AllOf(HasSubstr("web@2"), HasSubstr("is enforced"), HasSubstr("1 turn to DENY")));
  EXPECT_EQ(Active(), "web@2");
  EXPECT_EQ(Active("default", "report_only_for"), "");
  EXPECT_EQ(Run([](const Operator& op) { return PolicyDiff(op, std::nullopt); }).code,
            ExitCode::kNotFound);
}

// Enforced in one step, without a report: the guard goes by the facts of the last verdicts.
TEST_F(Rollout, TheGuardHoldsWithoutAReportToo) {
  ASSERT_EQ(Enforce(File("web.policy", Permits(""))).code, ExitCode::kSuccess);
  AddHost("h-off", "ADMIT", kOff);
  const std::string strict = File("strict.policy", Permits(kSecure));
  EXPECT_THAT(Enforce(strict).err, HasSubstr("POLICY_WOULD_DENY"));
  EXPECT_EQ(List().at("policies").size(), 1u);
  EXPECT_EQ(Enforce(strict, {.given = true, .reason = "they must go"}).code, ExitCode::kSuccess);
  EXPECT_EQ(Active(), "strict@1");
}

TEST_F(Rollout, WhatIsReportedOnCanBeWithdrawn) {
  const auto withdraw = [&] {
    return Run([](const Operator& op) { return PolicyWithdraw(op, "role=db"); });
  };
  EXPECT_EQ(withdraw().code, ExitCode::kConflict);
  ASSERT_EQ(Report(File("web.policy", Permits(kSecure)), "role=db").code, ExitCode::kSuccess);
  EXPECT_EQ(Active("role=db", "report_only_for"), "web@1");
  EXPECT_EQ(withdraw().code, ExitCode::kSuccess);
  EXPECT_EQ(Active("role=db", "report_only_for"), "");
}

// ---- plans

TEST_F(Rollout, PlanOverTheFleetStoresNothing) {
  ASSERT_EQ(Enforce(File("web.policy", Permits(""))).code, ExitCode::kSuccess);
  AddHost("h-good", "ADMIT", kGood);
  AddHost("h-off", "ADMIT", kOff);
  const std::string before = Run(PolicyList, OutputFormat::kJson).out;
  const size_t audited = store_->ListAudit(0, 1000)->size();
  const auto plan = [&](const std::string& text) {
    const std::string file = File("next.policy", text);
    return Run([&](const Operator& op) { return PlanFleet(op, {.policy_file = file}); });
  };
  const Ran strict = plan(Permits(kSecure));
  EXPECT_EQ(strict.code, ExitCode::kDenied);
  EXPECT_THAT(strict.out, AllOf(HasSubstr("1 the same, 1 would be denied"), HasSubstr("h-off")));
  EXPECT_EQ(plan(Permits("![type==\"x\"]")).code, ExitCode::kSuccess);
  const Ran unknown = plan(Permits("[type==\"events\"]"));
  EXPECT_EQ(unknown.code, ExitCode::kSuccess);
  EXPECT_THAT(unknown.out, AllOf(HasSubstr("2 not compared"), HasSubstr("reads events")));
  EXPECT_EQ(plan("version=1.0;").code, ExitCode::kUsage);
  EXPECT_EQ(Run(PolicyList, OutputFormat::kJson).out, before);
  EXPECT_EQ(store_->ListAudit(0, 1000)->size(), audited);
}

TEST_F(Rollout, PlanAgainstEvidenceInFiles) {
  PlanAgainstOptions options;
  options.policy_file = File("next.policy", Permits(kSecure));
  options.before_file = File("now.policy", Permits(""));
  for (const char* const boot : {"boots/good", "boots/secure-boot-off"})
    options.folders.push_back(::bootgate::testing::CorpusPath(boot));
  std::ostringstream out, err;
  EXPECT_EQ(PlanAgainst(options, out, err), ExitCode::kDenied) << err.str();
  EXPECT_THAT(out.str(), AllOf(HasSubstr("2 hosts: 1 the same, 1 would be denied"),
                               HasSubstr("secure-boot-off"), HasSubstr("POLICY_NOT_PERMITTED")));
  options.before_file.reset();
  out.str("");
  EXPECT_EQ(PlanAgainst(options, out, err), ExitCode::kDenied);
  EXPECT_THAT(out.str(), AllOf(HasSubstr("1 would be admitted"), Not(HasSubstr("NO_POLICY"))));
  options.folders.push_back(folder_ + "/none");
  EXPECT_EQ(PlanAgainst(options, out, err), ExitCode::kUsage);
}

// ---- signers

TEST_F(Rollout, A83_WithSignersOnlyTheyBringPoliciesIn) {
  const rollout::MadeSigner alice("alice"), mallory("mallory");
  const std::string text = Permits(kSecure, "signed");
  const std::string plain = File("plain.policy", Permits(kSecure, "plain"));
  ASSERT_EQ(Push(plain).code, ExitCode::kSuccess);
  const std::string root = File("alice.pem", alice.RootPem());
  EXPECT_THAT(Run(PolicySignerList).out, HasSubstr("no signer"));
  const auto add = [&](const std::string& file) {
    return Run([&](const Operator& op) { return PolicySignerAdd(op, file); });
  };
  ASSERT_EQ(add(root).code, ExitCode::kSuccess);
  EXPECT_THAT(Run(PolicySignerList).out, HasSubstr("alice"));

  const std::string by_alice = File("web.jws", alice.SignRs256(rollout::PolicyPayload(text)));
  const std::string by_mallory =
      File("mallory.jws", mallory.SignRs256(rollout::PolicyPayload(text)));
  for (const std::string& file : {plain, by_mallory}) {
    EXPECT_THAT(Push(file, "web").err, HasSubstr("SIGNER_UNTRUSTED")) << file;
    EXPECT_THAT(Enforce(file).err, HasSubstr("SIGNER_UNTRUSTED")) << file;
  }
  EXPECT_THAT(Enforce("plain@1").err, HasSubstr("SIGNER_UNTRUSTED")) << "stored before";
  const Ran enforced = Enforce(by_alice);
  EXPECT_EQ(enforced.code, ExitCode::kSuccess) << enforced.err;
  EXPECT_EQ(Active(), "web@1");
  EXPECT_NE(List().at("policies").at(1).at("signer"), "");

  // Mallory cannot add herself; Alice can, and each order counts once.
  EXPECT_THAT(add(File("m.pem", mallory.RootPem())).err, HasSubstr("SIGNER_UNTRUSTED"));
  const std::string order =
      File("order.jwt", alice.SignRs256(absl::StrCat(
                            "{\"x-ms-policyCertificate\":", mallory.RootJwk(), ",\"iat\":1}")));
  EXPECT_EQ(add(order).code, ExitCode::kSuccess);
  EXPECT_EQ(Push(by_mallory, "mallorys").code, ExitCode::kSuccess);
  const std::string out_order =
      File("out.jwt", alice.SignRs256(absl::StrCat(
                          "{\"x-ms-policyCertificate\":", mallory.RootJwk(), ",\"iat\":2}")));
  const Ran removed = Run([&](const Operator& op) { return PolicySignerRemove(op, out_order); });
  EXPECT_EQ(removed.code, ExitCode::kSuccess) << removed.err;
  EXPECT_THAT(add(order).err, HasSubstr("TOKEN_EXPIRED"));
  EXPECT_THAT(Enforce("mallorys@1").err, HasSubstr("SIGNER_UNTRUSTED")) << "no signer any more";
  EXPECT_THAT(Audit(), AllOf(HasSubstr("policy-signer.add"), HasSubstr("policy-signer.remove")));
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli

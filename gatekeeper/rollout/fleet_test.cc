#include "gatekeeper/rollout/fleet.h"

#include <stdlib.h>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::rollout {
namespace {

using store::Step;
using ::testing::ElementsAre;
using testing::HasCode;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Refuses;

constexpr uint32_t kQuoted = 0x7fff;
constexpr char kGood[] =
    R"({"type":"secureBootEnabled","value":true,"issuer":"AttestationService"})";

std::string Finding(const std::string& code) {
  return absl::StrCat(R"({"code":")", code, R"(","severity":"fail","text":"why )", code, "\"}");
}
std::string Body(const std::string& findings, const std::string& claims,
                 const std::string& report = "") {
  return absl::StrCat("{\"findings\":[", findings, "],\"claims\":[", claims, "]",
                      report.empty() ? "" : absl::StrCat(",\"report\":", report), "}");
}
std::string Report(const std::string& policy, const std::string& outcome,
                   const std::string& findings = "") {
  return absl::StrCat(R"({"policy":")", policy, R"(","outcome":")", outcome, R"(","findings":[)",
                      findings, "]}");
}

policy::Policy Read(const std::string& text) {
  policy::ParseError error;
  std::optional<policy::Policy> policy = policy::Policy::Read(text, &error);
  EXPECT_TRUE(policy.has_value()) << error.message;
  return *std::move(policy);
}
std::string Wants(const std::string& condition) {
  return absl::StrCat("version=1.2;\nauthorizationrules {\n", condition, " => permit();\n};\n");
}

store::VerdictRow Verdict(const std::string& outcome, const std::string& body) {
  store::VerdictRow row;
  row.id = "v-1";
  row.policy_id = "old";
  row.outcome = outcome;
  row.body_json = body;
  return row;
}

// ---- one verdict

TEST(ReadJudged, TellsBothOutcomes) {
  BG_ASSERT_OK_AND_ASSIGN(
      const JudgedTwice judged,
      ReadJudged(Verdict("ADMIT", Body("", kGood, Report("new", "DENY", Finding("POLICY_DENY"))))));
  EXPECT_EQ(judged.enforced.outcome, "ADMIT");
  EXPECT_EQ(judged.enforced.policy_id, "old");
  ASSERT_TRUE(judged.report.has_value());
  EXPECT_EQ(judged.report->outcome, "DENY");
  EXPECT_EQ(judged.report->policy_id, "new");
  EXPECT_THAT(judged.report->codes, ElementsAre("POLICY_DENY"));
  EXPECT_EQ(judged.report->why, "why POLICY_DENY");
  for (const char* bad : {"", "[]", "{", R"({"report":7})"})
    EXPECT_THAT(ReadJudged(Verdict("ADMIT", bad)), Refuses(Reason::kRecordCorrupt)) << bad;
}

TEST(Plan, ComesToWhatThePolicyMakesOfTheFacts) {
  const store::VerdictRow admitted = Verdict(
      "ADMIT",
      Body("", absl::StrCat(kGood, R"(,{"type":"seen","value":true,"issuer":"AttestationPolicy"},)",
                            R"({"type":"custom:x","value":7,"issuer":"CustomClaim"})")));
  const auto outcome = [&](const std::string& condition) {
    const absl::StatusOr<Judged> judged = Plan(admitted, Read(Wants(condition)), kQuoted);
    return judged.ok() ? judged->outcome : std::string(judged.status().message());
  };
  EXPECT_EQ(outcome(R"([type=="secureBootEnabled", value==true])"), "ADMIT");
  EXPECT_EQ(outcome(R"([type=="secureBootEnabled", value==false])"), "DENY");
  EXPECT_EQ(outcome(R"([type=="custom:x", value==7, issuer=="CustomClaim"])"), "ADMIT");
  EXPECT_EQ(outcome(R"([type=="seen"])"), "DENY") << "what the old policy issued is no fact";
}

TEST(Plan, WhatFailedBesideThePolicyFailsStill) {
  const policy::Policy permits = Read(Wants(""));
  const auto outcome = [&](const std::string& findings) {
    return Plan(Verdict("DENY", Body(findings, kGood)), permits, kQuoted)->outcome;
  };
  EXPECT_EQ(outcome(Finding("POLICY_DENY")), "ADMIT");
  EXPECT_EQ(outcome(Finding("NO_POLICY")), "ADMIT");
  EXPECT_EQ(outcome(absl::StrCat(Finding("POLICY_DENY"), ",", Finding("LOG_PCR_MISMATCH"))),
            "DENY");
}

TEST(Plan, RequiredRegistersAreHeldAgainstWhatIsQuoted) {
  const policy::Policy wants = Read(
      "version=1.1;\nconfigurationrules { => issueproperty(type=\"required_pcr_mask\", value=3); "
      "};\nauthorizationrules { => permit(); };\n");
  const store::VerdictRow verdict = Verdict("ADMIT", Body("", kGood));
  EXPECT_EQ(Plan(verdict, wants, 0x3)->outcome, "ADMIT");
  EXPECT_THAT(Plan(verdict, wants, 0x1)->codes, ElementsAre("POLICY_PCR_MASK"));
}

TEST(Plan, SaysWhatItCannotKnow) {
  const policy::Policy events = Read(Wants(R"([type=="events"])"));
  const absl::Status unmade = Plan(Verdict("ADMIT", Body("", kGood)), events, kQuoted).status();
  EXPECT_THAT(unmade, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(unmade.message()), HasSubstr("events"));
  const std::string by_digest =
      R"({"type":"events","value_bytes":5000,"value_sha256":"aa","issuer":"AttestationService"})";
  EXPECT_THAT(Plan(Verdict("ADMIT", Body("", by_digest)), events, kQuoted),
              HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Plan(Verdict("ADMIT", Body("", by_digest)), Read(Wants(R"([type=="x"])")), kQuoted),
              IsOk())
      << "the policy does not look there";
}

// ---- the fleet

class Fleet : public ::testing::Test {
 protected:
  Fleet() {
    std::string pattern = ::testing::TempDir() + "/fleet.XXXXXX";
    store_ =
        store::OpenSqlite({.path = std::string(mkdtemp(pattern.data())) + "/s.db", .create = true})
            .value();
    Assign(Step::kEnforce, "", "old");
    Assign(Step::kReport, "", "new");
  }

  static store::AuditRow Audit() {
    store::AuditRow row;
    row.action = "test";
    row.detail_json = "{}";
    return row;
  }

  void Assign(Step step, const std::string& selector, const std::string& id) {
    store::DocumentRow document;
    document.kind = kPolicyKind;
    document.id = document.text = id;
    ASSERT_THAT(store_->PutDocument(document, Audit()), IsOk());
    store::AssignmentRow row;
    row.kind = kPolicyKind;
    row.selector = selector;
    row.document_id = id;
    row.step = step;
    ASSERT_THAT(store_->Assign(row, Audit()), IsOk());
  }

  void AddHost(const std::string& id, const std::string& outcome, const std::string& body,
               const std::string& role = "", const std::string& policy = "old") {
    store::Commit commit;
    commit.host.emplace();
    commit.host->id = id;
    commit.host->hostname = "name of " + id;
    if (!role.empty()) commit.host->labels = {{"role", role}};
    commit.audit = {Audit()};
    if (!outcome.empty()) {
      commit.host->last_verdict_id = "v-" + id;
      commit.verdict = Verdict(outcome, body);
      commit.verdict->id = "v-" + id;
      commit.verdict->host_id = id;
      commit.verdict->policy_id = policy;
    }
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }

  std::unique_ptr<store::Store> store_;
};

TEST_F(Fleet, ReportIsCountedByWhoWouldChange) {
  AddHost("h-1", "ADMIT", Body("", kGood, Report("new", "ADMIT")));
  AddHost("h-2", "ADMIT", Body("", kGood, Report("new", "DENY", Finding("POLICY_DENY"))));
  AddHost("h-3", "DENY", Body(Finding("POLICY_NOT_PERMITTED"), kGood, Report("new", "ADMIT")));
  AddHost(
      "h-4", "DENY",
      Body(Finding("POLICY_DENY"), kGood, Report("new", "DENY", Finding("POLICY_NOT_PERMITTED"))));
  BG_ASSERT_OK_AND_ASSIGN(const Difference difference, ReportedDifference(*store_, ""));
  EXPECT_EQ(difference.hosts, 4);
  EXPECT_EQ(difference.same, 2);
  ASSERT_EQ(difference.to_deny.size(), 1u);
  EXPECT_EQ(difference.to_deny[0].host_id, "h-2");
  EXPECT_EQ(difference.to_deny[0].hostname, "name of h-2");
  EXPECT_THAT(difference.to_deny[0].codes, ElementsAre("POLICY_DENY"));
  ASSERT_EQ(difference.to_admit.size(), 1u);
  EXPECT_EQ(difference.to_admit[0].host_id, "h-3");
  EXPECT_THAT(difference.to_admit[0].codes, ElementsAre("POLICY_NOT_PERMITTED"));
}

TEST_F(Fleet, WhoWasNotJudgedByBothIsNotCounted) {
  AddHost("h-1", "", "");
  AddHost("h-2", "ADMIT", Body("", kGood));
  AddHost("h-3", "ADMIT", Body("", kGood, Report("another", "DENY")));
  AddHost("h-4", "ADMIT", Body("", kGood, Report("new", "DENY")), "", "older");
  AddHost("h-5", "ADMIT", Body("", kGood, Report("new", "ERROR", Finding("INTERNAL"))));
  BG_ASSERT_OK_AND_ASSIGN(const Difference difference, ReportedDifference(*store_, ""));
  EXPECT_EQ(difference.hosts, 5);
  EXPECT_EQ(difference.same, 0);
  EXPECT_TRUE(difference.to_deny.empty());
  ASSERT_EQ(difference.not_compared.size(), 5u);
  EXPECT_THAT(difference.not_compared[0].why, HasSubstr("no verdict"));
  EXPECT_THAT(difference.not_compared[4].why, HasSubstr("INTERNAL"));
}

TEST_F(Fleet, EachSelectorHasItsOwnHosts) {
  Assign(Step::kEnforce, "role=db", "db");
  AddHost("h-1", "ADMIT", Body("", kGood, Report("new", "DENY")));
  AddHost("h-2", "ADMIT", Body("", kGood), "db", "db");
  EXPECT_EQ(ReportedDifference(*store_, "")->hosts, 1);
  EXPECT_THAT(ReportedDifference(*store_, "role=db"), HasCode(absl::StatusCode::kNotFound));
}

TEST_F(Fleet, PlanGoesByTheReportOrByTheFacts) {
  const policy::Policy wants_off = Read(Wants(R"([type=="secureBootEnabled", value==false])"));
  AddHost("h-1", "ADMIT", Body("", kGood));
  AddHost("h-2", "ADMIT", Body("", kGood, Report(wants_off.id(), "ADMIT")));
  AddHost("h-3", "ADMIT", R"({"claims":7})");
  BG_ASSERT_OK_AND_ASSIGN(const Difference difference,
                          PlannedDifference(*store_, "", wants_off, kQuoted));
  EXPECT_EQ(difference.hosts, 3);
  EXPECT_EQ(difference.same, 1) << "the report knows better than a plan";
  ASSERT_EQ(difference.to_deny.size(), 1u);
  EXPECT_EQ(difference.to_deny[0].host_id, "h-1");
  ASSERT_EQ(difference.not_compared.size(), 1u);
  EXPECT_EQ(PlannedDifference(*store_, "role=db", wants_off, kQuoted)->hosts, 0);
}

}  // namespace
}  // namespace bootgate::gatekeeper::rollout

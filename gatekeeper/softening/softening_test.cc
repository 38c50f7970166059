#include "gatekeeper/softening/softening.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::softening {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr char kHost[] = "h-00112233445566778899aabbccddeeff";

Finding Unlisted(const std::string& path) {
  Finding finding;
  finding.code = Reason::kImaUnlisted;
  finding.register_index = 10;
  finding.path = path;
  finding.text = path + " is not in the reference.";
  return finding;
}

Waiver Waives(WaivedFinding finding) {
  Waiver waiver;
  waiver.id = "w-0011223344556677";
  waiver.findings = {std::move(finding)};
  waiver.hosts = {kHost};
  waiver.owner = "team db";
  waiver.reason = "a hot fix";
  waiver.expires_at = kNow + absl::Hours(1);
  return waiver;
}

WaivedFinding OfPath(const std::string& path) {
  WaivedFinding finding;
  finding.code = Reason::kImaUnlisted;
  finding.path = path;
  return finding;
}

TEST(Soften, AnObservedFindingIsAWarningThatSaysSo) {
  Softening softening;
  softening.actions = ReadActions({.observe = {"IMA_UNLISTED"}}).value();
  std::vector<Finding> findings = {Unlisted("/usr/bin/x")};
  Soften(softening, &findings);
  EXPECT_EQ(findings[0].severity, Severity::kWarning);
  EXPECT_EQ(findings[0].action, Action::kObserve);
  EXPECT_THAT(findings[0].text, HasSubstr("Only observed, by configuration."));
  EXPECT_EQ(findings[0].waiver, "");
}

TEST(Soften, ARestrictedFindingStillFails) {
  Softening softening;
  softening.actions = ReadActions({.restrict = {"IMA_UNLISTED"}}).value();
  std::vector<Finding> findings = {Unlisted("/usr/bin/x")};
  Soften(softening, &findings);
  EXPECT_EQ(findings[0].severity, Severity::kFail);
  EXPECT_EQ(findings[0].action, Action::kRestrict);
}

TEST(Soften, AWaivedFindingIsAWarningThatNamesTheWaiver) {
  Softening softening;
  softening.waivers = {Waives(OfPath("/opt/agent/*"))};
  std::vector<Finding> findings = {Unlisted("/opt/agent/run"), Unlisted("/opt/other/run")};
  Soften(softening, &findings);
  EXPECT_EQ(findings[0].severity, Severity::kWarning);
  EXPECT_EQ(findings[0].waiver, "w-0011223344556677");
  EXPECT_THAT(findings[0].text, HasSubstr("Waived until"));
  EXPECT_EQ(findings[1].severity, Severity::kFail);
  EXPECT_EQ(findings[1].action, Action::kIsolate);
}

TEST(Soften, TwiceIsAsGoodAsOnce) {
  Softening softening;
  softening.waivers = {Waives(OfPath(""))};
  std::vector<Finding> findings = {Unlisted("/opt/agent/run")};
  Soften(softening, &findings);
  const std::string text = findings[0].text;
  Soften(softening, &findings);
  EXPECT_EQ(findings[0].text, text);
}

// A REJECT is not for configuration to turn into an ADMIT.
TEST(Soften, LeavesAloneWhatIsNoDeny) {
  Softening softening;
  softening.actions.otherwise = Action::kObserve;
  Finding finding;
  finding.code = Reason::kBankNotAllowed;
  std::vector<Finding> findings = {finding};
  Soften(softening, &findings);
  EXPECT_EQ(findings[0].severity, Severity::kFail);
  EXPECT_FALSE(findings[0].action.has_value());
}

TEST(Covers, NoPolicyIsNeverWaivedWhateverADocumentSays) {
  WaivedFinding no_policy;
  no_policy.code = Reason::kNoPolicy;
  Finding finding;
  finding.code = Reason::kNoPolicy;
  EXPECT_FALSE(Covers(Waives(no_policy), finding));
}

TEST(Covers, EveryNarrowingMustFit) {
  WaivedFinding narrow = OfPath("/opt/agent/*");
  narrow.register_index = 10;
  narrow.actual = "sha256:aa";
  Finding finding = Unlisted("/opt/agent/run");
  finding.actual = "sha256:aa";
  EXPECT_TRUE(Covers(Waives(narrow), finding));
  finding.actual = "sha256:bb";
  EXPECT_FALSE(Covers(Waives(narrow), finding));
  finding.actual = "sha256:aa";
  finding.register_index = 9;
  EXPECT_FALSE(Covers(Waives(narrow), finding));
}

struct PathRow {
  const char *pattern, *path;
  bool covered;
};
TEST(Covers, APatternDoesNotReachOverASlash) {
  for (const PathRow& row : std::vector<PathRow>{{"/opt/agent/*", "/opt/agent/run", true},
                                                 {"/opt/agent/*", "/opt/agent/bin/run", false},
                                                 {"/opt/*/run", "/opt/agent/run", true},
                                                 {"/opt/*/run", "/opt/../run", false},
                                                 {"/opt/agent/*", "/opt/agent/../../bin/sh", false},
                                                 {"/opt/agent/run", "/opt/agent//run", false},
                                                 {"/opt/agent/run", "", false},
                                                 {"/opt/agent/run", "/opt/agent/run2", false}}) {
    EXPECT_EQ(Covers(Waives(OfPath(row.pattern)), Unlisted(row.path)), row.covered)
        << row.pattern << " and " << row.path;
  }
}

TEST(SofteningText, GoesThereAndBack) {
  Softening softening;
  softening.actions =
      ReadActions(
          {.otherwise = "restrict", .observe = {"IMA_OUTDATED"}, .isolate = {"SECURE_BOOT_OFF"}})
          .value();
  softening.waivers = {Waives(OfPath("/opt/*"))};
  const std::string text = SofteningText(softening);
  BG_ASSERT_OK_AND_ASSIGN(const Softening back, ReadSoftening(text));
  EXPECT_EQ(SofteningText(back), text);
  EXPECT_EQ(back.waivers[0].id, softening.waivers[0].id);
  EXPECT_EQ(ActionOf(back.actions, Reason::kImaOutdated), Action::kObserve);
}

TEST(SofteningText, WhatIsNoneIsRefused) {
  for (const char* const text :
       {"", "[]", "{}", R"({"default":"observe","observe":[],"restrict":[],"isolate":[]})",
        R"({"default":"isolate","observe":["NO_POLICY"],"restrict":[],"isolate":[],"waivers":[]})",
        R"({"default":"isolate","observe":[],"restrict":[],"isolate":[],"waivers":[1]})"}) {
    EXPECT_FALSE(ReadSoftening(text).ok()) << text;
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::softening

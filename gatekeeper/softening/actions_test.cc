#include "gatekeeper/softening/actions.h"

#include <ostream>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::softening {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Actions, WithoutConfigurationAllIsolates) {
  for (const ReasonInfo& row : AllReasons()) {
    EXPECT_EQ(ActionOf(Actions(), row.reason), Action::kIsolate) << std::string(row.code);
  }
  EXPECT_THAT(Softened(Actions()), IsEmpty());
}

TEST(Actions, EachCodeComesToWhatItsListSays) {
  const auto actions = ReadActions({.otherwise = "restrict",
                                    .observe = {"IMA_OUTDATED"},
                                    .restrict = {"IMA_UNLISTED"},
                                    .isolate = {"SECURE_BOOT_OFF"}});
  ASSERT_TRUE(actions.ok()) << actions.status();
  EXPECT_EQ(ActionOf(*actions, Reason::kImaOutdated), Action::kObserve);
  EXPECT_EQ(ActionOf(*actions, Reason::kImaUnlisted), Action::kRestrict);
  EXPECT_EQ(ActionOf(*actions, Reason::kSecureBootOff), Action::kIsolate);
  EXPECT_EQ(ActionOf(*actions, Reason::kLogTruncated), Action::kRestrict);
  EXPECT_THAT(Softened(*actions),
              ElementsAre("default=restrict", "IMA_UNLISTED=restrict", "IMA_OUTDATED=observe"));
}

TEST(Actions, AMilderDefaultDoesNotReachWhatMayNotBeSoftened) {
  const auto actions = ReadActions({.otherwise = "restrict", .observe = {}, .restrict = {}});
  ASSERT_TRUE(actions.ok());
  EXPECT_EQ(ActionOf(*actions, Reason::kNoPolicy), Action::kIsolate);
  EXPECT_EQ(ActionOf(*actions, Reason::kTpmCloneSuspected), Action::kIsolate);
  EXPECT_EQ(ActionOf(*actions, Reason::kPolicyError), Action::kRestrict);
}

struct BadLists {
  const char* name;
  ActionLists lists;
  const char* says;
};
void PrintTo(const BadLists& row, std::ostream* os) { *os << row.name; }
class ReadActionsRefusesTest : public ::testing::TestWithParam<BadLists> {};

TEST_P(ReadActionsRefusesTest, WithTheListAndTheCode) {
  const auto actions = ReadActions(GetParam().lists);
  ASSERT_FALSE(actions.ok());
  EXPECT_THAT(std::string(actions.status().message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Lists, ReadActionsRefusesTest,
    ::testing::ValuesIn(std::vector<BadLists>{
        {"ObserveAll", {.otherwise = "observe"}, "default: 'observe'"},
        {"NoDefault", {.otherwise = "quarantine"}, "default: 'quarantine'"},
        {"UnknownCode",
         {.observe = {"IMA_UNLISTD"}},
         "observe: 'IMA_UNLISTD' is no reason code; did you mean IMA_UNLISTED?"},
        {"SmallLetters", {.restrict = {"ima_unlisted"}}, "restrict: 'ima_unlisted'"},
        {"RejectCode", {.observe = {"QUOTE_MAGIC"}}, "QUOTE_MAGIC is never the finding of a DENY"},
        {"ErrorCode", {.restrict = {"POLICY_BUDGET"}}, "POLICY_BUDGET is never"},
        {"OperatorsCode", {.observe = {"OPERATOR_QUARANTINE"}}, "OPERATOR_QUARANTINE is never"},
        {"BrakeCode", {.restrict = {"BRAKE_ENGAGED"}}, "BRAKE_ENGAGED is never"},
        {"NoPolicyObserved", {.observe = {"NO_POLICY"}}, "NO_POLICY may not come to observe"},
        {"NoPolicyRestricted", {.restrict = {"NO_POLICY"}}, "NO_POLICY may not come to restrict"},
        {"PolicyErrorObserved", {.observe = {"POLICY_ERROR"}}, "POLICY_ERROR may not come to"},
        {"ResetObserved", {.observe = {"TPM_RESET_ANOMALY"}}, "TPM_RESET_ANOMALY may not come"},
        {"Twice",
         {.observe = {"IMA_UNLISTED"}, .restrict = {"IMA_UNLISTED"}},
         "restrict: IMA_UNLISTED is named twice"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ReadActions, ComplainsOfAllAtOnce) {
  const auto actions = ReadActions({.observe = {"NO_POLICY", "X"}, .restrict = {"QUOTE_TYPE"}});
  const std::string text(actions.status().message());
  EXPECT_THAT(text, HasSubstr("NO_POLICY"));
  EXPECT_THAT(text, HasSubstr("'X'"));
  EXPECT_THAT(text, HasSubstr("QUOTE_TYPE"));
}

Finding Failing(Reason code, std::optional<Action> action) {
  Finding finding;
  finding.code = code;
  finding.action = action;
  return finding;
}

TEST(WorstAction, IsThatOfTheSeverestFindingThatFails) {
  Finding warning = Failing(Reason::kLogQuirk, Action::kObserve);
  warning.severity = Severity::kWarning;
  EXPECT_EQ(WorstAction({warning}), Action::kObserve);
  EXPECT_EQ(WorstAction({warning, Failing(Reason::kImaDigest, Action::kRestrict)}),
            Action::kRestrict);
  EXPECT_EQ(WorstAction({Failing(Reason::kImaDigest, Action::kRestrict),
                         Failing(Reason::kSecureBootOff, Action::kIsolate)}),
            Action::kIsolate);
}

TEST(WorstAction, OfAFindingThatNobodyAskedAboutIsIsolation) {
  EXPECT_EQ(WorstAction({Failing(Reason::kImaDigest, std::nullopt)}), Action::kIsolate);
}

}  // namespace
}  // namespace bootgate::gatekeeper::softening

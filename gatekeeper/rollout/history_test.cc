#include "gatekeeper/rollout/history.h"

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::rollout {
namespace {

using store::Step;
using testing::IsOk;
using testing::Refuses;

store::VersionRow Version(const std::string& name, int64_t version, const std::string& id) {
  store::VersionRow row;
  row.name = name;
  row.version = version;
  row.document_id = id;
  return row;
}

const std::vector<store::VersionRow> kStored = {Version("copy", 1, "a"), Version("other", 1, "x"),
                                                Version("web", 3, "c"), Version("web", 2, "b"),
                                                Version("web", 1, "a")};

store::AssignmentRow Taken(Step step, int version = 0, const std::string& selector = "",
                           const std::string& name = "web") {
  store::AssignmentRow row;
  row.step = step;
  row.selector = selector;
  row.name = name;
  row.version = version;
  return row;
}

absl::Status Check(const std::vector<store::AssignmentRow>& steps, const store::VersionRow& wanted,
                   const std::string& selector = "") {
  return History(steps, selector).CheckForward(wanted, kStored);
}

int64_t Enforced(const History& history) {
  return history.enforced() == nullptr ? 0 : history.enforced()->version;
}
int64_t Before(const History& history) {
  return history.before() == nullptr ? 0 : history.before()->version;
}

TEST(History, IsAPile) {
  std::vector<store::AssignmentRow> steps;
  EXPECT_EQ(Enforced(History(steps, "")), 0);
  for (const int version : {1, 2, 3}) steps.push_back(Taken(Step::kEnforce, version));
  steps.push_back(Taken(Step::kReport, 9));
  steps.push_back(Taken(Step::kEndReport));
  EXPECT_EQ(Enforced(History(steps, "")), 3);
  EXPECT_EQ(Before(History(steps, "")), 2);
  // Back twice is two versions back, not forth again.
  steps.push_back(Taken(Step::kRollBack, 2));
  EXPECT_EQ(Enforced(History(steps, "")), 2);
  EXPECT_EQ(Before(History(steps, "")), 1);
  steps.push_back(Taken(Step::kRollBack, 1));
  EXPECT_EQ(Enforced(History(steps, "")), 1);
  EXPECT_EQ(Before(History(steps, "")), 0);
  steps.push_back(Taken(Step::kEnd));
  EXPECT_EQ(Enforced(History(steps, "")), 0);
  steps.push_back(Taken(Step::kEnd));
  EXPECT_EQ(Enforced(History(steps, "")), 0);
}

TEST(History, IsOfOneSelector) {
  const std::vector<store::AssignmentRow> steps = {Taken(Step::kEnforce, 1),
                                                   Taken(Step::kEnforce, 2, "role=db")};
  EXPECT_EQ(Enforced(History(steps, "")), 1);
  EXPECT_EQ(Enforced(History(steps, "role=db")), 2);
  EXPECT_EQ(Enforced(History(steps, "role=web")), 0);
}

TEST(CheckForward, A83_OlderVersionIsRefused) {
  const std::vector<store::AssignmentRow> steps = {Taken(Step::kEnforce, 2)};
  EXPECT_THAT(Check(steps, Version("web", 1, "a")), Refuses(Reason::kPolicyRollback));
  EXPECT_THAT(Check(steps, Version("web", 2, "b")), IsOk());
  EXPECT_THAT(Check(steps, Version("web", 3, "c")), IsOk());
  EXPECT_THAT(Check(steps, Version("web", 1, "a"), "role=db"), IsOk()) << "never enforced there";
}

// By way of another policy, or under another name, or given a new number by force.
TEST(CheckForward, A83_DetoursDoNotLeadBack) {
  const std::vector<store::AssignmentRow> detour = {Taken(Step::kEnforce, 3),
                                                    Taken(Step::kEnforce, 1, "", "other")};
  EXPECT_THAT(Check(detour, Version("web", 2, "b")), Refuses(Reason::kPolicyRollback));
  EXPECT_THAT(Check(detour, Version("web", 3, "c")), IsOk());
  EXPECT_THAT(Check({Taken(Step::kEnforce, 2)}, Version("copy", 1, "a")),
              Refuses(Reason::kPolicyRollback));
  EXPECT_THAT(Check({Taken(Step::kEnforce, 1)}, Version("copy", 1, "a")), IsOk());
}

// What was rolled back from may be tried again.
TEST(CheckForward, AfterARollbackTheWayIsForwardAgain) {
  const std::vector<store::AssignmentRow> steps = {
      Taken(Step::kEnforce, 1), Taken(Step::kEnforce, 3), Taken(Step::kRollBack, 1)};
  for (const int version : {1, 2, 3}) {
    EXPECT_THAT(Check(steps, Version("web", version, absl::StrCat("doc", version))), IsOk());
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::rollout

#include "gatekeeper/rollout/assignments.h"

#include "gtest/gtest.h"

namespace bootgate::gatekeeper::rollout {
namespace {

using store::Step;

store::AssignmentRow Row(const std::string& selector, const std::string& id,
                         Step step = Step::kEnforce) {
  store::AssignmentRow row;
  row.selector = selector;
  row.document_id = id;
  row.step = step;
  return row;
}

std::string Text(const Applied& applied) {
  return (applied.enforced == nullptr ? "-" : applied.enforced->document_id) + " " +
         (applied.candidate == nullptr ? "-" : applied.candidate->document_id);
}

TEST(Assignments, TheMostSpecificSelectorWins) {
  const Assignments assignments({Row("", "all"), Row("role=db", "db"), Row("rack=7", "rack"),
                                 Row("rack=7,role=db", "both"), Row("zone=a", "zone")});
  EXPECT_EQ(Text(assignments.For({})), "all -");
  EXPECT_EQ(Text(assignments.For({{"role", "db"}})), "db -");
  EXPECT_EQ(Text(assignments.For({{"role", "db"}, {"rack", "7"}})), "both -");
  EXPECT_EQ(Text(assignments.For({{"zone", "a"}, {"rack", "7"}})), "rack -");
}

TEST(Assignments, NothingAppliesWhereNothingFits) {
  EXPECT_EQ(Text(Assignments().For({})), "- -");
  EXPECT_EQ(Text(Assignments({Row("role=db", "db")}).For({{"role", "web"}})), "- -");
}

// A candidate is what would be enforced, no more: not for hosts that a more specific selector keeps
// away from it.
TEST(Assignments, CandidateIsWhatWouldBeEnforced) {
  const Assignments assignments({Row("", "all"), Row("", "all-next", Step::kReport),
                                 Row("role=db", "db"), Row("rack=7", "rack"),
                                 Row("rack=7", "rack-next", Step::kReport)});
  EXPECT_EQ(Text(assignments.For({})), "all all-next");
  EXPECT_EQ(Text(assignments.For({{"role", "db"}})), "db -");
  EXPECT_EQ(Text(assignments.For({{"rack", "7"}})), "rack rack-next");
}

TEST(Assignments, CandidateOfASelectorOfItsOwn) {
  const Assignments assignments({Row("", "all"), Row("", "all-next", Step::kReport),
                                 Row("role=db", "db-first", Step::kReport)});
  EXPECT_EQ(Text(assignments.For({{"role", "db"}})), "all db-first");
  EXPECT_EQ(Text(assignments.Of("role=db")), "- db-first");
  EXPECT_EQ(Text(assignments.Of("")), "all all-next");
}

TEST(Assignments, CandidateBeforeAnythingIsEnforced) {
  EXPECT_EQ(Text(Assignments({Row("", "first", Step::kReport)}).For({})), "- first");
}

TEST(Assignments, RolledBackIsEnforced) {
  EXPECT_EQ(Text(Assignments({Row("", "old", Step::kRollBack)}).For({})), "old -");
}

}  // namespace
}  // namespace bootgate::gatekeeper::rollout

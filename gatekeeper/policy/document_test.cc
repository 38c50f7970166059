// Documents: JSON claims that are made when a rule looks at them, at most once, and whose text is
// made only when somebody wants it.
#include "gatekeeper/json/parse.h"
#include "gatekeeper/policy/test_policies.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Counts what an evaluation makes of it.
class Counted : public json::ObjectSource {
 public:
  Document AsDocument(const char* type, bool read_only = false) {
    return {type, Issuer::kAttestationService, read_only, [this](json::Arena& arena) {
              ++made_;
              json::ArrayBuilder events(arena);
              for (int64_t seq = 0; seq < 3; ++seq) {
                json::ObjectBuilder event(arena);
                event.Add("EventSeq", json::Value::Integer(seq));
                event.Add("PcrIndex", json::Value::Integer(seq + 6));
                event.Add("ProcessedData",
                          json::Value::Deferred(*this, static_cast<uint64_t>(seq), arena));
                events.Add(event.Finish());
              }
              json::ObjectBuilder root(arena);
              root.Add("Events", events.Finish());
              return root.Finish();
            }};
  }
  absl::Span<const json::Member> MakeMembers(uint64_t key, json::Arena& arena) const override {
    ++forced_;
    json::ObjectBuilder members(arena);
    members.Add("Name", json::MakeString(absl::StrCat("event ", key), arena));
    return members.FinishMembers();
  }

  int made() const { return made_; }
  int forced() const { return forced_; }

 private:
  int made_ = 0;
  mutable int forced_ = 0;
};

class DocumentTest : public ::testing::Test {
 protected:
  Evaluation Run(absl::string_view rules, bool read_only = false, bool trace = false) {
    const std::vector<Document> documents = {events_.AsDocument("events", read_only)};
    return Evaluate(ReadOrThrow(Issuing(rules)), {.claims = {}, .documents = documents},
                    {.trace = trace});
  }
  Counted events_;
};

TEST_F(DocumentTest, IsNotMadeForARuleThatAsksOnlyWhetherItIsThere) {
  EXPECT_EQ(
      OutcomeOf(Run("[type==\"events\", issuer==\"AttestationService\", valueType==\"String\"]"
                    " => issue(type=\"x\", value=1);")),
      "permit");
  EXPECT_EQ(events_.made(), 0);
}

TEST_F(DocumentTest, IsMadeOnceHoweverManyRulesLook) {
  Run("c:[type==\"events\"] => issue(type=\"a\", value=JmesPath(c.value, \"Events[0].EventSeq\"));"
      "c:[type==\"events\"] => issue(type=\"b\", value=JmesPath(c.value, \"Events[1].EventSeq\"));"
      "c:[type==\"events\", value!=\"{\"] => issue(type=\"c\", value=1);");
  EXPECT_EQ(events_.made(), 1);
  EXPECT_EQ(events_.forced(), 3);  // the text of the last rule
}

TEST_F(DocumentTest, OnlyThePartsThatAQueryLooksAtAreMade) {
  const Evaluation evaluation =
      Run("c:[type==\"events\"] => add(type=\"seven\", value=JmesPath(c.value, "
          "\"Events[?PcrIndex == `7`]\"));"
          "c:[type==\"seven\"] => issue(type=\"n\", value=JsonToClaimValue(JmesPath(c.value, "
          "\"[0].ProcessedData.Name\")));"
          "[type==\"seven\", value==\"null\"] => issue(type=\"none\", value=true);");
  EXPECT_EQ(events_.forced(), 1);
  ASSERT_THAT(evaluation.outgoing, SizeIs(1));
  EXPECT_EQ(evaluation.outgoing[0].value, ClaimValue("event 1"));
}

TEST_F(DocumentTest, ReadOnlyFollowsThroughQueries) {
  EXPECT_EQ(OutcomeOf(Run("c:[type==\"events\"] => issue(type=\"x\", "
                          "value=JsonToClaimValue(JmesPath(c.value, \"Events[0].EventSeq\")));",
                          /*read_only=*/true)),
            "error read-only 2");
}

TEST_F(DocumentTest, ATraceTellsFromWhichEventsAValueCame) {
  const Evaluation evaluation =
      Run("c:[type==\"events\"] => add(type=\"late\", value=JmesPath(c.value, "
          "\"Events[?PcrIndex > `6`]\"));\n"
          "c:[type==\"late\"] => issue(type=\"n\", value=JsonToClaimValue(JmesPath(c.value, "
          "\"[1].ProcessedData.Name\")));\n"
          "c:[type==\"late\"] => issue(type=\"count\", value=JmesPath(c.value, \"length(@)\"));",
          /*read_only=*/false, /*trace=*/true);
  ASSERT_NE(evaluation.trace, nullptr);
  const Trace& trace = *evaluation.trace;
  ASSERT_THAT(trace.claims, SizeIs(4));
  EXPECT_THAT(trace.claims[0].events, IsEmpty()) << "the log itself";
  EXPECT_THAT(trace.claims[1].events, ElementsAre(1, 2));
  EXPECT_THAT(trace.claims[2].events, ElementsAre(2));
  EXPECT_THAT(trace.claims[3].events, IsEmpty()) << "computed";
  ASSERT_THAT(trace.rules, SizeIs(4));
  EXPECT_EQ(trace.rules[0].section, "authorizationrules");
  EXPECT_THAT(trace.rules[2].from_claims, ElementsAre(1));
  EXPECT_THAT(trace.rules[2].made_claims, ElementsAre(2));
}

TEST_F(DocumentTest, ATraceChangesNoResultAndNamesTheConditionThatFailed) {
  const char* const rules =
      "[type==\"events\"] && ![type==\"x\"] && [type==\"y\"] => issue(type=\"z\", value=1);\n"
      "=> issue(type=\"w\", value=JsonToClaimValue(\"{}\"));";
  const Evaluation traced = Run(rules, false, true), plain = Run(rules);
  EXPECT_EQ(OutcomeOf(traced), OutcomeOf(plain));
  EXPECT_EQ(plain.trace, nullptr);
  const TracedRule& rule = traced.trace->rules.at(1);
  EXPECT_FALSE(rule.ran);
  EXPECT_EQ(rule.failed_condition, 2u);
  EXPECT_THAT(rule.conditions, SizeIs(3));
  EXPECT_EQ(rule.conditions[0].selected, 1u);
  EXPECT_EQ(traced.trace->rules.at(2).error_kind, "type");
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy

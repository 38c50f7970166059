#include "gatekeeper/policy/event_reads.h"

#include "absl/strings/str_cat.h"
#include "common/testing/corpus.h"
#include "gatekeeper/policy/policy.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

std::optional<std::vector<std::string>> ReadBy(absl::string_view text) {
  ParseError error;
  const std::optional<Policy> policy = Policy::Read(text, &error);
  if (!policy.has_value()) {
    ADD_FAILURE() << text << ": " << error.message;
    return std::nullopt;
  }
  return EventTypesRead(policy->program());
}

std::optional<std::vector<std::string>> ReadByRules(absl::string_view rules) {
  return ReadBy(absl::StrCat("version=1.2; authorizationrules { => permit(); }; issuancerules {",
                             rules, "};"));
}

std::optional<std::vector<std::string>> ReadByQuery(absl::string_view query) {
  return ReadByRules(absl::StrCat(
      "c:[type==\"events\"] => add(type=\"x\", value=JmesPath(c.value, \"", query, "\"));"));
}

std::optional<std::vector<std::string>> ReadBySeed(absl::string_view file) {
  return ReadBy(testing::CorpusText(absl::StrCat("policies/", file)));
}

TEST(EventTypesRead, ArePartOfThePublishedPolicies) {
  EXPECT_THAT(ReadBySeed("seed-1-simple.txt"), Optional(ElementsAre()));
  EXPECT_THAT(ReadBySeed("seed-2-windows-boot.txt"),
              Optional(ElementsAre("EV_EFI_VARIABLE_DRIVER_CONFIG", "EV_EVENT_TAG")));
  EXPECT_THAT(ReadBySeed("seed-3-linux-ima.txt"),
              Optional(ElementsAre("EV_EFI_VARIABLE_BOOT", "EV_EFI_VARIABLE_DRIVER_CONFIG",
                                   "IMA_MEASUREMENT_EVENT")));
}

TEST(EventTypesRead, FollowsWhatOfAQuerySeesTheDocument) {
  for (const char* query :
       {"Events[?EventTypeString == 'A']", "Events[?'A' == EventTypeString]",
        "Events[?EventTypeString == 'A' && PcrIndex == `7`].ProcessedData.X | [0]",
        "Events[?EventTypeString == 'A'][]", "Events[?EventTypeString == 'A'].a[?b]",
        "Events[?(EventTypeString == 'A' || EventTypeString == 'A') && b]"}) {
    EXPECT_THAT(ReadByQuery(query), Optional(ElementsAre("A"))) << query;
  }
}

// Whatever could see another event, or fail on one, sees them all.
TEST(EventTypesRead, IsNotKnownWhenAnythingElseIsAsked) {
  for (const char* query :
       {"Events", "Events[0]", "Events[*].PcrIndex", "length(Events)", "@",
        "Events[?PcrIndex == `7`]", "Events[?EventTypeString != 'A']",
        "Events[?starts_with(Name, 'x') && EventTypeString == 'A']",
        "Events[?EventTypeString == 'A' || PcrIndex == `7`]",
        "[Events[?EventTypeString == 'A'], Events]", "Other[?EventTypeString == 'A']",
        "Events[?EventTypeString == `1`]", "Events[?EventTypeString == Name]",
        "Events[] | [?EventTypeString == 'A']", "Events[::-1] | [?EventTypeString == 'A']"}) {
    EXPECT_EQ(ReadByQuery(query), std::nullopt) << query;
  }
}

TEST(EventTypesRead, IsNotKnownWhenTheClaimItselfIsUsed) {
  for (const char* rules :
       {"c:[type==\"events\"] => issue(claim=c);",
        "c:[type==\"events\"] => issue(type=\"x\", value=c.value);",
        "c:[type==\"events\"] => add(type=\"x\", value=AppendString(c.value, \"y\"));",
        "c:[type==\"events\"] && [type==\"x\", value==c.value] => issue(type=\"x\", value=1);",
        "[type==\"events\", value!=\"\"] => issue(type=\"x\", value=1);",
        "c:[type==\"events\"] && q:[type==\"query\"] => "
        "add(type=\"x\", value=JmesPath(c.value, q.value));",
        "c:[issuer==\"AttestationService\"] => issue(type=\"x\", value=1);"}) {
    EXPECT_EQ(ReadByRules(rules), std::nullopt) << rules;
  }
  EXPECT_THAT(ReadByRules("[type==\"events\"] => issue(type=\"x\", value=1);"),
              Optional(ElementsAre()));
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy

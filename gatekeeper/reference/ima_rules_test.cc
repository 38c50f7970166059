#include "gatekeeper/reference/ima_rules.h"

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/reference.h"
#include "gatekeeper/reference/signed_tool_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;

constexpr char kId[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

TEST(ImaRules, ComeBackAsTheyWent) {
  const std::string json = absl::StrCat(
      R"({"algorithms":["sha1","sha256"],"by_digest":["/overlay/.*"],"digests":["sha256:)", kId,
      R"("],"excludes":["/var/lib/.*"],"kexec":true,"keyrings":{".ima":[")", kId,
      R"("]},"legacy_template":true,"outdated":"warn","sets":[")", kId,
      R"("],"signatures":"accept","trusted_keyrings":[".ima"],"unverified":["/home/.*"],)",
      R"("violations":["/var/log/.*"]})");
  BG_ASSERT_OK_AND_ASSIGN(const ImaRules rules, ImaRulesFromJson(json));
  EXPECT_EQ(ToJson(rules), json);
  EXPECT_EQ(rules.sets, std::vector<std::string>{kId});
  EXPECT_TRUE(rules.kexec);
  EXPECT_TRUE(rules.algorithms.contains(DigestAlg::kSha1));
}

TEST(ImaRules, TheDefaultSaysNothingAndAllowsNothingWeak) {
  EXPECT_EQ(ToJson(ImaRules()), "{}");
  BG_ASSERT_OK_AND_ASSIGN(const ImaRules rules, ImaRulesFromJson("{}"));
  EXPECT_FALSE(rules.algorithms.contains(DigestAlg::kSha1));
  EXPECT_TRUE(rules.algorithms.contains(DigestAlg::kSha256));
  EXPECT_TRUE(rules.algorithms.contains(DigestAlg::kSm3_256));
  EXPECT_FALSE(rules.violations.Match("/bin/a"));
  EXPECT_FALSE(rules.kexec);
}

TEST(ImaRules, AreReadWithTheReference) {
  Reference reference;
  reference.ima.present = true;
  BG_ASSERT_OK_AND_ASSIGN(reference.ima.rules, ImaRulesFromJson(R"({"excludes":["/x/.*"]})"));
  BG_ASSERT_OK_AND_ASSIGN(const Reference back, FromJson(ToJson(reference)));
  EXPECT_TRUE(back.ima.rules.excludes.Match("/x/y"));
  EXPECT_EQ(ToJson(back), ToJson(reference));
}

struct BadRules {
  const char *name, *json, *says;
};
void PrintTo(const BadRules& row, std::ostream* os) { *os << row.name; }
class ImaRulesRefuse : public ::testing::TestWithParam<BadRules> {};

TEST_P(ImaRulesRefuse, WithThePlace) {
  const absl::StatusOr<ImaRules> rules = ImaRulesFromJson(GetParam().json);
  EXPECT_THAT(rules.status(), Refuses(Reason::kReferenceParse));
  EXPECT_THAT(std::string(rules.status().message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ImaRulesRefuse,
    ::testing::Values(
        BadRules{"array", "[]", "ima.rules is not an object"},
        BadRules{"unknown", R"({"exclude":[]})", "did you mean \"excludes\"?"},
        BadRules{"set", R"({"sets":["abc"]})", "ima.rules.sets has \"abc\""},
        BadRules{"pattern", R"({"excludes":["/a("]})", "\"/a(\" is no pattern"},
        BadRules{"lone_parenthesis", R"({"excludes":["a)|(?:b"]})", "is no pattern"},
        BadRules{"empty", R"({"excludes":[""]})", "not a text"},
        BadRules{"algorithm", R"({"algorithms":["sha257"]})", "which we do not know"},
        BadRules{"no_algorithm", R"({"algorithms":[]})", "allows none"},
        BadRules{"digest", R"({"digests":["sha256:00"]})", "not of the form sha256:hex"},
        BadRules{"boolean", R"({"kexec":1})", "neither true nor false"},
        BadRules{"outdated", R"({"outdated":"later"})", "is none of \"fail\", \"warn\""},
        BadRules{"no_keys", R"({"signatures":"require"})", "neither keys nor trusted_keyrings"},
        BadRules{"key", R"({"keys":["-----BEGIN"]})", "ima.rules.keys"},
        BadRules{"keyring", R"({"keyrings":{".ima":["x"]}})", "ima.rules.keyrings..ima"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ImaRules, OfTheShippedReferencesAreRead) {
  for (const char* name : {"packages", "containers", "signed", "report-only"}) {
    SCOPED_TRACE(name);
    BG_ASSERT_OK_AND_ASSIGN(
        const std::string text,
        ReadTextFile(absl::StrCat(bootgate::testing::SourcePath("deploy/ima/"), name, ".json"),
                     1 << 20));
    BG_ASSERT_OK_AND_ASSIGN(const Reference reference, FromJson(text));
    EXPECT_TRUE(reference.ima.present);
    EXPECT_TRUE(reference.ima.rules.excludes.empty());
    EXPECT_TRUE(reference.ima.rules.unverified.empty());
    EXPECT_FALSE(reference.ima.rules.violations.Match("/usr/bin/sudo"));
  }
}

struct PathRow {
  const char *pattern, *path;
  bool matches;
};

// What a rule is about is the whole path and nothing beside it.
TEST(Attack, A53_PathRulesMeanTheWholePlainPath) {
  const PathRow rows[] = {{"/tmp", "/tmp", true},
                          {"/tmp", "/tmpx", false},
                          {"/tmp", "/a/tmp", false},
                          {"/opt/app/.*", "/opt/app/x", true},
                          {"/opt/app/.*", "/opt/app-evil/x", false},
                          {"/opt/app/.*", "/opt/app/../../usr/bin/x", false},
                          {"/opt/app/.*", "/opt/app//x", false},
                          {"/opt/app/.*", "/opt/app/./x", false},
                          {"/opt/app/.*", "/opt/app/..", false},
                          {"/opt/app/.*", "/opt/app/..x", true},
                          {"/opt/app/.*", "/srv/opt/app/x", false},
                          {"/a|/b", "/b", true},
                          {"/a|/b", "/bc", false},
                          {"/opt/.*", "/opt/a\nb", false},
                          {"(?s)/opt/.*", "/opt/\xff", true}};
  for (const PathRow& row : rows) {
    SCOPED_TRACE(absl::StrCat(row.pattern, " ", row.path));
    BG_ASSERT_OK_AND_ASSIGN(const PathPatterns patterns,
                            PathPatterns::Make({"/never", row.pattern, "/nor/this"}));
    EXPECT_EQ(patterns.Match(row.path), row.matches);
  }
  EXPECT_FALSE(PathPatterns().Match(""));
  EXPECT_FALSE(PathPatterns::Make(std::vector<std::string>(kMaxPatterns + 1, "a")).ok());
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference

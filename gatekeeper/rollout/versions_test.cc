#include "gatekeeper/rollout/versions.h"

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::rollout {
namespace {

using testing::HasCode;
using testing::IsOk;
using testing::Refuses;

store::VersionRow Row(const std::string& name, int64_t version, const std::string& id,
                      const std::string& signer = "") {
  store::VersionRow row;
  row.name = name;
  row.version = version;
  row.document_id = id;
  row.signer = signer;
  return row;
}

// As the store gives them: newest first.
const std::vector<store::VersionRow> kStored = {Row("db", 1, "x"), Row("web", 3, "c"),
                                                Row("web", 2, "b"), Row("web", 1, "a")};

TEST(PolicyName, IsNeverAPath) {
  for (const char* good : {"a", "Web-7_x", "7"}) EXPECT_TRUE(IsPolicyName(good)) << good;
  for (const char* bad : {"", "-a", "_a", "a.b", "a/b", "a@1", "a b", "\xc3\xa4"})
    EXPECT_FALSE(IsPolicyName(bad)) << bad;
  EXPECT_FALSE(IsPolicyName(std::string(kMaxPolicyName + 1, 'a')));
  for (const char* path : {"a.policy", "./a", "dir/a"}) EXPECT_TRUE(IsPath(path)) << path;
  EXPECT_FALSE(IsPath("web@3"));
}

TEST(PolicyName, OfAFileIsItsStem) {
  EXPECT_EQ(NameOfFile("deploy/policies/secure-boot.policy"), "secure-boot");
  EXPECT_EQ(NameOfFile("/x/web 1.2.txt"), "web-1-2");
  EXPECT_EQ(NameOfFile("./--x.policy"), "x");
  EXPECT_EQ(NameOfFile("./-.policy"), "policy");
  EXPECT_TRUE(IsPolicyName(NameOfFile("a/" + std::string(200, 'n') + ".p")));
}

TEST(VersionRef, NamesTheNewestOrOne) {
  EXPECT_EQ(ReadVersionRef("web")->version, std::nullopt);
  EXPECT_EQ(ReadVersionRef("web@3")->version, 3);
  for (const char* bad : {"", "@1", "web@", "web@0", "web@-1", "web@x", "web@1@2",
                          "web@99999999999999999999", "a b@1"}) {
    EXPECT_THAT(ReadVersionRef(bad), HasCode(absl::StatusCode::kInvalidArgument)) << bad;
  }
  EXPECT_EQ(FindVersion(kStored, {.name = "web", .version = {}})->document_id, "c");
  EXPECT_EQ(FindVersion(kStored, {.name = "web", .version = 1})->document_id, "a");
  EXPECT_THAT(FindVersion(kStored, {.name = "web", .version = 4}),
              HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(FindVersion(kStored, {.name = "none", .version = {}}),
              HasCode(absl::StatusCode::kNotFound));
}

TEST(VersionFor, CountsOn) {
  EXPECT_EQ(VersionFor({}, "web", "a", "", false)->number, 1);
  EXPECT_EQ(VersionFor(kStored, "web", "d", "", false)->number, 4);
  EXPECT_EQ(VersionFor(kStored, "new", "a", "", false)->number, 1);
}

TEST(VersionFor, TheNewestTextAgainIsNoNewVersion) {
  const absl::StatusOr<NextVersion> next = VersionFor(kStored, "web", "c", "", false);
  ASSERT_THAT(next, IsOk());
  ASSERT_TRUE(next->same.has_value());
  EXPECT_EQ(next->same->version, 3);
  EXPECT_FALSE(VersionFor(kStored, "web", "c", "5e", false)->same.has_value())
      << "that somebody signed it is new";
}

TEST(VersionFor, A83_OldTextIsNotMadeNewQuietly) {
  EXPECT_THAT(VersionFor(kStored, "web", "a", "", false), Refuses(Reason::kPolicyRollback));
  EXPECT_EQ(VersionFor(kStored, "web", "a", "", true)->number, 4);
}

}  // namespace
}  // namespace bootgate::gatekeeper::rollout

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/reference.h"

namespace bootgate::gatekeeper::reference {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;

crypto::Digest DigestOfText(absl::string_view text) {
  return crypto::Hash(crypto::HashAlg::kSha256, AsBytes(text));
}

Reference Example() {
  Reference reference;
  reference.name = "web hosts";
  reference.learned_from = "good";
  reference.learned_at = "2026-11-22T12:00:00Z";
  reference.banks[crypto::HashAlg::kSha256][7] = {
      DigestOfText("pcr"),
      {{DigestOfText("event"), 0x80000001, "var:SecureBoot", "SecureBoot = 01 (on)"}}};
  reference.ima.present = true;
  reference.ima.unlisted = Unlisted::kFail;
  reference.ima.files["/bin/a"] = {"sha256:00ff", "sha256:11"};
  reference.ima.files[std::string("/bin/\xff\xfe bad\n", 12)] = {"sha256:22"};
  reference.ima.buffers["kernel_version"] = {"sha256:33"};
  return reference;
}

TEST(ReferenceJson, ComesBackAsItWent) {
  const std::string json = ToJson(Example());
  BG_ASSERT_OK_AND_ASSIGN(const Reference back, FromJson(json));
  EXPECT_EQ(ToJson(back), json);
  EXPECT_EQ(back.ima.files, Example().ima.files);
  EXPECT_EQ(back.ima.unlisted, Unlisted::kFail);
  EXPECT_EQ(back.banks.at(crypto::HashAlg::kSha256).at(7).events[0].key, "var:SecureBoot");
  EXPECT_EQ(back.id, DigestOfText(json).hex());
}

TEST(ReferenceJson, IsAsciiSafeForPathsThatAreNotText) {
  EXPECT_THAT(ToJson(Example()), HasSubstr("\"path_hex\": \"2f62696e2ffffe206261640a"));
}

TEST(ReferenceJson, ReferenceWithoutImaListComesBack) {
  Reference reference = Example();
  reference.ima = {};
  BG_ASSERT_OK_AND_ASSIGN(const Reference back, FromJson(ToJson(reference)));
  EXPECT_FALSE(back.ima.present);
}

// A text of the valid file replaced by another.
struct BadFile {
  const char *name, *replace, *by, *says;
};
void PrintTo(const BadFile& row, std::ostream* os) { *os << row.name; }
class FromJsonRefuses : public ::testing::TestWithParam<BadFile> {};

TEST_P(FromJsonRefuses, WithThePlace) {
  const std::string good = ToJson(Example());
  const std::string bad = absl::StrReplaceAll(good, {{GetParam().replace, GetParam().by}});
  ASSERT_NE(bad, good);
  const auto result = FromJson(bad);
  ASSERT_THAT(result, Refuses(Reason::kReferenceParse));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, FromJsonRefuses,
    ::testing::Values(
        BadFile{"UnknownKey", "\"unlisted\"", "\"unlistd\"", "did you mean \"unlisted\"?"},
        BadFile{"MissingKey", "\"learned_at\": \"2026-11-22T12:00:00Z\",", "",
                "lacks the key \"learned_at\""},
        BadFile{"OtherFormat", "bootgate-reference/1", "bootgate-reference/2", "format"},
        BadFile{"UnknownBank", "\"sha256\": {", "\"sha257\": {", "banks.sha257"},
        BadFile{"RegisterTooHigh", "\"7\": {", "\"24\": {", "banks.sha256.24"},
        BadFile{"RegisterOddlyWritten", "\"7\": {", "\"07\": {", "register number"},
        BadFile{"NegativeType", "2147483649", "-1", "banks.sha256.7.events[0].type"},
        BadFile{"TypeTooLarge", "2147483649", "4294967296", "banks.sha256.7.events[0].type"},
        BadFile{"FractionalType", "2147483649", "1.5", "banks.sha256.7.events[0].type"},
        BadFile{"UnknownRule", "\"fail\"", "\"ignore\"", "ima.unlisted"},
        BadFile{"DigestWithoutName", "sha256:33", "33", "ima.buffers[0].digests[0]"},
        BadFile{"DigestNotHex", "sha256:33", "sha256:3g", "ima.buffers[0].digests[0]"},
        BadFile{"PathNotHex", "2f62696e2f", "2f62696e2x", "path_hex"},
        BadFile{"KeyTwice", "\"learned_at\"", "\"name\"", "given twice"},
        BadFile{"CommaTooMuch", "\"kernel_version\"", "\"kernel_version\",", "line "}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(FromJson, RefusesOtherShapes) {
  for (const char* text : {"", "null", "[]", "{", "\"x\"", "{\"banks\": 1}", "\xff\xfe"}) {
    EXPECT_THAT(FromJson(text), Refuses(Reason::kReferenceParse)) << text;
  }
}

TEST(FromJson, RefusesDeepNestingAndHugeFilesBeforeReadingThem) {
  EXPECT_THAT(FromJson(std::string(100000, '[')), Refuses(Reason::kReferenceParse));
  EXPECT_THAT(FromJson(std::string((size_t{16} << 20) + 1, ' ')), Refuses(Reason::kReferenceParse));
}

TEST(FromJson, SurvivesEveryCutOfAValidFile) {
  const std::string good = ToJson(Example());
  for (size_t size = 0; size + 1 < good.size(); ++size) {
    EXPECT_FALSE(FromJson(absl::string_view(good).substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference

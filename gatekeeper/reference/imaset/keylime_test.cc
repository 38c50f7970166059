#include "gatekeeper/reference/imaset/keylime.h"

#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Refuses;

size_t CountOf(const SetDraft& draft, DigestKind kind) {
  size_t count = 0;
  for (const SetItem& item : draft.items) count += item.kind == kind ? 1 : 0;
  return count;
}

// What real policies hold, counted by hand.
struct PolicyRow {
  const char* file;
  size_t files, buffers, keyrings, ignored_keyrings, not_kept;
};
void PrintTo(const PolicyRow& row, std::ostream* os) { *os << row.file; }

void Check(const std::string& json, const PolicyRow& row) {
  BG_ASSERT_OK_AND_ASSIGN(const KeylimeImport import, ImportKeylime(json, {}));
  EXPECT_EQ(CountOf(import.draft, DigestKind::kFile), row.files);
  EXPECT_EQ(CountOf(import.draft, DigestKind::kBuffer), row.buffers);
  EXPECT_EQ(CountOf(import.draft, DigestKind::kKeyring), row.keyrings);
  EXPECT_EQ(import.draft.rules.ignored_keyrings.size(), row.ignored_keyrings);
  EXPECT_EQ(import.not_kept.size(), row.not_kept) << ::testing::PrintToString(import.not_kept);
  EXPECT_THAT(testing::Opened(import.draft), IsOk());
}

class CarriedPolicies : public ::testing::TestWithParam<PolicyRow> {};
TEST_P(CarriedPolicies, AreImportedWhole) {
  Check(testing::CorpusText(std::string("keylime/") + GetParam().file), GetParam());
}
INSTANTIATE_TEST_SUITE_P(Keylime, CarriedPolicies,
                         ::testing::ValuesIn(std::vector<PolicyRow>{
                             {"policy.json", 20, 0, 1, 0, 1},
                             {"records.json", 3, 7, 0, 0, 1},
                             {"keyrings.json", 3, 0, 1, 1, 1},
                         }),
                         [](const auto& row) {
                           const std::string file = row.param.file;
                           return file.substr(0, file.find('.'));
                         });

class WiderPolicies : public ::testing::TestWithParam<PolicyRow> {};
TEST_P(WiderPolicies, AreImportedWhole) {
  const std::optional<std::string> folder = testing::WiderCorpus();
  if (!folder.has_value()) GTEST_SKIP() << "the wider corpus is not here";
  BG_ASSERT_OK_AND_ASSIGN(const std::string json,
                          ReadTextFile(*folder + "/ima/" + GetParam().file, kMaxKeylimeBytes));
  Check(json, GetParam());
}
INSTANTIATE_TEST_SUITE_P(
    Keylime, WiderPolicies,
    ::testing::ValuesIn(std::vector<PolicyRow>{
        {"keylime_keylime/create-runtime-policy-policy-sha1", 1, 0, 0, 0, 0},
        {"keylime_keylime/create-runtime-policy-policy-sha256", 1, 0, 0, 0, 0},
        {"keylime_keylime/create-runtime-policy-policy-sm3_256", 1, 0, 0, 0, 0},
        {"RedHat-SP-Security_keylime-tests/keylime-policy-commands-base_policy.json", 1, 0, 0, 0,
         1},
        {"RedHat-SP-Security_keylime-tests/test1-output1.json", 0, 0, 0, 0, 0},
        {"RedHat-SP-Security_keylime-tests/test2-output1.json", 3, 0, 0, 0, 1},
    }),
    [](const auto& row) { return absl::StrCat("Policy", row.index); });

TEST(ImportKeylime, KeepsWhatASetCanSay) {
  const std::string hex32(64, 'a'), hex20(40, 'b');
  const std::string json = absl::StrCat(
      R"({"meta": {"version": 1, "timestamp": "then"}, "release": 0, "digests": {"/a": [")", hex32,
      R"(", "sha1:)", hex20, R"("], "/b": ["sm3:)", hex32,
      R"("]}, "excludes": ["/tmp/.*", "(?!x)y", "", "/var/log"],
         "keyrings": {".ima": [")",
      hex32, R"("]}, "ima": {"ignored_keyrings": [".evm"], "log_hash_alg": "sha256",
         "dm_policy": {"x": 1}}, "ima-buf": {"dm_table_load": [")",
      hex32, R"("]}, "verification-keys": "{\"pubkeys\": [\"AAEC\"], \"keyids\": [1]}",
         "surprise": 1})");
  BG_ASSERT_OK_AND_ASSIGN(const KeylimeImport import, ImportKeylime(json, {}));
  ASSERT_EQ(import.draft.items.size(), 5u);
  EXPECT_EQ(import.draft.items[0].alg, DigestAlg::kSha256);
  EXPECT_EQ(import.draft.items[1].alg, DigestAlg::kSha1);
  EXPECT_EQ(import.draft.items[2].alg, DigestAlg::kSm3_256);
  EXPECT_EQ(import.draft.created, "then");
  EXPECT_THAT(import.draft.rules.excludes, ElementsAre("^(?:/tmp/.*)", "^(?:/var/log)"));
  EXPECT_THAT(import.draft.rules.ignored_keyrings, ElementsAre(".evm"));
  EXPECT_THAT(import.draft.rules.verification_keys,
              ElementsAre("-----BEGIN PUBLIC KEY-----\nAAEC\n-----END PUBLIC KEY-----\n"));
  EXPECT_EQ(import.not_kept.size(), 3u);
  EXPECT_THAT(import.not_kept, Contains(HasSubstr("(?!x)y")));
  EXPECT_THAT(import.not_kept, Contains(HasSubstr("ima.dm_policy")));
  EXPECT_THAT(import.not_kept, Contains(HasSubstr("surprise")));
}

TEST(ImportKeylime, BareDigestsTakeTheAlgorithmOfTheirLength) {
  const auto alg = [](size_t bytes, KeylimeOptions options = {}) {
    const std::string json =
        absl::StrCat(R"({"digests": {"/a": [")", std::string(2 * bytes, '0'), R"("]}})");
    return ImportKeylime(json, options)->draft.items.at(0).alg;
  };
  EXPECT_EQ(NameOf(alg(16)), "md5");
  EXPECT_EQ(NameOf(alg(20)), "sha1");
  EXPECT_EQ(NameOf(alg(32)), "sha256");
  EXPECT_EQ(NameOf(alg(32, {.bare_32 = DigestAlg::kSm3_256})), "sm3-256");
  EXPECT_EQ(NameOf(alg(48)), "sha384");
  EXPECT_EQ(NameOf(alg(64)), "sha512");
}

TEST(ImportKeylime, ReadsTheOlderNameOfDigests) {
  BG_ASSERT_OK_AND_ASSIGN(
      const KeylimeImport import,
      ImportKeylime(absl::StrCat(R"({"hashes": {"/a": [")", std::string(64, 'a'), R"("]}})"), {}));
  EXPECT_EQ(import.draft.items.size(), 1u);
}

struct BadPolicy {
  const char *name, *json, *says;
};
void PrintTo(const BadPolicy& row, std::ostream* os) { *os << row.name; }

class ImportKeylimeRefuses : public ::testing::TestWithParam<BadPolicy> {};
TEST_P(ImportKeylimeRefuses, WithThePlace) {
  const auto import = ImportKeylime(GetParam().json, {});
  EXPECT_THAT(import, Refuses(Reason::kReferenceParse));
  EXPECT_THAT(std::string(import.status().message()), HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(
    Policies, ImportKeylimeRefuses,
    ::testing::ValuesIn(std::vector<BadPolicy>{
        {"Nothing", "", "not JSON"},
        {"NotJson", "{\"digests\": ", "not JSON"},
        {"Deep", "{\"digests\": [[[[[[[[[[]]]]]]]]]]}", "nested deeper"},
        {"Array", "[]", "not a JSON object"},
        {"OtherThing", "{\"payload\": \"\"}", "no runtime policy"},
        {"DigestsArray", "{\"digests\": []}", "digests is not an object"},
        {"DigestNumber", "{\"digests\": {\"/a\": [1]}}", "digests./a has a digest that is no text"},
        {"DigestNotHex", "{\"digests\": {\"/a\": [\"xyz\"]}}", "not hexadecimal"},
        {"DigestShort", "{\"digests\": {\"/a\": [\"sha256:aa\"]}}", "1 bytes; sha256 has 32"},
        {"EmptyPath", "{\"digests\": {\"\": [\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]}}", "no path"},
        {"Version", "{\"digests\": {}, \"meta\": {\"version\": 2}}", "meta.version is 2"},
        {"Keys", "{\"digests\": {}, \"verification-keys\": \"hello\"}", "neither PEM nor"},
        {"Excludes", "{\"digests\": {}, \"excludes\": [1]}", "no text"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace bootgate::gatekeeper::reference

#include "gatekeeper/sealing/secret.h"

#include <sys/stat.h>

#include "absl/strings/str_replace.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/sealing/made_store_test.h"

namespace bootgate::gatekeeper::sealing {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<SecretKey> OneKey() {
  std::vector<SecretKey> keys;
  keys.push_back(NewSecretKey());
  return keys;
}
SecretBytes Value(absl::string_view text = "the disk's key") { return SecretBytes(AsBytes(text)); }
const SecretFacts kDisk = {.name = "disk", .selector = "role=db", .across_boots = true};

TEST(Secret, OpensUnderItsKeyAndShowsNothing) {
  const auto keys = OneKey();
  BG_ASSERT_OK_AND_ASSIGN(const Secret secret, CloseSecret(kDisk, keys[0], Value()));
  const std::string text = ToText(secret);
  EXPECT_THAT(text, Not(HasSubstr("disk's key")));
  BG_ASSERT_OK_AND_ASSIGN(const Secret back, SecretFromText(text));
  EXPECT_EQ(back.facts.name, "disk");
  EXPECT_EQ(back.facts.selector, "role=db");
  EXPECT_TRUE(back.facts.across_boots);
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes value, OpenSecret(back, keys));
  EXPECT_TRUE(value.ConstantTimeEquals(Value().view()));
  EXPECT_THAT(OpenSecret(back, OneKey()), Refuses(Reason::kStateCorrupt));
}

// Who can write to the store gives no secret another name, other hosts, or a longer life.
TEST(Secret, WhatItSaysOfItselfIsBound) {
  const auto keys = OneKey();
  BG_ASSERT_OK_AND_ASSIGN(const Secret secret, CloseSecret(kDisk, keys[0], Value()));
  const std::string text = ToText(secret);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"disk\"", "\"motd\""},
           {"role=db", "role=web"},
           {"\"across_boots\":true", "\"across_boots\":false"},
           {"\"per_host\":false", "\"per_host\":true"}}) {
    const std::string changed = absl::StrReplaceAll(text, {{from, to}});
    ASSERT_NE(changed, text);
    BG_ASSERT_OK_AND_ASSIGN(const Secret read, SecretFromText(changed));
    EXPECT_THAT(OpenSecret(read, keys), Refuses(Reason::kRecordCorrupt)) << to;
  }
}

TEST(Secret, EachHostsOwnValueIsSteadyAndItsOwn) {
  const SecretFacts facts{.name = "disk", .per_host = true};
  const SecretBytes seed(Bytes(32, 7)), other_seed(Bytes(32, 8));
  const auto text = [](const SecretBytes& value) { return std::string(AsText(value.view())); };
  const std::string one = text(ValueFor(facts, seed, "h-1"));
  EXPECT_THAT(one, ::testing::MatchesRegex("[0-9a-f]{64}"));
  EXPECT_EQ(text(ValueFor(facts, seed, "h-1")), one);
  EXPECT_NE(text(ValueFor(facts, seed, "h-2")), one);
  EXPECT_NE(text(ValueFor(facts, other_seed, "h-1")), one);
  EXPECT_NE(text(ValueFor({.name = "join", .per_host = true}, seed, "h-1")), one);
}

TEST(Secret, BoundsAndNames) {
  const auto keys = OneKey();
  for (const char* const name : {"", ".hidden", "a/b", "..", "a b", "a\n"}) {
    EXPECT_THAT(CheckSecretName(name), HasCode(absl::StatusCode::kInvalidArgument)) << name;
  }
  EXPECT_THAT(CheckSecretName(std::string(65, 'a')), HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckSecretName("disk-0.key_A"), IsOk());
  EXPECT_FALSE(CloseSecret(kDisk, keys[0], Value("")).ok());
  EXPECT_FALSE(CloseSecret(kDisk, keys[0], SecretBytes(kMaxSecretBytes + 1)).ok());
  EXPECT_THAT(CloseSecret(kDisk, keys[0], SecretBytes(kMaxSecretBytes)), IsOk());
}

TEST(Secret, TextThatWeDidNotWrite) {
  for (const char* const text : {"", "[]", "{}", "{\"version\":1}", "\xff",
                                 R"({"version":1,"name":"../x","selector":"","per_host":false,)"
                                 R"("across_boots":false,"key":"","sealed":""})",
                                 R"({"version":1,"name":"x","selector":"","per_host":false,)"
                                 R"("across_boots":false,"key":"","sealed":"*"})"}) {
    EXPECT_THAT(SecretFromText(text), Refuses(Reason::kRecordCorrupt)) << text;
  }
}

TEST(KeyFolder, KeysComeBackAndOthersCannotReadThem) {
  const MadeStore made;
  EXPECT_EQ(ReadSecretKeys(made.keys()).value().size(), 0u);
  std::vector<SecretKey> keys;
  keys.push_back(NewSecretKey());
  keys.push_back(NewSecretKey());
  BG_ASSERT_OK_AND_ASSIGN(const FolderLock lock, FolderLock::Take(made.keys()));
  ASSERT_THAT(WriteSecretKeys(made.keys(), keys, lock), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto back, ReadSecretKeys(made.keys()));
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].id, keys[0].id);
  EXPECT_TRUE(back[1].key.ConstantTimeEquals(keys[1].key.view()));
  struct stat info = {};
  ASSERT_EQ(stat((made.keys() + "/secret-keys").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(chmod((made.keys() + "/secret-keys").c_str(), 0640), 0);
  EXPECT_THAT(ReadSecretKeys(made.keys()), Refuses(Reason::kStateCorrupt));
}

TEST(KeyFolder, SpoiltFilesAreNamed) {
  const MadeStore made;
  ASSERT_THAT(MakeFolder(made.keys(), 0700), IsOk());
  const std::string path = made.keys() + "/secret-keys";
  for (const char* const text : {"x\n", "0011223344556677 00\n", "00 "}) {
    ASSERT_THAT(WriteFileAtomically(path, AsBytes(text), 0600), IsOk());
    EXPECT_THAT(ReadSecretKeys(made.keys()), Refuses(Reason::kStateCorrupt)) << text;
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::sealing

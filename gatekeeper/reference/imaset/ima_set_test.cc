#include "gatekeeper/reference/imaset/ima_set.h"

#include <algorithm>
#include <filesystem>
#include <random>

#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using testing::Deb;
using testing::DigestOf;
using ::testing::ElementsAre;
using testing::HasCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Item;
using testing::Opened;
using testing::Packaged;
using testing::Refuses;

using SetPtr = std::shared_ptr<const ImaSet>;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

SetAnswer Ask(const ImaSet& set, absl::string_view path, absl::string_view content,
              absl::Time at = kNow, SetKinds kinds = SetKinds::kFiles) {
  const Bytes digest = DigestOf(content);
  return set.Find({.path = path, .digest = digest, .kinds = kinds}, at).answer;
}

SetAnswer AskDigest(const ImaSet& set, absl::string_view content, absl::Time at = kNow) {
  const Bytes digest = DigestOf(content);
  return set.FindDigest({.digest = digest}, at).answer;
}

TEST(ImaSet, KnowsPathsWithTheirDigests) {
  SetDraft draft;
  draft.items = {Item("/a", "1"), Item("/a", "2"), Item("/usr/bin/b c", "3")};
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(draft));
  EXPECT_EQ(set->counts().paths, 2u);
  EXPECT_EQ(set->counts().items, 3u);
  EXPECT_EQ(Ask(*set, "/a", "1"), SetAnswer::kListed);
  EXPECT_EQ(Ask(*set, "/a", "2"), SetAnswer::kListed);
  EXPECT_EQ(Ask(*set, "/a", "3"), SetAnswer::kOtherDigest);
  EXPECT_EQ(Ask(*set, "/usr/bin/b c", "3"), SetAnswer::kListed);
  EXPECT_EQ(Ask(*set, "/usr/bin/b", "3"), SetAnswer::kUnlisted);
  EXPECT_EQ(Ask(*set, "/usr/bin/", "3"), SetAnswer::kUnlisted);
  EXPECT_EQ(Ask(*set, "b c", "3"), SetAnswer::kUnlisted);
  EXPECT_EQ(Ask(*set, "", "3"), SetAnswer::kUnlisted);
}

TEST(ImaSet, KnowsDigestsWhateverThePath) {
  SetDraft draft;
  draft.items = {Item("/a", "1"), Item("/b", "1"), Item("/c", "old", {0, 100})};
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(draft));
  EXPECT_EQ(AskDigest(*set, "1"), SetAnswer::kListed);
  EXPECT_EQ(AskDigest(*set, "old"), SetAnswer::kOutdated);
  EXPECT_EQ(AskDigest(*set, "none"), SetAnswer::kUnlisted);
  EXPECT_EQ(set->FindDigest({.digest = Bytes{1, 2, 3}}, kNow).answer, SetAnswer::kUnlisted);
}

TEST(ImaSet, EmptySetKnowsNothing) {
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened({}));
  EXPECT_EQ(Ask(*set, "/a", "1"), SetAnswer::kUnlisted);
  EXPECT_EQ(AskDigest(*set, "1"), SetAnswer::kUnlisted);
  EXPECT_THAT(set->VariantsOf("/a"), IsEmpty());
}

struct At {
  int64_t second;
  SetAnswer answer;
};

// During an update old and new are good, after it the old one is outdated.
TEST(ImaSet, WindowsOpenAndCloseOverTime) {
  SetDraft draft;
  draft.items = {Item("/a", "old", {0, 1000}), Item("/a", "new", {500, 0})};
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(draft));
  testing::FakeClock clock(absl::FromUnixSeconds(0));
  const auto walk = [&](absl::string_view content, const std::vector<At>& rows) {
    for (const At& row : rows) {
      clock.Set(absl::FromUnixSeconds(row.second));
      EXPECT_EQ(Ask(*set, "/a", content, clock.Now()), row.answer) << content << row.second;
      EXPECT_EQ(AskDigest(*set, content, clock.Now()), row.answer) << content << row.second;
    }
  };
  using enum SetAnswer;
  walk("old", {{0, kListed}, {1000, kListed}, {1001, kOutdated}});
  walk("new", {{0, kNotYetValid}, {499, kNotYetValid}, {500, kListed}, {1 << 30, kListed}});
}

TEST(ImaSet, OfSeveralWindowsTheBestAnswers) {
  SetDraft draft;
  draft.items = {Item("/a", "1", {0, 10}), Item("/a", "1", {20, 30}), Item("/b", "1", {25, 40})};
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(draft));
  const auto by_path = [&](int64_t at) { return Ask(*set, "/a", "1", absl::FromUnixSeconds(at)); };
  EXPECT_EQ(by_path(5), SetAnswer::kListed);
  EXPECT_EQ(by_path(15), SetAnswer::kOutdated);
  EXPECT_EQ(by_path(25), SetAnswer::kListed);
  EXPECT_EQ(by_path(35), SetAnswer::kOutdated);
  EXPECT_EQ(AskDigest(*set, "1", absl::FromUnixSeconds(35)), SetAnswer::kListed);
  EXPECT_EQ(AskDigest(*set, "1", absl::FromUnixSeconds(41)), SetAnswer::kOutdated);
}

TEST(ImaSet, TellsPackageAndWhatReplacedIt) {
  SetItem old = Packaged("/usr/bin/tool", "old", Deb("tool", "1.0-1"));
  old.window.not_after = 100;
  old.replaced_by = Deb("tool", "1.0-2");
  SetDraft draft;
  draft.items = {old, Packaged("/usr/bin/tool", "new", Deb("tool", "1.0-2"))};
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(draft));
  const Bytes digest = DigestOf("old");
  const SetFound found = set->Find({.path = "/usr/bin/tool", .digest = digest}, kNow);
  EXPECT_EQ(NameOf(found.answer), "outdated_package");
  const SetTerms terms = set->TermsOf(found);
  ASSERT_TRUE(terms.package && terms.replaced_by);
  EXPECT_EQ(terms.package->name, "tool");
  EXPECT_EQ(terms.package->version, "1.0-1");
  EXPECT_EQ(terms.replaced_by->version, "1.0-2");
  EXPECT_EQ(terms.window, (Window{0, 100}));
  EXPECT_EQ(set->VariantsOf("/usr/bin/tool").size(), 2u);
  EXPECT_EQ(set->Packages().size(), 2u);
  EXPECT_FALSE(set->TermsOf(SetFound()).package.has_value());
}

TEST(ImaSet, KindsDoNotStandForOneAnother) {
  SetDraft draft;
  draft.items = {Item("/f", "1"), Item("/v", "1"), Item("kexec-cmdline", "1"), Item(".ima", "1")};
  draft.items[1].kind = DigestKind::kFsVerity;
  draft.items[2].kind = DigestKind::kBuffer;
  draft.items[3].kind = DigestKind::kKeyring;
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(draft));
  const auto ask = [&](absl::string_view path, SetKinds kinds) {
    return Ask(*set, path, "1", kNow, kinds);
  };
  EXPECT_EQ(ask("/f", SetKinds::kFiles), SetAnswer::kListed);
  EXPECT_EQ(ask("/f", SetKinds::kFsVerity), SetAnswer::kUnlisted);
  EXPECT_EQ(ask("/f", SetKinds::kBuffers), SetAnswer::kUnlisted);
  EXPECT_EQ(ask("/v", SetKinds::kFsVerity), SetAnswer::kListed);
  EXPECT_EQ(ask("/v", SetKinds::kFiles), SetAnswer::kUnlisted);
  EXPECT_EQ(ask("kexec-cmdline", SetKinds::kBuffers), SetAnswer::kListed);
  EXPECT_EQ(ask(".ima", SetKinds::kBuffers), SetAnswer::kListed);
  EXPECT_EQ(ask(".ima", SetKinds::kFiles), SetAnswer::kUnlisted);
}

TEST(Attack, A59_DigestOfAnotherAlgorithmIsNotListed) {
  SetDraft draft;
  draft.items = {Item("/a", "1")};
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(draft));
  const Bytes digest = DigestOf("1");
  const auto ask = [&](DigestAlg alg, ByteView value) {
    return set->Find({.path = "/a", .digest = value, .alg = alg}, kNow).answer;
  };
  EXPECT_EQ(ask(DigestAlg::kSha256, digest), SetAnswer::kListed);
  EXPECT_EQ(ask(DigestAlg::kSm3_256, digest), SetAnswer::kOtherDigest);
  EXPECT_EQ(ask(DigestAlg::kSha1, ByteView(digest).first(20)), SetAnswer::kOtherDigest);
  EXPECT_EQ(ask(DigestAlg::kSha256, ByteView(digest).first(20)), SetAnswer::kOtherDigest);
  EXPECT_EQ(ask(DigestAlg::kSha256, {}), SetAnswer::kOtherDigest);
  EXPECT_EQ(set->FindDigest({.digest = digest, .alg = DigestAlg::kSm3_256}, kNow).answer,
            SetAnswer::kUnlisted);
}

TEST(ImaSet, FindsManyAtOnceAsOneByOne) {
  SetDraft draft;
  std::vector<std::string> paths;
  std::vector<Bytes> digests;
  for (int i = 0; i < 1000; ++i) {
    paths.push_back(absl::StrCat("/usr/lib/", i % 7, "/", i));
    digests.push_back(DigestOf(i % 5 == 0 ? "changed" : absl::StrCat(i)));
    if (i % 3 != 0) {
      draft.items.push_back(Item(paths.back(), absl::StrCat(i), {0, i % 2 == 0 ? 0 : 100}));
    }
  }
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(draft));
  std::vector<SetQuery> queries;
  for (size_t i = 0; i < paths.size(); ++i) {
    queries.push_back({.path = paths[i], .digest = digests[i]});
  }
  std::vector<SetFound> found(queries.size());
  set->FindAll(queries, kNow, found);
  for (size_t i = 0; i < found.size(); ++i) {
    const SetAnswer expected = i % 3 == 0   ? SetAnswer::kUnlisted
                               : i % 5 == 0 ? SetAnswer::kOtherDigest
                               : i % 2 == 0 ? SetAnswer::kListed
                                            : SetAnswer::kOutdated;
    ASSERT_EQ(found[i].answer, expected) << i;
    ASSERT_EQ(set->Find(queries[i], kNow), found[i]) << i;
  }
}

TEST(ImaSet, SameItemsInAnyOrderHaveOneId) {
  SetDraft draft = testing::LargeDraft(500);
  draft.name = "web";
  draft.rules.excludes = {"^/a", "^/b"};
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr first, Opened(draft));
  std::mt19937 random(7);
  std::shuffle(draft.items.begin(), draft.items.end(), random);
  draft.items.push_back(draft.items.front());
  std::swap(draft.rules.excludes[0], draft.rules.excludes[1]);
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr second, Opened(draft));
  EXPECT_EQ(first->id(), second->id());
  EXPECT_EQ(first->id(), crypto::Hash(crypto::HashAlg::kSha256, first->file()).hex());
  draft.items[1].window.not_after = 5;
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr other, Opened(draft));
  EXPECT_NE(first->id(), other->id());
}

TEST(ImaSet, ADraftReadBackIsTheSameSet) {
  SetDraft draft = testing::LargeDraft(300);
  draft.name = "web";
  draft.origin = "test";
  draft.created = "2026-11-22T00:00:00Z";
  draft.items.push_back(Item("relative", "1", {5, 9}));
  draft.items.push_back(Item(std::string("/bytes\xff\n\x01", 9), "1"));
  draft.items.back().replaced_by = Deb("x", "2");
  draft.rules = {{"^/tmp/"}, {".evm"}, {"-----BEGIN PUBLIC KEY-----"}};
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(draft));
  const SetDraft again = set->ToDraft();
  EXPECT_EQ(again.name, "web");
  EXPECT_EQ(again.created, "2026-11-22T00:00:00Z");
  EXPECT_EQ(again.rules, draft.rules);
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr second, Opened(again));
  EXPECT_EQ(second->id(), set->id());
}

TEST(ImaSet, HundredThousandPathsTakeAtMostTwelveMegabytes) {
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(testing::LargeDraft(100'000)));
  EXPECT_EQ(set->counts().paths, 100'000u);
  EXPECT_LE(set->file().size(), 12'000'000u);
  RecordProperty("bytes", static_cast<int>(set->file().size()));
  EXPECT_EQ(
      Ask(*set, "/usr/lib/python3/dist-packages/package-9999/vendor/module-19999/file-99999.py",
          "99999"),
      SetAnswer::kListed);
}

TEST(ImaSet, OpensAFileAndNamesItInErrors) {
  const std::string folder = ::testing::TempDir() + "imaset_open";
  std::filesystem::create_directories(folder);
  const std::string good = folder + "/good.set", bad = folder + "/bad.set";
  SetDraft draft;
  draft.items = {Item("/a", "1")};
  BG_ASSERT_OK_AND_ASSIGN(const Bytes bytes, WriteSet(draft));
  ASSERT_THAT(WriteFileAtomically(good, bytes, 0644), IsOk());
  ASSERT_THAT(WriteFileAtomically(bad, AsBytes("hello"), 0644), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, ImaSet::Open(good));
  EXPECT_EQ(Ask(*set, "/a", "1"), SetAnswer::kListed);
  EXPECT_EQ(ToHex(set->file()), ToHex(bytes));
  EXPECT_THAT(ImaSet::Open(bad), Refuses(Reason::kReferenceParse));
  EXPECT_THAT(std::string(ImaSet::Open(bad).status().message()), HasSubstr("bad.set"));
  EXPECT_THAT(ImaSet::Open(folder + "/none"), HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(ImaSet::Open(folder), HasCode(absl::StatusCode::kInvalidArgument));
  std::filesystem::remove_all(folder);
}

struct BadItem {
  const char* name;
  SetItem item;
  const char* says;
};
void PrintTo(const BadItem& row, std::ostream* os) { *os << row.name; }

std::vector<BadItem> BadItems() {
  std::vector<BadItem> rows = {
      {"EmptyPath", Item("", "1"), "empty path"},
      {"LongPath", Item(std::string(4097, 'a'), "1"), "path of 4097"},
      {"NulInPath", Item(absl::string_view("/a\0b", 4), "1"), "NUL"},
      {"WindowEndsFirst", Item("/a", "1", {10, 9}), "window from 10 to 9"},
      {"BeforeTime", Item("/a", "1", {-1, 0}), "window"},
      {"ShortDigest", Item("/a", "1"), "digest of 3 bytes; sha256 has 32"},
      {"OtherAlgorithm", Item("/a", "1"), "sha384 has 48"},
      {"LongPackage", Packaged("/a", "1", Deb(std::string(70'000, 'p'), "1")), "text of 70000"},
  };
  rows[5].item.digest = {1, 2, 3};
  rows[6].item.alg = DigestAlg::kSha384;
  return rows;
}

class WriteSetRefuses : public ::testing::TestWithParam<BadItem> {};
TEST_P(WriteSetRefuses, AndSaysWhich) {
  SetDraft draft;
  draft.items = {Item("/good", "1"), GetParam().item};
  const auto written = WriteSet(draft);
  EXPECT_THAT(written, HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(written.status().message()), HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(BadItems, WriteSetRefuses, ::testing::ValuesIn(BadItems()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(DigestAlg, EveryNameFindsItsNumberAndSize) {
  for (uint32_t i = 0; i < kDigestAlgs; ++i) {
    const std::optional<DigestAlg> alg = DigestAlgFromNumber(i);
    ASSERT_TRUE(alg.has_value());
    EXPECT_EQ(DigestAlgFromName(NameOf(*alg)), alg);
    EXPECT_GE(SizeOf(*alg), 16u);
    EXPECT_LE(SizeOf(*alg), kLongestDigest);
  }
  EXPECT_EQ(DigestAlgFromNumber(kDigestAlgs), std::nullopt);
  EXPECT_EQ(DigestAlgFromName("sm3"), DigestAlg::kSm3_256);
  EXPECT_EQ(DigestAlgFromName("sha0"), std::nullopt);
  EXPECT_EQ(SizeOf(DigestAlg::kSha1), 20u);
  EXPECT_EQ(SizeOf(DigestAlg::kSha512), 64u);
  EXPECT_EQ(NameOf(DigestAlg::kSm3_256), "sm3-256");
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference

#include "gatekeeper/reference/imaset/change.h"

#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/imaset/diff.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using testing::Deb;
using testing::DigestOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Item;
using testing::Opened;
using testing::Packaged;

using SetPtr = std::shared_ptr<const ImaSet>;

constexpr int64_t kStart = 1'800'000'000;
const absl::Time kUpdate = absl::FromUnixSeconds(kStart);
constexpr int64_t kWeek = 7 * 24 * 3600;

SetDraft Of(std::vector<SetItem> items) {
  SetDraft draft;
  draft.items = std::move(items);
  return draft;
}

SetAnswer Ask(const ImaSet& set, absl::string_view path, absl::string_view content, absl::Time at) {
  const Bytes digest = DigestOf(content);
  return set.Find({.path = path, .digest = digest}, at).answer;
}

TEST(Merge, OldAndNewAreGoodUntilTheGraceIsOver) {
  const SetDraft older = Of({Packaged("/usr/bin/tool", "old", Deb("tool", "1.0-1")),
                             Packaged("/usr/bin/kept", "same", Deb("kept", "3"))});
  const SetDraft newer = Of({Packaged("/usr/bin/tool", "new", Deb("tool", "1.0-1+deb12u1"))});
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(Merge(older, newer, {.at = kUpdate})));
  testing::FakeClock clock(kUpdate);
  EXPECT_EQ(Ask(*set, "/usr/bin/tool", "old", clock.Now()), SetAnswer::kListed);
  EXPECT_EQ(Ask(*set, "/usr/bin/tool", "new", clock.Now()), SetAnswer::kListed);
  clock.Advance(kDefaultGrace);
  EXPECT_EQ(Ask(*set, "/usr/bin/tool", "old", clock.Now()), SetAnswer::kListed);
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(Ask(*set, "/usr/bin/tool", "old", clock.Now()), SetAnswer::kOutdated);
  EXPECT_EQ(Ask(*set, "/usr/bin/tool", "new", clock.Now()), SetAnswer::kListed);
  EXPECT_EQ(Ask(*set, "/usr/bin/kept", "same", clock.Now()), SetAnswer::kListed);
  const Bytes old_digest = DigestOf("old");
  const SetTerms terms =
      set->TermsOf(set->Find({.path = "/usr/bin/tool", .digest = old_digest}, clock.Now()));
  ASSERT_TRUE(terms.replaced_by.has_value());
  EXPECT_EQ(terms.replaced_by->version, "1.0-1+deb12u1");
}

TEST(Merge, AnOlderPackageComingLaterIsTheOutdatedOne) {
  const SetDraft first = Of({Packaged("/t", "new", Deb("tool", "1.10"))});
  const SetDraft second = Of({Packaged("/t", "old", Deb("tool", "1.9"))});
  const SetDraft merged = Merge(first, second, {.at = kUpdate, .grace = absl::ZeroDuration()});
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(merged));
  const absl::Time later = kUpdate + absl::Seconds(1);
  EXPECT_EQ(Ask(*set, "/t", "old", later), SetAnswer::kOutdated);
  EXPECT_EQ(Ask(*set, "/t", "new", later), SetAnswer::kListed);
}

TEST(Merge, AFileThatDidNotChangeStaysGood) {
  const SetDraft older = Of({Packaged("/t", "same", Deb("tool", "1"))});
  const SetDraft newer = Of({Packaged("/t", "same", Deb("tool", "2"))});
  const SetDraft merged = Merge(older, newer, {.at = kUpdate});
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(merged));
  EXPECT_EQ(Ask(*set, "/t", "same", kUpdate + 10 * kDefaultGrace), SetAnswer::kListed);
  EXPECT_EQ(set->counts().items, 1u);  // the old window lies within the new one
}

// A second merge, weeks later, gives a digest that is out no second grace.
TEST(Merge, AClosedWindowStaysClosed) {
  const SetDraft v1 = Of({Packaged("/t", "1", Deb("tool", "1"))});
  const SetDraft v2 = Of({Packaged("/t", "2", Deb("tool", "2"))});
  const SetDraft v3 = Of({Packaged("/t", "3", Deb("tool", "3"))});
  const SetDraft once = Merge(v1, v2, {.at = kUpdate});
  const SetDraft twice = Merge(once, v3, {.at = kUpdate + 10 * kDefaultGrace});
  BG_ASSERT_OK_AND_ASSIGN(const SetPtr set, Opened(twice));
  const absl::Time later = kUpdate + 10 * kDefaultGrace + absl::Seconds(1);
  EXPECT_EQ(Ask(*set, "/t", "1", later), SetAnswer::kOutdated);
  EXPECT_EQ(Ask(*set, "/t", "2", later), SetAnswer::kListed);
  EXPECT_EQ(Ask(*set, "/t", "3", later), SetAnswer::kListed);
}

TEST(Merge, OfTheSameItemTheNewerWindowCounts) {
  const SetDraft closed = Of({Item("/a", "1", {0, kStart})});
  const SetDraft open = Of({Item("/a", "1")});
  EXPECT_TRUE(Merge(closed, open, {.at = kUpdate}).items[0].window.open());
  EXPECT_FALSE(Merge(open, closed, {.at = kUpdate}).items[0].window.open());
  EXPECT_EQ(Merge(open, closed, {.at = kUpdate}).items.size(), 1u);
}

TEST(Merge, ArchitecturesAndPackagesDoNotReplaceOneAnother) {
  SetItem arm = Packaged("/t", "arm", Deb("tool", "2"));
  arm.package->origin = "deb:arm64";
  const SetDraft merged =
      Merge(Of({Packaged("/t", "1", Deb("tool", "1"))}),
            Of({arm, Packaged("/t", "other", Deb("other-tool", "9"))}), {.at = kUpdate});
  for (const SetItem& item : merged.items) EXPECT_TRUE(item.window.open());
}

TEST(Merge, RulesAndTextsOfBothAreKept) {
  SetDraft older = Of({}), newer = Of({});
  older.name = "fleet";
  older.rules.excludes = {"^/tmp/", "^/run/"};
  newer.rules.excludes = {"^/tmp/"};
  newer.rules.ignored_keyrings = {".evm"};
  const SetDraft merged = Merge(older, newer, {.at = kUpdate});
  EXPECT_EQ(merged.name, "fleet");
  EXPECT_THAT(merged.rules.excludes, ElementsAre("^/tmp/", "^/run/"));
  EXPECT_THAT(merged.rules.ignored_keyrings, ElementsAre(".evm"));
}

TEST(NoteReplaced, WithoutAPlanOnlyNotes) {
  SetDraft draft =
      Of({Packaged("/t", "1", Deb("tool", "1")), Packaged("/t", "2", Deb("tool", "2"))});
  EXPECT_EQ(NoteReplaced(&draft, std::nullopt), 1u);
  EXPECT_TRUE(draft.items[0].window.open());
  ASSERT_TRUE(draft.items[0].replaced_by.has_value());
  EXPECT_EQ(draft.items[0].replaced_by->version, "2");
  EXPECT_FALSE(draft.items[1].replaced_by.has_value());
}

TEST(Expire, ClosesWhatTheNewerSetLacks) {
  SetDraft draft =
      Of({Item("/kept", "1"), Packaged("/changed", "old", Deb("p", "1")), Item("/gone", "1"),
          Item("/closed", "1", {0, 5}), Item("/future", "1", {kStart + 10, 0})});
  const SetDraft against = Of({Item("/kept", "1"), Packaged("/changed", "new", Deb("p", "2"))});
  const ExpireCounts counts = CloseMissing(&draft, against, kUpdate);
  EXPECT_EQ(counts.closed, 2u);
  EXPECT_EQ(counts.dropped, 1u);
  ASSERT_EQ(draft.items.size(), 4u);
  EXPECT_TRUE(draft.items[0].window.open());
  EXPECT_EQ(draft.items[1].window.not_after, kStart);
  ASSERT_TRUE(draft.items[1].replaced_by.has_value());
  EXPECT_EQ(draft.items[1].replaced_by->version, "2");
  EXPECT_EQ(draft.items[2].window.not_after, kStart);
  EXPECT_EQ(draft.items[3].window.not_after, 5);
}

TEST(Expire, DropsWhatClosedBefore) {
  SetDraft draft = Of({Item("/a", "1", {0, 99}), Item("/b", "1", {0, 100}), Item("/c", "1")});
  EXPECT_EQ(DropClosed(&draft, absl::FromUnixSeconds(100)).dropped, 1u);
  EXPECT_EQ(draft.items.size(), 2u);
}

TEST(Diff, NamesPathsDigestsAndWindows) {
  const SetDraft before =
      Of({Item("/same", "1"), Item("/gone", "1"), Item("/changed", "1"), Item("/window", "1")});
  const SetDraft after = Of({Item("/same", "1"), Item("/added", "1"), Item("/changed", "2"),
                             Item("/window", "1", {0, kWeek})});
  const SetDiff diff = Compare(before, after);
  EXPECT_THAT(diff.added, ElementsAre("/added"));
  EXPECT_THAT(diff.removed, ElementsAre("/gone"));
  ASSERT_EQ(diff.changed.size(), 1u);
  EXPECT_EQ(diff.changed[0].path, "/changed");
  EXPECT_EQ(diff.changed[0].only_before.size(), 1u);
  EXPECT_EQ(diff.changed[0].only_after.size(), 1u);
  ASSERT_EQ(diff.windows.size(), 1u);
  EXPECT_EQ(diff.windows[0].path, "/window");
  EXPECT_EQ(diff.windows[0].after.not_after, kWeek);
  EXPECT_FALSE(diff.rules_changed);
}

TEST(Diff, OfTheSameSetIsEmpty) {
  SetDraft a = Of({Item("/a", "1"), Item("/b", "2")});
  a.rules.excludes = {"x", "y"};
  SetDraft b = Of({Item("/b", "2"), Item("/a", "1")});
  b.rules.excludes = {"y", "x"};
  EXPECT_TRUE(Compare(a, b).empty());
  b.rules.excludes.pop_back();
  EXPECT_TRUE(Compare(a, b).rules_changed);
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference

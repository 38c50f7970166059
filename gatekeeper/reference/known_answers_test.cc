#include "gatekeeper/reference/known_answers.h"

#include "absl/strings/str_cat.h"
#include "common/ima/list.h"
#include "common/ima/list_builder.h"
#include "gatekeeper/reference/entry_query.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1000);

// Also when the known entries were dropped in between and others lie where they lay.
TEST(KnownAnswers, AreThoseOfTheSet) {
  testing::ListBuilder list;
  SetDraft draft;
  for (int i = 0; i < 20; ++i) {
    const std::string name = absl::StrCat("/usr/bin/", i);
    list.Ng(name, name);
    if (i % 3 == 0) draft.items.push_back(testing::Item(name, name));
    if (i % 3 == 1) draft.items.push_back(testing::Item(name, "other content"));
    if (i % 5 == 0) draft.items.push_back(testing::Item(name, name, {0, 999}));
  }
  const std::shared_ptr<const ImaSet> set = testing::Opened(draft).value();
  const Bytes bytes = list.Finish();
  const ima::List parsed = ima::List::Parse(bytes);
  ima::KnownDigests known({.max_records = 15});
  KnownAnswers answers(*set, known, kNow);
  std::set<SetAnswer> seen;
  for (int round = 0; round < 2; ++round) {
    for (const ima::Entry& entry : parsed.entries()) {
      known.Add(entry);
      const SetAnswer expected = set->Find(QueryOf(entry), kNow).answer;
      for (int again = 0; again < 2; ++again) {
        EXPECT_EQ(answers.Of(known.Find(entry.bytes)), expected) << entry.number;
      }
      seen.insert(expected);
    }
  }
  EXPECT_EQ(seen.size(), 4u) << "unlisted, other digest, outdated, listed";
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference

#include "gatekeeper/reference/align.h"

#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

// One letter of `digests` per event; every event with the same type and no key.
std::vector<AlignEvent> Events(absl::string_view digests) {
  std::vector<AlignEvent> events;
  for (const char c : digests) {
    events.push_back({crypto::Hash(crypto::HashAlg::kSha256, AsBytes(std::string(1, c))), 13, ""});
  }
  return events;
}

// "1-2" for a pair, "1-" for one only in the reference, "-2" for one only on the host.
std::string Text(const std::vector<Difference>& differences) {
  std::string text;
  for (const Difference& d : differences) {
    if (!text.empty()) text += ' ';
    if (d.reference) text += std::to_string(*d.reference);
    text += '-';
    if (d.host) text += std::to_string(*d.host);
  }
  return text;
}

struct Row {
  const char *name, *reference, *host, *differences;
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.name; }
class AlignTest : public ::testing::TestWithParam<Row> {};

TEST_P(AlignTest, FindsWhatDiffers) {
  EXPECT_EQ(Text(Align(Events(GetParam().reference), Events(GetParam().host))),
            GetParam().differences);
}

INSTANTIATE_TEST_SUITE_P(Rows, AlignTest,
                         ::testing::Values(Row{"Same", "abcd", "abcd", ""},
                                           Row{"BothEmpty", "", "", ""},
                                           Row{"OneChanged", "abcd", "axcd", "1-1"},
                                           Row{"OneMissing", "abcd", "acd", "1-"},
                                           Row{"OneMore", "abcd", "abxcd", "-2"},
                                           Row{"NothingLeft", "ab", "", "0- 1-"},
                                           Row{"NothingBefore", "", "ab", "-0 -1"},
                                           Row{"TwoGaps", "abcdefg", "aXcdeYg", "1-1 5-5"},
                                           Row{"ChangedAndMore", "abc", "aXYc", "1-1 -2"},
                                           Row{"RepeatedDigests", "aaab", "aab", "2-"}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Align, PairsByWhatTheEventIsAbout) {
  std::vector<AlignEvent> reference = Events("abc"), host = Events("xay");
  reference[1].key = "var:A";
  reference[2].key = "var:B";
  host[0].key = "var:B";  // in another gap than the reference's
  host[2].key = "var:A";
  EXPECT_EQ(Text(Align(reference, host)), "1-2 2-0");
}

TEST(Align, NeverPairsEventsOfDifferentTypes) {
  std::vector<AlignEvent> reference = Events("a"), host = Events("b");
  host[0].type = 14;
  EXPECT_EQ(Text(Align(reference, host)), "0- -0");
}

TEST(Align, StaysBoundedForLongLogsWithNothingInCommon) {
  std::vector<AlignEvent> reference(3000), host(3000);
  for (size_t i = 0; i < 3000; ++i) {
    const std::string number = std::to_string(i);
    reference[i].digest = crypto::Hash(crypto::HashAlg::kSha256, AsBytes("r" + number));
    host[i].digest = crypto::Hash(crypto::HashAlg::kSha256, AsBytes("h" + number));
  }
  EXPECT_EQ(Align(reference, host).size(), 3000u);
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference

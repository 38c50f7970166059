#include "pki/der_walk.h"

#include "common/base/hex.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/der.h"

namespace bootgate::pki::der {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Bytes Hex(absl::string_view text) { return *FromHex(text); }

TEST(Walk, CountsWhatItVisits) {
  BG_ASSERT_OK_AND_ASSIGN(const Walked walked, Walk(Sequence({Hex("020101"), Hex("0101ff")})));
  EXPECT_EQ(walked.elements, 3u);
  EXPECT_EQ(walked.deepest, 2u);
  EXPECT_THAT(walked.departures, IsEmpty());
}

struct Departure {
  const char *name, *hex, *what;
};
class DepartureTest : public ::testing::TestWithParam<Departure> {};
TEST_P(DepartureTest, IsSaidOnce) {
  BG_ASSERT_OK_AND_ASSIGN(const Walked walked, Walk(Hex(GetParam().hex)));
  EXPECT_THAT(walked.departures, ElementsAre(GetParam().what));
}
INSTANTIATE_TEST_SUITE_P(Departures, DepartureTest,
                         ::testing::ValuesIn(std::vector<Departure>{
                             {"LongLength", "308103020101", "a length is not minimal"},
                             {"LongerLength", "30820003020101", "a length is not minimal"},
                             {"LongLengths", "30810b0281010102810101020101",
                              "a length is not minimal"},
                             {"SetOutOfOrder", "3106020102020101", "a set is not in order"},
                             {"Integer", "300402020001", "an integer is not minimal"},
                             {"NegativeInteger", "30040202ff80", "an integer is not minimal"},
                             {"Boolean", "3003010101", "a boolean is neither 00 nor FF"},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

struct Refused {
  const char *name, *hex;
  absl::StatusCode code;
};
class WalkRefusesTest : public ::testing::TestWithParam<Refused> {};
TEST_P(WalkRefusesTest, A28_WithCode) {
  EXPECT_EQ(Walk(Hex(GetParam().hex)).status().code(), GetParam().code);
}
INSTANTIATE_TEST_SUITE_P(Abuses, WalkRefusesTest,
                         ::testing::ValuesIn(std::vector<Refused>{
                             {"Nothing", "", absl::StatusCode::kOutOfRange},
                             {"Cut", "30030201", absl::StatusCode::kOutOfRange},
                             {"Indefinite", "30800000", absl::StatusCode::kInvalidArgument},
                             {"EmptyOid", "30020600", absl::StatusCode::kInvalidArgument},
                             {"EmptyInteger", "30020200", absl::StatusCode::kInvalidArgument},
                             {"EmptyBoolean", "30020100", absl::StatusCode::kInvalidArgument},
                             {"LongTag", "3f8101020101", absl::StatusCode::kInvalidArgument},
                             {"BytesBehind", "300002", absl::StatusCode::kInvalidArgument},
                             {"TwoElements", "30003000", absl::StatusCode::kInvalidArgument},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Walk, A28_TheWorkIsBounded) {
  Bytes nested;
  for (size_t i = 0; i < kMaxDepth; ++i) nested = Sequence({nested});
  EXPECT_EQ(Walk(nested).status().code(), absl::StatusCode::kInvalidArgument);
  Bytes flat;
  for (size_t i = 0; i < kMaxElements - 1; ++i) flat.insert(flat.end(), {0x05, 0x00});
  BG_ASSERT_OK_AND_ASSIGN(const Walked walked, Walk(Sequence({flat})));
  EXPECT_EQ(walked.elements, kMaxElements);
  flat.insert(flat.end(), {0x05, 0x00});
  EXPECT_EQ(Walk(Sequence({flat})).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace bootgate::pki::der

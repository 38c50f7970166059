#include "pki/der.h"

#include "common/base/hex.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace bootgate::pki::der {
namespace {

using ::bootgate::testing::HasCode;

Bytes Unhex(absl::string_view hex) { return *FromHex(hex); }

TEST(DerWriter, WritesLengthsInTheFewestBytes) {
  EXPECT_EQ(ToHex(Element(kOctetString, {})), "0400");
  EXPECT_EQ(ToHex(Element(kOctetString, {Bytes(127, 0)})).substr(0, 4), "047f");
  EXPECT_EQ(ToHex(Element(kOctetString, {Bytes(128, 0)})).substr(0, 6), "048180");
  EXPECT_EQ(ToHex(Element(kOctetString, {Bytes(256, 0)})).substr(0, 8), "04820100");
  EXPECT_EQ(ToHex(Element(kOctetString, {Bytes(65536, 0)})).substr(0, 10), "0483010000");
}

TEST(DerWriter, WritesIntegersPositiveAndMinimal) {
  EXPECT_EQ(ToHex(Integer({})), "020100");
  EXPECT_EQ(ToHex(Integer(Unhex("0000"))), "020100");
  EXPECT_EQ(ToHex(Integer(Unhex("007f"))), "02017f");
  EXPECT_EQ(ToHex(Integer(Unhex("80"))), "02020080");
  EXPECT_EQ(ToHex(Integer(Unhex("000100"))), "02020100");
}

TEST(DerWriter, WritesObjectIdentifiers) {
  EXPECT_EQ(ToHex(Oid({2, 23, 133, 8, 3})),
            "0605678105"
            "0803");
  EXPECT_EQ(ToHex(Oid({1, 2, 840, 10045, 4, 3, 2})), "06082a8648ce3d040302");
  EXPECT_EQ(ToHex(Oid({2, 5, 29, 17})), "0603551d11");
}

TEST(DerWriter, ChangesTheFormOfTimeIn2050) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  EXPECT_EQ(AsText(Time(absl::FromCivil(absl::CivilSecond(2049, 12, 31, 23, 59, 59), utc))),
            "\x17\x0d"
            "491231235959Z");
  EXPECT_EQ(AsText(Time(absl::FromCivil(absl::CivilSecond(2050, 1, 1, 0, 0, 0), utc))),
            "\x18\x0f"
            "20500101000000Z");
}

TEST(DerReader, ReadsWhatTheWriterWrote) {
  const Bytes written = Sequence({Integer(Unhex("05")), Text("five")});
  bytes::Reader in(written);
  BG_ASSERT_OK_AND_ASSIGN(const ReadElement outer, Expect(in, kSequence));
  EXPECT_TRUE(in.empty());
  EXPECT_TRUE(SameBytes(outer.whole, written));
  bytes::Reader inner(outer.contents);
  BG_ASSERT_OK_AND_ASSIGN(const ReadElement number, Expect(inner, kInteger));
  EXPECT_EQ(ToHex(number.contents), "05");
  BG_ASSERT_OK_AND_ASSIGN(const ReadElement text, Expect(inner, kUtf8String));
  EXPECT_EQ(AsText(text.contents), "five");
}

struct BadElement {
  const char *name, *hex;
  absl::StatusCode code;
};
class DerReaderRefusesTest : public ::testing::TestWithParam<BadElement> {};

TEST_P(DerReaderRefusesTest, TheElement) {
  const Bytes der = Unhex(GetParam().hex);
  bytes::Reader in(der);
  EXPECT_THAT(Read(in), HasCode(GetParam().code));
}

INSTANTIATE_TEST_SUITE_P(BadElements, DerReaderRefusesTest,
                         ::testing::ValuesIn(std::vector<BadElement>{
                             {"Nothing", "", absl::StatusCode::kOutOfRange},
                             {"TagAlone", "30", absl::StatusCode::kOutOfRange},
                             {"LengthCut", "3082ff", absl::StatusCode::kOutOfRange},
                             {"ContentsCut", "300201", absl::StatusCode::kOutOfRange},
                             {"Indefinite", "30800000", absl::StatusCode::kInvalidArgument},
                             {"FiveLengthBytes", "30850000000001ff",
                              absl::StatusCode::kInvalidArgument},
                             {"HighTagNumber", "1f8100", absl::StatusCode::kInvalidArgument},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace bootgate::pki::der

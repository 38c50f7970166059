#include "common/cel/log.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/cel/log_builder.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::cel {
namespace {

using ::bootgate::testing::CelBuilder;
using ::bootgate::testing::CorpusFile;
using crypto::HashAlg;

Log Parse(const std::string& text) { return Log::Parse(AsBytes(text)); }

std::vector<Reason> ReasonsOf(const Log& log) {
  std::vector<Reason> out;
  for (const Defect& defect : log.defects()) out.push_back(defect.reason);
  return out;
}

const std::string kSha256(64, 'a');
std::string Digests() {
  return absl::StrCat("\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"", kSha256, "\"}]");
}
std::string RecordOf(const std::string& members) { return absl::StrCat("\x1e{", members, "}\n"); }

TEST(CelLog, ReadsWhatSystemdWrites) {
  const Bytes bytes = CorpusFile("cel/systemd-255.cel");
  const Log log = Log::Parse(bytes);
  EXPECT_TRUE(log.defects().empty());
  ASSERT_EQ(log.records().size(), 7u);
  const Record& first = log.records()[0];
  EXPECT_EQ(first.pcr, 11u);
  EXPECT_EQ(first.nv_index, std::nullopt);
  EXPECT_EQ(first.content_type, "systemd");
  EXPECT_EQ(first.untrusted_type, "phase");
  EXPECT_EQ(first.untrusted_text, "enter-initrd");
  EXPECT_EQ(first.untrusted_boot_id, "4b1f5a0e9c7d4e21a6f0d1c2b3a49586");
  ASSERT_EQ(first.digests.size(), 2u);
  ASSERT_NE(first.DigestOf(HashAlg::kSha256), nullptr);
  EXPECT_EQ(first.DigestOf(HashAlg::kSha384), nullptr);
  EXPECT_EQ(*first.DigestOf(HashAlg::kSha256),
            crypto::Hash(HashAlg::kSha256, AsBytes("enter-initrd")));
  EXPECT_EQ(log.records()[6].number, 6u);
  EXPECT_EQ(bytes[log.records()[6].offset], 0x1e);
}

TEST(CelLog, ReadsRecordsAboutNvIndices) {
  const Log log = Log::Parse(CorpusFile("cel/systemd-262-nvpcr.cel"));
  EXPECT_TRUE(log.defects().empty());
  ASSERT_EQ(log.records().size(), 19u);
  const Record& hardware = log.records()[16];
  EXPECT_EQ(hardware.pcr, std::nullopt);
  EXPECT_EQ(hardware.nv_index, 0x01d10200u);
  EXPECT_EQ(hardware.untrusted_nv_name, "hardware");
  // A text with JSON in it.
  EXPECT_EQ(log.records()[17].untrusted_text, "login:root:{\"userName\":\"root\",\"uid\":0}");
}

TEST(CelLog, EmptyLogIsNoDefect) {
  EXPECT_TRUE(Parse("").empty());
  EXPECT_TRUE(Parse("\x1e\x1e{\"pcr\":11," + Digests() + "}\n").defects().empty());
}

TEST(CelLog, LastRecordThatBreaksOffIsToldFromGarbage) {
  const std::string whole = CelBuilder().Pcr(11, "phase", "ready").Text();
  const std::string next = CelBuilder().Pcr(11, "phase", "shutdown").Text();
  // Cut anywhere inside: the first record stays, the second is said to be incomplete. Without its
  // newline alone it is whole: an object ends with its brace.
  for (size_t size = 1; size + 1 < next.size(); ++size) {
    const Log log = Parse(whole + next.substr(0, size));
    ASSERT_EQ(log.records().size(), 1u) << size;
    ASSERT_THAT(ReasonsOf(log), ::testing::ElementsAre(Reason::kCelTruncated)) << size;
    EXPECT_EQ(log.defects()[0].offset, whole.size());
  }
  EXPECT_EQ(Parse(whole + next.substr(0, next.size() - 1)).records().size(), 2u);
  // The same bytes in the middle, where a writer went on after a crash, are garbage.
  const Log middle = Parse(whole + next.substr(0, 20) + whole);
  EXPECT_EQ(middle.records().size(), 2u);
  EXPECT_THAT(ReasonsOf(middle), ::testing::ElementsAre(Reason::kCelParse));
  const Log garbage = Parse(whole + "\x1e" + "garbage");
  EXPECT_THAT(ReasonsOf(garbage), ::testing::ElementsAre(Reason::kCelParse));
}

struct Row {
  std::string name;
  std::string text;
  Reason reason;
};

class CelDefects : public ::testing::TestWithParam<Row> {};

TEST_P(CelDefects, IsNamedAndNothingOfTheRecordIsUsed) {
  const std::string after = CelBuilder().Pcr(11, "phase", "ready").Text();
  const Log log = Parse(GetParam().text + after);
  EXPECT_THAT(ReasonsOf(log), ::testing::ElementsAre(GetParam().reason))
      << (log.defects().empty() ? "" : log.defects()[0].text);
  EXPECT_EQ(log.records().size(), 1u);  // the one after it
}

std::string Nested(size_t depth) {
  return absl::StrCat("\"pcr\":1,", Digests(), ",\"x\":", std::string(depth - 1, '['),
                      std::string(depth - 1, ']'));
}
std::string OfDigest(const std::string& members) {
  return RecordOf("\"pcr\":1,\"digests\":[" + members + "]");
}
std::string ManyDigests() {
  std::string out;
  for (size_t i = 0; i <= kMaxDigests; ++i)
    absl::StrAppend(&out, i == 0 ? "" : ",", "{\"hashAlg\":\"other", i, "\",\"digest\":\"00\"}");
  return out;
}

INSTANTIATE_TEST_SUITE_P(
    All, CelDefects,
    ::testing::Values(
        Row{"NotAnObject", "\x1e[]\n", Reason::kCelParse},
        Row{"NotJson", "\x1e{pcr:11}\n", Reason::kCelParse},
        Row{"TwoObjects", "\x1e{}{}\n", Reason::kCelParse},
        Row{"NoSeparator", "{\"pcr\":11}\n", Reason::kCelParse},
        Row{"ZeroByte", std::string("\x1e{\"pcr\":11\0}\n", 13), Reason::kCelParse},
        Row{"TextNotUtf8",
            RecordOf("\"pcr\":1," + Digests() + ",\"content\":{\"string\":\"\xff\"}"),
            Reason::kCelParse},
        Row{"MemberTwice", RecordOf("\"pcr\":11,\"pcr\":12," + Digests()), Reason::kCelParse},
        Row{"TextTwice",
            RecordOf("\"pcr\":1," + Digests() + ",\"content\":{\"string\":\"a\",\"string\":\"b\"}"),
            Reason::kCelParse},
        Row{"PcrIsText", RecordOf("\"pcr\":\"11\"," + Digests()), Reason::kCelParse},
        Row{"PcrIsNegative", RecordOf("\"pcr\":-1," + Digests()), Reason::kCelParse},
        Row{"PcrIsFraction", RecordOf("\"pcr\":1.5," + Digests()), Reason::kCelParse},
        Row{"ContentIsNoObject",
            RecordOf("\"pcr\":1," + Digests() + ",\"content_type\":\"systemd\",\"content\":7"),
            Reason::kCelParse},
        Row{"PcrTooHigh", RecordOf("\"pcr\":24," + Digests()), Reason::kCelRegister},
        Row{"PcrFarTooHigh", RecordOf("\"pcr\":4294967307," + Digests()), Reason::kCelRegister},
        Row{"NvIndexOfAnotherKind", RecordOf("\"nv_index\":2164260865," + Digests()),
            Reason::kCelRegister},
        Row{"Both", RecordOf("\"pcr\":1,\"nv_index\":30474752," + Digests()), Reason::kCelRegister},
        Row{"Neither", RecordOf("\"rtmr\":2,\"mapped_pcr\":11," + Digests()), Reason::kCelRegister},
        Row{"NoDigests", RecordOf("\"pcr\":1"), Reason::kCelDigests},
        Row{"EmptyDigests", OfDigest(""), Reason::kCelDigests},
        Row{"DigestIsText", OfDigest("\"" + kSha256 + "\""), Reason::kCelDigests},
        Row{"DigestIsList", OfDigest("[]"), Reason::kCelDigests},
        Row{"DigestTooShort", OfDigest("{\"hashAlg\":\"sha256\",\"digest\":\"aa\"}"),
            Reason::kCelDigests},
        Row{"DigestNotHex", OfDigest("{\"hashAlg\":\"sha256\",\"digest\":\"zz\"}"),
            Reason::kCelDigests},
        Row{"DigestWithoutAlgorithm", OfDigest("{\"digest\":\"aa\"}"), Reason::kCelDigests},
        Row{"OnlyUnknownAlgorithms", OfDigest("{\"hashAlg\":\"md5\",\"digest\":\"aa\"}"),
            Reason::kCelDigests},
        Row{"BankTwice",
            OfDigest(absl::StrCat("{\"hashAlg\":\"sha256\",\"digest\":\"", kSha256, "\"},",
                                  "{\"hashAlg\":\"sha256\",\"digest\":\"", kSha256, "\"}")),
            Reason::kCelDigests},
        Row{"TooManyDigests", OfDigest(ManyDigests()), Reason::kCelLimit},
        Row{"TooDeep", RecordOf(Nested(kMaxDepth + 1)), Reason::kCelLimit},
        Row{"TooLong", RecordOf("\"pcr\":1,\"x\":\"" + std::string(kMaxRecordBytes, 'x') + "\""),
            Reason::kCelLimit}),
    [](const auto& row) { return row.param.name; });

TEST(CelLog, DeepestNestingAllowedIsRead) {
  EXPECT_EQ(Parse(RecordOf(Nested(kMaxDepth))).records().size(), 1u);
}

TEST(CelLog, UnknownMembersAndContentTypesAreSkipped) {
  const Log log = Parse(RecordOf("\"recnum\":0,\"pcr\":1," + Digests() +
                                 ",\"content_type\":\"cel\",\"content\":[1,{\"pcr\":2}],\"y\":{}"));
  ASSERT_EQ(log.records().size(), 1u);
  EXPECT_EQ(log.records()[0].pcr, 1u);
  EXPECT_TRUE(log.defects().empty());
}

TEST(CelLog, CountsAreBounded) {
  const std::string record = RecordOf("\"pcr\":1," + Digests());
  std::string many;
  for (size_t i = 0; i <= kMaxRecords; ++i) many += record;
  const Log log = Parse(many);
  EXPECT_EQ(log.records().size(), kMaxRecords);
  EXPECT_THAT(ReasonsOf(log), ::testing::ElementsAre(Reason::kCelLimit));

  std::string bad;
  for (size_t i = 0; i < 2 * kMaxDefects; ++i) bad += "\x1e[]\n";
  EXPECT_EQ(Parse(bad).defects().size(), kMaxDefects);
  EXPECT_THAT(ReasonsOf(Log::Parse(Bytes(kMaxLogBytes + 1, 'x'))),
              ::testing::ElementsAre(Reason::kCelLimit));
}

TEST(CelLog, SeedsOfTheFuzzerAreWhatTheyAreCalled) {
  const Log broken = Log::Parse(CorpusFile("cel/broken-off.cel"));
  EXPECT_EQ(broken.records().size(), 18u);
  EXPECT_THAT(ReasonsOf(broken), ::testing::ElementsAre(Reason::kCelTruncated));
  const Log foreign = Log::Parse(CorpusFile("cel/not-a-log.cel"));
  EXPECT_TRUE(foreign.records().empty());
  EXPECT_FALSE(foreign.defects().empty());
}

}  // namespace
}  // namespace bootgate::cel

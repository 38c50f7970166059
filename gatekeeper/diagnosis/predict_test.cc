#include "gatekeeper/diagnosis/predict.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "common/eventlog/replay.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::diagnosis {
namespace {

using bootgate::testing::CorpusFile;
using bootgate::testing::HasCode;
using bootgate::testing::LogBuilder;
using bootgate::testing::Text;
using crypto::HashAlg;
using eventlog::Log;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What a planned boot becomes must be what that boot became: the bad boot's log predicts the good
// one's PCR 8, once the three events that carry the command line get the good boot's digests.
TEST(Predict, TheRegistersOfARealBootAfterAChangeOfItsCommandLine) {
  const Bytes before = CorpusFile("boots/good/eventlog.bin");
  const Bytes after = CorpusFile("boots/cmdline-changed/eventlog.bin");
  const Log log = Log::Parse(before), changed = Log::Parse(after);
  std::vector<Replacement> replacements;
  for (const uint32_t number : {48u, 52u, 59u, 63u}) {
    for (const HashAlg alg : log.banks()) {
      replacements.push_back(
          {number, alg, ToBytes(*changed.DigestOf(changed.events()[number], alg))});
    }
  }
  BG_ASSERT_OK_AND_ASSIGN(const Predictions predicted, Predict(log, replacements));
  EXPECT_THAT(predicted.incomplete, IsEmpty());
  EXPECT_EQ(predicted.registers.size(), 3 * 11u);
  for (const Prediction& row : predicted.registers) {
    EXPECT_EQ(row.before, eventlog::ReplayBank(log, row.bank).bank.Get(row.register_index));
    if (row.register_index != 9) {  // grub.cfg itself differs too
      EXPECT_EQ(row.after, eventlog::ReplayBank(changed, row.bank).bank.Get(row.register_index));
    }
  }
}

Bytes TwoBanks() {
  LogBuilder log = LogBuilder::CryptoAgile({HashAlg::kSha256, HashAlg::kSm3_256});
  log.Event(4, eventlog::kEvAction, Text("a")).Event(4, eventlog::kEvNoAction, Text("note"));
  return log.Finish();
}

TEST(Predict, ABankWithoutItsOwnDigestIsNamed) {
  const Bytes bytes = TwoBanks();
  const Log log = Log::Parse(bytes);
  const Bytes digest(32, 7);
  BG_ASSERT_OK_AND_ASSIGN(const Predictions predicted,
                          Predict(log, {{1, HashAlg::kSha256, digest}}));
  EXPECT_THAT(predicted.incomplete, ElementsAre(HashAlg::kSm3_256));
  ASSERT_EQ(predicted.registers.size(), 1u);
  EXPECT_EQ(predicted.registers[0].register_index, 4u);
}

struct Wrong {
  const char *name, *text, *says;
};
void PrintTo(const Wrong& row, std::ostream* os) { *os << row.name; }

class PredictRefusesTest : public ::testing::TestWithParam<Wrong> {};

TEST_P(PredictRefusesTest, AndSaysWhy) {
  const Bytes bytes = TwoBanks();
  const Log log = Log::Parse(bytes);
  const absl::StatusOr<Replacement> replacement = ParseReplacement(GetParam().text);
  ASSERT_TRUE(replacement.ok()) << replacement.status().ToString();
  const absl::Status status = Predict(log, {*replacement}).status();
  EXPECT_THAT(status, HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
}

const std::string& SomeDigest() {
  static const std::string digest(64, 'a');
  return digest;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, PredictRefusesTest,
    ::testing::Values(
        Wrong{"NoSuchEvent",
              "9=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
              "no event 9 in the log: its 3 events are numbered from 0"},
        Wrong{"NoExtend",
              "2=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
              "event 2 extends no register"},
        Wrong{"TwoBanksOfThisSize",
              "1=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
              "fits several banks of the log, which has sha256 (32 bytes), sm3_256 (32 bytes)"},
        Wrong{"NoBankOfThisSize", "1=aabb", "a digest of 2 bytes fits no bank"},
        Wrong{"BankNotInTheLog", "1=sha1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
              "fits no bank"}),
    [](const auto& row) { return std::string(row.param.name); });

class ParseReplacementRefusesTest : public ::testing::TestWithParam<Wrong> {};

TEST_P(ParseReplacementRefusesTest, AndShowsTheForm) {
  const absl::Status status = ParseReplacement(GetParam().text).status();
  EXPECT_THAT(status, HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
  EXPECT_THAT(std::string(status.message()), HasSubstr("write EVENT=DIGEST"));
}

INSTANTIATE_TEST_SUITE_P(Rows, ParseReplacementRefusesTest,
                         ::testing::Values(Wrong{"NoEquals", "45", "no '='"},
                                           Wrong{"NoNumber", "x=aa", "no event number"},
                                           Wrong{"Negative", "-1=aa", "no event number"},
                                           Wrong{"NoDigest", "45=", "no digest"},
                                           Wrong{"NoHex", "45=zz", "no digest in hexadecimal"},
                                           Wrong{"NoBank", "45=md5:aa", "no such bank"},
                                           Wrong{"Nothing", "", "no '='"}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Predict, OneEventTwiceIsRefused) {
  const Bytes bytes = TwoBanks();
  const Log log = Log::Parse(bytes);
  BG_ASSERT_OK_AND_ASSIGN(const Replacement once,
                          ParseReplacement(absl::StrCat("1=sha256:", SomeDigest())));
  EXPECT_THAT(std::string(Predict(log, {once, once}).status().message()),
              HasSubstr("event 1 is replaced twice in bank sha256"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::diagnosis

// A real boot's log, tampered with as a forger would, against the registers of its TPM.
#include <functional>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/explain/explain.h"
#include "common/eventlog/explain/log_editor_test.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using bootgate::testing::CorpusFile;
using bootgate::testing::CorpusText;
using bootgate::testing::LogEditor;
using crypto::HashAlg;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

registers::RegisterBank QuotedBank(absl::string_view boot, HashAlg alg) {
  const nlohmann::json pcrs =
      nlohmann::json::parse(CorpusText(absl::StrCat("boots/", boot, "/pcrs.json")));
  registers::RegisterBank bank(alg);
  for (const auto& [index, hex] : pcrs.at(std::string(crypto::Name(alg))).items()) {
    const Bytes value = *FromHex(hex.get<std::string>());
    bank.Set(static_cast<uint32_t>(std::stoul(index)), *crypto::Digest::From(alg, value));
  }
  return bank;
}

struct Row {
  const char* name;
  std::function<void(LogEditor&)> tamper;
  uint32_t register_index;
  const char* cause;
  std::vector<uint32_t> events;
  const char* says;
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.name; }

class TamperedLogTest : public ::testing::TestWithParam<std::tuple<Row, HashAlg>> {};

TEST_P(TamperedLogTest, IsToldWhatWasDone) {
  const auto& [row, alg] = GetParam();
  LogEditor editor(CorpusFile("boots/good/eventlog.bin"));
  row.tamper(editor);
  const Bytes bytes = editor.Finish();
  const Log log = Log::Parse(bytes);
  const std::vector<Unexplained> rows = ExplainBank(log, QuotedBank("good", alg), {});
  ASSERT_FALSE(rows.empty());
  const auto found = std::ranges::find(rows, row.register_index, &Unexplained::register_index);
  ASSERT_NE(found, rows.end());
  EXPECT_EQ(Name(found->why.cause), row.cause) << found->why.text;
  EXPECT_EQ(found->why.events, row.events) << found->why.text;
  EXPECT_THAT(found->why.text, HasSubstr(row.says));
}

// Events of the good boot: 4 SecureBoot, 9 separator of PCR 7, 33 shim, 45 a GRUB command, 49 and
// 50 the same GRUB command twice, 63 the kernel's command line, 67 "Exit Boot Services Invocation".
INSTANTIATE_TEST_SUITE_P(
    GoodBoot, TamperedLogTest,
    ::testing::Combine(
        ::testing::Values(
            Row{"SeparatorDropped",
                [](LogEditor& e) { e.Drop(9); },
                7,
                "event_missing",
                {30},
                "a separator (00000000)"},
            Row{"ActionDropped",
                [](LogEditor& e) { e.Drop(67); },
                5,
                "event_missing",
                {67},
                "Exit Boot Services Invocation"},
            Row{"LastActionDropped",
                [](LogEditor& e) { e.Drop(68); },
                5,
                "extended_later",
                {},
                "Exit Boot Services Returned with Success"},
            Row{"SecureBootDropped",
                [](LogEditor& e) { e.Drop(4); },
                7,
                "event_missing",
                {4},
                "SecureBoot = 01 (on)"},
            Row{"GrubCommandDoubled",
                [](LogEditor& e) { e.Repeat(45); },
                8,
                "event_repeated",
                {46, 45},
                "repeats event 45"},
            Row{"ShimDoubled",
                [](LogEditor& e) { e.Repeat(33); },
                4,
                "event_repeated",
                {34, 33},
                "shimx64.efi"},
            Row{"NeighboursSwapped",
                [](LogEditor& e) { e.Swap(51, 52); },
                8,
                "swapped",
                {51, 52},
                "the other way round"},
            Row{"FarOnesSwapped",
                [](LogEditor& e) { e.Swap(41, 63); },
                8,
                "swapped",
                {41, 63},
                "the other way round"},
            Row{"KeysSwapped", [](LogEditor& e) { e.Swap(5, 7); }, 7, "swapped", {5, 7}, "db"},
            Row{"Moved",
                [](LogEditor& e) { e.Move(41, 64); },
                8,
                "moved",
                {64, 41},
                "was extended before event 41"},
            Row{"DigestOfTheCommandLineAltered",
                [](LogEditor& e) { e.Digests(63); },
                8,
                "digest_altered",
                {63},
                "kernel command line"},
            Row{"DigestOfDbAltered",
                [](LogEditor& e) { e.Digests(7); },
                7,
                "digest_altered",
                {7},
                "the digest of event 7 was changed"},
            Row{"SecureBootMadeHarmless",
                [](LogEditor& e) { e.Type(4, kEvNoAction); },
                7,
                "type_altered",
                {4},
                "SecureBoot"},
            Row{"GrubCommandInTheWrongRegister",
                [](LogEditor& e) { e.Register(45, 9); },
                8,
                "other_registers_event",
                {45},
                "which the log gives to PCR 9"},
            Row{"AndToldThereToo",
                [](LogEditor& e) { e.Register(45, 9); },
                9,
                "event_not_extended",
                {45},
                "was extended into PCR 8"},
            Row{"EventOfShimAdded",
                [](LogEditor& e) { e.Copy(33, 50).Register(50, 8); },
                8,
                "event_not_extended",
                {50},
                "never saw event 50"},
            Row{"ImageDigestAltered",
                [](LogEditor& e) { e.Digests(33); },
                4,
                "unknown",
                {},
                "the log lacks an event or has one that was changed"}),
        ::testing::Values(HashAlg::kSha256, HashAlg::kSha384, HashAlg::kSha1)),
    [](const auto& row) {
      return absl::StrCat(std::get<0>(row.param).name, "_", crypto::Name(std::get<1>(row.param)));
    });

TEST(CapturedBoots, FollowFromTheirLogs) {
  for (const char* boot : {"good", "secure-boot-off", "cmdline-changed", "ima-policy"}) {
    const Bytes bytes = CorpusFile(absl::StrCat("boots/", boot, "/eventlog.bin"));
    const Log log = Log::Parse(bytes);
    for (const HashAlg alg : {HashAlg::kSha1, HashAlg::kSha256, HashAlg::kSha384}) {
      EXPECT_THAT(ExplainBank(log, QuotedBank(boot, alg), {}), IsEmpty()) << boot;
    }
  }
}

// The forger's road: the bad boot's own log with the good boot's SecureBoot event in it.
TEST(CapturedBoots, AForgedSecureBootEventIsToldWithWhatTheTpmSaw) {
  constexpr size_t kSecureBootEvent = 4;  // in both logs
  LogEditor forged(CorpusFile("boots/secure-boot-off/eventlog.bin"));
  const LogEditor good(CorpusFile("boots/good/eventlog.bin"));
  forged.Replace(kSecureBootEvent, good.Record(kSecureBootEvent));
  const Bytes bytes = forged.Finish();
  const Log log = Log::Parse(bytes);
  const std::vector<Unexplained> rows =
      ExplainBank(log, QuotedBank("secure-boot-off", HashAlg::kSha256), {});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(Name(rows[0].why.cause), "event_replaced");
  EXPECT_THAT(rows[0].why.text, HasSubstr("event 4 (SecureBoot = 01 (on)) was altered: the TPM saw "
                                          "SecureBoot = 00 (off)"));
}

}  // namespace
}  // namespace bootgate::eventlog

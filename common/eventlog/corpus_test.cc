// Real logs against what two independent replays made of them.
#include "common/testing/corpus.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/files.h"
#include "common/eventlog/coverage.h"
#include "common/eventlog/decode/secure_boot.h"
#include "common/eventlog/log.h"
#include "common/eventlog/replay.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using Json = nlohmann::json;
using ::testing::UnorderedElementsAreArray;

struct CorpusLog {
  std::string file;  // where it lies
  std::string name;
  Json expected;
};

void PrintTo(const CorpusLog& log, std::ostream* os) { *os << log.name; }

// Logs of the wider corpus that are no subject of this test.
const std::map<std::string, std::string> kLeftOut = {
    {"eventlogs/keylime_keylime/binary_bios_measurements-bogus", "no log: see log_test.cc"},
};

std::vector<CorpusLog> Rows(const std::string& folder, const std::string& manifest) {
  std::vector<CorpusLog> rows;
  const absl::StatusOr<std::string> text = ReadTextFile(manifest, size_t{64} << 20);
  if (!text.ok()) return rows;
  const Json parsed = Json::parse(*text);
  for (const Json& file : parsed.at("files")) {
    const std::string path = file.at("path");
    if (!absl::StartsWith(file.at("kind").get<std::string>(), "eventlog")) continue;
    if (kLeftOut.contains(path)) continue;
    rows.push_back({absl::StrCat(folder, "/", path), path, file.at("expected")});
  }
  return rows;
}

std::vector<CorpusLog> CarriedLogs() {
  return Rows(testing::CorpusPath(""), testing::CorpusPath("eventlogs/MANIFEST.json"));
}

std::vector<CorpusLog> WiderLogs() {
  const std::optional<std::string> folder = testing::WiderCorpus();
  return folder.has_value() ? Rows(*folder, *folder + "/MANIFEST.json") : std::vector<CorpusLog>{};
}

Bytes Read(const CorpusLog& row) {
  absl::StatusOr<Bytes> bytes = ReadFile(row.file, kMaxLogBytes);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.value_or(Bytes{});
}

// What the manifest's remarks amount to in our reason codes.
std::set<std::string> ExpectedDefects(const Json& expected) {
  std::set<std::string> codes;
  for (const Json& entry : expected.value("notes", Json::array())) {
    const std::string note = entry;
    if (absl::StrContains(note, " digests of ")) codes.insert("LOG_DIGESTS");
    if (absl::StrContains(note, "NO_ACTION with nonzero digest")) codes.insert("LOG_NO_ACTION");
    if (absl::StrContains(note, "spec id vendor size")) codes.insert("LOG_SPEC_ID");
    if (absl::StrContains(note, "trailing 4 bytes")) codes.insert("LOG_TRAILING");
  }
  return codes;
}

class CorpusLogTest : public ::testing::TestWithParam<CorpusLog> {};

TEST_P(CorpusLogTest, HasTheFormThatTheManifestNames) {
  const Json& expected = GetParam().expected;
  const Bytes bytes = Read(GetParam());
  const Log log = Log::Parse(bytes);
  EXPECT_EQ(log.events().size(), expected.at("events"));
  if (!expected.contains("format")) return;
  EXPECT_EQ(log.format() == Format::kCryptoAgile, expected.at("format") == "crypto-agile");
  std::vector<std::string> banks;
  for (const crypto::HashAlg alg : log.banks()) banks.emplace_back(crypto::Name(alg));
  EXPECT_EQ(Json(banks), expected.at("banks"));
  EXPECT_EQ(log.startup_locality(), expected.value("startup_locality", 0));
}

TEST_P(CorpusLogTest, HasTheDefectsThatTheManifestNotes) {
  const Bytes bytes = Read(GetParam());
  std::set<std::string> codes;
  const Log log = Log::Parse(bytes);
  for (const Defect& defect : log.defects()) codes.emplace(Code(defect.reason));
  EXPECT_THAT(codes, UnorderedElementsAreArray(ExpectedDefects(GetParam().expected)));
}

TEST_P(CorpusLogTest, ReplaysToTheKnownRegisters) {
  const Json& expected = GetParam().expected;
  if (!expected.contains("pcrs")) GTEST_SKIP() << "the manifest names no registers";
  const Bytes bytes = Read(GetParam());
  const Log log = Log::Parse(bytes);
  for (const auto& [bank, registers] : expected.at("pcrs").items()) {
    const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromName(bank);
    ASSERT_TRUE(alg.has_value()) << bank;
    const Replay replay = ReplayBank(log, *alg);
    Json replayed = Json::object();
    for (uint32_t index = 0; index < registers::kCount; ++index) {
      const std::optional<crypto::Digest> value = replay.bank.Get(index);
      if (value.has_value()) replayed[std::to_string(index)] = value->hex();
    }
    EXPECT_EQ(replayed, registers) << bank;
  }
}

TEST_P(CorpusLogTest, TellsSecureBootAsTheManifestDoes) {
  const std::string told = GetParam().expected.value("secure_boot", "");
  const Bytes bytes = Read(GetParam());
  const Log log = Log::Parse(bytes);
  if (log.banks().empty()) GTEST_SKIP() << "no bank that we know";
  if (GetParam().expected.contains("registers")) GTEST_SKIP() << "the registers are no PCRs";
  const std::optional<bool> state = SecureBootState(log, log.banks().front());
  EXPECT_EQ(state == true, told == "enabled");
  EXPECT_EQ(state == false, told == "disabled");
}

// "event 12 PCR 7 EFI_VAR_AUTH sha256" in the manifest, "event 12 sha256" here.
std::set<std::string> ExpectedMismatches(const Json& expected) {
  std::set<std::string> mismatches;
  for (const Json& text : expected.value("digest_not_hash_of_event_data", Json::array())) {
    const std::vector<std::string> words = absl::StrSplit(text.get<std::string>(), ' ');
    mismatches.insert(absl::StrCat("event ", words.at(1), " ", words.back()));
  }
  return mismatches;
}

TEST_P(CorpusLogTest, ContradictsItsDigestsOnlyWhereTheManifestSaysSo) {
  const Bytes bytes = Read(GetParam());
  const Log log = Log::Parse(bytes);
  std::set<std::string> mismatches;
  for (const Event& event : log.events()) {
    for (const crypto::HashAlg alg : log.banks()) {
      if (CoverageOf(log, event, alg) != Coverage::kMismatch) continue;
      mismatches.insert(absl::StrCat("event ", event.number, " ", crypto::Name(alg)));
    }
  }
  EXPECT_THAT(mismatches, UnorderedElementsAreArray(ExpectedMismatches(GetParam().expected)));
}

std::string TestName(const ::testing::TestParamInfo<CorpusLog>& row) {
  std::string name = absl::StrCat(row.index, "_");
  for (const char c : row.param.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Carried, CorpusLogTest, ::testing::ValuesIn(CarriedLogs()), TestName);
INSTANTIATE_TEST_SUITE_P(Wider, CorpusLogTest, ::testing::ValuesIn(WiderLogs()), TestName);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CorpusLogTest);

TEST(CorpusLogs, AreThere) {
  EXPECT_GE(CarriedLogs().size(), 8u);
  if (!testing::WiderCorpus().has_value()) {
    GTEST_SKIP() << "the wider corpus is not beside the source tree ($BOOTGATE_CORPUS)";
  }
  EXPECT_GE(WiderLogs().size(), 80u);
}

// The registers of the four measured boots, as their TPM told them.
class BootTest : public ::testing::TestWithParam<std::string> {};

TEST_P(BootTest, LogReplaysToWhatTheTpmHeld) {
  const Bytes bytes = testing::CorpusFile(absl::StrCat("boots/", GetParam(), "/eventlog.bin"));
  const Json pcrs =
      Json::parse(testing::CorpusText(absl::StrCat("boots/", GetParam(), "/pcrs.json")));
  const Log log = Log::Parse(bytes);
  EXPECT_TRUE(log.defects().empty());
  for (const crypto::HashAlg alg : log.banks()) {
    const Replay replay = ReplayBank(log, alg);
    EXPECT_TRUE(replay.defects.empty());
    EXPECT_EQ(replay.bank.mask() & 0xffu, 0xffu);
    for (uint32_t index = 0; index < registers::kCount; ++index) {
      const std::optional<crypto::Digest> value = replay.bank.Get(index);
      if (!value.has_value()) continue;
      EXPECT_EQ(Json(value->hex()),
                pcrs.at(std::string(crypto::Name(alg))).at(std::to_string(index)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Boots, BootTest,
                         ::testing::Values("good", "secure-boot-off", "cmdline-changed",
                                           "ima-policy"),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace bootgate::eventlog

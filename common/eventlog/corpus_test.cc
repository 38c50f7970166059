// Real logs against what two independent replays made of them.
#include "common/testing/corpus.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/eventlog/coverage.h"
#include "common/eventlog/decode/secure_boot.h"
#include "common/eventlog/log.h"
#include "common/eventlog/quirks.h"
#include "common/eventlog/replay.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using Json = nlohmann::json;

struct CorpusLog {
  std::string file;  // where it lies
  std::string name;
  Json expected;
};

void PrintTo(const CorpusLog& log, std::ostream* os) { *os << log.name; }

// Files that are no sound log, with the codes that they are refused with. None of the corpus is
// skipped.
const std::map<std::string, std::set<std::string>> kRefused = {
    {"eventlogs/keylime_keylime/binary_bios_measurements-bogus", {"LOG_TRAILING"}},
    {"eventlogs/google_go-eventlog/cos-113-intel-tdx.table.bin", {"LOG_TRAILING"}},
    {"eventlogs/tpm2-software_tpm2-tools/specid-vendordata.bin", {"LOG_SPEC_ID", "LOG_TRAILING"}},
    {"eventlogs/spec-id-vendor-info.bin", {"LOG_SPEC_ID", "LOG_TRAILING"}},
};

std::vector<CorpusLog> Rows(const std::string& folder, const std::string& manifest) {
  std::vector<CorpusLog> rows;
  const absl::StatusOr<std::string> text = ReadTextFile(manifest, size_t{64} << 20);
  if (!text.ok()) return rows;
  const Json parsed = Json::parse(*text);
  for (const Json& file : parsed.at("files")) {
    const std::string path = file.at("path");
    if (!absl::StartsWith(path, "eventlogs/")) continue;
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

// What the manifest's remarks amount to in our quirks. It has no remark for boot variables that
// were hashed whole.
std::set<std::string> ExpectedQuirks(const Json& expected) {
  static constexpr std::pair<absl::string_view, absl::string_view> kRemarks[] = {
      {"NO_ACTION with nonzero digest", "windows-trust-boundary"},
      {"error separator pcr", "windows-end-separator"},
      {"2 separators pcr 1", "cc-repeated-separator"},
      {"EFI_VAR_AUTH", "shim-authority-surplus"},
      {"S_CRTM_VERSION", "boot-guard-version-not-hashed"},
  };
  std::vector<std::string> remarks = expected.value("notes", std::vector<std::string>{});
  for (const Json& remark : expected.value("digest_not_hash_of_event_data", Json::array())) {
    remarks.push_back(remark);
  }
  std::set<std::string> quirks;
  for (const std::string& remark : remarks) {
    for (const auto& [text, id] : kRemarks) {
      if (absl::StrContains(remark, text)) quirks.emplace(id);
    }
  }
  return quirks;
}

bool RemarksFewerDigests(const Json& expected) {
  const Json notes = expected.value("notes", Json::array());
  return std::ranges::any_of(notes, [](const Json& note) {
    return absl::StrContains(note.get<std::string>(), " digests of ");
  });
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
  EXPECT_EQ(log.register_kind() == RegisterKind::kCcMeasurement, expected.contains("registers"));
  EXPECT_EQ(log.next_log(), std::nullopt);
}

TEST_P(CorpusLogTest, IsRefusedOnlyIfItIsUnsound) {
  const Bytes bytes = Read(GetParam());
  std::set<std::string> codes;
  const Log log = Log::Parse(bytes);
  for (const Defect& defect : log.defects()) codes.emplace(Code(defect.reason));
  const auto refused = kRefused.find(GetParam().name);
  EXPECT_EQ(codes, refused == kRefused.end() ? std::set<std::string>{} : refused->second);
}

TEST_P(CorpusLogTest, UsesTheQuirksThatTheManifestNotes) {
  const Bytes bytes = Read(GetParam());
  const Log log = Log::Parse(bytes);
  std::set<std::string> quirks;
  bool fewer_digests = false;
  for (const UsedQuirk& used : UsedQuirks(log)) {
    const std::string id(used.quirk->id);
    const bool is_about_tail =
        absl::EndsWith(id, "-fewer-digests") || id == "unused-banks-announced";
    fewer_digests = fewer_digests || is_about_tail;
    const bool remarked =
        !is_about_tail && id != "boot-variable-hashed-whole" && id != "cc-header-in-register-0";
    if (remarked) quirks.insert(id);
  }
  EXPECT_EQ(quirks, ExpectedQuirks(GetParam().expected));
  EXPECT_EQ(fewer_digests, RemarksFewerDigests(GetParam().expected));
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

// The manifest's contradictions are all quirks.
TEST_P(CorpusLogTest, ContradictsItsDigestsNowhereElse) {
  const Bytes bytes = Read(GetParam());
  const Log log = Log::Parse(bytes);
  for (const Event& event : log.events()) {
    for (const crypto::HashAlg alg : log.banks()) {
      EXPECT_NE(CoverageOf(log, event, alg), Coverage::kMismatch)
          << "event " << event.number << " " << crypto::Name(alg);
    }
  }
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
  EXPECT_GE(WiderLogs().size(), 89u);
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

// Real machines' logs, quoted as their registers must have been: what is said of each.
#include <fstream>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/admission/made_boot_test.h"
#include "gatekeeper/claims/claim_names.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"

namespace bootgate::gatekeeper::admission {
namespace {

using Json = nlohmann::json;
using crypto::HashAlg;

struct Row {
  std::string file, name, bank;
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.name << " " << row.bank; }

// Well-formed whole logs of firmware with a TPM; confidential machines' registers are numbered
// otherwise.
std::vector<Row> Rows(const std::string& folder, const std::string& manifest) {
  std::vector<Row> rows;
  const Json parsed = Json::parse(std::ifstream(manifest), nullptr, false);
  if (!parsed.is_object()) return rows;
  for (const Json& file : parsed.at("files")) {
    const std::string kind = file.at("kind");
    if (kind != "eventlog" && kind != "eventlog-windows") continue;
    const Json& expected = file.at("expected");
    if (expected.value("verdict", "") != "well-formed") continue;
    for (const auto& [bank, pcrs] : expected.at("pcrs").items()) {
      if (bank == "sha1" || !pcrs.contains("0") || !pcrs.contains("6") ||
          !crypto::HashAlgFromName(bank))
        continue;
      rows.push_back(
          {absl::StrCat(folder, "/", file.at("path").get<std::string>()), file.at("path"), bank});
    }
  }
  return rows;
}

std::vector<Row> Carried() {
  return Rows(::bootgate::testing::CorpusPath(""),
              ::bootgate::testing::CorpusPath("eventlogs/MANIFEST.json"));
}

std::vector<Row> Wider() {
  const auto folder = ::bootgate::testing::WiderCorpus();
  return folder ? Rows(*folder, *folder + "/MANIFEST.json") : std::vector<Row>();
}

class RealLogTest : public ::testing::TestWithParam<Row> {};

// What is said of a log besides NO_POLICY, "!" before what denies. Whoever is not in the table must
// be without any of it: a false alarm shows here. LOG_AUTHENTICODE is said of every log with
// images.
const std::map<std::string, std::set<std::string>> kFindings = {
    {"eventlogs/Foxboron_sbctl/t14_eventlog", {"SECURE_BOOT_OFF"}},
    {"eventlogs/canonical_tcglog-parser/binary_bios_measurements-testdata", {"LOG_QUIRK"}},
    {"eventlogs/google_go-attestation/crypto_agile_eventlog", {"LOG_QUIRK"}},
    {"eventlogs/google_go-attestation/ubuntu_2104_shielded_vm_no_secure_boot_eventlog",
     {"SECURE_BOOT_OFF"}},
    {"eventlogs/google_go-eventlog/arch-linux-workstation.bin", {"LOG_QUIRK"}},
    {"eventlogs/google_go-eventlog/glinux-alex.bin", {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/google_go-eventlog/ubuntu-2104-no-dbx.bin", {"SECURE_BOOT_OFF"}},
    {"eventlogs/google_go-tpm-tools/gce-cos-85-no-nonce.offset_4283_len_23970.eventlog.bin",
     {"LOG_QUIRK"}},
    {"eventlogs/immune-gmbh_guard-oss/"
     "DESKTOP-MIMU51J-EPP-ESET.evidence.firmware_event_log_z_data_0.eventlog.bin",
     {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/immune-gmbh_guard-oss/"
     "IMN-DELL-WBCL-BootCtrs.evidence.firmware_event_log_z_data_0.eventlog.bin",
     {"LOG_QUIRK"}},
    {"eventlogs/immune-gmbh_guard-oss/"
     "IMN-SUPERMICRO-EPP-MSDefender.evidence.firmware_event_log_z_data_0.eventlog.bin",
     {"LOG_QUIRK"}},
    {"eventlogs/immune-gmbh_guard-oss/"
     "IMN-SUPERMICRO-WBCL-Quote-AIKs.evidence.firmware_event_log_z_data_0.eventlog.bin",
     {"LOG_QUIRK"}},
    {"eventlogs/immune-gmbh_guard-oss/"
     "dell-notebook-5eventlogs-WBCL.evidence.firmware_event_log_z_data_0.eventlog.bin",
     {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/immune-gmbh_guard-oss/"
     "dell-notebook-5eventlogs-WBCL.evidence.firmware_event_log_z_data_1.eventlog.bin",
     {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/immune-gmbh_guard-oss/"
     "dell-notebook-5eventlogs-WBCL.evidence.firmware_event_log_z_data_2.eventlog.bin",
     {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/immune-gmbh_guard-oss/"
     "dell-notebook-5eventlogs-WBCL.evidence.firmware_event_log_z_data_3.eventlog.bin",
     {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/immune-gmbh_guard-oss/"
     "dell-notebook-5eventlogs-WBCL.evidence.firmware_event_log_z_data_4.eventlog.bin",
     {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/immune-gmbh_guard-oss/dell-notebook-5eventlogs-WBCL.log",
     {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/immune-gmbh_guard-oss/h12ssl.bios_measurements", {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/immune-gmbh_guard-oss/h12ssl.values.event_log_z_data_0.eventlog.bin",
     {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/immune-gmbh_guard-oss/ludmilla-2.evidence.event_log_z_data_0.eventlog.bin",
     {"SECURE_BOOT_OFF"}},
    {"eventlogs/immune-gmbh_guard-oss/r340.evidence.firmware_event_log_z_data_0.eventlog.bin",
     {"LOG_QUIRK"}},
    {"eventlogs/immune-gmbh_guard-oss/t480s.values.event_log_z_data_0.eventlog.bin", {"LOG_QUIRK"}},
    {"eventlogs/immune-gmbh_guard-oss/x1carbon.event_log_data.eventlog.bin", {"LOG_QUIRK"}},
    {"eventlogs/intel-secl_intel-secl/uefi_event_log.bin", {"SECURE_BOOT_OFF"}},
    {"eventlogs/intel_trustauthority-client-for-go/binary_bios_measurements20",
     {"SECURE_BOOT_OFF"}},
    {"eventlogs/keylime_keylime/binary_bios_measurements-create-mb-policy", {"SECURE_BOOT_OFF"}},
    {"eventlogs/kgoldman_ibmtss/dell1.log", {"LOG_QUIRK"}},
    {"eventlogs/kgoldman_ibmtss/hp1.log", {"LOG_QUIRK"}},
    {"eventlogs/kgoldman_ibmtss/ideapad1.log", {"LOG_QUIRK"}},
    {"eventlogs/kgoldman_ibmtss/sm1.log", {"LOG_QUIRK"}},
    {"eventlogs/kgoldman_ibmtss/ubuntu2.log", {"SECURE_BOOT_OFF"}},
    {"eventlogs/lf-edge_eve/empty_uri.message_backup_good_log.eventlog.bin",
     {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/lf-edge_eve/empty_uri.message_last_failed_log.eventlog.bin",
     {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/lf-edge_eve/empty_uri.message_last_good_log.eventlog.bin",
     {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/lf-edge_eve/tcg_log_1", {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/linux-integrity_ima-evm-utils/test_binary_bios_measurements", {"LOG_QUIRK"}},
    {"eventlogs/nsacyber_HIRS/TpmLog.bin-eventlogs", {"SECURE_BOOT_OFF"}},
    {"eventlogs/nsacyber_HIRS/laptop_default_binary_bios_measurements", {"LOG_QUIRK"}},
    {"eventlogs/osresearch_safeboot/t490.eventlog.bin", {"LOG_QUIRK"}},
    {"eventlogs/puiterwijk_uefi-eventlog-rs/bootlog", {"SECURE_BOOT_OFF"}},
    {"eventlogs/sha256-only.bin", {"SECURE_BOOT_OFF"}},
    {"eventlogs/startup-locality-3.bin", {"LOG_QUIRK", "SECURE_BOOT_OFF"}},
    {"eventlogs/tpm2-software_tpm2-tools/event-arch-linux.bin", {"LOG_QUIRK"}},
    {"eventlogs/tpm2-software_tpm2-tss/binary_measurements_pc_client.bin", {"LOG_QUIRK"}},
    {"eventlogs/windows-one-digest-of-two.bin", {"LOG_QUIRK"}},
    {"eventlogs/windows-vbs.bin", {"LOG_QUIRK"}},
};

// Says of every real log what the gatekeeper says of it.
TEST_P(RealLogTest, GetsTheFindingsThatTheTableSays) {
  const Bytes log = ReadFile(GetParam().file, eventlog::kMaxLogBytes).value();
  const HashAlg alg = *crypto::HashAlgFromName(GetParam().bank);
  const tpm2::QuotedPcrs quoted = testing::QuoteOver({testing::Registers(log, {}, alg)});
  const Verdict verdict = Judge({.quoted = quoted, .boot_log = log, .ima = {}});
  std::set<std::string> said;
  std::string texts;
  for (const Finding& f : verdict.findings) {
    if (f.code == Reason::kNoPolicy || f.code == Reason::kLogAuthenticode) continue;
    said.insert(absl::StrCat(f.severity == Severity::kFail ? "!" : "", Code(f.code)));
    absl::StrAppend(&texts, Code(f.code), ": ", f.text, "\n");
  }
  for (const Claim& claim : verdict.claims)
    EXPECT_NE(FindClaimName(claim.type), nullptr) << claim.type << " is not in the table of claims";
  const auto row = kFindings.find(GetParam().name);
  EXPECT_EQ(said, row == kFindings.end() ? std::set<std::string>() : row->second) << texts;
}

std::string RowName(const ::testing::TestParamInfo<Row>& info) {
  std::string name = absl::StrCat(info.index, "_", info.param.bank, "_");
  for (const char c : info.param.name)
    name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Carried, RealLogTest, ::testing::ValuesIn(Carried()), RowName);
INSTANTIATE_TEST_SUITE_P(Wider, RealLogTest, ::testing::ValuesIn(Wider()), RowName);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RealLogTest);

TEST(RealLogs, AreThere) { EXPECT_GE(Carried().size(), 3u); }

}  // namespace
}  // namespace bootgate::gatekeeper::admission

// Real machines' logs, quoted as their registers must have been: none is accused of anything, but
// for informational events with a digest in them, which some boot loaders write (attack A38).
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/admission/made_boot_test.h"
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

TEST_P(RealLogTest, IsAccusedOfNothingWhenTheRegistersFollowFromIt) {
  const Bytes log = ReadFile(GetParam().file, eventlog::kMaxLogBytes).value();
  const HashAlg alg = *crypto::HashAlgFromName(GetParam().bank);
  const tpm2::QuotedPcrs quoted = testing::QuoteOver({testing::Registers(log, {}, alg)});
  const Verdict verdict = Judge({.quoted = quoted, .boot_log = log, .ima = {}});
  std::vector<std::string> failing;
  for (const Finding& f : verdict.findings) {
    if (f.severity == Severity::kFail && f.code != Reason::kLogNoAction)
      failing.push_back(absl::StrCat(Code(f.code), ": ", f.text));
  }
  EXPECT_THAT(failing, ::testing::ElementsAre(::testing::StartsWith("NO_POLICY")));
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

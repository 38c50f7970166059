// Real lists against what the TPM held and what an independent replay made of them.
#include "common/testing/corpus.h"

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/ima/list.h"
#include "common/ima/replay.h"
#include "gmock/gmock.h"

namespace bootgate::ima {
namespace {

using Json = nlohmann::json;

crypto::Digest FromHex(crypto::HashAlg alg, const std::string& hex) {
  return *crypto::Digest::From(alg, *bootgate::FromHex(hex));
}

// The boot's case.json says after how many entries PCR 10 of a bank is met, and by which rule.
class BootTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::string Text(const std::string& file) const {
    return testing::CorpusText(absl::StrCat("boots/", GetParam(), "/", file));
  }
  const Json pcrs_ = Json::parse(Text("pcrs.json"));
  const Json case_ = Json::parse(Text("case.json"));
  const Bytes bytes_ = testing::CorpusFile(absl::StrCat("boots/", GetParam(), "/ima.bin"));
  const List list_ = List::Parse(bytes_);
};

TEST_P(BootTest, ListMeetsTheQuotedRegisterOfEveryBank) {
  EXPECT_TRUE(list_.defects().empty());
  for (const auto& [bank, registers] : pcrs_.items()) {
    const crypto::HashAlg alg = *crypto::HashAlgFromName(bank);
    const auto match = FindMatch(list_, crypto::Digest(alg), FromHex(alg, registers.at("10")), 1);
    ASSERT_TRUE(match.has_value()) << bank;
    const Json& told = case_.at("ima").at("replay").at(bank);
    EXPECT_EQ(match->entries, told.at("matches_after")) << bank << told;
    EXPECT_EQ(match->rule == ExtendRule::kPaddedSha1, told.at("digest") == "sha1 padded with zeros")
        << told;
  }
}

TEST_P(BootTest, ListedDigestsHold) {
  for (const Entry& entry : list_.entries()) EXPECT_TRUE(ListedDigestHolds(entry)) << entry.number;
}

TEST_P(BootTest, FirstEntryIsTheAggregateOfTheQuotedRegisters) {
  registers::RegisterBank bank(crypto::HashAlg::kSha256);
  for (const auto& [index, hex] : pcrs_.at("sha256").items()) {
    bank.Set(static_cast<uint32_t>(std::stoul(index)), FromHex(bank.alg(), hex));
  }
  ASSERT_FALSE(list_.entries().empty());
  const Entry& first = list_.entries().front();
  EXPECT_EQ(first.path, "boot_aggregate");
  EXPECT_EQ(ToHex(BootAggregate(bank)->view()), ToHex(first.file_digest));
}

// The kernel's own text form of the same list.
TEST_P(BootTest, PathsAndDigestsAreThoseOfTheTextForm) {
  std::istringstream text(Text("ima.ascii"));
  size_t number = 0;
  for (std::string line; std::getline(text, line) && number < list_.entries().size(); ++number) {
    const Entry& entry = list_.entries()[number];
    const std::string digest = absl::StrCat(entry.digest_name, ":", ToHex(entry.file_digest));
    const std::string expected =
        absl::StrCat(entry.register_index, " ", ToHex(entry.listed_digest), " ",
                     entry.template_name, " ", digest, " ", entry.path);
    EXPECT_EQ(line.substr(0, expected.size()), expected);
  }
  EXPECT_EQ(number, list_.entries().size());
}

INSTANTIATE_TEST_SUITE_P(Boots, BootTest,
                         ::testing::Values("good", "secure-boot-off", "cmdline-changed",
                                           "ima-policy"),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

struct CorpusList {
  std::string file;
  std::string name;
  Json expected;
};

void PrintTo(const CorpusList& list, std::ostream* os) { *os << list.name; }

std::vector<CorpusList> Rows(const std::string& folder, const std::string& manifest) {
  std::vector<CorpusList> rows;
  const absl::StatusOr<std::string> text = ReadTextFile(manifest, size_t{64} << 20);
  if (!text.ok()) return rows;
  const Json parsed = Json::parse(*text);
  for (const Json& file : parsed.at("files")) {
    if (file.at("kind") != "ima-binary") continue;
    const std::string path = file.at("path");
    rows.push_back({absl::StrCat(folder, "/", path), path, file.at("expected")});
  }
  return rows;
}

std::vector<CorpusList> CarriedLists() {
  return Rows(testing::CorpusPath(""), testing::CorpusPath("ima/MANIFEST.json"));
}

std::vector<CorpusList> WiderLists() {
  const std::optional<std::string> folder = testing::WiderCorpus();
  return folder.has_value() ? Rows(*folder, *folder + "/MANIFEST.json") : std::vector<CorpusList>{};
}

class CorpusListTest : public ::testing::TestWithParam<CorpusList> {};

TEST_P(CorpusListTest, HasTheEntriesThatTheManifestNames) {
  const Json& expected = GetParam().expected;
  const absl::StatusOr<Bytes> bytes = ReadFile(GetParam().file, kMaxListBytes);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const List list = List::Parse(*bytes);
  EXPECT_TRUE(list.defects().empty());
  EXPECT_EQ(list.entries().size(), expected.at("entries"));
  std::map<std::string, int> templates;
  int violations = 0;
  for (const Entry& entry : list.entries()) {
    ++templates[std::string(entry.template_name)];
    violations += entry.violation ? 1 : 0;
    EXPECT_TRUE(ListedDigestHolds(entry));
    EXPECT_FALSE(entry.path.empty());
  }
  EXPECT_EQ(Json(templates), expected.at("templates"));
  EXPECT_EQ(violations, expected.at("violations"));
}

TEST_P(CorpusListTest, ReplaysToTheKnownRegisters) {
  const absl::StatusOr<Bytes> bytes = ReadFile(GetParam().file, kMaxListBytes);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const List list = List::Parse(*bytes);
  for (const auto& [index, values] : GetParam().expected.at("replay").items()) {
    const auto register_index = static_cast<uint32_t>(std::stoul(index));
    const auto meets = [&](crypto::HashAlg alg, const char* key) {
      return FindMatch(list, crypto::Digest(alg), FromHex(alg, values.at(key)), 1, register_index);
    };
    const auto sha1 = meets(crypto::HashAlg::kSha1, "sha1");
    const auto sha256 = meets(crypto::HashAlg::kSha256, "sha256");
    const auto padded = meets(crypto::HashAlg::kSha256, "sha256_padded_sha1");
    ASSERT_TRUE(sha1.has_value() && sha256.has_value() && padded.has_value()) << index;
    EXPECT_EQ(sha256->rule, ExtendRule::kBankHash);
    EXPECT_EQ(padded->rule, ExtendRule::kPaddedSha1);
    EXPECT_EQ(sha1->entries, sha256->entries);
    EXPECT_EQ(padded->entries, sha256->entries);
  }
}

std::string TestName(const ::testing::TestParamInfo<CorpusList>& row) {
  std::string name = absl::StrCat(row.index, "_");
  for (const char c : row.param.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Carried, CorpusListTest, ::testing::ValuesIn(CarriedLists()), TestName);
INSTANTIATE_TEST_SUITE_P(Wider, CorpusListTest, ::testing::ValuesIn(WiderLists()), TestName);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CorpusListTest);

TEST(CorpusLists, AreThere) {
  EXPECT_GE(CarriedLists().size(), 2u);
  if (!testing::WiderCorpus().has_value()) {
    GTEST_SKIP() << "the wider corpus is not beside the source tree ($BOOTGATE_CORPUS)";
  }
  EXPECT_GE(WiderLists().size(), 4u);
}

}  // namespace
}  // namespace bootgate::ima

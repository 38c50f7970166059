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
#include "common/ima/text_list.h"
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
  std::string kind;
  Json expected;
};

void PrintTo(const CorpusList& list, std::ostream* os) { *os << list.name; }

// Files of a corpus that are no lists, and who looks at them instead.
struct OtherKind {
  const char* kind;
  const char* reason;
};
constexpr OtherKind kNoLists[] = {
    {"runtime-policy", "what may run, not what ran: read by the import of reference sets"},
    {"policy-key", "keys and lists beside such policies"},
    {"policy-signature", "signatures over such policies"},
    {"measured-boot-reference", "of the boot log"},
};

bool IsList(const std::string& kind) { return kind.rfind("ima-", 0) == 0; }

// The lists of a corpus; kinds that are neither a list nor known to be none go to `unknown`.
std::vector<CorpusList> Rows(const std::string& folder, const std::string& manifest,
                             std::vector<std::string>* unknown = nullptr) {
  std::vector<CorpusList> rows;
  const absl::StatusOr<std::string> text = ReadTextFile(manifest, size_t{64} << 20);
  if (!text.ok()) return rows;
  const Json parsed = Json::parse(*text);
  for (const Json& file : parsed.at("files")) {
    const std::string path = file.at("path");
    const std::string kind = file.at("kind");
    if (!IsList(kind)) {
      const bool known = std::ranges::any_of(kNoLists, [&](auto& row) { return row.kind == kind; });
      if (unknown != nullptr && !known && path.rfind("ima/", 0) == 0) unknown->push_back(kind);
      continue;
    }
    rows.push_back({absl::StrCat(folder, "/", path), path, file.at("kind"),
                    file.value("expected", Json::object())});
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

// Binary lists as they are, text lists made binary.
class CorpusListTest : public ::testing::TestWithParam<CorpusList> {
 protected:
  void SetUp() override {
    const absl::StatusOr<Bytes> bytes = ReadFile(GetParam().file, kMaxListBytes);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    bytes_ = *bytes;
    if (GetParam().kind == "ima-ascii") {
      testing::TextList text = testing::FromText(AsText(*bytes));
      lines_that_are_none_ = text.lines_that_are_none;
      bytes_ = std::move(text.bytes);
    }
    list_ = List::Parse(bytes_);
  }

  const Json& expected() const { return GetParam().expected; }

  size_t lines_that_are_none_ = 0;
  Bytes bytes_;
  List list_;
};

TEST_P(CorpusListTest, HasTheEntriesThatTheManifestNames) {
  if (expected().value("verdict", "") == "reject") {
    EXPECT_FALSE(list_.defects().empty());
    EXPECT_TRUE(list_.entries().empty());
    return;
  }
  EXPECT_TRUE(list_.defects().empty());
  EXPECT_EQ(list_.entries().size() + lines_that_are_none_, expected().at("entries"));
  std::map<std::string, size_t> templates;
  size_t violations = 0, wrong = 0;
  for (const Entry& entry : list_.entries()) {
    ++templates[std::string(entry.template_name)];
    violations += entry.violation ? 1 : 0;
    wrong += ListedDigestHolds(entry) ? 0 : 1;
    EXPECT_FALSE(entry.path.empty());
  }
  if (lines_that_are_none_ == 0) {
    EXPECT_EQ(Json(templates), expected().at("templates"));
  }
  EXPECT_EQ(violations, expected().value("violations", size_t{0}));
  const Json told = expected().value("template_hash_mismatch", Json());
  if (told.is_number()) {
    EXPECT_EQ(wrong, told);
  }
}

// A replay of the digests that a list names: nothing of ours believes those.
constexpr const char* kOfListedDigests = "with template hashes of that length, bank sha256";

// A key of the manifest's replay: a bank, or a bank extended with padded SHA-1.
struct Replayed {
  crypto::HashAlg alg;
  ExtendRule rule;
};

Replayed ReplayOf(const std::string& key) {
  const size_t end = key.find("_padded_sha1");
  const bool padded = end != std::string::npos;
  return {crypto::HashAlgFromName(key.substr(0, end)).value_or(crypto::HashAlg::kSha256),
          padded ? ExtendRule::kPaddedSha1 : ExtendRule::kBankHash};
}

TEST_P(CorpusListTest, ReplaysToTheKnownRegisters) {
  if (!expected().contains("replay")) GTEST_SKIP() << "lines of several lists: no replay is known";
  for (const auto& [index, values] : expected().at("replay").items()) {
    const auto register_index = static_cast<uint32_t>(std::stoul(index));
    for (const auto& [key, hex] : values.items()) {
      if (key == kOfListedDigests) continue;
      const Replayed row = ReplayOf(key);
      const crypto::Digest told = FromHex(row.alg, hex);
      EXPECT_EQ(Replay(list_, crypto::Digest(row.alg), row.rule, register_index), told) << key;
      const auto match = FindMatch(list_, crypto::Digest(row.alg), told, 1, register_index);
      ASSERT_TRUE(match.has_value()) << key;
      EXPECT_EQ(match->rule, row.rule) << key;
    }
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
  EXPECT_GE(CarriedLists().size(), 4u);
  if (!testing::WiderCorpus().has_value()) {
    GTEST_SKIP() << "the wider corpus is not beside the source tree ($BOOTGATE_CORPUS)";
  }
  EXPECT_GE(WiderLists().size(), 22u);
  std::vector<std::string> unknown;
  const std::string folder = *testing::WiderCorpus();
  Rows(folder, folder + "/MANIFEST.json", &unknown);
  EXPECT_THAT(unknown, ::testing::IsEmpty());
}

}  // namespace
}  // namespace bootgate::ima

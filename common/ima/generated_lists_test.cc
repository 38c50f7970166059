// Lists that a generator of the wider corpus makes, an implementation of its own: counts and
// registers agree for every option that it has.
#include <unistd.h>  // getpid

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/ima/replay.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::ima {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxFile = size_t{16} << 20;  // bytes
constexpr size_t kEntries = 300;
constexpr size_t kCheckpoint = 120;

struct Options {
  const char* name;
  const char* words;
};
void PrintTo(const Options& row, std::ostream* os) { *os << row.words; }

class GeneratedListTest : public ::testing::TestWithParam<Options> {
 protected:
  void SetUp() override {
    const std::optional<std::string> corpus = testing::WiderCorpus();
    const std::string tool = corpus.value_or("") + "/../tools/gen_ima.py";
    if (!corpus.has_value() || !std::filesystem::exists(tool)) {
      GTEST_SKIP() << "the generator is not beside the wider corpus ($BOOTGATE_CORPUS)";
    }
    folder_ = absl::StrCat(::testing::TempDir(), "/generated-", getpid(), "-", GetParam().name);
    const std::string command = absl::StrCat(
        "python3 '", tool, "' --out '", folder_, "' --entries ", kEntries,
        " --allow 200 --checkpoint ", kCheckpoint, " ", GetParam().words, " > /dev/null 2>&1");
    if (std::system("python3 --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "no python3";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    bytes_ = File("list.bin");
    list_ = List::Parse(bytes_);
    meta_ = Json::parse(AsText(File("meta.json")));
  }

  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  Bytes File(const char* name) const {
    return ReadFile(absl::StrCat(folder_, "/", name), kMaxFile).value();
  }

  // After how many entries the register of each bank is met, by each rule.
  void ExpectMet(const Json& registers, size_t entries) const {
    for (const auto& [rule, banks] : registers.items()) {
      for (const auto& [bank, hex] : banks.items()) {
        const crypto::HashAlg alg = *crypto::HashAlgFromName(bank);
        const auto quoted = crypto::Digest::From(alg, *FromHex(hex.get<std::string>()));
        const auto match = FindMatch(list_, crypto::Digest(alg), *quoted, entries);
        ASSERT_TRUE(match.has_value()) << rule << " " << bank;
        EXPECT_EQ(match->entries, entries);
        EXPECT_EQ(match->rule == ExtendRule::kPaddedSha1,
                  rule == "padded" && alg != crypto::HashAlg::kSha1);
      }
    }
  }

  std::string folder_;
  Bytes bytes_;
  List list_;
  Json meta_;
};

TEST_P(GeneratedListTest, MeetsTheRegistersOfEveryBankAndRule) {
  EXPECT_TRUE(list_.defects().empty());
  ASSERT_EQ(list_.entries().size(), kEntries);
  ExpectMet(meta_.at("pcr10"), kEntries);
  const Json& point = meta_.at("checkpoints").at(std::to_string(kCheckpoint));
  ExpectMet({{"native", point.at("native")}}, kCheckpoint);
  EXPECT_EQ(list_.entries()[kCheckpoint].offset, point.at("bin_bytes"));
}

TEST_P(GeneratedListTest, HasTheEntriesThatItWasMadeWith) {
  const Json allowed = Json::parse(AsText(File("policy.json"))).at("digests");
  size_t violations = 0, unlisted = 0, wrong = 0;
  for (const Entry& entry : list_.entries()) {
    EXPECT_TRUE(ListedDigestHolds(entry)) << entry.number;
    EXPECT_EQ(entry.template_name, meta_.at("template").get<std::string>());
    if (entry.violation) {
      ++violations;
    } else if (entry.number > 0) {
      const auto listed = allowed.find(std::string(entry.path));
      if (listed == allowed.end()) {
        ++unlisted;
      } else {
        wrong += std::ranges::count(*listed, Json(ToHex(entry.file_digest))) == 0 ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(violations, meta_.at("violations"));
  EXPECT_EQ(unlisted, meta_.at("unknown"));
  EXPECT_EQ(wrong, meta_.at("wrong"));
}

INSTANTIATE_TEST_SUITE_P(
    Options, GeneratedListTest,
    ::testing::Values(Options{"Plain", ""}, Options{"Signed", "--template ima-sig"},
                      Options{"ListedInSha256", "--log-hash sha256"},
                      Options{"Violations", "--violations 5 --seed 7"},
                      Options{"Everything",
                              "--template ima-sig --log-hash sha256 --unknown 3 --wrong 4 "
                              "--violations 2 --per-path 2 --seed 9 --boot-aggregate "
                              "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace bootgate::ima

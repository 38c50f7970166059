#include "common/eventlog/several_logs.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/eventlog/log_builder.h"
#include "common/eventlog/replay.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using ::bootgate::testing::LogBuilder;
using crypto::HashAlg;
using registers::RegisterBank;

constexpr uint32_t kAction = 5;

Bytes LogWith(absl::string_view text) {
  return LogBuilder::CryptoAgile({HashAlg::kSha256}).Event(4, kAction, AsBytes(text)).Finish();
}

RegisterBank StandingAt(const Bytes& log) {
  return ReplayBank(Log::Parse(log), HashAlg::kSha256).bank;
}

TEST(SeveralLogs, TheOneThatLeadsToTheRegistersIsFound) {
  const std::vector<Bytes> bytes = {LogWith("cold boot"), LogWith("first resume"),
                                    LogWith("second resume")};
  std::vector<Log> logs;
  for (const Bytes& log : bytes) logs.push_back(Log::Parse(log));
  for (size_t i = 0; i < bytes.size(); ++i)
    EXPECT_EQ(FindExplaining(logs, StandingAt(bytes[i])), i);
  EXPECT_EQ(FindExplaining(logs, StandingAt(LogWith("another host"))), std::nullopt);
  EXPECT_EQ(FindExplaining({}, StandingAt(bytes[0])), std::nullopt);
}

TEST(SeveralLogs, OfEqualLogsTheLastCounts) {
  const Bytes bytes = LogWith("boot");
  const std::vector<Log> logs = {Log::Parse(bytes), Log::Parse(bytes)};
  EXPECT_EQ(FindExplaining(logs, StandingAt(bytes)), 1u);
}

TEST(SeveralLogs, LogAboutNothingThatWasQuotedExplainsNothing) {
  const Bytes bytes = LogWith("boot");
  const std::vector<Log> logs = {Log::Parse(bytes)};
  RegisterBank other(HashAlg::kSha256);
  other.Set(7, crypto::Digest(HashAlg::kSha256));
  EXPECT_EQ(FindExplaining(logs, other), std::nullopt);
  EXPECT_EQ(FindExplaining(logs, RegisterBank(HashAlg::kSha384)), std::nullopt);
}

// A laptop that slept four times handed over five logs with its quote.
TEST(SeveralLogs, RealQuoteStandsAtTheLogOfTheLastResume) {
  const std::optional<std::string> corpus = testing::WiderCorpus();
  if (!corpus) GTEST_SKIP() << "the wider corpus is not there";
  const std::string name = "immune-gmbh_guard-oss/dell-notebook-5eventlogs-WBCL";
  BG_ASSERT_OK_AND_ASSIGN(const std::string manifest,
                          ReadTextFile(*corpus + "/MANIFEST.json", size_t{64} << 20));
  RegisterBank quoted(HashAlg::kSha256);
  const auto json = nlohmann::json::parse(manifest);
  for (const auto& file : json.at("files")) {
    if (file.at("path") != "tpm/" + name + "-quote.out") continue;
    for (const auto& [index, hex] : file.at("expected").at("pcrs").at("sha256").items()) {
      BG_ASSERT_OK_AND_ASSIGN(const Bytes value, FromHex(hex.get<std::string>()));
      quoted.Set(static_cast<uint32_t>(std::stoul(index)),
                 crypto::Digest::From(HashAlg::kSha256, value).value());
    }
  }
  std::vector<Bytes> bytes;
  for (int i = 0; i < 5; ++i) {
    BG_ASSERT_OK_AND_ASSIGN(
        bytes.emplace_back(),
        ReadFile(absl::StrCat(*corpus, "/eventlogs/", name, ".evidence.firmware_event_log_z_data_",
                              i, ".eventlog.bin"),
                 kMaxLogBytes));
  }
  std::vector<Log> logs;
  for (const Bytes& log : bytes) logs.push_back(Log::Parse(log));
  EXPECT_EQ(FindExplaining(logs, quoted), 4u);
  // The others are of the same machine and firmware, started another time.
  EXPECT_EQ(FitOf(logs[0], quoted).differing, (1u << 12) | (1u << 13) | (1u << 14));
  for (size_t i = 1; i < 4; ++i) EXPECT_EQ(FitOf(logs[i], quoted).differing, 1u << 12);
}

}  // namespace
}  // namespace bootgate::eventlog

// Two boots' logs: what differs, in words, and what of it is the cause.
#include "gatekeeper/diagnosis/diff.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/explain/log_editor_test.h"
#include "common/eventlog/log_builder.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/diagnosis/causes.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::diagnosis {
namespace {

using bootgate::testing::CorpusFile;
using bootgate::testing::LogBuilder;
using bootgate::testing::LogEditor;
using bootgate::testing::Text;
using crypto::HashAlg;
using eventlog::Log;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Bytes BootLog(absl::string_view boot) {
  return CorpusFile(absl::StrCat("boots/", boot, "/eventlog.bin"));
}

// The logs' bytes live as long as the difference is looked at.
struct Compared {
  Bytes first_bytes, second_bytes;
  Log first, second;
  LogDifference difference;

  Compared(Bytes a, Bytes b, std::optional<HashAlg> bank = std::nullopt)
      : first_bytes(std::move(a)),
        second_bytes(std::move(b)),
        first(Log::Parse(first_bytes)),
        second(Log::Parse(second_bytes)),
        difference(CompareLogs(first, second, bank).value()) {}

  std::vector<uint32_t> Registers() const {
    std::vector<uint32_t> out;
    for (const RegisterDifference& row : difference.registers) out.push_back(row.register_index);
    return out;
  }
  const RegisterDifference& Register(uint32_t index) const {
    return *std::ranges::find(difference.registers, index, &RegisterDifference::register_index);
  }
};

class BootsInBankTest : public ::testing::TestWithParam<HashAlg> {};
INSTANTIATE_TEST_SUITE_P(Banks, BootsInBankTest,
                         ::testing::Values(HashAlg::kSha1, HashAlg::kSha256, HashAlg::kSha384),
                         [](const auto& row) { return std::string(crypto::Name(row.param)); });

TEST_P(BootsInBankTest, TheChangedCommandLineIsTheOneCause) {
  const Compared boots(BootLog("good"), BootLog("cmdline-changed"), GetParam());
  EXPECT_THAT(boots.difference.causes,
              ElementsAre("kernel command line gained `init=/bin/bash nokaslr`"));
  EXPECT_THAT(boots.Registers(), ElementsAre(8, 9));
}

TEST_P(BootsInBankTest, TakenAwayAgainItIsLost) {
  const Compared boots(BootLog("cmdline-changed"), BootLog("good"), GetParam());
  EXPECT_THAT(boots.difference.causes,
              ElementsAre("kernel command line lost `init=/bin/bash nokaslr`"));
}

TEST_P(BootsInBankTest, SecureBootOffAndAnotherBootChainAreTheCauses) {
  const Compared boots(BootLog("good"), BootLog("secure-boot-off"), GetParam());
  EXPECT_THAT(boots.difference.causes,
              ElementsAre("SecureBoot was 01 (on), is 00 (off)",
                          "the boot went firmware, shim, GRUB, kernel; now it goes firmware, "
                          "kernel (through its EFI stub)"));
  EXPECT_THAT(boots.Registers(), ElementsAre(1, 4, 7, 8, 9, 14));
}

TEST_P(BootsInBankTest, AnotherImaPolicyIsNotInTheBootLog) {
  const Compared boots(BootLog("good"), BootLog("ima-policy"), GetParam());
  EXPECT_TRUE(boots.difference.SameStory());
  EXPECT_THAT(boots.difference.causes, IsEmpty());
}

TEST(CompareLogs, TheFirstChangeOfARegisterIsWhereTheyPart) {
  const Compared boots(BootLog("good"), BootLog("cmdline-changed"));
  const RegisterDifference& loader = boots.Register(8);
  ASSERT_THAT(loader.changes, SizeIs(3));
  EXPECT_EQ(loader.changes[0].first, 52u);
  EXPECT_EQ(loader.changes[0].second, 52u);
  EXPECT_EQ(loader.changes[0].kind, ChangeKind::kChanged);
  EXPECT_THAT(loader.changes[0].was, Not(HasSubstr("nokaslr")));
  EXPECT_THAT(loader.changes[0].is, HasSubstr("nokaslr"));
  EXPECT_EQ(loader.changes[2].first, 63u);
  EXPECT_NE(loader.first, loader.second);
}

TEST(CompareLogs, BothSidesOfSecureBootAreDecoded) {
  const Compared boots(BootLog("good"), BootLog("secure-boot-off"));
  const EventChange& first = boots.Register(7).changes.at(0);
  EXPECT_THAT(first.was, HasSubstr("SecureBoot = 01 (on)"));
  EXPECT_THAT(first.is, HasSubstr("SecureBoot = 00 (off)"));
  EXPECT_EQ(first.first, 4u);
}

TEST(CompareLogs, EventsOfTheLoadersThatDidNotRunAreListed) {
  const Compared boots(BootLog("good"), BootLog("secure-boot-off"));
  std::vector<std::string> texts;
  for (const EventChange& change : boots.Register(14).changes) texts.push_back(change.text);
  EXPECT_THAT(texts, AllOf(SizeIs(3), Each(HasSubstr("only in the first log: "))));
}

TEST(CompareLogs, ALogIsTheSameStoryAsItself) {
  for (const char* boot : {"good", "secure-boot-off", "cmdline-changed"}) {
    EXPECT_TRUE(Compared(BootLog(boot), BootLog(boot)).difference.SameStory()) << boot;
  }
}

TEST(CompareLogs, TwoEventsThatChangedPlaces) {
  LogEditor editor(BootLog("good"));
  const Compared boots(BootLog("good"), editor.Swap(51, 52).Finish());
  EXPECT_THAT(boots.Registers(), ElementsAre(8));
  EXPECT_THAT(boots.Register(8).changes,
              Contains(::testing::Field(&EventChange::kind, ChangeKind::kMoved)));
}

TEST(CompareLogs, AnEventMoreIsTheCauseWhenNothingElseChanged) {
  LogEditor editor(BootLog("good"));
  const Compared boots(BootLog("good"), editor.Repeat(45).Finish());
  EXPECT_THAT(boots.difference.causes, ElementsAre(HasSubstr("only in the second log: ")));
}

TEST(CompareLogs, AnotherImageUnderTheSameNameIsACause) {
  LogEditor editor(BootLog("good"));
  const Compared boots(BootLog("good"), editor.Digests(33).Finish());
  EXPECT_THAT(boots.difference.causes,
              ElementsAre(AllOf(HasSubstr("shimx64.efi"), HasSubstr("has other content"))));
}

TEST(CompareLogs, TheSameEventsFromAnotherStart) {
  const auto log = [](absl::string_view locality) {
    LogBuilder builder = LogBuilder::CryptoAgile({HashAlg::kSha256});
    builder.Event(0, eventlog::kEvNoAction, Text(locality));
    builder.Event(0, eventlog::kEvAction, Text("a"));
    return builder.Finish();
  };
  const Compared boots(log(absl::string_view("StartupLocality\0\0", 17)),
                       log(absl::string_view("StartupLocality\0\3", 17)));
  ASSERT_THAT(boots.Registers(), ElementsAre(0));
  EXPECT_THAT(boots.Register(0).changes, IsEmpty());
  EXPECT_THAT(boots.Register(0).note, HasSubstr("another start value"));
  EXPECT_THAT(boots.difference.causes, ElementsAre("PCR 0 started from another value"));
}

TEST(CompareLogs, LogsWithoutABankInCommonAreRefused) {
  const Bytes a = LogBuilder::CryptoAgile({HashAlg::kSha1}).Finish();
  const Bytes b = LogBuilder::CryptoAgile({HashAlg::kSha256}).Finish();
  const absl::Status refused = CompareLogs(Log::Parse(a), Log::Parse(b), std::nullopt).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("the first has sha1, the second sha256"));
}

TEST(BootChain, NamesWhoTookPart) {
  const Bytes good = BootLog("good"), direct = BootLog("secure-boot-off");
  EXPECT_EQ(BootChain(Log::Parse(good)), "firmware, shim, GRUB, kernel");
  EXPECT_EQ(BootChain(Log::Parse(direct)), "firmware, kernel (through its EFI stub)");
  EXPECT_EQ(BootChain(Log::Parse({})), "firmware");
}

}  // namespace
}  // namespace bootgate::gatekeeper::diagnosis

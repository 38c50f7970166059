// The `eventlog` verbs over captured boots and bad input: outputs, complaints and exit codes.
#include "gatekeeper/cli/eventlog_verbs.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/eventlog/explain/log_editor_test.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::cli {
namespace {

namespace fs = std::filesystem;
using bootgate::testing::CorpusFile;
using bootgate::testing::CorpusPath;
using bootgate::testing::CorpusText;
using bootgate::testing::LogEditor;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Json = nlohmann::json;

// A folder of its own for each test.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "bootgate-eventlog-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string Write(absl::string_view name, absl::string_view text) const {
    const std::string file = absl::StrCat(path_, "/", name);
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Ran {
  int exit = -1;
  std::string out, err;
  Json json;
};

// Runs a verb with `input` as its standard input.
template <typename Options>
Ran RunVerb(ExitCode (*verb)(const Options&, const EventlogIo&), const Options& options,
            OutputFormat format, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out, err;
  Ran ran;
  ran.exit = static_cast<int>(verb(options, {format, in, out, err}));
  ran.out = out.str();
  ran.err = err.str();
  if (format == OutputFormat::kJson) ran.json = Json::parse(ran.out, nullptr, false);
  return ran;
}

std::string BootLog(absl::string_view boot) {
  return CorpusPath(absl::StrCat("boots/", boot, "/eventlog.bin"));
}
std::string Pcrs(absl::string_view boot) {
  return CorpusPath(absl::StrCat("boots/", boot, "/pcrs.json"));
}
std::string Text(const Bytes& bytes) { return std::string(AsText(bytes)); }

constexpr OutputFormat kJson = OutputFormat::kJson;
constexpr OutputFormat kTable = OutputFormat::kTable;

// ---- replay ----

class ReplayBootTest : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Boots, ReplayBootTest,
                         ::testing::Values("good", "secure-boot-off", "cmdline-changed",
                                           "ima-policy"),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(ReplayBootTest, GivesTheRegistersOfItsTpm) {
  const Ran ran = RunVerb<std::string>(EventlogReplay, BootLog(GetParam()), kJson);
  EXPECT_EQ(ran.exit, 0) << ran.err;
  ASSERT_TRUE(ran.json.is_object());
  EXPECT_THAT(ran.json.size(), 3u);
  EXPECT_THAT(ran.json.at("findings"), IsEmpty());
  const Json pcrs = Json::parse(CorpusText(absl::StrCat("boots/", GetParam(), "/pcrs.json")));
  const Json boot = Json::parse(CorpusText(absl::StrCat("boots/", GetParam(), "/case.json")));
  EXPECT_EQ(ran.json.at("events"), boot.at("eventlog").at("events"));
  ASSERT_THAT(ran.json.at("banks"), SizeIs(3));
  for (const auto& [bank, registers] : ran.json.at("banks").items()) {
    EXPECT_EQ(registers.size(), boot.at("eventlog").at("replay").at(bank).at("in_log").size());
    for (const auto& [index, value] : registers.items()) {
      EXPECT_EQ(value, pcrs.at(bank).at(index)) << bank << " " << index;
    }
  }
}

TEST(EventlogReplay, ReadsStandardInput) {
  const std::string log = Text(CorpusFile("boots/good/eventlog.bin"));
  const Ran ran = RunVerb<std::string>(EventlogReplay, "-", kJson, log);
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.json, RunVerb<std::string>(EventlogReplay, BootLog("good"), kJson).json);
}

TEST(EventlogReplay, ALogThatBreaksOffIsReplayedAsFarAsItGoes) {
  const Scratch scratch;
  const std::string log = Text(CorpusFile("boots/good/eventlog.bin"));
  const std::string file = scratch.Write("log", log.substr(0, log.size() - 10));
  const Ran ran = RunVerb<std::string>(EventlogReplay, file, kJson);
  EXPECT_EQ(ran.exit, 7);
  EXPECT_EQ(ran.json.at("events"), 68);
  ASSERT_THAT(ran.json.at("findings"), SizeIs(1));
  const Json finding = ran.json.at("findings").at(0);
  EXPECT_EQ(finding.at("code"), "LOG_TRUNCATED");
  EXPECT_EQ(finding.at("severity"), "fail");
  EXPECT_TRUE(finding.at("text").is_string());
  const Json good = RunVerb<std::string>(EventlogReplay, BootLog("good"), kJson).json;
  EXPECT_EQ(ran.json.at("banks").at("sha256").at("7"), good.at("banks").at("sha256").at("7"));
  EXPECT_NE(ran.json.at("banks").at("sha256").at("5"), good.at("banks").at("sha256").at("5"));
}

TEST(EventlogReplay, TheTableHasTheSameValues) {
  const Ran table = RunVerb<std::string>(EventlogReplay, BootLog("good"), kTable);
  const Json json = RunVerb<std::string>(EventlogReplay, BootLog("good"), kJson).json;
  EXPECT_EQ(table.exit, 0);
  EXPECT_THAT(table.out,
              AllOf(HasSubstr("69 events"),
                    HasSubstr(json.at("banks").at("sha384").at("7").get<std::string>())));
}

// ---- show ----

TEST(EventlogShow, EachEventInWordsAndWhetherItIsCovered) {
  const Ran ran = RunVerb<EventlogShowOptions>(EventlogShow, {BootLog("good"), {}}, kTable);
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("EVENT  REGISTER  TYPE"));
  EXPECT_THAT(ran.out, HasSubstr("SecureBoot = 01 (on)"));
  EXPECT_THAT(ran.out, HasSubstr("shimx64.efi"));
  EXPECT_THAT(ran.out, HasSubstr("root=LABEL=labroot"));
  EXPECT_THAT(ran.out, HasSubstr("boot chain:"));
  EXPECT_THAT(ran.out, HasSubstr("firmware, shim, GRUB, kernel"));
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST(EventlogShow, TheBootIsSummedUpForPeople) {
  const Ran ran =
      RunVerb<EventlogShowOptions>(EventlogShow, {BootLog("cmdline-changed"), {}}, kTable);
  const std::string summary = ran.out.substr(ran.out.find("as the log tells it"));
  EXPECT_THAT(summary, HasSubstr("Microsoft Corporation UEFI CA 2011"));
  EXPECT_THAT(summary, HasSubstr("dbx:"));
  EXPECT_THAT(summary, HasSubstr("2025021800"));
  EXPECT_THAT(summary, HasSubstr("shimx64.efi"));
  EXPECT_THAT(summary, HasSubstr("/vmlinuz-6.1.0-56-cloud-amd64"));
  EXPECT_THAT(summary, HasSubstr("nokaslr"));
  EXPECT_THAT(summary, HasSubstr("weakens: "));
}

TEST(EventlogShow, OneRegisterAlone) {
  const Ran ran = RunVerb<EventlogShowOptions>(EventlogShow, {BootLog("good"), 14}, kTable);
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 4);  // heading and three events
}

TEST(EventlogShow, JsonIsTheEventsClaim) {
  const Ran all = RunVerb<EventlogShowOptions>(EventlogShow, {BootLog("good"), {}}, kJson);
  EXPECT_EQ(all.exit, 0);
  ASSERT_THAT(all.json.at("Events"), SizeIs(69));
  const Ran one = RunVerb<EventlogShowOptions>(EventlogShow, {BootLog("good"), 14}, kJson);
  ASSERT_THAT(one.json.at("Events"), SizeIs(3));
  for (const Json& event : one.json.at("Events")) EXPECT_EQ(event.at("PcrIndex"), 14);
  EXPECT_EQ(one.json.at("Events").at(0), all.json.at("Events").at(34));
}

TEST(EventlogShow, DefectsAreSaidBesideTheEvents) {
  const std::string log = Text(CorpusFile("boots/good/eventlog.bin")).substr(0, 20000);
  const Ran ran = RunVerb<EventlogShowOptions>(EventlogShow, {"-", {}}, kTable, log);
  EXPECT_EQ(ran.exit, 7);
  EXPECT_THAT(ran.err, HasSubstr("LOG_TRUNCATED"));
  EXPECT_THAT(ran.out, HasSubstr("SecureBoot = 01 (on)"));
}

// ---- explain ----

TEST(EventlogExplain, EveryBootFollowsFromItsLog) {
  for (const char* boot : {"good", "secure-boot-off", "cmdline-changed", "ima-policy"}) {
    const Ran ran =
        RunVerb<EventlogExplainOptions>(EventlogExplain, {BootLog(boot), Pcrs(boot), {}}, kJson);
    EXPECT_EQ(ran.exit, 0) << boot << ran.err;
    EXPECT_EQ(ran.json.at("matches"), true);
    EXPECT_THAT(ran.json.at("banks").at("sha256").at("not_in_boot_log"), ElementsAre(10));
    EXPECT_THAT(ran.json.at("banks").at("sha256").at("matched"), SizeIs(23));
  }
}

TEST(EventlogExplain, TellsWhatWasDoneToALog) {
  const Scratch scratch;
  LogEditor editor(CorpusFile("boots/good/eventlog.bin"));
  const std::string file = scratch.Write("log", Text(editor.Swap(51, 52).Finish()));
  const Ran json =
      RunVerb<EventlogExplainOptions>(EventlogExplain, {file, Pcrs("good"), {}}, kJson);
  EXPECT_EQ(json.exit, 6);
  EXPECT_EQ(json.json.at("matches"), false);
  const Json rows = json.json.at("banks").at("sha384").at("unexplained");
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows.at(0).at("register"), 8);
  EXPECT_EQ(rows.at(0).at("cause"), "swapped");
  EXPECT_THAT(rows.at(0).at("events"), ElementsAre(51, 52));
  const Ran table =
      RunVerb<EventlogExplainOptions>(EventlogExplain, {file, Pcrs("good"), {}}, kTable);
  EXPECT_EQ(table.exit, 6);
  EXPECT_THAT(table.out, HasSubstr("PCR 8 does not follow from its 21 events"));
  EXPECT_THAT(table.out, HasSubstr("swapped: event 51 "));
}

TEST(EventlogExplain, AnotherBootsLogLendsTheMissingEvent) {
  const Scratch scratch;
  LogEditor editor(CorpusFile("boots/good/eventlog.bin"));
  const std::string file = scratch.Write("log", Text(editor.Drop(33).Finish()));
  const Ran ran = RunVerb<EventlogExplainOptions>(EventlogExplain,
                                                  {file, Pcrs("good"), BootLog("good")}, kJson);
  EXPECT_EQ(ran.exit, 6);
  const Json row = ran.json.at("banks").at("sha256").at("unexplained").at(0);
  EXPECT_EQ(row.at("cause"), "event_missing");
  EXPECT_THAT(row.at("text").get<std::string>(), HasSubstr("event 33 of the other log"));
}

TEST(EventlogExplain, TakesWhatReplayGives) {
  const Scratch scratch;
  const Ran replayed = RunVerb<std::string>(EventlogReplay, BootLog("good"), kJson);
  const std::string registers = scratch.Write("replayed.json", replayed.out);
  const Ran ran =
      RunVerb<EventlogExplainOptions>(EventlogExplain, {BootLog("good"), registers, {}}, kJson);
  EXPECT_EQ(ran.exit, 0) << ran.err;
}

struct BadRegisters {
  const char *name, *json, *says;
};
void PrintTo(const BadRegisters& row, std::ostream* os) { *os << row.name; }
class BadRegistersTest : public ::testing::TestWithParam<BadRegisters> {};

TEST_P(BadRegistersTest, AreRefusedWithTheirPlace) {
  const Ran ran = RunVerb<EventlogExplainOptions>(EventlogExplain, {BootLog("good"), "-", {}},
                                                  kTable, GetParam().json);
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_THAT(ran.out, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadRegistersTest,
    ::testing::Values(
        BadRegisters{"NoJson", "PCR 0", "standard input: this is no JSON object"},
        BadRegisters{"Empty", "", "no JSON object"}, BadRegisters{"List", "[]", "no JSON object"},
        BadRegisters{"NothingInIt", "{}", "there is no register in it"},
        BadRegisters{"UnknownBank", R"({"md5": {"0": "00"}})", "md5: no such bank"},
        BadRegisters{"BankIsNoObject", R"({"sha256": 1})", "sha256: no object of registers"},
        BadRegisters{"IndexTooHigh", R"({"sha256": {"24": "00"}})", "sha256 24: registers are"},
        BadRegisters{"IndexIsNoNumber", R"({"sha256": {"x": "00"}})", "sha256 x: registers are"},
        BadRegisters{"ValueIsNoText", R"({"sha256": {"0": 1}})", "sha256 0: the value is no text"},
        BadRegisters{"NoHex", R"({"sha256": {"0": "zz"}})", "sha256 0: the value is not hexadec"},
        BadRegisters{"TooShort", R"({"sha256": {"0": "00"}})", "the value has 1 bytes, not 32"},
        BadRegisters{"Twice", R"({"sha1": {"0": "0000000000000000000000000000000000000000",
                                  "00": "0000000000000000000000000000000000000000"}})",
                     "given twice"},
        BadRegisters{"Deep", "[[[[[[[[[[[[[[]]]]]]]]]]]]]]", "no JSON object"}),
    [](const auto& row) { return std::string(row.param.name); });

// ---- diff ----

TEST(EventlogDiff, NamesTheCauseOfEachBadBoot) {
  const Ran cmdline = RunVerb<EventlogDiffOptions>(
      EventlogDiff, {BootLog("good"), BootLog("cmdline-changed"), {}}, kJson);
  EXPECT_EQ(cmdline.exit, 6);
  EXPECT_EQ(cmdline.json.at("same"), false);
  EXPECT_THAT(cmdline.json.at("causes"),
              ElementsAre("kernel command line gained `init=/bin/bash nokaslr`"));
  const Ran off = RunVerb<EventlogDiffOptions>(
      EventlogDiff, {BootLog("good"), BootLog("secure-boot-off"), {}}, kTable);
  EXPECT_EQ(off.exit, 6);
  EXPECT_THAT(off.out, HasSubstr("  SecureBoot was 01 (on), is 00 (off)\n"));
  EXPECT_THAT(off.out, HasSubstr("now it goes firmware, kernel (through its EFI stub)"));
}

TEST(EventlogDiff, TheSameStoryIsSaidToBeTheSame) {
  const Ran ran = RunVerb<EventlogDiffOptions>(
      EventlogDiff, {BootLog("good"), BootLog("ima-policy"), "sha384"}, kTable);
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("the logs tell the same story (bank sha384)"));
  EXPECT_THAT(ran.out, HasSubstr("IMA's list"));
}

TEST(EventlogDiff, BanksThatAreNotThereAreRefused) {
  Ran ran = RunVerb<EventlogDiffOptions>(EventlogDiff, {BootLog("good"), BootLog("good"), "sha512"},
                                         kTable);
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("no bank sha512 that both logs have"));
  ran =
      RunVerb<EventlogDiffOptions>(EventlogDiff, {BootLog("good"), BootLog("good"), "md5"}, kTable);
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("no bank md5; there are sha1, sha256"));
}

// ---- predict ----

TEST(EventlogPredict, GivesTheRegistersBeforeAndAfter) {
  const std::string digest(64, 'a');
  const Ran ran = RunVerb<EventlogPredictOptions>(
      EventlogPredict, {BootLog("good"), {absl::StrCat("33=", digest)}}, kJson);
  EXPECT_EQ(ran.exit, 0) << ran.err;
  const Json pcrs = Json::parse(CorpusText("boots/good/pcrs.json")).at("sha256");
  const Json bank = ran.json.at("banks").at("sha256");
  EXPECT_EQ(bank.at("4").at("before"), pcrs.at("4"));
  EXPECT_NE(bank.at("4").at("after"), pcrs.at("4"));
  EXPECT_EQ(bank.at("4").at("changed"), true);
  EXPECT_EQ(bank.at("7").at("changed"), false);
  EXPECT_EQ(bank.at("7").at("after"), pcrs.at("7"));
  EXPECT_THAT(ran.json.at("incomplete"), ElementsAre("sha1", "sha384"));
  const Ran table = RunVerb<EventlogPredictOptions>(
      EventlogPredict, {BootLog("good"), {absl::StrCat("33=", digest)}}, kTable);
  EXPECT_THAT(table.out, AllOf(HasSubstr("PCR 4"), HasSubstr("bank sha1 is not predicted"),
                               Not(HasSubstr("PCR 7"))));
}

TEST(EventlogPredict, WrongReplacementsAreRefused) {
  for (const auto& [replacement, says] :
       {std::pair<const char*, const char*>{"33", "no '='"},
        {"999=aa", "a digest of 1 bytes fits no bank"},
        {"0=sha1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "event 0 extends no register"},
        {"69=sha1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "no event 69 in the log"}}) {
    const Ran ran =
        RunVerb<EventlogPredictOptions>(EventlogPredict, {BootLog("good"), {replacement}}, kTable);
    EXPECT_EQ(ran.exit, 2) << replacement;
    EXPECT_THAT(ran.err, HasSubstr(says)) << replacement;
  }
}

// ---- bad files, for every verb ----

struct BadFile {
  const char* name;
  std::string (*make)(const Scratch&);
  const char* says;
  int exit;
};
void PrintTo(const BadFile& row, std::ostream* os) { *os << row.name; }
class BadFileTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadFileTest, IsSaidByEveryVerb) {
  const Scratch scratch;
  const std::string file = GetParam().make(scratch);
  const Ran all[] = {
      RunVerb<EventlogShowOptions>(EventlogShow, {file, {}}, kTable),
      RunVerb<std::string>(EventlogReplay, file, kTable),
      RunVerb<EventlogExplainOptions>(EventlogExplain, {file, Pcrs("good"), {}}, kTable),
      RunVerb<EventlogExplainOptions>(EventlogExplain, {BootLog("good"), Pcrs("good"), file},
                                      kTable),
      RunVerb<EventlogDiffOptions>(EventlogDiff, {file, BootLog("good"), {}}, kTable),
      RunVerb<EventlogDiffOptions>(EventlogDiff, {BootLog("good"), file, {}}, kTable),
      RunVerb<EventlogPredictOptions>(EventlogPredict, {file, {"1=aa"}}, kTable)};
  for (const Ran& ran : all) {
    EXPECT_EQ(ran.exit, GetParam().exit) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadFileTest,
    ::testing::Values(
        BadFile{"Missing", [](const Scratch& s) { return absl::StrCat(s.path(), "/none"); },
                "binary_bios_measurements", 8},
        BadFile{"Folder", [](const Scratch& s) { return s.path(); },
                "is a folder; give the file in it", 2},
        BadFile{"Empty", [](const Scratch& s) { return s.Write("log", ""); },
                "is empty: the firmware gave no boot log", 7},
        BadFile{"Text", [](const Scratch& s) { return s.Write("log", "this is no boot log\n"); },
                "is no boot log", 7},
        BadFile{"TooLarge",
                [](const Scratch& s) {
                  const std::string file = s.Write("log", "");
                  fs::resize_file(file, eventlog::kMaxLogBytes + 1);  // sparse
                  return file;
                },
                "is larger than 64 MiB", 2}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(EventlogVerbs, StandardInputIsBoundedToo) {
  const Ran ran = RunVerb<std::string>(EventlogReplay, "-", kJson,
                                       std::string(eventlog::kMaxLogBytes + 1, '\0'));
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("standard input is larger than 64 MiB"));
}

TEST(EventlogVerbs, StandardInputServesOneFileOnly) {
  EXPECT_EQ(RunVerb<EventlogDiffOptions>(EventlogDiff, {"-", "-", {}}, kTable).exit, 2);
  const Ran ran = RunVerb<EventlogExplainOptions>(EventlogExplain, {"-", "-", {}}, kTable);
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("only one file can be standard input"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli

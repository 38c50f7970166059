// The `eventlog` verbs over captured boots and bad input: outputs, complaints and exit codes.
#include "gatekeeper/cli/eventlog_verbs.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/cel/log_builder.h"
#include "common/eventlog/explain/log_editor_test.h"
#include "common/registers/bank.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::cli {
namespace {

namespace fs = std::filesystem;
using bootgate::testing::CelBuilder;
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
  const Ran ran = RunVerb<EventlogReplayOptions>(EventlogReplay, {BootLog(GetParam())}, kJson);
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
  const Ran ran = RunVerb<EventlogReplayOptions>(EventlogReplay, {"-"}, kJson, log);
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.json,
            RunVerb<EventlogReplayOptions>(EventlogReplay, {BootLog("good")}, kJson).json);
}

TEST(EventlogReplay, ALogThatBreaksOffIsReplayedAsFarAsItGoes) {
  const Scratch scratch;
  const std::string log = Text(CorpusFile("boots/good/eventlog.bin"));
  const std::string file = scratch.Write("log", log.substr(0, log.size() - 10));
  const Ran ran = RunVerb<EventlogReplayOptions>(EventlogReplay, {file}, kJson);
  EXPECT_EQ(ran.exit, 7);
  EXPECT_EQ(ran.json.at("events"), 68);
  ASSERT_THAT(ran.json.at("findings"), SizeIs(1));
  const Json finding = ran.json.at("findings").at(0);
  EXPECT_EQ(finding.at("code"), "LOG_TRUNCATED");
  EXPECT_EQ(finding.at("severity"), "fail");
  EXPECT_TRUE(finding.at("text").is_string());
  const Json good = RunVerb<EventlogReplayOptions>(EventlogReplay, {BootLog("good")}, kJson).json;
  EXPECT_EQ(ran.json.at("banks").at("sha256").at("7"), good.at("banks").at("sha256").at("7"));
  EXPECT_NE(ran.json.at("banks").at("sha256").at("5"), good.at("banks").at("sha256").at("5"));
}

TEST(EventlogReplay, TheTableHasTheSameValues) {
  const Ran table = RunVerb<EventlogReplayOptions>(EventlogReplay, {BootLog("good")}, kTable);
  const Json json = RunVerb<EventlogReplayOptions>(EventlogReplay, {BootLog("good")}, kJson).json;
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
        RunVerb<EventlogExplainOptions>(EventlogExplain, {{BootLog(boot)}, Pcrs(boot), {}}, kJson);
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
      RunVerb<EventlogExplainOptions>(EventlogExplain, {{file}, Pcrs("good"), {}}, kJson);
  EXPECT_EQ(json.exit, 6);
  EXPECT_EQ(json.json.at("matches"), false);
  const Json rows = json.json.at("banks").at("sha384").at("unexplained");
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows.at(0).at("register"), 8);
  EXPECT_EQ(rows.at(0).at("cause"), "swapped");
  EXPECT_THAT(rows.at(0).at("events"), ElementsAre(51, 52));
  const Ran table =
      RunVerb<EventlogExplainOptions>(EventlogExplain, {{file}, Pcrs("good"), {}}, kTable);
  EXPECT_EQ(table.exit, 6);
  EXPECT_THAT(table.out, HasSubstr("PCR 8 does not follow from its 21 events"));
  EXPECT_THAT(table.out, HasSubstr("swapped: event 51 "));
}

TEST(EventlogExplain, AnotherBootsLogLendsTheMissingEvent) {
  const Scratch scratch;
  LogEditor editor(CorpusFile("boots/good/eventlog.bin"));
  const std::string file = scratch.Write("log", Text(editor.Drop(33).Finish()));
  const Ran ran = RunVerb<EventlogExplainOptions>(EventlogExplain,
                                                  {{file}, Pcrs("good"), BootLog("good")}, kJson);
  EXPECT_EQ(ran.exit, 6);
  const Json row = ran.json.at("banks").at("sha256").at("unexplained").at(0);
  EXPECT_EQ(row.at("cause"), "event_missing");
  EXPECT_THAT(row.at("text").get<std::string>(), HasSubstr("event 33 of the other log"));
}

TEST(EventlogExplain, TakesWhatReplayGives) {
  const Scratch scratch;
  const Ran replayed = RunVerb<EventlogReplayOptions>(EventlogReplay, {BootLog("good")}, kJson);
  const std::string registers = scratch.Write("replayed.json", replayed.out);
  const Ran ran =
      RunVerb<EventlogExplainOptions>(EventlogExplain, {{BootLog("good")}, registers, {}}, kJson);
  EXPECT_EQ(ran.exit, 0) << ran.err;
}

struct BadRegisters {
  const char *name, *json, *says;
};
void PrintTo(const BadRegisters& row, std::ostream* os) { *os << row.name; }
class BadRegistersTest : public ::testing::TestWithParam<BadRegisters> {};

TEST_P(BadRegistersTest, AreRefusedWithTheirPlace) {
  const Ran ran = RunVerb<EventlogExplainOptions>(EventlogExplain, {{BootLog("good")}, "-", {}},
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

// ---- systemd's user-space log ----

constexpr char kZeros[] = "0000000000000000000000000000000000000000000000000000000000000000";

std::string UserLog(absl::string_view name) {
  return CorpusPath(absl::StrCat("cel/", name, ".cel"));
}

crypto::Digest Sha256(absl::string_view hex) {
  return crypto::Digest::From(crypto::HashAlg::kSha256, FromHex(hex).value()).value();
}

// The register after these texts were extended.
std::string After(const std::string& hex, const std::vector<std::string>& texts) {
  crypto::Digest value = Sha256(hex);
  for (const std::string& text : texts)
    value = registers::Extended(value, crypto::Hash(crypto::HashAlg::kSha256, AsBytes(text)));
  return value.hex();
}

// The registers of the good boot, with PCR 11 and 14 as given.
std::string GoodPcrs(const Scratch& scratch, const std::string& pcr11, const std::string& pcr14) {
  Json bank = Json::parse(CorpusText("boots/good/pcrs.json")).at("sha256");
  bank["11"] = pcr11;
  bank["14"] = pcr14;
  return scratch.Write("pcrs.json", Json{{"sha256", bank}}.dump());
}

std::string GoodPcr14() {
  return Json::parse(CorpusText("boots/good/pcrs.json")).at("sha256").at("14").get<std::string>();
}

// PCR 11 is systemd's alone in this boot, PCR 14 shim has extended before.
std::string TwoRegisters() {
  return CelBuilder()
      .Pcr(11, "phase", "enter-initrd")
      .Pcr(14, "os-separator", "os-separator")
      .Pcr(11, "phase", "leave-initrd")
      .Pcr(11, "phase", "sysinit")
      .Text();
}

TEST(EventlogUserLog, ReplayGoesOnWhereTheBootLogEnds) {
  const Scratch scratch;
  const std::string user = scratch.Write("user", TwoRegisters());
  const Ran ran =
      RunVerb<EventlogReplayOptions>(EventlogReplay, {BootLog("good"), {}, user}, kJson);
  EXPECT_EQ(ran.exit, 0) << ran.err;
  const Json bank = ran.json.at("banks").at("sha256");
  EXPECT_EQ(bank.at("11"), After(kZeros, {"enter-initrd", "leave-initrd", "sysinit"}));
  EXPECT_EQ(bank.at("14"), After(GoodPcr14(), {"os-separator"}));
  EXPECT_EQ(ran.json.at("records"), 4);
  EXPECT_EQ(ran.json.at("events"), 69);
  EXPECT_THAT(ran.json.at("nv"), IsEmpty());
  // The log has SHA-256 digests only: the other banks are said not to go on.
  ASSERT_THAT(ran.json.at("findings"), SizeIs(2));
  for (const Json& finding : ran.json.at("findings")) {
    EXPECT_EQ(finding.at("code"), "CEL_DIGESTS");
    EXPECT_THAT(finding.at("text").get<std::string>(), HasSubstr("4 records have no sha"));
  }
}

TEST(EventlogUserLog, AloneItIsReplayedFromZerosWithItsNvPcrs) {
  const Ran ran =
      RunVerb<EventlogReplayOptions>(EventlogReplay, {"", {}, UserLog("systemd-262-nvpcr")}, kJson);
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("without the boot log all PCRs begin at zeros"));
  EXPECT_EQ(ran.json.at("banks").at("sha256").at("0"), After(kZeros, {"os-separator"}));
  EXPECT_EQ(ran.json.at("events"), 0);
  const Json nv = ran.json.at("nv").at("sha256");
  ASSERT_THAT(nv, SizeIs(2));
  const std::string text = "product-id:4691595be6a345f1833cc75fab63e475";
  EXPECT_EQ(nv.at("0x01d10200").at("name"), "hardware");
  EXPECT_EQ(nv.at("0x01d10200").at("records"), 1);
  EXPECT_EQ(nv.at("0x01d10200").at("value"), After(kZeros, {text}));
  EXPECT_EQ(nv.at("0x01d10200").at("value_if_initialised"),
            After(crypto::Hash(crypto::HashAlg::kSha256, Bytes(64, 0)).hex(), {text}));
  const Ran table = RunVerb<EventlogReplayOptions>(EventlogReplay,
                                                   {"", {}, UserLog("systemd-262-nvpcr")}, kTable);
  EXPECT_THAT(table.out, AllOf(HasSubstr("NV 0x01d10203 login"),
                               HasSubstr(nv.at("0x01d10203").at("value").get<std::string>()),
                               HasSubstr("0 events of the boot log, 19 records of user space")));
}

TEST(EventlogUserLog, AWordThatWasNotMeasuredIsAFinding) {
  const Scratch scratch;
  const std::string user =
      scratch.Write("user", CelBuilder().Secret(11, "phase", "ready", "emergency").Text());
  const Ran ran = RunVerb<EventlogReplayOptions>(EventlogReplay, {"", {}, user}, kJson);
  ASSERT_THAT(ran.json.at("findings"), SizeIs(1));
  EXPECT_EQ(ran.json.at("findings").at(0).at("code"), "LOG_EVENT_DIGEST");
  EXPECT_EQ(ran.json.at("findings").at(0).at("register"), 11);
  const Ran show =
      RunVerb<EventlogShowOptions>(EventlogShow, {BootLog("good"), 11, {}, user}, kTable);
  EXPECT_THAT(show.out, HasSubstr("0       11        phase  WRONG    ready"));
}

TEST(EventlogUserLog, WhatSystemdDoesNotMeasureThereIsAFinding) {
  const Scratch scratch;
  const std::string user = scratch.Write("user", CelBuilder().Pcr(4, "phase", "loader").Text());
  const Ran ran = RunVerb<EventlogReplayOptions>(EventlogReplay, {"", {}, user}, kJson);
  ASSERT_THAT(ran.json.at("findings"), SizeIs(1));
  EXPECT_EQ(ran.json.at("findings").at(0).at("code"), "CEL_REGISTER");
  EXPECT_EQ(ran.json.at("findings").at(0).at("register"), 4);
  const Ran explained = RunVerb<EventlogExplainOptions>(
      EventlogExplain, {{BootLog("good")}, Pcrs("good"), {}, user}, kTable);
  EXPECT_THAT(explained.err, HasSubstr("warning: CEL_REGISTER: record 0 extends PCR 4"));
}

TEST(EventlogUserLog, ShowListsTheRecordsBehindTheEvents) {
  const Ran table = RunVerb<EventlogShowOptions>(
      EventlogShow, {BootLog("good"), {}, {}, UserLog("systemd-262-nvpcr")}, kTable);
  EXPECT_EQ(table.exit, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("then systemd, by its own log:\nRECORD  REGISTER"));
  EXPECT_THAT(table.out, HasSubstr("NV 0x01d10200 hardware"));
  EXPECT_LT(table.out.find("Exit Boot Services Returned"), table.out.find("leave-initrd"));
  const Ran json = RunVerb<EventlogShowOptions>(
      EventlogShow, {BootLog("good"), 15, {}, UserLog("systemd-255")}, kJson);
  EXPECT_EQ(json.exit, 0) << json.err;
  EXPECT_THAT(json.json.at("Events"), IsEmpty());
  const Json records = json.json.at("UserRecords");
  ASSERT_THAT(records, SizeIs(3));
  EXPECT_EQ(records.at(0).at("EventType"), "volume-key");
  EXPECT_EQ(records.at(0).at("Covered"), false);
  EXPECT_EQ(records.at(1).at("Text"), "machine-id:0f1e2d3c4b5a69788796a5b4c3d2e1f0");
  EXPECT_EQ(records.at(1).at("Covered"), true);
  EXPECT_EQ(records.at(1).at("PcrIndex"), 15);
}

TEST(EventlogUserLog, ExplainTakesBothLogsTogether) {
  const Scratch scratch;
  const std::string user = scratch.Write("user", TwoRegisters());
  const std::string pcrs =
      GoodPcrs(scratch, After(kZeros, {"enter-initrd", "leave-initrd", "sysinit"}),
               After(GoodPcr14(), {"os-separator"}));
  const Ran without =
      RunVerb<EventlogExplainOptions>(EventlogExplain, {{BootLog("good")}, pcrs}, kJson);
  EXPECT_EQ(without.exit, 6);
  const Ran with =
      RunVerb<EventlogExplainOptions>(EventlogExplain, {{BootLog("good")}, pcrs, {}, user}, kJson);
  EXPECT_EQ(with.exit, 0) << with.out;
  EXPECT_THAT(with.json.at("banks").at("sha256").at("by_user_log"), ElementsAre(11, 14));
  const Ran table =
      RunVerb<EventlogExplainOptions>(EventlogExplain, {{BootLog("good")}, pcrs, {}, user}, kTable);
  EXPECT_THAT(table.out, HasSubstr("of these with the user-space log: 11,14"));
}

struct ChangedRecords {
  const char* name;
  std::vector<std::string> measured;
  const char *cause, *says;
};
void PrintTo(const ChangedRecords& row, std::ostream* os) { *os << row.name; }
class ChangedRecordsTest : public ::testing::TestWithParam<ChangedRecords> {};

TEST_P(ChangedRecordsTest, AreNamed) {
  const Scratch scratch;
  const std::string user = scratch.Write("user", TwoRegisters());
  const std::string pcrs = GoodPcrs(scratch, After(kZeros, GetParam().measured), GoodPcr14());
  const Ran ran =
      RunVerb<EventlogExplainOptions>(EventlogExplain, {{BootLog("good")}, pcrs, {}, user}, kJson);
  EXPECT_EQ(ran.exit, 6);
  const Json rows = ran.json.at("banks").at("sha256").at("unexplained");
  bool seen = false;
  for (const Json& row : rows) {
    if (row.at("register") != 11) continue;
    seen = true;
    EXPECT_EQ(row.at("cause"), GetParam().cause);
    EXPECT_THAT(row.at("text").get<std::string>(), HasSubstr(GetParam().says));
    EXPECT_EQ(row.at("replayed"), After(kZeros, {"enter-initrd", "leave-initrd", "sysinit"}));
  }
  EXPECT_TRUE(seen) << rows;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ChangedRecordsTest,
    ::testing::Values(
        ChangedRecords{"None", {}, "stopped_early", "none of its 3 records of the user-space log"},
        ChangedRecords{"Stopped",
                       {"enter-initrd", "leave-initrd"},
                       "stopped_early",
                       "only the first 2 of its 3 records of the user-space log: record 3 "},
        ChangedRecords{"LeftOut",
                       {"enter-initrd", "sysinit"},
                       "event_not_extended",
                       "never saw record 2 of the user-space log (phase: leave-initrd)"},
        ChangedRecords{"Twice",
                       {"enter-initrd", "enter-initrd", "leave-initrd", "sysinit"},
                       "extended_twice",
                       "record 0 of the user-space log (phase: enter-initrd) was"},
        ChangedRecords{"Swapped",
                       {"leave-initrd", "enter-initrd", "sysinit"},
                       "swapped",
                       "the other way round"},
        ChangedRecords{"Unknown", {"something else"}, "unknown", "tpm2-measure.log"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(EventlogUserLog, StandardInputServesIt) {
  const Ran ran = RunVerb<EventlogReplayOptions>(EventlogReplay, {BootLog("good"), {}, "-"}, kJson,
                                                 CorpusText("cel/systemd-255.cel"));
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.json.at("records"), 7);
}

struct BadUserLog {
  const char* name;
  std::string (*make)(const Scratch&);
  const char* says;
  int exit;
};
void PrintTo(const BadUserLog& row, std::ostream* os) { *os << row.name; }
class BadUserLogTest : public ::testing::TestWithParam<BadUserLog> {};

TEST_P(BadUserLogTest, IsSaidByEveryVerb) {
  const Scratch scratch;
  const std::string file = GetParam().make(scratch);
  const Ran all[] = {
      RunVerb<EventlogShowOptions>(EventlogShow, {BootLog("good"), {}, {}, file}, kTable),
      RunVerb<EventlogReplayOptions>(EventlogReplay, {BootLog("good"), {}, file}, kTable),
      RunVerb<EventlogReplayOptions>(EventlogReplay, {"", {}, file}, kTable),
      RunVerb<EventlogExplainOptions>(EventlogExplain, {{BootLog("good")}, Pcrs("good"), {}, file},
                                      kTable)};
  for (const Ran& ran : all) {
    EXPECT_EQ(ran.exit, GetParam().exit) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
    EXPECT_THAT(ran.out, IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadUserLogTest,
    ::testing::Values(
        BadUserLog{"Missing", [](const Scratch& s) { return absl::StrCat(s.path(), "/none"); },
                   "/run/log/systemd/tpm2-measure.log", 8},
        BadUserLog{"Folder", [](const Scratch& s) { return s.path(); }, "is a folder", 2},
        BadUserLog{"Empty", [](const Scratch& s) { return s.Write("user", ""); },
                   "is empty: no user-space log", 7},
        BadUserLog{"OtherText", [](const Scratch&) { return UserLog("not-a-log"); },
                   "is no user-space log", 7},
        BadUserLog{"BootLog", [](const Scratch&) { return BootLog("good"); },
                   "is no user-space log", 7},
        BadUserLog{"TooLarge",
                   [](const Scratch& s) {
                     const std::string file = s.Write("user", "");
                     fs::resize_file(file, cel::kMaxLogBytes + 1);  // sparse
                     return file;
                   },
                   "is larger than 16 MiB", 2}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(EventlogUserLog, ALogThatBreaksOffIsReplayedAsFarAsItGoes) {
  const Ran ran =
      RunVerb<EventlogReplayOptions>(EventlogReplay, {"", {}, UserLog("broken-off")}, kJson);
  EXPECT_EQ(ran.exit, 7);
  ASSERT_THAT(ran.json.at("findings"), Not(IsEmpty()));
  EXPECT_EQ(ran.json.at("findings").at(0).at("code"), "CEL_TRUNCATED");
  EXPECT_EQ(ran.json.at("findings").at(0).at("severity"), "warning");
  EXPECT_FALSE(ran.json.at("banks").empty());
}

TEST(EventlogUserLog, CountsPcrsAndNoOtherRegisters) {
  const std::string machine = CorpusPath("eventlogs/ccel-tdx-grub.bin");
  const Ran all[] = {
      RunVerb<EventlogReplayOptions>(EventlogReplay, {machine, {}, UserLog("systemd-255")}, kTable),
      RunVerb<EventlogExplainOptions>(
          EventlogExplain, {{machine}, Pcrs("good"), {}, UserLog("systemd-255")}, kTable)};
  for (const Ran& ran : all) {
    EXPECT_EQ(ran.exit, 2);
    EXPECT_THAT(ran.err, HasSubstr("the two cannot be joined"));
  }
}

TEST(EventlogUserLog, ReplayOfNothingIsRefused) {
  Ran ran = RunVerb<EventlogReplayOptions>(EventlogReplay, {}, kTable);
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("give a boot log, or a user-space log with --user-log"));
  ran = RunVerb<EventlogReplayOptions>(EventlogReplay, {"", 2, UserLog("systemd-255")}, kTable);
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("--log chooses a boot log, and none was given"));
}

// ---- several logs ----

// The logs of three boots one behind the other.
std::string ThreeLogs(const Scratch& scratch) {
  std::string all;
  for (const char* boot : {"secure-boot-off", "good", "cmdline-changed"})
    all += Text(CorpusFile(absl::StrCat("boots/", boot, "/eventlog.bin")));
  return scratch.Write("three", all);
}

TEST(EventlogSeveralLogs, TheFirstIsShownAndANumberChoosesAnother) {
  const Scratch scratch;
  const std::string file = ThreeLogs(scratch);
  const Ran first = RunVerb<EventlogReplayOptions>(EventlogReplay, {file}, kJson);
  EXPECT_EQ(first.exit, 0);
  EXPECT_THAT(first.err, HasSubstr("this file holds 3 logs; log 1 of 3 shown (--log N chooses)"));
  ASSERT_THAT(first.json.at("findings"), SizeIs(1));
  EXPECT_EQ(first.json.at("findings").at(0).at("code"), "LOG_TRAILING");
  const Ran second = RunVerb<EventlogReplayOptions>(EventlogReplay, {file, 2}, kJson);
  EXPECT_EQ(second.exit, 0);
  EXPECT_THAT(second.err, HasSubstr("log 2 of 3 shown"));
  EXPECT_EQ(second.json,
            RunVerb<EventlogReplayOptions>(EventlogReplay, {BootLog("good")}, kJson).json);
  const Ran show = RunVerb<EventlogShowOptions>(EventlogShow, {file, {}, 3}, kTable);
  EXPECT_THAT(show.err, HasSubstr("log 3 of 3 shown"));
  EXPECT_EQ(
      show.out,
      RunVerb<EventlogShowOptions>(EventlogShow, {BootLog("cmdline-changed"), {}}, kTable).out);
}

TEST(EventlogSeveralLogs, ANumberThatIsNotThereIsRefused) {
  const Scratch scratch;
  const std::string file = ThreeLogs(scratch);
  for (const size_t number : {size_t{0}, size_t{4}}) {
    const Ran ran = RunVerb<EventlogReplayOptions>(EventlogReplay, {file, number}, kTable);
    EXPECT_EQ(ran.exit, 2);
    EXPECT_THAT(ran.err, HasSubstr(absl::StrCat("holds 3 logs; there is no log ", number)));
  }
  const Ran one = RunVerb<EventlogShowOptions>(EventlogShow, {BootLog("good"), {}, 2}, kTable);
  EXPECT_EQ(one.exit, 2);
  EXPECT_THAT(one.err, HasSubstr("holds 1 log; there is no log 2"));
}

TEST(EventlogSeveralLogs, ExplainFindsTheOneOfTheRegisters) {
  const Scratch scratch;
  const std::string file = ThreeLogs(scratch);
  const Ran ran = RunVerb<EventlogExplainOptions>(EventlogExplain, {{file}, Pcrs("good")}, kJson);
  EXPECT_EQ(ran.exit, 0) << ran.out;
  EXPECT_EQ(ran.json.at("log").at("number"), 2);
  EXPECT_EQ(ran.json.at("log").at("of"), 3);
  EXPECT_EQ(ran.json.at("log").at("explains"), true);
  const Ran files = RunVerb<EventlogExplainOptions>(
      EventlogExplain, {{BootLog("secure-boot-off"), BootLog("good")}, Pcrs("secure-boot-off")},
      kTable);
  EXPECT_EQ(files.exit, 0) << files.out;
  EXPECT_THAT(files.out, StartsWith(BootLog("secure-boot-off") + " explains the registers\n"));
}

TEST(EventlogSeveralLogs, WhereNoneFitsTheClosestIsHeldAgainstTheRegisters) {
  const Scratch scratch;
  const std::string pcrs = GoodPcrs(scratch, kZeros, kZeros);
  const Ran ran =
      RunVerb<EventlogExplainOptions>(EventlogExplain, {{ThreeLogs(scratch)}, pcrs}, kTable);
  EXPECT_EQ(ran.exit, 6);
  EXPECT_THAT(ran.out, StartsWith("none of the 3 logs leads to the registers; closest is log 2 of "
                                  "3 in "));
  EXPECT_THAT(ran.out, HasSubstr("never_extended"));
}

TEST(EventlogSeveralLogs, TheUserLogHelpsToFindTheBoot) {
  const Scratch scratch;
  const std::string user = scratch.Write("user", TwoRegisters());
  const std::string pcrs =
      GoodPcrs(scratch, After(kZeros, {"enter-initrd", "leave-initrd", "sysinit"}),
               After(GoodPcr14(), {"os-separator"}));
  const Ran ran = RunVerb<EventlogExplainOptions>(EventlogExplain,
                                                  {{ThreeLogs(scratch)}, pcrs, {}, user}, kJson);
  EXPECT_EQ(ran.exit, 0) << ran.out;
  EXPECT_EQ(ran.json.at("log").at("number"), 2);
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
      RunVerb<EventlogReplayOptions>(EventlogReplay, {file}, kTable),
      RunVerb<EventlogExplainOptions>(EventlogExplain, {{file}, Pcrs("good"), {}}, kTable),
      RunVerb<EventlogExplainOptions>(EventlogExplain, {{BootLog("good")}, Pcrs("good"), file},
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
  const Ran ran = RunVerb<EventlogReplayOptions>(EventlogReplay, {"-"}, kJson,
                                                 std::string(eventlog::kMaxLogBytes + 1, '\0'));
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("standard input is larger than 64 MiB"));
}

TEST(EventlogVerbs, StandardInputServesOneFileOnly) {
  EXPECT_EQ(RunVerb<EventlogDiffOptions>(EventlogDiff, {"-", "-", {}}, kTable).exit, 2);
  const Ran ran = RunVerb<EventlogExplainOptions>(EventlogExplain, {{"-"}, "-", {}}, kTable);
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("only one file can be standard input"));
  EXPECT_EQ(RunVerb<EventlogReplayOptions>(EventlogReplay, {"-", {}, "-"}, kTable).exit, 2);
  EXPECT_EQ(RunVerb<EventlogShowOptions>(EventlogShow, {"-", {}, {}, "-"}, kTable).exit, 2);
  EXPECT_EQ(
      RunVerb<EventlogExplainOptions>(EventlogExplain, {{"-"}, Pcrs("good"), {}, "-"}, kTable).exit,
      2);
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli

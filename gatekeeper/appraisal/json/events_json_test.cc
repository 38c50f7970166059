#include "gatekeeper/appraisal/json/events_json.h"

#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "common/bytes/writer.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "common/eventlog/replay.h"
#include "common/ima/list_builder.h"
#include "common/testing/corpus.h"
#include "gatekeeper/json/canonical.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

using crypto::HashAlg;
using eventlog::Log;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;
using bootgate::testing::ListBuilder;
using bootgate::testing::LogBuilder;

constexpr uint32_t kAllRegisters = 0xffffff;

const Bytes kGlobalGuid = FromHex("61dfe48bca93d211aa0d00e098032b8c").value();

Bytes Record(uint32_t id, ByteView data) {
  bytes::Writer out;
  out.U32Le(id).U32Le(static_cast<uint32_t>(data.size())).Raw(data);
  return out.Finish();
}

Bytes Joined(std::vector<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Json Events(const Log& log, std::optional<std::vector<ProvenBank>> proven = std::nullopt) {
  EventsInput input;
  input.boot_logs = {&log};
  input.proven = std::move(proven);
  return Json::parse(EventsJson(input).value()).at("Events");
}

Json ProcessedData(uint32_t index, uint32_t type, ByteView data) {
  const Bytes bytes = LogBuilder::CryptoAgile({HashAlg::kSha256}).Event(index, type, data).Finish();
  return Events(Log::Parse(bytes)).at(1).at("ProcessedData");
}

std::vector<ProvenBank> AllProven() { return {{HashAlg::kSha256, kAllRegisters}}; }

TEST(EventsJsonTest, AnEventIsWrittenExactlySo) {
  const Bytes variable = bootgate::testing::VariableData(
      kGlobalGuid, bootgate::testing::Utf16("SecureBoot"), Bytes{1});
  const Bytes bytes = LogBuilder::CryptoAgile({HashAlg::kSha256})
                          .Event(7, eventlog::kEvEfiVariableDriverConfig, variable)
                          .Event(0, eventlog::kEvSeparator, Bytes(4, 0))
                          .Finish();
  const Log log = Log::Parse(bytes);
  const std::string text = EventsJson(log).value();
  EXPECT_THAT(
      text,
      HasSubstr(R"({"EventSeq":1,"PcrIndex":7,"EventTypeString":"EV_EFI_VARIABLE_DRIVER_CONFIG",)"
                R"("EventType":2147483649,"Digests":{"SHA256":")" +
                crypto::Hash(HashAlg::kSha256, variable).hex() +
                R"("},"EventSize":53,"ProcessedData":{)"
                R"("VariableGuid":"8BE4DF61-93CA-11D2-AA0D-00E098032B8C",)"
                R"("UnicodeName":"SecureBoot","VariableData":"AQ"}})"));
  EXPECT_THAT(text, HasSubstr(R"({"EventSeq":2,"PcrIndex":0,"EventTypeString":"EV_SEPARATOR",)"
                              R"("EventType":4,"Digests":{"SHA256":")" +
                              crypto::Hash(HashAlg::kSha256, Bytes(4, 0)).hex() +
                              R"("},"EventSize":4,"ProcessedData":{"RawData":"AAAAAA"}}]})"));
  EXPECT_THAT(text, Not(HasSubstr("DataVerified"))) << "nobody quoted";
}

TEST(EventsJsonTest, AnEmptyLogHasNoEvents) {
  EXPECT_EQ(EventsJson(Log::Parse({})).value(), R"({"Events":[]})");
}

struct DataRow {
  const char* name;
  uint32_t index, type;
  Bytes data;
  const char* json;
};

TEST(ProcessedDataTest, HasTheMembersOfItsType) {
  using bootgate::testing::Text;
  using bootgate::testing::Utf16;
  const Bytes image = FromHex(
                          "00000000000000001027000000000000000000000000000000000000000000"
                          "00")
                          .value();
  for (const DataRow& row : std::vector<DataRow>{
           {"command line", 8, eventlog::kEvIpl, Text("kernel_cmdline: /vmlinuz quiet\0"),
            R"({"String":"kernel_cmdline: /vmlinuz quiet"})"},
           {"wide text", 12, eventlog::kEvIpl, Utf16("quiet"), R"({"String":"quiet"})"},
           {"firmware version", 0, eventlog::kEvSCrtmVersion, Utf16("1.2"), R"({"String":"1.2"})"},
           {"no text", 0, eventlog::kEvSCrtmVersion, Bytes{1, 2, 0xff}, R"({"RawData":"AQL_"})"},
           {"action", 4, eventlog::kEvEfiAction, Text("Calling EFI Application"),
            R"({"String":"Calling EFI Application"})"},
           {"post code", 0, 1, Text("POST CODE"), R"({"String":"POST CODE"})"},
           {"image without a path", 4, eventlog::kEvEfiBootServicesApplication, image,
            R"({"ImageLength":10000})"},
           {"variable with a name that is no UTF-16", 7, eventlog::kEvEfiVariableDriverConfig,
            bootgate::testing::VariableData(kGlobalGuid, Bytes{0, 0xd8}, Bytes{1}), nullptr},
           {"tag of the EFI stub", 9, eventlog::kEvEventTag, Record(0x8f3b22ec, Text("initrd")),
            R"({"RawData":"7CI7jwYAAABpbml0cmQ"})"},
           {"tag of a boot loader in Windows' register", 12, eventlog::kEvEventTag,
            Record(0x6c46f751, Text("dt")), R"({"RawData":"UfdGbAIAAABkdA"})"},
           {"small and unknown", 5, 0x80001234, Bytes{0}, R"({"RawData":"AA"})"},
           {"large and unknown", 5, 0x80001234, Bytes(4097, 0), "{}"},
       }) {
    const Json data = ProcessedData(row.index, row.type, row.data);
    if (row.json == nullptr) {
      EXPECT_TRUE(data.contains("RawData")) << row.name << data;
      EXPECT_EQ(data.size(), 1u) << row.name << data;
    } else {
      EXPECT_EQ(data, Json::parse(row.json)) << row.name;
    }
  }
}

TEST(WindowsRecordsTest, AreWrittenByKindOfPayload) {
  const Bytes module =
      Record(0x40010003, Joined({Record(0x00070001, bootgate::testing::Utf16("\\a.sys")),
                                 Record(0x00070007, Bytes(8, 0xff)), Record(0x0007000a, Bytes{1}),
                                 Record(0x00070004, Bytes{0xfb, 0xff})}));
  const Bytes data =
      Joined({Record(0x40010001,
                     Joined({Record(0x00050002, Bytes{1}), module,
                             Record(0x000a0007, Bytes{1, 0, 0, 0, 0, 0, 0, 0}),
                             Record(0x0005000f, Bytes{9}), Record(0x00050002, Bytes{0}),
                             Record(0x000c0001, Bytes{7}), Record(0x0005ABCD, Bytes{1, 2, 3})})),
              Record(0x000c0002, Bytes{3})});
  EXPECT_EQ(ProcessedData(12, eventlog::kEvEventTag, data), Json::parse(R"({
    "EVENT_TRUSTBOUNDARY": {
      "EVENT_CODEINTEGRITY": [true, false],
      "EVENT_LOADEDMODULE_AGGREGATION": [{
        "EVENT_FILEPATH": "\\a.sys",
        "EVENT_IMAGEBASE": 18446744073709551615,
        "EVENT_IMAGEVALIDATED": true,
        "EVENT_AUTHENTICODEHASH": "-_8"}],
      "EVENT_VBS_HVCI_POLICY": {"String": "HypervisorEnforcedCodeIntegrityEnable", "Value": 1},
      "EVENT_SI_POLICY": [{"RawData": "CQ"}],
      "EVENT_DRTM_STATE_AUTH": {"SignatureValid": false, "RawData": "Bw"},
      "EVENT_0x0005ABCD": "AQID"},
    "EVENT_DRTM_SMM": {"String": "", "Value": 3}})"));
}

TEST(WindowsRecordsTest, NamesComeInTheOrderOfTheLog) {
  const Bytes data = Joined({Record(0x00050003, Bytes{0}), Record(0x00020002, Bytes{1}),
                             Record(0x00050003, Bytes{1}), Record(0x00040001, Bytes{0})});
  const Bytes bytes =
      LogBuilder::CryptoAgile({HashAlg::kSha256}).Event(12, eventlog::kEvEventTag, data).Finish();
  EXPECT_THAT(EventsJson(Log::Parse(bytes)).value(),
              HasSubstr(R"("ProcessedData":{"EVENT_TESTSIGNING":[false,true],)"
                        R"("EVENT_BOOTCOUNTER":1,"EVENT_BOOTDEBUGGING":false}})"));
}

TEST(WindowsRecordsTest, UnreadableOnesAreToldAndGiveNoFact) {
  const Bytes data = Joined({Record(0x00050002, Bytes{1}), Bytes{1, 2, 3}});
  const Json written = ProcessedData(12, eventlog::kEvEventTag, data);
  EXPECT_EQ(written.at("Problem"), "a Windows record's header is cut");
  EXPECT_TRUE(written.contains("RawData"));
  EXPECT_EQ(written.size(), 2u);
}

TEST(Attack, A37_DataThatNoDigestCoversGivesNoFacts) {
  const Bytes on = bootgate::testing::VariableData(
      kGlobalGuid, bootgate::testing::Utf16("SecureBoot"), Bytes{1});
  const Bytes hvci = Record(0x40010001, Record(0x000a0007, Bytes{1, 0, 0, 0, 0, 0, 0, 0}));
  const Bytes line = bootgate::testing::Text("kernel_cmdline: quiet");
  const std::vector<bootgate::testing::TpmDigest> other = {
      {0x000b, ToBytes(crypto::Hash(HashAlg::kSha256, AsBytes("what was measured")).view())}};
  const Bytes bytes = LogBuilder::CryptoAgile({HashAlg::kSha256})
                          .Event(7, eventlog::kEvEfiVariableDriverConfig, on, other)
                          .Event(12, eventlog::kEvEventTag, hvci, other)
                          .Event(8, eventlog::kEvIpl, line, other)
                          .Event(7, eventlog::kEvEfiVariableDriverConfig, on)
                          .Event(12, eventlog::kEvEventTag, hvci)
                          .Event(8, eventlog::kEvIpl, line)
                          .Finish();
  const Json events = Events(Log::Parse(bytes), AllProven());
  for (size_t i = 1; i <= 3; ++i) EXPECT_EQ(events[i].at("DataVerified"), false) << i;
  EXPECT_FALSE(events[1].at("ProcessedData").contains("VariableData"));
  EXPECT_FALSE(events[2].at("ProcessedData").contains("EVENT_TRUSTBOUNDARY"));
  EXPECT_FALSE(events[3].at("ProcessedData").contains("String"));
  EXPECT_EQ(events[3].at("ProcessedData").at("Description"), "kernel_cmdline: quiet");
  for (size_t i = 4; i <= 6; ++i) EXPECT_EQ(events[i].at("DataVerified"), true) << i;
  EXPECT_EQ(events[4].at("ProcessedData").at("VariableData"), "AQ");
  EXPECT_TRUE(events[5].at("ProcessedData").contains("EVENT_TRUSTBOUNDARY"));
  EXPECT_EQ(events[6].at("ProcessedData").at("String"), "kernel_cmdline: quiet");
}

// What the quote does not prove could have been written by anybody: digests, too.
TEST(Attack, A46_EventsOfRegistersThatNobodyQuotedProveNothing) {
  const Bytes on = bootgate::testing::VariableData(
      kGlobalGuid, bootgate::testing::Utf16("SecureBoot"), Bytes{1});
  const Bytes bytes = LogBuilder::CryptoAgile({HashAlg::kSha1, HashAlg::kSha256})
                          .Event(15, eventlog::kEvEfiVariableDriverConfig, on)
                          .Event(7, eventlog::kEvEfiVariableDriverConfig, on)
                          .Finish();
  const Json events =
      Events(Log::Parse(bytes), std::vector<ProvenBank>{{HashAlg::kSha256, 1u << 7}});
  EXPECT_EQ(events[1].at("DataVerified"), false);
  EXPECT_EQ(events[1].at("Digests"), Json::object());
  EXPECT_FALSE(events[1].at("ProcessedData").contains("UnicodeName"));
  EXPECT_EQ(events[2].at("DataVerified"), true);
  EXPECT_TRUE(events[2].at("Digests").contains("SHA256"));
  EXPECT_FALSE(events[2].at("Digests").contains("SHA1")) << "that bank was not quoted";
  EXPECT_EQ(events[0].at("DataVerified"), false) << "EV_NO_ACTION is in no register";
}

// Text of the host stays text: it cannot end its string and go on as the service's own words.
TEST(Attack, A48_TextOfTheHostCannotBecomeMembers) {
  const std::string forged =
      R"(x"},"DataVerified":true},{"EventSeq":0,"EventTypeString":"EV_EVENT_TAG","y":{"z":"\)";
  const Bytes name = bootgate::testing::Utf16(forged);
  const Bytes bytes = LogBuilder::CryptoAgile({HashAlg::kSha256})
                          .Event(8, eventlog::kEvIpl, AsBytes(forged))
                          .Event(7, eventlog::kEvEfiVariableDriverConfig,
                                 bootgate::testing::VariableData(kGlobalGuid, name, Bytes{1}))
                          .Event(12, eventlog::kEvEventTag, Record(0x00070001, name))
                          .Finish();
  const Json events = Events(Log::Parse(bytes), AllProven());
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[1].at("ProcessedData"), Json({{"String", forged}}));
  EXPECT_EQ(events[2].at("ProcessedData").at("UnicodeName"), forged);
  EXPECT_EQ(events[3].at("ProcessedData"), Json({{"EVENT_FILEPATH", forged}}));
}

TEST(RealLogTest, SecureBootAndBootOrderAreWherePoliciesLookForThem) {
  const Bytes bytes = bootgate::testing::CorpusFile("boots/good/eventlog.bin");
  const Log log = Log::Parse(bytes);
  const Json events = Events(log, AllProven());
  ASSERT_EQ(events.size(), log.events().size());
  size_t secure_boot = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].at("EventSeq"), i);
    const Json& data = events[i].at("ProcessedData");
    EXPECT_TRUE(data.is_object());
    if (data.value("UnicodeName", "") != "SecureBoot") continue;
    ++secure_boot;
    EXPECT_EQ(data.at("VariableGuid"), "8BE4DF61-93CA-11D2-AA0D-00E098032B8C");
    EXPECT_EQ(data.at("VariableData"), "AQ");
    EXPECT_EQ(events[i].at("PcrIndex"), 7);
    EXPECT_EQ(events[i].at("DataVerified"), true);
  }
  EXPECT_EQ(secure_boot, 1u);
}

TEST(RealLogTest, WindowsFactsAreWherePoliciesLookForThem) {
  const Bytes bytes = bootgate::testing::CorpusFile("eventlogs/windows-vbs.bin");
  const Json events = Events(Log::Parse(bytes), AllProven());
  size_t boundaries = 0, modules = 0;
  std::vector<uint64_t> hvci;
  for (const Json& event : events) {
    if (event.at("EventTypeString") != "EV_EVENT_TAG" || event.at("PcrIndex") == 14) continue;
    EXPECT_EQ(event.at("DataVerified"), true) << event.at("EventSeq");
    const Json& boundary = event.at("ProcessedData").at("EVENT_TRUSTBOUNDARY");
    ++boundaries;
    for (const Json& module : boundary.value("EVENT_LOADEDMODULE_AGGREGATION", Json::array())) {
      modules += module.contains("EVENT_FILEPATH") ? 1 : 0;
    }
    if (boundary.contains("EVENT_VBS_HVCI_POLICY")) {
      EXPECT_EQ(boundary["EVENT_VBS_HVCI_POLICY"].at("String"),
                "HypervisorEnforcedCodeIntegrityEnable");
      hvci.push_back(boundary["EVENT_VBS_HVCI_POLICY"].at("Value").get<uint64_t>());
    }
  }
  EXPECT_EQ(boundaries, 7u);
  EXPECT_GT(modules, 50u);
  EXPECT_THAT(hvci, ::testing::ElementsAre(1, 1));
}

TEST(ImaEventsTest, FollowTheBootLogUpToTheQuotedState) {
  const Bytes log_bytes = bootgate::testing::CorpusFile("boots/good/eventlog.bin");
  const Bytes list_bytes = bootgate::testing::CorpusFile("boots/good/ima.bin");
  const Log log = Log::Parse(log_bytes);
  const ima::List list = ima::List::Parse(list_bytes);
  EventsInput input;
  input.boot_logs = {&log, &log};
  input.ima = &list;
  input.ima_entries = 5;
  input.proven = AllProven();
  const Json events = Json::parse(EventsJson(input).value()).at("Events");
  const size_t boot = 2 * log.events().size();
  ASSERT_EQ(events.size(), boot + 5);
  for (size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].at("EventSeq"), i);
  const Json& first = events[boot];
  EXPECT_EQ(first.at("EventTypeString"), "IMA_MEASUREMENT_EVENT");
  EXPECT_EQ(first.at("PcrIndex"), 10);
  EXPECT_EQ(first.at("DataVerified"), true);
  EXPECT_EQ(first.at("ProcessedData").at("EventName"), "boot_aggregate");
  EXPECT_THAT(first.at("ProcessedData").at("FileHash").get<std::string>(),
              ::testing::StartsWith("sha256:"));
  EXPECT_EQ(first.at("Digests").at("SHA1"), first.at("ProcessedData").at("TemplateHash"));
}

Bytes BufferEntry(absl::string_view name, ByteView buffer, ByteView hashed) {
  bytes::Writer digest, data;
  digest.Raw(AsBytes("sha256:")).U8(0).Raw(crypto::Hash(HashAlg::kSha256, hashed).view());
  bootgate::testing::AddField(data, digest.view());
  bootgate::testing::AddField(data, bootgate::testing::PathField(std::string(name)));
  bootgate::testing::AddField(data, buffer);
  return data.Finish();
}

Json ImaData(ByteView template_data, bool violation = false) {
  ListBuilder builder;
  if (violation) {
    builder.Listed(10, Bytes(20, 0), "ima-buf", template_data);
  } else {
    builder.Entry("ima-buf", template_data);
  }
  const Bytes bytes = builder.Finish();
  const ima::List list = ima::List::Parse(bytes);
  EventsInput input;
  input.ima = &list;
  input.ima_entries = 1;
  return Json::parse(EventsJson(input).value()).at("Events").at(0).at("ProcessedData");
}

TEST(ImaEventsTest, CriticalDataAndKeysHaveTheirMembers) {
  const Bytes version = bootgate::testing::Text("6.1.0-18");
  const Json kernel = ImaData(BufferEntry("kernel_version", version, version));
  EXPECT_EQ(kernel.at("KernelVersion"), "6.1.0-18");
  EXPECT_EQ(kernel.at("BufferData"), ToBase64Url(version));
  EXPECT_EQ(kernel.at("TemplateName"), "ima-buf");
  const Json line = ImaData(BufferEntry("kexec-cmdline", version, version));
  EXPECT_EQ(line.at("CmdLine"), "6.1.0-18");
  EXPECT_FALSE(line.contains("KernelVersion"));
  const Bytes certificate = bootgate::testing::CorpusFile("boots/good/ek-rsa.cert.der");
  const Json key = ImaData(BufferEntry(".ima", certificate, certificate));
  EXPECT_EQ(key.at("Keyring"), ".ima");
  EXPECT_THAT(key.at("CertificateSubject").get<std::string>(), ::testing::Not(""));
  const Json other = ImaData(BufferEntry("selinux-state", version, version));
  EXPECT_FALSE(other.contains("Keyring"));
  EXPECT_TRUE(other.contains("BufferData"));
}

// The template's name is not in what was measured: a file can be called one of a buffer.
TEST(Attack, A36_FileThatPretendsToBeCriticalDataGivesNoFact) {
  const Bytes version = bootgate::testing::Text("6.1.0-18");
  const Json data = ImaData(BufferEntry("kernel_version", version, AsBytes("a file")));
  EXPECT_FALSE(data.contains("KernelVersion"));
}

TEST(Attack, A49_ViolationGivesNoFact) {
  const Bytes version = bootgate::testing::Text("6.1.0-18");
  EXPECT_EQ(ImaData(BufferEntry("kernel_version", version, version), true),
            Json::parse(R"({"Violation":true})"));
}

TEST(EventsJsonTest, LongerThanAllowedIsNotCutButRefused) {
  const Bytes bytes = bootgate::testing::CorpusFile("boots/good/eventlog.bin");
  const Log log = Log::Parse(bytes);
  EventsInput input;
  input.boot_logs = {&log};
  const size_t whole = EventsJson(input).value().size();
  EXPECT_TRUE(EventsJson(input, whole).has_value());
  EXPECT_FALSE(EventsJson(input, whole / 2).has_value());
}

// What no rule looks at is not made.
TEST(EventsDocumentTest, DigestsAndDataWaitUntilSomebodyLooks) {
  const Bytes log_bytes = bootgate::testing::CorpusFile("boots/good/eventlog.bin");
  const Bytes list_bytes = bootgate::testing::CorpusFile("boots/good/ima.bin");
  const Log log = Log::Parse(log_bytes);
  const ima::List list = ima::List::Parse(list_bytes);
  EventsInput input;
  input.boot_logs = {&log};
  input.ima = &list;
  input.ima_entries = list.entries().size();
  input.proven = AllProven();
  const EventsDocument document(input);
  model::Arena arena;
  const model::Value made = document.Make(arena);
  const absl::Span<const model::Value> events = made.Find("Events")->items();
  ASSERT_EQ(events.size(), log.events().size() + list.entries().size());
  for (const model::Value& event : events) {
    EXPECT_FALSE(event.is_waiting());
    EXPECT_TRUE(event.Find("Digests")->is_waiting());
    EXPECT_TRUE(event.Find("ProcessedData")->is_waiting());
  }
  const size_t before = arena.used_bytes();
  EXPECT_EQ(events.back().Find("ProcessedData")->Find("TemplateName")->text(), "ima-ng");
  EXPECT_GT(arena.used_bytes(), before);
  EXPECT_TRUE(events.front().Find("ProcessedData")->is_waiting());
}

// A policy's filters tell which events it never sees.
TEST(EventsDocumentTest, EventsOfOtherTypesAreLeftOutAndCounted) {
  const Bytes log_bytes = bootgate::testing::CorpusFile("boots/good/eventlog.bin");
  const Bytes list_bytes = bootgate::testing::CorpusFile("boots/good/ima.bin");
  const Log log = Log::Parse(log_bytes);
  const ima::List list = ima::List::Parse(list_bytes);
  EventsInput input;
  input.boot_logs = {&log};
  input.ima = &list;
  input.ima_entries = 7;
  const Json all = Json::parse(EventsJson(input).value()).at("Events");
  for (const std::vector<std::string>& types :
       {std::vector<std::string>{},
        {"EV_SEPARATOR"},
        {"IMA_MEASUREMENT_EVENT"},
        {"EV_EFI_VARIABLE_BOOT", "EV_SEPARATOR", "IMA_MEASUREMENT_EVENT"}}) {
    Json expected = Json::array();
    for (const Json& event : all) {
      if (std::ranges::find(types, event.at("EventTypeString").get<std::string>()) != types.end())
        expected.push_back(event);
    }
    input.types = types;
    EXPECT_EQ(Json::parse(EventsJson(input).value()).at("Events"), expected);
    EXPECT_EQ(expected.empty(), types.empty());
  }
}

TEST(EventsDocumentTest, AnArenaThatIsTooSmallIsExhausted) {
  const Bytes bytes = bootgate::testing::CorpusFile("boots/good/eventlog.bin");
  const Log log = Log::Parse(bytes);
  EventsInput input;
  input.boot_logs = {&log};
  const EventsDocument document(input);
  for (const size_t limit : std::vector<size_t>{0, 100, 1000, 10000}) {
    model::Arena arena(limit);
    EXPECT_TRUE(document.Make(arena).is_null());
    EXPECT_TRUE(arena.exhausted());
  }
}

std::string PcrsText(const std::vector<registers::RegisterBank>& banks) {
  model::Arena arena;
  model::Budget budget;
  return model::CanonicalText(PcrsValue(banks, arena), budget).value();
}

TEST(PcrsJsonTest, HasEachQuotedRegisterInEachBank) {
  registers::RegisterBank sha1(HashAlg::kSha1), sha256(HashAlg::kSha256);
  sha1.Set(0, crypto::Digest(HashAlg::kSha1));
  sha256.Set(0, crypto::Digest::Ones(HashAlg::kSha256));
  sha256.Set(7, crypto::Digest(HashAlg::kSha256));
  const std::vector<registers::RegisterBank> banks = {sha1, sha256};
  EXPECT_EQ(PcrsText(banks), R"({"PCRs":[{"Index":0,"Digests":{"SHA1":")" + std::string(40, '0') +
                                 R"(","SHA256":")" + std::string(64, 'f') +
                                 R"("}},{"Index":7,"Digests":{"SHA256":")" + std::string(64, '0') +
                                 R"("}}]})");
  EXPECT_EQ(PcrsText({}), R"({"PCRs":[]})");
}

}  // namespace
}  // namespace bootgate::gatekeeper::appraisal::json

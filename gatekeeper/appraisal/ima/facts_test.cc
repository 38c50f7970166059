#include "gatekeeper/appraisal/ima/facts.h"

#include <map>

#include "common/base/files.h"
#include "common/ima/list_builder.h"
#include "common/ima/text_list.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/appraisal/ima/claims.h"
#include "gatekeeper/appraisal/ima/device_mapper.h"
#include "gatekeeper/appraisal/ima/policy_coverage.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::appraisal::ima_list {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

Bytes RecordData(absl::string_view name, absl::string_view buffer) {
  bytes::Writer data;
  ::bootgate::testing::AddField(data,
                                ::bootgate::testing::DigestField(crypto::HashAlg::kSha256, buffer));
  ::bootgate::testing::AddField(data, ::bootgate::testing::PathField(name));
  ::bootgate::testing::AddField(data, AsBytes(buffer));
  return data.Finish();
}

Facts FactsOf(ByteView bytes) {
  const ima::List list = ima::List::Parse(bytes);
  Facts facts;
  for (const ima::Entry& entry : list.entries()) AddEntry(entry, facts);
  return facts;
}

struct Said {
  std::multimap<std::string, std::string> claims;  // type -> text
  std::vector<std::string> not_checked;

  std::vector<std::string> Of(const std::string& type) const {
    std::vector<std::string> out;
    for (auto [at, end] = claims.equal_range(type); at != end; ++at) out.push_back(at->second);
    return out;
  }
};

Said SaidOf(const Facts& facts) {
  std::vector<Finding> findings;
  std::vector<Claim> claims;
  Coverage coverage;
  Notes notes(findings, claims, coverage);
  AddClaims(facts, notes);
  Said said;
  for (const Claim& claim : claims) said.claims.emplace(claim.type, DisplayText(claim.value));
  for (const NotChecked& row : coverage.not_checked)
    said.not_checked.push_back(row.what + ": " + row.why);
  return said;
}

TEST(ImaFacts, RecordsBecomeClaims) {
  ::bootgate::testing::ListBuilder list;
  list.Ng("boot_aggregate", "x").Ng("/usr/lib/modules/6.1/a.ko.xz", "m");
  list.Entry("ima-buf", RecordData("kernel_version", "6.1.0-18-amd64"));
  list.Entry("ima-buf", RecordData("kexec-cmdline", "root=/dev/vda quiet"));
  list.Entry("ima-buf", RecordData("selinux-state", "initialized=1;enforcing=1;checkreqprot=0;"));
  list.Violation("/var/log/x");
  const Said said = SaidOf(FactsOf(list.Finish()));
  EXPECT_THAT(said.Of("kernelVersion"), ElementsAre("6.1.0-18-amd64"));
  EXPECT_THAT(said.Of("kexecCommandLine"), ElementsAre("root=/dev/vda quiet"));
  EXPECT_THAT(said.Of("selinuxEnforcing"), ElementsAre("true"));
  EXPECT_THAT(said.Of("criticalData"), ElementsAre("selinux-state"));
  EXPECT_THAT(said.Of("imaViolations"), ElementsAre("1"));
  EXPECT_THAT(said.Of("imaPolicyMeasured"), ElementsAre("false"));
  EXPECT_THAT(said.Of("imaCoverage"),
              UnorderedElementsAre("modules", "critical_data", "kexec_command_line"));
  EXPECT_THAT(said.not_checked, Contains(HasSubstr("what the host's IMA policy leaves out")));
}

// IMA keeps no record twice: who was once permissive may be so again, unseen.
TEST(ImaFacts, SelinuxEnforcesOnlyWhenEveryStateSaysSo) {
  ::bootgate::testing::ListBuilder list;
  for (const char* state : {"initialized=0;enforcing=0;", "initialized=1;enforcing=1;",
                            "initialized=1;enforcing=0;", "initialized=1;enforcing=1;x=1;"})
    list.Entry("ima-buf", RecordData("selinux-state", state));
  EXPECT_THAT(SaidOf(FactsOf(list.Finish())).Of("selinuxEnforcing"), ElementsAre("false"));
}

// The template's name is in no digest: a file's entry sent as a record must not become a claim.
TEST(ImaFacts, AnEntryWhoseDigestIsNotOfItsDataIsNoRecord) {
  bytes::Writer data;
  ::bootgate::testing::AddField(
      data, ::bootgate::testing::DigestField(crypto::HashAlg::kSha256, "a file"));
  ::bootgate::testing::AddField(data, ::bootgate::testing::PathField("kernel_version"));
  ::bootgate::testing::AddField(data, AsBytes("9.9"));
  const Facts facts =
      FactsOf(::bootgate::testing::ListBuilder().Entry("ima-buf", data.view()).Finish());
  EXPECT_THAT(facts.records, IsEmpty());
}

TEST(ImaFacts, ComeBackAsTheyWent) {
  ::bootgate::testing::ListBuilder list;
  list.Entry("ima-buf", RecordData(".ima", "key")).Entry("ima-buf", RecordData("x", ""));
  const Facts facts = FactsOf(list.Violation("/a").Ng("/etc/ima/ima-policy", "p").Finish());
  const Bytes encoded = Encode(facts);
  EXPECT_EQ(Decode(encoded), facts);
  EXPECT_TRUE(facts.policy_file);
  for (size_t size = 0; size < encoded.size(); ++size)
    EXPECT_EQ(Decode(ByteView(encoded).first(size)), std::nullopt) << size;
  Bytes longer = encoded;
  longer.push_back(0);
  EXPECT_EQ(Decode(longer), std::nullopt);
}

TEST(ImaFacts, AreBounded) {
  ::bootgate::testing::ListBuilder list;
  for (size_t i = 0; i < kMaxRecords + 3; ++i)
    list.Entry("ima-buf", RecordData("r", std::to_string(i)));
  const Facts facts = FactsOf(list.Finish());
  EXPECT_EQ(facts.records.size(), kMaxRecords);
  EXPECT_EQ(facts.left_out, 3u);
  EXPECT_THAT(SaidOf(facts).not_checked, Contains(HasSubstr("3 kernel records")));
}

constexpr char kVerity[] =
    "dm_version=4.45.0;name=root,uuid=CRYPT-VERITY,major=253,minor=0,minor_count=1,num_targets=1;"
    "target_index=0,target_begin=0,target_len=204808,target_name=verity,target_version=1.8.0,"
    "hash_failed=V,verity_version=1,data_device_name=7:1,hash_device_name=7:0,"
    "verity_algorithm=sha256,root_digest=29cb,salt=f2,ignore_zero_blocks=n;";
constexpr char kAbout[] = "dm_version=4.45.0;name=root,uuid=CRYPT-VERITY,major=253,minor=0;";

TEST(DeviceMapper, ATableCountsOnceItsDeviceWasResumed) {
  DeviceMapper dm;
  EXPECT_TRUE(dm.Add("dm_table_load", kVerity));
  EXPECT_THAT(dm.devices().at("root").active, IsEmpty());
  EXPECT_TRUE(dm.Add("dm_device_resume", kAbout));
  ASSERT_EQ(dm.devices().at("root").active.size(), 1u);
  EXPECT_EQ(dm.devices().at("root").active[0].name, "verity");
  EXPECT_EQ(dm.devices().at("root").active[0].root_digest, "sha256:29cb");
  EXPECT_TRUE(
      dm.Add("dm_target_update",
             "dm_version=4;name=root,uuid=;target_index=0,target_name=verity,hash_failed=C;"));
  EXPECT_TRUE(dm.devices().at("root").active[0].corrupted);
  EXPECT_TRUE(dm.Add("dm_device_rename", "dm_version=4;name=root,uuid=;new_name=other,new_uuid=;"));
  EXPECT_TRUE(dm.devices().contains("other"));
  EXPECT_TRUE(dm.Add("dm_device_remove",
                     "dm_version=4;device_active_metadata=name=other,uuid=;remove_all=n;"));
  EXPECT_THAT(dm.devices(), IsEmpty());
  EXPECT_FALSE(dm.Add("selinux-state", ""));
}

// A device's name is its owner's choice: what it escapes stays part of the name.
TEST(DeviceMapper, EscapedSeparatorsMakeNoFields) {
  DeviceMapper dm;
  dm.Add("dm_table_load",
         "dm_version=4;name=a\\,uuid=x\\;target_index=0\\,target_name=verity,uuid=u;"
         "target_index=0,target_name=linear;");
  dm.Add("dm_device_resume", "dm_version=4;name=a\\,uuid=x\\;target_index=0\\,target_name=verity;");
  ASSERT_EQ(dm.devices().size(), 1u);
  EXPECT_EQ(dm.devices().begin()->first, "a,uuid=x;target_index=0,target_name=verity");
  ASSERT_EQ(dm.devices().begin()->second.active.size(), 1u);
  EXPECT_EQ(dm.devices().begin()->second.active[0].name, "linear");
}

TEST(DeviceMapper, ATableInPiecesIsOne) {
  DeviceMapper dm;
  dm.Add("dm_table_load", "dm_version=4;name=a;target_index=0,target_name=verity;");
  dm.Add("dm_table_load", "dm_version=4;name=a;target_index=1,target_name=linear;");
  EXPECT_EQ(dm.devices().at("a").loaded.size(), 2u);
  dm.Add("dm_table_load", "dm_version=4;name=a;target_index=0,target_name=crypt;");
  EXPECT_EQ(dm.devices().at("a").loaded.size(), 1u);
  dm.Add("dm_table_clear", "dm_version=4;name=a;table_clear=no_data;");
  EXPECT_THAT(dm.devices().at("a").loaded, IsEmpty());
}

// Captured by Keylime's authors on a running kernel.
TEST(DeviceMapper, CapturedEventsAreUnderstood) {
  const auto corpus = ::bootgate::testing::WiderCorpus();
  if (!corpus.has_value()) GTEST_SKIP() << "the wider corpus is not here";
  BG_ASSERT_OK_AND_ASSIGN(
      const std::string text,
      ReadTextFile(*corpus + "/ima/keylime_keylime/test_ima_dm.lines.txt", 1 << 20));
  const ::bootgate::testing::TextList lines = ::bootgate::testing::FromText(text);
  const ima::List list = ima::List::Parse(lines.bytes);
  DeviceMapper dm;
  std::vector<std::string> loaded;
  for (const ima::Entry& entry : list.entries()) {
    EXPECT_TRUE(dm.Add(entry.path, TextOf(entry.buffer))) << entry.path;
    if (entry.path != "dm_table_load") continue;
    for (const auto& [name, device] : dm.devices()) {
      if (!device.loaded.empty() && std::ranges::find(loaded, name) == loaded.end())
        loaded.push_back(name);
    }
  }
  EXPECT_THAT(loaded,
              ElementsAre("test", "identity", "snap3", "test-integrity", "cache", "mirror"));
  EXPECT_TRUE(dm.devices().contains("test2"));
}

TEST(PolicyCoverage, SaysWhatIsMeasuredAndWhatIsLeftOut) {
  const PolicyCoverage coverage = CoverageOf(
      "# comment\n"
      "dont_measure fsmagic=0x01021994\n"
      "measure func=MMAP_CHECK mask=MAY_EXEC\n"
      "measure func=BPRM_CHECK mask=MAY_EXEC\n"
      "measure func=FILE_CHECK mask=^MAY_READ euid=0\n"
      "measure func=MODULE_CHECK\nappraise func=KEXEC_KERNEL_CHECK\n");
  EXPECT_THAT(coverage.measured, ElementsAre("executables", "libraries", "files", "modules"));
  std::vector<std::string> said;
  for (const NotChecked& row : coverage.not_measured) said.push_back(row.what + ": " + row.why);
  EXPECT_THAT(said, Contains(HasSubstr("fsmagic=0x01021994")));
  EXPECT_THAT(said, Contains(HasSubstr("measures only: measure func=FILE_CHECK")));
  EXPECT_THAT(said, Contains(HasSubstr("firmware that drivers load: no rule")));
  EXPECT_THAT(said, Not(Contains(HasSubstr("kernel modules"))));
}

TEST(PolicyCoverage, NothingAfterARuleThatLeavesAllOutIsMeasured) {
  EXPECT_THAT(CoverageOf("dont_measure\nmeasure func=BPRM_CHECK\n").measured, IsEmpty());
  EXPECT_THAT(CoverageOf("dont_measure func=MODULE_CHECK\nmeasure func=MODULE_CHECK\n").measured,
              IsEmpty());
  EXPECT_EQ(CoverageOf("").not_measured.size(), 10u);
}

TEST(Attack, A54_MeasuredPolicyTellsTheCoverage) {
  ::bootgate::testing::ListBuilder list;
  list.Entry("ima-buf", RecordData("ima_policy_loaded",
                                   "dont_measure fsmagic=0x9fa0\nmeasure func=BPRM_CHECK\n"));
  const Said said = SaidOf(FactsOf(list.Finish()));
  EXPECT_THAT(said.Of("imaCoverage"), ElementsAre("executables"));
  EXPECT_THAT(said.Of("imaPolicyMeasured"), ElementsAre("true"));
  EXPECT_THAT(said.not_checked, Contains(HasSubstr("scripts run by an interpreter")));
  EXPECT_THAT(said.not_checked, Contains(HasSubstr("fsmagic=0x9fa0")));
}

}  // namespace
}  // namespace bootgate::gatekeeper::appraisal::ima_list

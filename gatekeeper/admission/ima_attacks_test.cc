// What a host may try with its IMA list, judged as the gatekeeper judges: attacks A49 to A59.
#include <algorithm>
#include <optional>

#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/admission/made_boot_test.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gatekeeper/reference/signed_tool_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::admission {
namespace {

using crypto::HashAlg;
using testing::AddAggregate;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FirmwareLog;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ListBuilder;
using ::testing::Not;
using testing::QuoteOver;
using testing::Registers;
using SetPtr = std::shared_ptr<const reference::ImaSet>;

constexpr char kPermitAll[] =
    "version=1.0;\nauthorizationrules { => permit(); };\nissuancerules { };\n";

policy::Policy PolicyOf(const std::string& text) {
  policy::ParseError error;
  return policy::Policy::Read(text, &error).value();
}

std::vector<std::string> Failing(const Verdict& verdict) {
  std::vector<std::string> codes;
  for (const Finding& f : verdict.findings) {
    if (f.severity == Severity::kFail) codes.emplace_back(Code(f.code));
  }
  return codes;
}

std::vector<std::string> ClaimsOf(const Verdict& verdict, absl::string_view type) {
  std::vector<std::string> values;
  for (const Claim& claim : verdict.claims) {
    if (claim.type == type) values.push_back(DisplayText(claim.value));
  }
  return values;
}

std::vector<std::string> NotCheckedBy(const Verdict& verdict) {
  std::vector<std::string> rows;
  for (const NotChecked& row : verdict.coverage.not_checked)
    rows.push_back(absl::StrCat(row.what, ": ", row.why));
  return rows;
}

// A boot whose list is judged by one set and by rules.
class ImaAttack : public ::testing::Test {
 protected:
  ImaAttack() {
    AddAggregate(list_, log_);
    reference::SetDraft draft;
    draft.items = {::bootgate::testing::Item("/bin/a", "a"),
                   ::bootgate::testing::Item("/bin/b", "b")};
    set_ = ::bootgate::testing::Opened(draft).value();
    Rules("{}");
  }

  // With the set, and what else `json` says.
  void Rules(const std::string& json) {
    reference_.ima = {};
    reference_.ima.present = true;
    reference_.ima.unlisted = reference::Unlisted::kFail;
    reference_.ima.rules = reference::ImaRulesFromJson(json).value();
    reference_.ima.rules.sets = {set_->id()};
  }

  // `quoted`: how many bytes of the list the quote covers.
  Verdict Judge(const Bytes& list, std::optional<size_t> quoted = std::nullopt,
                const std::string& policy_text = kPermitAll) const {
    const ByteView covered = ByteView(list).first(quoted.value_or(list.size()));
    const tpm2::QuotedPcrs pcrs = QuoteOver({Registers(log_, covered, HashAlg::kSha256)});
    const policy::Policy policy = PolicyOf(policy_text);
    JudgeInput input{.quoted = pcrs, .boot_log = log_, .ima = {}};
    input.ima.list = list;
    input.logs_bound = true;
    input.ima.bound_entries = SIZE_MAX;
    input.policy = &policy;
    input.reference = &reference_;
    input.sets = shelf_.value_or(std::vector<SetPtr>{set_});
    input.now = absl::FromUnixSeconds(1'800'000'000);
    return admission::Judge(input);
  }

  const Bytes log_ = FirmwareLog({HashAlg::kSha256}).Finish();
  ListBuilder list_;
  SetPtr set_;
  std::optional<std::vector<SetPtr>> shelf_;
  reference::Reference reference_;
};

TEST_F(ImaAttack, HostWithListedFilesAloneIsAdmitted) {
  const Verdict verdict = Judge(list_.Ng("/bin/b", "b").Ng("/bin/a", "a").Finish());
  EXPECT_THAT(Failing(verdict), IsEmpty());
  EXPECT_EQ(verdict.outcome, OutcomeClass::kAdmit);
}

// Nobody is admitted by a set that nobody has read, and nobody is quarantined for it either.
TEST_F(ImaAttack, ReferenceWhoseSetIsNotHereAdmitsNobodyAndDeniesNobody) {
  shelf_ = std::vector<SetPtr>{};
  const Verdict verdict = Judge(list_.Finish());
  EXPECT_EQ(verdict.outcome, OutcomeClass::kReject);
  EXPECT_THAT(Failing(verdict), Contains("IMA_SET_MISSING"));
  EXPECT_THAT(std::string(Info(Reason::kImaSetMissing).way_out), HasSubstr("reference ima push"));
}

TEST_F(ImaAttack, A49_ViolationIsDeniedButWhereARuleNamesItsPath) {
  const Bytes list = list_.Violation("/var/log/wtmp").Violation("/bin/a").Finish();
  EXPECT_THAT(Failing(Judge(list)), ElementsAre("IMA_VIOLATION", "IMA_VIOLATION"));
  Rules(R"({"violations":["/var/log/.*"]})");
  const Verdict verdict = Judge(list);
  EXPECT_THAT(Failing(verdict), ElementsAre("IMA_VIOLATION"));
  EXPECT_THAT(ClaimsOf(verdict, "imaViolations"), ElementsAre("2"));
}

TEST_F(ImaAttack, A50_PathInAViolationAllowsNothing) {
  Rules(R"({"excludes":["/bin/.*"],"unverified":["/bin/.*"]})");
  EXPECT_THAT(Failing(Judge(list_.Violation("/bin/a").Finish())), ElementsAre("IMA_VIOLATION"));
}

TEST_F(ImaAttack, A50_ListedHashOfOnesHidesNoFile) {
  const Bytes data = ::bootgate::testing::NgData("/bin/evil", "evil");
  const Bytes list = list_.Listed(10, Bytes(20, 0xff), "ima-ng", data).Finish();
  EXPECT_THAT(Failing(Judge(list)), ElementsAre("IMA_TEMPLATE_HASH", "IMA_UNLISTED"));
}

TEST_F(ImaAttack, A53_RuleForAFolderIsNotOneForItsNeighbour) {
  Rules(R"({"excludes":["/opt/app/.*"]})");
  const Verdict verdict = Judge(
      list_.Ng("/opt/app/x", "x").Ng("/opt/app-evil/x", "x").Ng("/opt/app/../x", "x").Finish());
  EXPECT_THAT(Failing(verdict), ElementsAre("IMA_UNLISTED", "IMA_UNLISTED"));
  EXPECT_THAT(NotCheckedBy(verdict), Contains(HasSubstr("1 IMA entries under excluded paths")));
}

TEST_F(ImaAttack, A53_ContainersFileUnderAHostsPathIsJudgedByItsContent) {
  EXPECT_THAT(Failing(Judge(list_.Ng("/bin/a", "of a container").Finish())),
              ElementsAre("IMA_DIGEST"));
}

TEST_F(ImaAttack, A54_WhatThePolicyDoesNotMeasureIsInTheCoverage) {
  const Bytes list =
      list_
          .Entry("ima-buf",
                 reference::testing::BufferData(
                     "ima_policy_loaded",
                     AsBytes("dont_measure fsmagic=0x01021994\nmeasure func=BPRM_CHECK\n")))
          .Finish();
  reference_.ima.unlisted = reference::Unlisted::kWarn;
  const Verdict verdict = Judge(list);
  EXPECT_THAT(ClaimsOf(verdict, "imaCoverage"), ElementsAre("executables"));
  EXPECT_THAT(NotCheckedBy(verdict), Contains(HasSubstr("fsmagic=0x01021994")));
  EXPECT_THAT(NotCheckedBy(verdict), Contains(HasSubstr("scripts run by an interpreter")));
}

TEST_F(ImaAttack, A54_UnknownCoverageIsSaidToo) {
  EXPECT_THAT(NotCheckedBy(Judge(list_.Finish())),
              Contains(HasSubstr("what the host's IMA policy leaves out")));
}

constexpr char kLoad[] =
    "dm_version=4.45.0;name=root,uuid=CRYPT-VERITY,major=253,minor=0,minor_count=1,num_targets=1;"
    "target_index=0,target_begin=0,target_len=8,target_name=verity,target_version=1.8.0,"
    "hash_failed=V,verity_algorithm=sha256,root_digest=29cb,salt=f2;";
constexpr char kResume[] =
    "dm_version=4.45.0;name=root,uuid=CRYPT-VERITY,major=253,minor=0;active_table_hash=sha256:00;";

// What is changed below the page cache no list shows: only a verified device or file tells.
TEST_F(ImaAttack, A55_PolicyThatDemandsVerifiedStorageDeniesHostsWithoutIt) {
  BG_ASSERT_OK_AND_ASSIGN(
      const std::string policy,
      ReadTextFile(bootgate::testing::SourcePath("deploy/policies/verified-storage.policy"),
                   1 << 20));
  reference_.ima.unlisted = reference::Unlisted::kWarn;
  Verdict verdict = Judge(ListBuilder(list_).Finish(), std::nullopt, policy);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), ElementsAre("POLICY_NOT_PERMITTED"));
  list_.Entry("ima-buf", reference::testing::BufferData("dm_table_load", AsBytes(kLoad)));
  const Bytes loaded = ListBuilder(list_).Finish();
  EXPECT_EQ(Judge(loaded, std::nullopt, policy).outcome, OutcomeClass::kDeny);
  list_.Entry("ima-buf", reference::testing::BufferData("dm_device_resume", AsBytes(kResume)));
  const Bytes list = ListBuilder(list_).Finish();
  verdict = Judge(list, std::nullopt, policy);
  EXPECT_THAT(Failing(verdict), IsEmpty());
  EXPECT_THAT(ClaimsOf(verdict, "dmVerityRootDigest"), Contains("sha256:29cb"));
  EXPECT_EQ(Judge(list, loaded.size(), policy).outcome, OutcomeClass::kDeny)
      << "what follows the quoted state tells nothing";
  const Bytes corrupted =
      list_
          .Entry("ima-buf", reference::testing::BufferData(
                                "dm_target_update",
                                AsBytes("dm_version=4.45.0;name=root,uuid=CRYPT-VERITY,major=253;"
                                        "target_index=0,target_name=verity,hash_failed=C;")))
          .Finish();
  EXPECT_EQ(Judge(corrupted, std::nullopt, policy).outcome, OutcomeClass::kDeny);
}

class LearnedKey : public ImaAttack {
 protected:
  LearnedKey() {
    Rules(R"({"signatures":"accept","trusted_keyrings":[".ima"]})");
    reference_.ima.buffers[".ima"] = {absl::StrCat("sha256:", reference::testing::kSignerId)};
    list_.Entry("ima-sig", reference::testing::SigData("/opt/tool", "tool",
                                                       reference::testing::ToolSignature()));
  }
  Bytes KeyRecord() const {
    return reference::testing::BufferData(".ima", reference::testing::SignerCertificate());
  }
};

TEST_F(LearnedKey, A56_KeyInsideTheQuotedPartSignsAndIsAClaim) {
  const Verdict verdict = Judge(list_.Entry("ima-buf", KeyRecord()).Finish());
  EXPECT_THAT(Failing(verdict), IsEmpty());
  EXPECT_THAT(ClaimsOf(verdict, "measuredKey"),
              ElementsAre(absl::StrCat(".ima ", reference::testing::kSignerId)));
  EXPECT_THAT(ClaimsOf(verdict, "measuredKeySubject"), ElementsAre("CN=Package signer"));
}

TEST_F(LearnedKey, A56_KeyPastTheQuotedPartTeachesNothing) {
  const size_t quoted = ListBuilder(list_).Finish().size();
  const Verdict verdict = Judge(list_.Entry("ima-buf", KeyRecord()).Finish(), quoted);
  EXPECT_THAT(Failing(verdict), ElementsAre("IMA_UNLISTED"));
  EXPECT_THAT(ClaimsOf(verdict, "measuredKey"), IsEmpty());
}

TEST_F(LearnedKey, A56_KeyThatIsNotInItsKeyringsListIsDenied) {
  Rules(R"({"signatures":"accept","trusted_keyrings":[".ima"],"keyrings":{".ima":[]}})");
  EXPECT_THAT(Failing(Judge(list_.Entry("ima-buf", KeyRecord()).Finish())),
              ElementsAre("IMA_UNLISTED", "IMA_KEYRING"));
}

// The template's name is in no digest, so a file can be sent as a record; it passes for none.
TEST_F(LearnedKey, A56_FileSentAsAKeyIsDenied) {
  const Bytes data =
      reference::testing::SigData(".ima", "a file", reference::testing::SignerCertificate());
  const Verdict verdict = Judge(list_.Entry("ima-buf", data).Finish());
  EXPECT_THAT(Failing(verdict), ElementsAre("IMA_TEMPLATE", "IMA_UNLISTED"));
  EXPECT_THAT(ClaimsOf(verdict, "measuredKey"), IsEmpty());
}

TEST_F(ImaAttack, A58_SecondAggregateNeedsARuleForKexec) {
  const Bytes list = AddAggregate(list_, log_).Finish();
  EXPECT_THAT(Failing(Judge(list)), ElementsAre("IMA_KEXEC"));
  Rules(R"({"kexec":true})");
  EXPECT_THAT(Failing(Judge(list)), IsEmpty());
}

TEST_F(ImaAttack, A58_WithKexecEveryAggregateIsThatOfThisBoot) {
  Rules(R"({"kexec":true})");
  const Bytes other =
      FirmwareLog({HashAlg::kSha256}).Event(8, testing::kEvIpl, AsBytes("another")).Finish();
  const Bytes list = AddAggregate(list_, other).Finish();
  EXPECT_THAT(Failing(Judge(list)), ElementsAre("IMA_BOOT_AGGREGATE"));
}

TEST_F(ImaAttack, A59_DigestOfAWeakAlgorithmIsDenied) {
  bytes::Writer digest, data;
  digest.Raw(AsBytes("sha1:")).U8(0).Raw(crypto::Hash(HashAlg::kSha1, AsBytes("a")).view());
  ::bootgate::testing::AddField(data, digest.view());
  ::bootgate::testing::AddField(data, ::bootgate::testing::PathField("/bin/a"));
  EXPECT_THAT(Failing(Judge(list_.Entry("ima-ng", data.view()).Finish())),
              ElementsAre("IMA_DIGEST_ALG"));
}

TEST_F(ImaAttack, A59_DigestOfAnotherLengthThanItsAlgorithmsIsDenied) {
  bytes::Writer digest, data;
  digest.Raw(AsBytes("sha256:")).U8(0).Raw(Bytes(20, 1));
  ::bootgate::testing::AddField(data, digest.view());
  ::bootgate::testing::AddField(data, ::bootgate::testing::PathField("/bin/a"));
  EXPECT_THAT(Failing(Judge(list_.Entry("ima-ng", data.view()).Finish())),
              Contains("IMA_TEMPLATE"));
}

// Before and after an update: the old file warns, then fails, and the new one never does.
TEST_F(ImaAttack, FileThatAnUpdateReplacedIsOutdatedAfterItsWindow) {
  reference::SetDraft draft;
  draft.items = {::bootgate::testing::Item("/bin/a", "a", {0, 1'799'999'999}),
                 ::bootgate::testing::Item("/bin/a", "a2")};
  set_ = ::bootgate::testing::Opened(draft).value();
  const Bytes list = list_.Ng("/bin/a", "a2").Ng("/bin/a", "a").Finish();
  Rules("{}");
  EXPECT_THAT(Failing(Judge(list)), ElementsAre("IMA_OUTDATED"));
  Rules(R"({"outdated":"warn"})");
  EXPECT_EQ(Judge(list).outcome, OutcomeClass::kAdmit);
}

// What earlier evidence has shown is still known when only the rest of the list is sent.
TEST_F(LearnedKey, KeysAndRecordsOfEarlierEntriesAreStillKnown) {
  list_.Entry("ima-buf", KeyRecord());
  const Bytes early = ListBuilder(list_).Finish();
  const Bytes whole =
      list_
          .Entry("ima-sig", reference::testing::SigData("/opt/tool2", "tool",
                                                        reference::testing::ToolSignature()))
          .Finish();
  const policy::Policy policy = PolicyOf(kPermitAll);
  const auto judge = [&](ByteView all, ByteView sent, const ImaProgress* before) {
    const tpm2::QuotedPcrs pcrs = QuoteOver({Registers(log_, all, HashAlg::kSha256)});
    JudgeInput input{.quoted = pcrs, .boot_log = log_, .ima = {}};
    input.ima.list = sent;
    input.ima.before = before;
    input.logs_bound = true;
    input.ima.bound_entries = SIZE_MAX;
    input.policy = &policy;
    input.reference = &reference_;
    input.sets = {set_};
    input.now = absl::FromUnixSeconds(1'800'000'000);
    return JudgeAndKeep(input);
  };
  const Judged first = judge(early, early, nullptr);
  EXPECT_THAT(Failing(first.verdict), IsEmpty());
  ASSERT_TRUE(first.ima.has_value());
  const Judged second = judge(whole, ByteView(whole).subspan(early.size()), &*first.ima);
  EXPECT_THAT(Failing(second.verdict), IsEmpty());
  EXPECT_THAT(ClaimsOf(second.verdict, "measuredKeySubject"), ElementsAre("CN=Package signer"));
  ImaProgress forgot = *first.ima;
  forgot.notes.erase("appraisal/ima-facts");
  EXPECT_THAT(Failing(judge(whole, ByteView(whole).subspan(early.size()), &forgot).verdict),
              ElementsAre("RETRY_RESYNC"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::admission

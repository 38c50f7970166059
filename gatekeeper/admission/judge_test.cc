#include "gatekeeper/admission/judge.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/bytes/writer.h"
#include "common/eventlog/event_type.h"
#include "gatekeeper/admission/made_boot_test.h"
#include "gatekeeper/admission/verdict_json.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::admission {
namespace {

using crypto::HashAlg;
using registers::RegisterBank;
using testing::AddAggregate;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FirmwareLog;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kEvIpl;
using testing::kEvSCrtmVersion;
using testing::kEvSeparator;
using testing::ListBuilder;
using testing::LogBuilder;
using ::testing::Not;
using testing::QuoteOver;
using testing::Registers;

const policy::Policy& PermitAll() {
  static const policy::Policy* const policy = [] {
    policy::ParseError error;
    return new policy::Policy(
        policy::Policy::Read("version=1.0;\nauthorizationrules { => permit(); };\n"
                             "issuancerules { };\n",
                             &error)
            .value());
  }();
  return *policy;
}

Verdict JudgeBound(const std::vector<RegisterBank>& banks, ByteView log, ByteView list,
                   size_t bound_entries = SIZE_MAX, WhenBehind behind = WhenBehind::kRetry,
                   const appraisal::BootOptions& options = {}) {
  const tpm2::QuotedPcrs quoted = QuoteOver(banks);
  JudgeInput input{.quoted = quoted, .boot_log = log, .ima = {}};
  input.ima.list = list;
  input.ima.bound_entries = bound_entries;
  input.logs_bound = true;
  input.when_behind = behind;
  input.policy = &PermitAll();
  input.boot_options = options;
  return Judge(input);
}

std::vector<absl::string_view> Failing(const Verdict& verdict) {
  std::vector<absl::string_view> codes;
  for (const Finding& f : verdict.findings) {
    if (f.severity == Severity::kFail) codes.push_back(Code(f.code));
  }
  return codes;
}

std::optional<bool> BoolClaim(const Verdict& verdict, absl::string_view type) {
  for (const Claim& claim : verdict.claims) {
    if (claim.type == type) return std::get<bool>(claim.value);
  }
  return std::nullopt;
}

// A boot of one bank that nothing is wrong with.
class JudgeTest : public ::testing::Test {
 protected:
  JudgeTest() { AddAggregate(list_, log_).Ng("/bin/a", "a").Ng("/bin/b", "b"); }
  std::vector<RegisterBank> Banks(ByteView log, ByteView list) const {
    return {Registers(log, list, HashAlg::kSha256)};
  }

  const Bytes log_ = FirmwareLog({HashAlg::kSha256}).Finish();
  ListBuilder list_;
};

TEST_F(JudgeTest, SoundBootIsAdmittedWithItsClaims) {
  const Bytes list = list_.Finish();
  const Verdict verdict = JudgeBound(Banks(log_, list), log_, list);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_THAT(Failing(verdict), IsEmpty());
  EXPECT_EQ(BoolClaim(verdict, "secureBootEnabled"), true);
  EXPECT_EQ(BoolClaim(verdict, "bootLogReplayed"), true);
  EXPECT_EQ(BoolClaim(verdict, "imaReplayed"), true);
  EXPECT_EQ(verdict.policy_id, PermitAll().id());
}

TEST_F(JudgeTest, A83_NoPolicyIsDenied) {
  const Bytes list = list_.Finish();
  const tpm2::QuotedPcrs quoted = QuoteOver(Banks(log_, list));
  JudgeInput input{.quoted = quoted, .boot_log = log_, .ima = {}};
  input.ima.list = list;
  const Verdict verdict = Judge(input);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), ElementsAre("NO_POLICY"));
}

policy::Policy PolicyWithMask(const std::string& mask) {
  policy::ParseError error;
  return policy::Policy::Read(
             "version=1.1;\nconfigurationrules { => issueproperty(type=\"required_pcr_mask\", "
             "value=" +
                 mask + "); };\nauthorizationrules { => permit(); };\nissuancerules { };\n",
             &error)
      .value();
}

// The evidence quotes PCR 0-14; a policy that sets no mask asks for none.
TEST_F(JudgeTest, RegistersThatThePolicyRequiresMustBeQuoted) {
  const struct {
    const char* mask;
    OutcomeClass outcome;
  } rows[] = {{"0", OutcomeClass::kAdmit},
              {"15", OutcomeClass::kAdmit},
              {"0x7fff", OutcomeClass::kAdmit},
              {"0xffff", OutcomeClass::kDeny},
              {"0x800000", OutcomeClass::kDeny}};
  const Bytes list = list_.Finish();
  const tpm2::QuotedPcrs quoted = QuoteOver(Banks(log_, list));
  for (const auto& row : rows) {
    SCOPED_TRACE(row.mask);
    const policy::Policy policy = PolicyWithMask(row.mask);
    JudgeInput input{.quoted = quoted, .boot_log = log_, .ima = {.list = list}};
    input.logs_bound = true;
    input.policy = &policy;
    const Verdict verdict = Judge(input);
    EXPECT_EQ(verdict.outcome, row.outcome);
    const std::vector<absl::string_view> expected =
        row.outcome == OutcomeClass::kDeny ? std::vector<absl::string_view>{"POLICY_PCR_MASK"}
                                           : std::vector<absl::string_view>{};
    EXPECT_EQ(Failing(verdict), expected);
  }
}

TEST_F(JudgeTest, ARegisterOfAWeakBankIsNoneThatThePolicyRequires) {
  const Bytes list = list_.Finish();
  RegisterBank sha1(HashAlg::kSha1);
  sha1.Set(15, crypto::Digest(HashAlg::kSha1));
  const tpm2::QuotedPcrs quoted = QuoteOver({Registers(log_, list, HashAlg::kSha256), sha1});
  const policy::Policy policy = PolicyWithMask("0x8000");
  JudgeInput input{.quoted = quoted, .boot_log = log_, .ima = {.list = list}};
  input.logs_bound = true;
  input.policy = &policy;
  EXPECT_THAT(Failing(Judge(input)), Contains("POLICY_PCR_MASK"));
}

TEST(Attack, A6_BanksThatTellDifferentStoriesAreDenied) {
  LogBuilder log = FirmwareLog({HashAlg::kSha256, HashAlg::kSha384});
  const crypto::Digest a = crypto::Hash(HashAlg::kSha256, AsBytes("good"));
  const crypto::Digest b = crypto::Hash(HashAlg::kSha384, AsBytes("evil"));
  log.Event(5, 5, AsBytes("good"), {{0x000b, ToBytes(a.view())}, {0x000c, ToBytes(b.view())}});
  const Bytes bytes = log.Finish();
  const Verdict verdict = JudgeBound(
      {Registers(bytes, {}, HashAlg::kSha256), Registers(bytes, {}, HashAlg::kSha384)}, bytes, {});
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), ElementsAre("LOG_BANK_DIVERGENCE"));
}

TEST(Attack, A6_ManyEventsThatDivergeAreCountedNotRepeated) {
  LogBuilder log = FirmwareLog({HashAlg::kSha256, HashAlg::kSha384});
  const crypto::Digest a = crypto::Hash(HashAlg::kSha256, AsBytes("good"));
  const crypto::Digest b = crypto::Hash(HashAlg::kSha384, AsBytes("evil"));
  for (int i = 0; i < 500; ++i) {
    log.Event(8, 13, AsBytes("good"), {{0x000b, ToBytes(a.view())}, {0x000c, ToBytes(b.view())}});
  }
  const Bytes bytes = log.Finish();
  const Verdict verdict = JudgeBound(
      {Registers(bytes, {}, HashAlg::kSha256), Registers(bytes, {}, HashAlg::kSha384)}, bytes, {});
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_EQ(Failing(verdict).size(), 101u);
}

TEST(Attack, A6_LogThatReplaysInOneBankOnlyIsDenied) {
  const Bytes bytes = FirmwareLog({HashAlg::kSha256, HashAlg::kSha384}).Finish();
  RegisterBank moved = Registers(bytes, {}, HashAlg::kSha384);
  moved.Extend(4, crypto::Hash(HashAlg::kSha384, AsBytes("boot kit")));
  const Verdict verdict = JudgeBound({Registers(bytes, {}, HashAlg::kSha256), moved}, bytes, {});
  EXPECT_THAT(Failing(verdict), Contains("LOG_BANK_DIVERGENCE"));
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
}

TEST(Attack, A6_BanksThatAgreeAreAdmitted) {
  const Bytes bytes = FirmwareLog({HashAlg::kSha256, HashAlg::kSha384}).Finish();
  EXPECT_EQ(
      JudgeBound({Registers(bytes, {}, HashAlg::kSha256), Registers(bytes, {}, HashAlg::kSha384)},
                 bytes, {})
          .outcome,
      OutcomeClass::kAdmit);
}

TEST(Attack, A7_BankThatTheLogDoesNotHaveIsRejected) {
  const Bytes bytes = FirmwareLog({HashAlg::kSha256}).Finish();
  RegisterBank filled(HashAlg::kSha384);
  for (uint32_t i = 0; i < 8; ++i) filled.Set(i, crypto::Hash(HashAlg::kSha384, AsBytes("chosen")));
  const Verdict verdict = JudgeBound({filled}, bytes, {});
  EXPECT_EQ(verdict.outcome, OutcomeClass::kReject);
  EXPECT_THAT(Failing(verdict), ElementsAre("BANK_NOT_FIRMWARE_MEASURED"));
}

TEST(Attack, A7_BankLeftAtItsStartIsRejected) {
  const Bytes bytes = FirmwareLog({HashAlg::kSha256, HashAlg::kSha384}).Finish();
  RegisterBank untouched(HashAlg::kSha384);
  for (uint32_t i = 0; i < 8; ++i) untouched.Set(i, crypto::Digest(HashAlg::kSha384));
  const Verdict verdict = JudgeBound({untouched}, bytes, {});
  EXPECT_EQ(verdict.outcome, OutcomeClass::kReject);
  EXPECT_THAT(Failing(verdict), ElementsAre("BANK_NOT_FIRMWARE_MEASURED"));
}

TEST(Attack, A7_HistoryWithoutSeparatorsIsRejected) {
  LogBuilder log = LogBuilder::CryptoAgile({HashAlg::kSha384});
  log.Event(0, kEvSCrtmVersion, AsBytes("version 1"));
  log.Event(7, testing::kEvVariableDriverConfig, testing::SecureBootVariable(1));
  const Bytes bytes = log.Finish();
  const Verdict verdict = JudgeBound({Registers(bytes, {}, HashAlg::kSha384)}, bytes, {});
  EXPECT_EQ(verdict.outcome, OutcomeClass::kReject);
  EXPECT_THAT(Failing(verdict), ElementsAre("BANK_NOT_FIRMWARE_MEASURED"));
}

TEST(Attack, A8_Sha1AloneIsRejectedUnlessTheOperatorAllowsIt) {
  const Bytes bytes = FirmwareLog({HashAlg::kSha1}).Finish();
  const std::vector<RegisterBank> banks = {Registers(bytes, {}, HashAlg::kSha1)};
  const Verdict verdict = JudgeBound(banks, bytes, {});
  EXPECT_EQ(verdict.outcome, OutcomeClass::kReject);
  EXPECT_THAT(Failing(verdict), ElementsAre("BANK_NOT_ALLOWED"));
  appraisal::BootOptions insecure;
  insecure.allowed_banks.push_back(HashAlg::kSha1);
  EXPECT_EQ(JudgeBound(banks, bytes, {}, SIZE_MAX, WhenBehind::kRetry, insecure).outcome,
            OutcomeClass::kAdmit);
}

TEST_F(JudgeTest, A16_EntriesAfterTheQuoteAreNotUsed) {
  ListBuilder longer;
  AddAggregate(longer, log_)
      .Ng("/bin/a", "a")
      .Ng("/bin/b", "b")
      .Violation("/bin/late")
      .Ng("/x", "x");
  const Verdict verdict = JudgeBound(Banks(log_, list_.Finish()), log_, longer.Finish(), 3);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kAdmit);
  const auto& rows = verdict.coverage.not_checked;
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [](const NotChecked& row) {
    return row.what == "2 IMA entries past the quoted state";
  }));
}

TEST_F(JudgeTest, A16_ListBehindTheQuoteIsAskedAgainAndConcludesNothing) {
  ListBuilder shorter;
  AddAggregate(shorter, log_).Ng("/bin/a", "a");
  const Bytes list = shorter.Finish();
  const std::vector<RegisterBank> banks = Banks(log_, list_.Finish());
  const Verdict verdict = JudgeBound(banks, {}, list, 2);  // the missing log is no finding yet
  EXPECT_EQ(verdict.outcome, OutcomeClass::kReject);
  EXPECT_THAT(Failing(verdict), ElementsAre("RETRY_LOG_BEHIND"));
  EXPECT_THAT(verdict.claims, IsEmpty());
  const Verdict last = JudgeBound(banks, log_, list, 2, WhenBehind::kDeny);
  EXPECT_EQ(last.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(last), ElementsAre("IMA_PCR_MISMATCH"));
  EXPECT_EQ(BoolClaim(last, "imaReplayed"), false);
}

TEST_F(JudgeTest, A82_MalformedTailThatNobodyBoundDeniesNobody) {
  const std::vector<RegisterBank> banks = Banks(log_, ListBuilder(list_).Finish());
  const Bytes list = list_.Raw(Bytes(7, 0x41)).Finish();
  EXPECT_EQ(JudgeBound(banks, log_, list, 3).outcome, OutcomeClass::kAdmit);
  RegisterBank ahead = banks[0];
  ahead.Extend(10, crypto::Hash(HashAlg::kSha256, AsBytes("more")));
  EXPECT_THAT(Failing(JudgeBound({ahead}, log_, list, 3)), ElementsAre("RETRY_LOG_BEHIND"));
  EXPECT_EQ(JudgeBound({ahead}, log_, list, 4).outcome, OutcomeClass::kDeny);
}

TEST(Attack, A38_StartupLocalityThatPcr0DoesNotHaveIsDenied) {
  LogBuilder log = LogBuilder::CryptoAgile({HashAlg::kSha256});
  bytes::Writer locality;
  locality.Raw(AsBytes(absl::string_view("StartupLocality\0", 16))).U8(3);
  log.Event(0, eventlog::kEvNoAction, locality.view());
  log.Event(0, kEvSCrtmVersion, AsBytes("version 1"));
  for (uint32_t i = 0; i < 8; ++i) log.Event(i, kEvSeparator, Bytes(4, 0));
  const Bytes bytes = log.Finish();
  RegisterBank bank = Registers(bytes, {}, HashAlg::kSha256);
  EXPECT_EQ(JudgeBound({bank}, bytes, {}).outcome, OutcomeClass::kAdmit);
  crypto::Digest from_zero(HashAlg::kSha256);
  for (const Bytes& data : {ToBytes(AsBytes("version 1")), Bytes(4, 0)}) {
    from_zero = registers::Extended(from_zero, crypto::Hash(HashAlg::kSha256, data));
  }
  bank.Set(0, from_zero);
  EXPECT_THAT(Failing(JudgeBound({bank}, bytes, {})), ElementsAre("LOG_REPLAY_PCR0"));
}

TEST(Attack, A41_NoLogAndMovedRegistersIsOneFinding) {
  const Bytes bytes = FirmwareLog({HashAlg::kSha256}).Finish();
  const Verdict verdict = JudgeBound({Registers(bytes, {}, HashAlg::kSha256)}, {}, {});
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), ElementsAre("LOG_MISSING"));
  EXPECT_EQ(BoolClaim(verdict, "bootLogReplayed"), false);
}

TEST(Attack, A46_RegisterThatNoEventExplainsIsDenied) {
  const Bytes bytes = FirmwareLog({HashAlg::kSha256}).Finish();
  RegisterBank bank = Registers(bytes, {}, HashAlg::kSha256);
  bank.Extend(12, crypto::Hash(HashAlg::kSha256, AsBytes("systemd")));
  const Verdict verdict = JudgeBound({bank}, bytes, {});
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), ElementsAre("PCR_UNEXPLAINED"));
  appraisal::BootOptions options;
  options.runtime_extended = 1u << 12;
  EXPECT_EQ(JudgeBound({bank}, bytes, {}, SIZE_MAX, WhenBehind::kRetry, options).outcome,
            OutcomeClass::kAdmit);
}

TEST(Attack, A46_EventsThatTheTpmNeverSawAreNamed) {
  LogBuilder log = FirmwareLog({HashAlg::kSha256});
  const RegisterBank bank = Registers(LogBuilder(log).Finish(), {}, HashAlg::kSha256);
  const Bytes bytes = log.Event(4, kEvIpl, AsBytes("added")).Finish();
  const Verdict verdict = JudgeBound({bank}, bytes, {});
  ASSERT_THAT(Failing(verdict), ElementsAre("LOG_PCR_MISMATCH"));
  EXPECT_EQ(verdict.findings[0].register_index, 4u);
  EXPECT_EQ(verdict.findings[0].event, 11u);
  EXPECT_THAT(verdict.findings[0].text, HasSubstr("was added to the log"));
}

TEST_F(JudgeTest, A49_ViolationIsDenied) {
  const Bytes list = list_.Violation("/bin/a").Finish();
  const Verdict verdict = JudgeBound(Banks(log_, list), log_, list);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), ElementsAre("IMA_VIOLATION"));
}

TEST_F(JudgeTest, A49_ManyViolationsAreCountedNotRepeated) {
  for (int i = 0; i < 3000; ++i) list_.Violation("/bin/a");
  const Bytes list = list_.Finish();
  const Verdict verdict = JudgeBound(Banks(log_, list), log_, list);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_EQ(verdict.findings.size(), 501u);
  EXPECT_EQ(verdict.findings.back().text, "and 2500 more findings of this kind");
}

TEST_F(JudgeTest, A50_ListedHashThatIsNotTheContentsIsDenied) {
  const Bytes data = ::bootgate::testing::NgData("/bin/evil", "evil");
  const Bytes list = list_.Listed(10, Bytes(20, 0xff), "ima-ng", data).Finish();
  const Verdict verdict = JudgeBound(Banks(log_, list), log_, list);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), ElementsAre("IMA_TEMPLATE_HASH"));
}

TEST_F(JudgeTest, A50_PathOfAViolationMatchesNoReference) {
  ListBuilder violated;
  AddAggregate(violated, log_).Ng("/bin/a", "a").Violation("/bin/b");
  const Bytes good_list = list_.Finish(), list = violated.Finish();
  const eventlog::Log log = eventlog::Log::Parse(log_);
  const ima::List good = ima::List::Parse(good_list);
  reference::LearnInput learn{.log = log, .banks = {HashAlg::kSha256}};
  learn.ima = &good;
  learn.ima_entries = good.entries().size();
  const reference::Reference reference = reference::Learn(learn);
  EXPECT_FALSE(reference.ima.files.contains("boot_aggregate"));
  const tpm2::QuotedPcrs quoted = QuoteOver(Banks(log_, list));
  JudgeInput input{.quoted = quoted, .boot_log = log_, .ima = {}};
  input.ima.list = list;
  input.policy = &PermitAll();
  input.reference = &reference;
  EXPECT_THAT(Failing(Judge(input)), ElementsAre("IMA_VIOLATION"));
}

TEST_F(JudgeTest, A52_UnknownTemplateIsDenied) {
  const Bytes list =
      list_.Entry("d-ngv2|n-ng", ::bootgate::testing::NgData("/bin/c", "c")).Finish();
  const Verdict verdict = JudgeBound(Banks(log_, list), log_, list);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), ElementsAre("IMA_TEMPLATE"));
}

TEST_F(JudgeTest, A58_AggregateOfAnotherBootIsDenied) {
  const Bytes list = list_.Finish();
  LogBuilder other = FirmwareLog({HashAlg::kSha256});
  const Bytes log = other.Event(8, kEvIpl, AsBytes("another")).Finish();
  EXPECT_THAT(Failing(JudgeBound(Banks(log, list), log, list)), ElementsAre("IMA_BOOT_AGGREGATE"));
}

TEST_F(JudgeTest, A58_SecondAggregateIsDenied) {
  const Bytes list = AddAggregate(list_, log_).Finish();
  EXPECT_THAT(Failing(JudgeBound(Banks(log_, list), log_, list)), ElementsAre("IMA_KEXEC"));
}

TEST_F(JudgeTest, A58_ListWithoutAggregateIsDenied) {
  const Bytes list = ListBuilder().Ng("/bin/a", "a").Finish();
  EXPECT_THAT(Failing(JudgeBound(Banks(log_, list), log_, list)),
              ElementsAre("IMA_BOOT_AGGREGATE_MISSING"));
}

// A reference of the sound boot, and what a host adds to its list under it.
class UnlistedTest : public JudgeTest {
 protected:
  UnlistedTest() {
    const ima::List good = ima::List::Parse(good_list_);
    const eventlog::Log log = eventlog::Log::Parse(log_);
    reference::LearnInput learn{.log = log, .banks = {HashAlg::kSha256}};
    learn.ima = &good;
    learn.ima_entries = good.entries().size();
    reference_ = reference::Learn(learn);
  }
  Verdict JudgeList(ByteView list) const {
    const tpm2::QuotedPcrs quoted = QuoteOver(Banks(log_, list));
    JudgeInput input{.quoted = quoted, .boot_log = log_, .ima = {}};
    input.ima.list = list;
    input.policy = &PermitAll();
    input.reference = &reference_;
    return Judge(input);
  }

  const Bytes good_list_ = ListBuilder(list_).Finish();
  reference::Reference reference_;
};

TEST_F(UnlistedTest, KnownFileIsAdmittedWhateverTheOrder) {
  ListBuilder list;
  const Verdict verdict =
      JudgeList(AddAggregate(list, log_).Ng("/bin/b", "b").Ng("/bin/a", "a").Finish());
  EXPECT_EQ(verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_EQ(BoolClaim(verdict, "referenceMatched"), true);
}

TEST_F(UnlistedTest, A53_KnownPathWithOtherContentIsDenied) {
  EXPECT_THAT(Failing(JudgeList(list_.Ng("/bin/a", "evil").Finish())), ElementsAre("IMA_DIGEST"));
}

TEST_F(UnlistedTest, UnlistedFileUnderTheSameImaPolicyIsDenied) {
  EXPECT_THAT(Failing(JudgeList(list_.Ng("/bin/c", "c").Finish())), ElementsAre("IMA_UNLISTED"));
}

TEST_F(UnlistedTest, UnlistedFileUnderAnotherImaPolicyIsAWarning) {
  const Verdict verdict = JudgeList(list_.Ng("/etc/ima/p", "p").Ng("/bin/c", "c").Finish());
  EXPECT_EQ(verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_TRUE(std::any_of(verdict.findings.begin(), verdict.findings.end(),
                          [](const Finding& f) { return f.code == Reason::kImaPolicyDiffers; }));
}

// An entry of another register is in no quote: it must not make the policies look different.
TEST_F(UnlistedTest, EntryThatPcr10DoesNotProveChangesNothing) {
  const Bytes list = list_.Ng("/etc/ima/p", "p", 11).Ng("/bin/c", "c").Finish();
  EXPECT_THAT(Failing(JudgeList(list)), ElementsAre("IMA_UNLISTED"));
}

TEST_F(UnlistedTest, HostThatMeasuresNothingIsDenied) {
  EXPECT_THAT(Failing(JudgeList({})), ElementsAre("IMA_MISSING"));
}

TEST_F(UnlistedTest, EventsThatTheReferenceDoesNotHaveAreDenied) {
  LogBuilder more = FirmwareLog({HashAlg::kSha256});
  const Bytes log = more.Event(12, kEvIpl, AsBytes("stray")).Finish();
  const tpm2::QuotedPcrs quoted = QuoteOver(Banks(log, {}));
  reference_.ima = {};
  JudgeInput input{.quoted = quoted, .boot_log = log, .ima = {}};
  input.policy = &PermitAll();
  input.reference = &reference_;
  EXPECT_THAT(Failing(Judge(input)), ElementsAre("REFERENCE_EVENT_UNEXPECTED"));
}

TEST_F(JudgeTest, RejectOutranksDeny) {
  const tpm2::QuotedPcrs quoted = QuoteOver(Banks(log_, {}));
  JudgeInput input{.quoted = quoted, .boot_log = {}, .ima = {}};
  Finding finding;
  finding.code = Reason::kAkAttributes;
  input.extra_findings = {finding};
  const Verdict verdict = Judge(input);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kReject);
  EXPECT_THAT(Failing(verdict), Contains("LOG_MISSING"));
}

Verdict JudgeWith(const std::string& policy_text, const std::vector<RegisterBank>& banks,
                  ByteView log, ByteView list) {
  policy::ParseError error;
  const policy::Policy policy = policy::Policy::Read(policy_text, &error).value();
  const tpm2::QuotedPcrs quoted = QuoteOver(banks);
  JudgeInput input{.quoted = quoted, .boot_log = log, .ima = {}};
  input.ima.list = list;
  input.logs_bound = true;
  input.ima.bound_entries = SIZE_MAX;
  input.policy = &policy;
  return Judge(input);
}

const Claim* Find(const Verdict& verdict, absl::string_view type) {
  const auto found =
      std::ranges::find_if(verdict.claims, [&](const Claim& claim) { return claim.type == type; });
  return found == verdict.claims.end() ? nullptr : &*found;
}

// The value that the policy issued under this name, as JSON.
nlohmann::json IssuedJson(const Verdict& verdict, absl::string_view type) {
  const Claim* const claim = Find(verdict, type);
  return claim == nullptr ? nlohmann::json()
                          : nlohmann::json::parse(std::get<std::string>(claim->value));
}

TEST_F(JudgeTest, LogsAsJsonAreThereForPoliciesThatLookAtThem) {
  const Bytes list = list_.Finish();
  const Verdict verdict = JudgeWith(
      "version=1.2;authorizationrules{[type==\"events\"] && c:[type==\"pcrs\"]=>permit();};"
      "issuancerules{c:[type==\"events\"]=>issue(type=\"log\",value=c.value);};",
      Banks(log_, list), log_, list);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kAdmit);
  const nlohmann::json log = IssuedJson(verdict, "log");
  const auto& rows = log.at("Events");
  EXPECT_EQ(rows.size(), eventlog::Log::Parse(log_).events().size() + 3);
  EXPECT_EQ(rows[2].at("ProcessedData").at("UnicodeName"), "SecureBoot");
  EXPECT_EQ(rows[2].at("DataVerified"), true);
  EXPECT_EQ(rows.back().at("ProcessedData").at("EventName"), "/bin/b");
  EXPECT_EQ(Find(verdict, "events"), nullptr) << "what nobody issued is not made into text";
}

TEST_F(JudgeTest, QuotedRegistersAreThereForPoliciesThatLookAtThem) {
  const Bytes list = list_.Finish();
  const std::vector<RegisterBank> banks = Banks(log_, list);
  const std::string query =
      "PCRs[?Index == `7`].Digests.SHA256 | [0] == '" + banks.front().Get(7)->hex() + "'";
  const Verdict verdict = JudgeWith(
      "version=1.2;authorizationrules{"
      "c:[type==\"pcrs\"]=>add(type=\"same\",value=JsonToClaimValue(JmesPath(c.value,\"" +
          query + "\")));[type==\"same\",value==true]=>permit();};",
      banks, log_, list);
  EXPECT_THAT(Failing(verdict), IsEmpty());
}

// What follows the quoted state is nobody's word.
TEST_F(JudgeTest, EventsPastTheQuotedStateAreNotInTheClaim) {
  const Bytes quoted_list = list_.Finish();
  ListBuilder longer;
  const Bytes list =
      AddAggregate(longer, log_).Ng("/bin/a", "a").Ng("/bin/b", "b").Ng("/later", "x").Finish();
  const Verdict verdict = JudgeWith(
      "version=1.0;authorizationrules{=>permit();};"
      "issuancerules{c:[type==\"events\"]=>issue(type=\"log\",value=c.value);};",
      Banks(log_, quoted_list), log_, list);
  const std::string events = IssuedJson(verdict, "log").dump();
  EXPECT_THAT(events, HasSubstr("/bin/b"));
  EXPECT_THAT(events, Not(HasSubstr("/later")));
}

TEST_F(JudgeTest, RegistersMayBeTestedButNotPublished) {
  const Bytes list = list_.Finish();
  const Verdict verdict = JudgeWith(
      "version=1.0;authorizationrules{=>permit();};"
      "issuancerules{c:[type==\"pcrs\"]=>issue(claim=c);};",
      Banks(log_, list), log_, list);
  EXPECT_THAT(Failing(verdict), ElementsAre("POLICY_ERROR"));
}

// Each rule doubles a text.
std::string SpendingPolicy(absl::string_view configuration) {
  std::string text =
      absl::StrCat("version=1.2;configurationrules{", configuration,
                   "};authorizationrules{=>permit();=>add(type=\"t0\",value=\"x\");");
  for (int i = 0; i < 64; ++i) {
    absl::StrAppend(&text, "c:[type==\"t", i, "\"]=>add(type=\"t", i + 1,
                    "\",value=AppendString(c.value,c.value));");
  }
  return text + "};";
}

TEST_F(JudgeTest, A84_APolicyThatSpendsItsBudgetIsOurErrorAndNeverAnAdmit) {
  const Bytes list = list_.Finish();
  const Verdict verdict = JudgeWith(SpendingPolicy(""), Banks(log_, list), log_, list);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kError);
  EXPECT_THAT(Failing(verdict), ElementsAre("POLICY_BUDGET"));
}

TEST_F(JudgeTest, A84_NoHostEscapesADenyBySpendingTheBudget) {
  const Bytes list = list_.Finish();
  const Verdict verdict =
      JudgeWith(SpendingPolicy("=>issueproperty(type=\"required_pcr_mask\",value=32768);"),
                Banks(log_, list), log_, list);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), ElementsAre("POLICY_PCR_MASK", "POLICY_BUDGET"));
}

TEST_F(JudgeTest, LongClaimsAreKeptByTheirDigest) {
  Verdict verdict(OutcomeClass::kAdmit);
  verdict.claims.push_back({.type = "short", .value = std::string(kMaxClaimText, 'a')});
  verdict.claims.push_back({.type = "events", .value = std::string(kMaxClaimText + 1, 'a')});
  const auto claims = nlohmann::json::parse(VerdictJson(verdict)).at("claims");
  EXPECT_EQ(claims[0].at("value").get<std::string>().size(), kMaxClaimText);
  EXPECT_FALSE(claims[1].contains("value"));
  EXPECT_EQ(claims[1].at("value_bytes"), kMaxClaimText + 1);
  EXPECT_EQ(claims[1].at("value_sha256"),
            crypto::Hash(HashAlg::kSha256, AsBytes(std::string(kMaxClaimText + 1, 'a'))).hex());
}

// Policy language specification, 3.6.
TEST_F(JudgeTest, AnAttestationKeyWithoutAValidCertificateFailsUnlessThePolicyAllowsIt) {
  const Bytes list = list_.Finish();
  const tpm2::QuotedPcrs quoted = QuoteOver(Banks(log_, list));
  const auto judge = [&](const std::string& configuration, std::optional<bool> validated) {
    policy::ParseError error;
    const policy::Policy policy =
        policy::Policy::Read("version=1.1;configurationrules{" + configuration +
                                 "};authorizationrules{=>permit();};",
                             &error)
            .value();
    JudgeInput input{.quoted = quoted, .boot_log = log_, .ima = {}};
    input.ima.list = list;
    input.policy = &policy;
    if (validated.has_value())
      input.extra_claims.push_back({.type = "aikValidated", .value = *validated});
    return Judge(input);
  };
  const std::string off = "=>issueproperty(type=\"require_valid_aik_cert\",value=false);";
  EXPECT_THAT(Failing(judge("", false)), ElementsAre("AK_UNKNOWN"));
  EXPECT_EQ(judge("", false).outcome, OutcomeClass::kReject) << "before any rule: nothing changes";
  EXPECT_THAT(Failing(judge("", true)), IsEmpty());
  const Verdict allowed = judge(off, false);
  EXPECT_EQ(allowed.outcome, OutcomeClass::kAdmit);
  EXPECT_EQ(BoolClaim(allowed, "aikValidated"), false);
  const Verdict nobody_said = judge("", std::nullopt);
  EXPECT_EQ(nobody_said.outcome, OutcomeClass::kAdmit);
  EXPECT_TRUE(std::ranges::any_of(nobody_said.coverage.not_checked, [](const NotChecked& row) {
    return row.what == "certificate of the attestation key";
  }));
}

bytes::Writer WindowsRecord(uint32_t id, ByteView data) {
  bytes::Writer out;
  out.U32Le(id).U32Le(static_cast<uint32_t>(data.size())).Raw(data);
  return out;
}

TEST_F(JudgeTest, WindowsClaimsComeFromWhatTheQuoteCovers) {
  const Bytes off = WindowsRecord(0x00040001, Bytes{0}).Finish();
  const Bytes log = FirmwareLog({HashAlg::kSha256})
                        .Event(12, eventlog::kEvEventTag, WindowsRecord(0x40010001, off).view())
                        .Finish();
  ListBuilder list;
  const Bytes entries = AddAggregate(list, log).Finish();
  const Verdict verdict = JudgeBound(Banks(log, entries), log, entries);
  EXPECT_EQ(BoolClaim(verdict, "bootDebuggingDisabled"), true);
  EXPECT_EQ(BoolClaim(verdict, "vbsReportPresent"), false);
  EXPECT_EQ(BoolClaim(verdict, "vbsEnabled"), std::nullopt) << "the log does not say";
}

TEST_F(JudgeTest, A44_NestedWindowsRecordsAreDenied) {
  Bytes nested;
  while (nested.size() < 16'000) nested = WindowsRecord(0x40010002, nested).Finish();
  const Bytes log =
      FirmwareLog({HashAlg::kSha256}).Event(12, eventlog::kEvEventTag, nested).Finish();
  ListBuilder list;
  const Bytes entries = AddAggregate(list, log).Finish();
  const Verdict verdict = JudgeBound(Banks(log, entries), log, entries);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), Contains("LOG_LIMIT"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::admission

// Attacks A36-A48 on the boot log by a host that is its own firmware's master: the quote proves
// what the log says, and still it must not be believed. Each is judged whole.
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/cel/log_builder.h"
#include "common/eventlog/event_type.h"
#include "common/testing/corpus.h"
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/admission/made_boot_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::admission {
namespace {

using ::bootgate::testing::CelBuilder;
using ::bootgate::testing::CorpusFile;
using ::bootgate::testing::LogBuilder;
using ::bootgate::testing::TpmDigest;
using ::bootgate::testing::Utf16;
using ::bootgate::testing::VariableData;
using crypto::HashAlg;
using eventlog::Event;
using registers::RegisterBank;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr uint32_t kVariable = eventlog::kEvEfiVariableDriverConfig;
const Bytes kZeros(4, 0);

Bytes Guid(absl::string_view hex) { return FromHex(hex).value(); }
const Bytes& GlobalGuid() {
  static const auto* const guid = new Bytes(Guid("61dfe48bca93d211aa0d00e098032b8c"));
  return *guid;
}
const Bytes& SecurityGuid() {
  static const auto* const guid = new Bytes(Guid("cbb219d73a3d9645a3bcdad00e67656f"));
  return *guid;
}

Bytes GlobalVariable(absl::string_view name, ByteView data) {
  return VariableData(GlobalGuid(), Utf16(name), data);
}

policy::Policy ReadPolicy(absl::string_view text) {
  policy::ParseError error;
  return policy::Policy::Read(text, &error).value();
}

const policy::Policy& PermitAll() {
  static const auto* const policy = new policy::Policy(
      ReadPolicy("version=1.0;\nauthorizationrules { => permit(); };\nissuancerules { };\n"));
  return *policy;
}

Verdict JudgeRegisters(ByteView log, const RegisterBank& bank,
                       const policy::Policy& policy = PermitAll()) {
  const tpm2::QuotedPcrs quoted = testing::QuoteOver({bank});
  JudgeInput input{.quoted = quoted, .boot_log = log, .ima = {}};
  input.logs_bound = true;
  input.policy = &policy;
  return Judge(input);
}

// The TPM holds exactly what the log says.
Verdict JudgeLog(ByteView log, const policy::Policy& policy = PermitAll()) {
  return JudgeRegisters(log, testing::Registers(log, {}, HashAlg::kSha256), policy);
}

std::vector<std::string> Failing(const Verdict& verdict) {
  std::vector<std::string> codes;
  for (const Finding& f : verdict.findings) {
    if (f.severity == Severity::kFail) codes.emplace_back(Code(f.code));
  }
  return codes;
}

std::vector<ClaimValue> Values(const Verdict& verdict, absl::string_view type) {
  std::vector<ClaimValue> values;
  for (const Claim& claim : verdict.claims) {
    if (claim.type == type) values.push_back(claim.value);
  }
  return values;
}

ClaimValue Text(const char* text) { return std::string(text); }

void PutU32Le(Bytes& bytes, size_t offset, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) bytes[offset + i] = static_cast<uint8_t>(value >> (8 * i));
}

// The log with the type of some events changed: no digest covers it.
template <typename Which>
Bytes Relabelled(Bytes log, Which which, uint32_t type) {
  const Bytes original = log;
  const eventlog::Log parsed = eventlog::Log::Parse(original);
  for (const Event& event : parsed.events()) {
    if (which(event)) PutU32Le(log, event.offset + 4, type);
  }
  return log;
}

// What is behind the header of a made log, to append to another one with the same banks.
Bytes Tail(LogBuilder log, const LogBuilder& header) {
  const size_t skip = LogBuilder(header).Finish().size();
  Bytes all = log.Finish();
  return {all.begin() + static_cast<ptrdiff_t>(skip), all.end()};
}

Bytes Joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Bytes& GoodLog() {
  static const auto* const log = new Bytes(CorpusFile("boots/good/eventlog.bin"));
  return *log;
}

// A firmware's log with these events in front of PCR 7's separator, or behind it.
Bytes LogWith(const std::vector<std::pair<uint32_t, Bytes>>& before,
              const std::vector<std::pair<uint32_t, Bytes>>& after = {}, uint32_t index = 7) {
  LogBuilder log = LogBuilder::CryptoAgile({HashAlg::kSha256});
  log.Event(0, eventlog::kEvSCrtmVersion, AsBytes("version 1"));
  for (const auto& [type, data] : before) log.Event(index, type, data);
  for (uint32_t i = 0; i < 8; ++i) log.Event(i, eventlog::kEvSeparator, kZeros);
  for (const auto& [type, data] : after) log.Event(index, type, data);
  return log.Finish();
}

const std::pair<uint32_t, Bytes> kSecureBootOn = {kVariable, testing::SecureBootVariable(1)};

// ---- The logs that the attacks below change are good ones

TEST(LogAttacks, TheLogsThatTheyStartFromAreAdmitted) {
  EXPECT_THAT(Failing(JudgeLog(GoodLog())), IsEmpty());
  const Verdict verdict = JudgeLog(LogWith({kSecureBootOn}));
  EXPECT_THAT(Failing(verdict), IsEmpty());
  EXPECT_EQ(Values(verdict, "secureBootEnabled"), std::vector<ClaimValue>{true});
}

// ---- A36

TEST(Attack, A36_HistoryRelabelledAsUnusedAndAFakeOneBehindItIsDenied) {
  const Bytes off = CorpusFile("boots/secure-boot-off/eventlog.bin");
  const Bytes hidden = Relabelled(
      off, [](const Event& e) { return e.register_index == 7; }, /*EV_UNUSED*/ 2);
  const LogBuilder header =
      LogBuilder::CryptoAgile({HashAlg::kSha1, HashAlg::kSha256, HashAlg::kSha384});
  LogBuilder fake = header;
  fake.Event(7, kVariable, testing::SecureBootVariable(1));
  fake.Event(7, eventlog::kEvSeparator, kZeros);
  const Bytes log = Joined(hidden, Tail(fake, header));
  const Verdict verdict = JudgeLog(log);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), Each(std::string("LOG_UNEXPECTED_TYPE")));
  EXPECT_EQ(verdict.findings[0].register_index, 7u);
}

TEST(Attack, A36_ApplicationRelabelledAsFirmwareIsDenied) {
  const Bytes log = Relabelled(
      GoodLog(),
      [](const Event& e) { return e.untrusted_type == eventlog::kEvEfiBootServicesApplication; },
      eventlog::kEvEfiPlatformFirmwareBlob);
  const Verdict verdict = JudgeLog(log);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), Each(std::string("LOG_UNEXPECTED_TYPE")));
  EXPECT_EQ(verdict.findings[0].register_index, 4u);
}

TEST(Attack, A36_TypeThatNobodyKnowsIsAnErrorInEveryRegister) {
  for (const uint32_t index : {0u, 4u, 7u, 8u, 14u}) {
    const Verdict verdict = JudgeLog(LogWith({{0x00012345, Bytes(3, 1)}}, {}, index));
    EXPECT_THAT(Failing(verdict), ElementsAre("LOG_UNEXPECTED_TYPE")) << index;
  }
}

TEST(Attack, A36_SeparatorRelabelledAsAVariableIsDenied) {
  const Bytes log = Relabelled(
      GoodLog(),
      [](const Event& e) {
        return e.register_index == 7 && e.untrusted_type == eventlog::kEvSeparator;
      },
      eventlog::kEvEfiVariableAuthority);
  EXPECT_THAT(Failing(JudgeLog(log)), Contains("LOG_UNEXPECTED_TYPE"));
  EXPECT_THAT(Failing(JudgeLog(log)), Contains("LOG_SEPARATOR"));
}

// The system behind a firmware without Secure Boot tells PCR 7's history a second time; the first
// one passes for records that the same digests cover.
TEST(Attack, A36_SecureBootOffHiddenBehindOtherTypesIsDenied) {
  const Bytes off = testing::SecureBootVariable(0);
  const std::pair<uint32_t, Bytes> end = {eventlog::kEvEfiAction, kZeros};
  for (const uint32_t type :
       {eventlog::kEvEfiVariableAuthority, eventlog::kEvEfiAction, eventlog::kEvEfiSpdmDevicePolicy,
        eventlog::kEvEfiSpdmDeviceAuthority}) {
    const Verdict whole = JudgeLog(LogWith({{type, off}, end, kSecureBootOn}));
    EXPECT_EQ(whole.outcome, OutcomeClass::kDeny) << type;
    const Verdict state = JudgeLog(LogWith({{type, off}, kSecureBootOn}));
    EXPECT_THAT(Failing(state), ElementsAre("LOG_UNEXPECTED_TYPE")) << type;
  }
  EXPECT_THAT(Failing(JudgeLog(LogWith({kSecureBootOn, end}))), ElementsAre("LOG_SEPARATOR"));
}

TEST(Attack, A36_KeyListRelabelledAsAnAuthorityIsDenied) {
  const Bytes list = VariableData(SecurityGuid(), Utf16("db"), {});
  EXPECT_THAT(
      Failing(JudgeLog(LogWith({kSecureBootOn, {eventlog::kEvEfiVariableAuthority, list}}))),
      ElementsAre("LOG_UNEXPECTED_TYPE"));
}

// An authority's bytes are covered under these types as well.
TEST(Attack, A36_AuthorityRelabelledAsADevicesIsDenied) {
  const Bytes shim_guid = Guid("50ab5d6046e00043abb63dd810dd8b23");
  for (const Bytes& authority : {VariableData(SecurityGuid(), Utf16("db"), Bytes(48, 7)),
                                 VariableData(shim_guid, Utf16("MokList"), Bytes(48, 7))}) {
    const Bytes log = LogWith({kSecureBootOn}, {{eventlog::kEvEfiSpdmDeviceAuthority, authority}});
    EXPECT_THAT(Failing(JudgeLog(log)), ElementsAre("LOG_UNEXPECTED_TYPE"));
  }
  Bytes certificate = {0x30, 0x82, 0x01, 0x00};
  certificate.resize(certificate.size() + 0x100, 5);
  const Bytes own = VariableData(shim_guid, Utf16("MokList"), certificate);
  EXPECT_THAT(Failing(JudgeLog(LogWith({kSecureBootOn}, {{kVariable, own}}))),
              ElementsAre("LOG_UNEXPECTED_TYPE"));
}

// Some firmware tags its own notes in PCR 4, so the type alone is no offence.
TEST(Attack, A36_ApplicationUnderAnotherTypeIsStillALoader) {
  const Bytes digest(32, 0x6c);
  LogBuilder log = testing::FirmwareLog({HashAlg::kSha256});
  log.Event(4, eventlog::kEvEventTag, AsBytes("a note"), {{0x000b, digest}});
  const Bytes program(4096, 0x90);  // what the digest of an image is of, as data
  log.Event(4, eventlog::kEvEfiAction, program);
  log.Event(4, eventlog::kEvEfiAction, AsBytes("Exit Boot Services Invocation"));
  EXPECT_THAT(Values(JudgeLog(log.Finish()), "bootLoaderDigest"),
              ElementsAre(ClaimValue(ToHex(digest)),
                          ClaimValue(crypto::Hash(HashAlg::kSha256, program).hex())));
}

// ---- A37

LogBuilder WithText(absl::string_view logged, absl::string_view hashed) {
  LogBuilder log = testing::FirmwareLog({HashAlg::kSha256});
  const crypto::Digest digest = crypto::Hash(HashAlg::kSha256, AsBytes(hashed));
  return log.Event(8, eventlog::kEvIpl, AsBytes(logged), {{0x000b, ToBytes(digest.view())}});
}

TEST(Attack, A37_CommandLineThatTheDigestCoversIsAClaim) {
  const Verdict verdict =
      JudgeLog(WithText("kernel_cmdline: /vmlinuz nokaslr", "/vmlinuz nokaslr").Finish());
  EXPECT_EQ(verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_THAT(Values(verdict, "kernelCommandLine"), ElementsAre(Text("/vmlinuz nokaslr")));
  EXPECT_THAT(Values(verdict, "kaslrDisabled"), ElementsAre(ClaimValue(true)));
}

TEST(Attack, A37_ChangedTextYieldsNoClaim) {
  const Bytes log = WithText("kernel_cmdline: /vmlinuz", "/vmlinuz nokaslr").Finish();
  const Verdict verdict = JudgeLog(log);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kAdmit);  // the registers follow from the log
  for (const char* type : {"kernelCommandLine", "kaslrDisabled", "kernelDebugEnabled",
                           "initOverridden", "kernelLockdown"}) {
    EXPECT_THAT(Values(verdict, type), IsEmpty()) << type;
  }
  const tpm2::QuotedPcrs quoted =
      testing::QuoteOver({testing::Registers(log, {}, HashAlg::kSha256)});
  const auto boot = appraisal::AppraiseBoot(quoted, log, {});
  ASSERT_THAT(boot.facts.command_lines, SizeIs(1));
  EXPECT_EQ(boot.facts.command_lines[0].value, "/vmlinuz");
  EXPECT_FALSE(boot.facts.command_lines[0].verified);
}

// Root can extend PCR 8 after the boot and tell a second, harmless command line.
TEST(Attack, A37_SecondCommandLineDoesNotHideTheFirst) {
  LogBuilder log = WithText("kernel_cmdline: /vmlinuz", "/vmlinuz nokaslr");
  log.Event(8, eventlog::kEvIpl, AsBytes("/vmlinuz lockdown=integrity"));
  const auto harmless = crypto::Hash(HashAlg::kSha256, AsBytes("/vmlinuz lockdown=integrity"));
  const std::vector<TpmDigest> digest = {{0x000b, ToBytes(harmless.view())}};
  const absl::string_view text = "kernel_cmdline: /vmlinuz lockdown=integrity";
  log.Event(8, eventlog::kEvIpl, AsBytes(text), digest);
  EXPECT_THAT(Values(JudgeLog(log.Finish()), "kernelLockdown"), IsEmpty());

  LogBuilder honest = WithText("kernel_cmdline: /vmlinuz nokaslr", "/vmlinuz nokaslr");
  honest.Event(8, eventlog::kEvIpl, AsBytes(text), digest);
  const Verdict both = JudgeLog(honest.Finish());
  EXPECT_THAT(Values(both, "kaslrDisabled"), ElementsAre(ClaimValue(true)));
  EXPECT_THAT(Values(both, "kernelLockdown"), ElementsAre(Text("none")));
}

// GRUB's digests do not cover the label before the text.
TEST(Attack, A37_CommandLineRelabelledAsACommandYieldsNoClaim) {
  LogBuilder log = WithText("grub_cmd: /vmlinuz nokaslr", "/vmlinuz nokaslr");
  const auto harmless = crypto::Hash(HashAlg::kSha256, AsBytes("/vmlinuz quiet"));
  log.Event(8, eventlog::kEvIpl, AsBytes("kernel_cmdline: /vmlinuz quiet"),
            {{0x000b, ToBytes(harmless.view())}});
  EXPECT_THAT(Values(JudgeLog(log.Finish()), "kaslrDisabled"), IsEmpty());
}

// Nor are types: under each of these the digest covers the same text.
TEST(Attack, A37_CommandLineUnderAnotherTypeIsNotReplacedByAFakeOne) {
  const Bytes grub = ToBytes(AsBytes("/vmlinuz nokaslr"));
  const Bytes stub = Utf16("ro nokaslr");
  const struct {
    uint32_t index;
    uint32_t type;
    Bytes data;
  } rows[] = {
      {8, eventlog::kEvEfiAction, grub},   {8, eventlog::kEvSeparator, grub},
      {8, eventlog::kEvCompactHash, grub}, {12, eventlog::kEvEfiAction, stub},
      {12, eventlog::kEvEventTag, stub},
  };
  for (const auto& row : rows) {
    for (const uint32_t fake : {8u, 12u, 13u}) {
      LogBuilder log = testing::FirmwareLog({HashAlg::kSha256});
      log.Event(row.index, row.type, row.data);
      const auto harmless = crypto::Hash(HashAlg::kSha256, AsBytes("/vmlinuz lockdown=integrity"));
      log.Event(fake, eventlog::kEvIpl, AsBytes("kernel_cmdline: /vmlinuz lockdown=integrity"),
                {{0x000b, ToBytes(harmless.view())}});
      const Verdict verdict = JudgeLog(log.Finish());
      EXPECT_THAT(Values(verdict, "kernelLockdown"), IsEmpty()) << row.type << " " << fake;
      EXPECT_THAT(Values(verdict, "kernelCommandLine"), IsEmpty()) << row.type << " " << fake;
    }
  }
}

// A line that cannot be told in one register is not made up for by one in another.
TEST(Attack, A37_UncoveredCommandLineIsNotReplacedByOneInAnotherRegister) {
  LogBuilder log = WithText("kernel_cmdline: /vmlinuz", "/vmlinuz nokaslr");
  log.Event(12, eventlog::kEvIpl, Utf16("lockdown=integrity"));
  EXPECT_THAT(Values(JudgeLog(log.Finish()), "kernelLockdown"), IsEmpty());
}

TEST(Attack, A37_ManyCommandLinesDoNotPushOneOut) {
  LogBuilder log = testing::FirmwareLog({HashAlg::kSha256});
  for (int i = 0; i < 300; ++i) log.Event(12, eventlog::kEvIpl, Utf16("lockdown=integrity"));
  const auto real = crypto::Hash(HashAlg::kSha256, AsBytes("/vmlinuz nokaslr"));
  log.Event(8, eventlog::kEvIpl, AsBytes("kernel_cmdline: /vmlinuz nokaslr"),
            {{0x000b, ToBytes(real.view())}});
  EXPECT_THAT(Values(JudgeLog(log.Finish()), "kaslrDisabled"), Not(Contains(ClaimValue(false))));
}

TEST(Attack, A37_VariableThatTheDigestContradictsIsDenied) {
  LogBuilder log = LogBuilder::CryptoAgile({HashAlg::kSha256});
  log.Event(0, eventlog::kEvSCrtmVersion, AsBytes("version 1"));
  const auto off = crypto::Hash(HashAlg::kSha256, testing::SecureBootVariable(0));
  log.Event(7, kVariable, testing::SecureBootVariable(1), {{0x000b, ToBytes(off.view())}});
  for (uint32_t i = 0; i < 8; ++i) log.Event(i, eventlog::kEvSeparator, kZeros);
  const Verdict verdict = JudgeLog(log.Finish());
  EXPECT_THAT(Failing(verdict), ElementsAre("LOG_EVENT_DIGEST"));
  EXPECT_THAT(Values(verdict, "secureBootEnabled"), IsEmpty());
}

// ---- A38

Bytes Locality(uint8_t value) {
  bytes::Writer out;
  out.Raw(AsBytes(absl::string_view("StartupLocality\0", 16))).U8(value);
  return out.Finish();
}

TEST(Attack, A38_NotesThatPlayGamesAreDenied) {
  const auto no_action = eventlog::kEvNoAction;
  const Bytes spec = ToBytes(AsBytes(absl::string_view("Spec ID Event03\0", 16)));
  const std::vector<std::pair<const char*, Bytes>> rows = {
      {"late locality", LogWith({}, {{no_action, Locality(3)}}, 0)},
      {"locality twice", Joined(LogWith({}), Tail(LogBuilder::CryptoAgile({HashAlg::kSha256})
                                                      .Event(0, no_action, Locality(0))
                                                      .Event(0, no_action, Locality(3)),
                                                  LogBuilder::CryptoAgile({HashAlg::kSha256})))},
      {"second header", LogWith({{no_action, spec}}, {}, 0)},
      {"digest", LogBuilder(testing::FirmwareLog({HashAlg::kSha256}))
                     .Event(6, no_action, AsBytes("x"), {{0x000b, Bytes(32, 1)}})
                     .Finish()},
  };
  for (const auto& [name, log] : rows) {
    const Verdict verdict = JudgeLog(log);
    EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny) << name;
    EXPECT_THAT(Failing(verdict), Each(std::string("LOG_NO_ACTION"))) << name;
    EXPECT_THAT(Failing(verdict), Not(IsEmpty())) << name;
  }
}

TEST(Attack, A38_NotesYieldNoClaims) {
  const Bytes plain = LogWith({kSecureBootOn});
  const Bytes noted =
      LogWith({{eventlog::kEvNoAction, ToBytes(AsBytes("UEFI Debug Mode"))}, kSecureBootOn});
  EXPECT_EQ(JudgeLog(plain).claims, JudgeLog(noted).claims);
}

// ---- A39

TEST(Attack, A39_WhatStandsInTheWrongPlaceIsDenied) {
  const Bytes off = testing::SecureBootVariable(0);
  const struct {
    const char* name;
    Bytes log;
    const char* code;
  } rows[] = {
      {"second SecureBoot", LogWith({{kVariable, off}, kSecureBootOn}), "LOG_SB_DUPLICATE"},
      {"second PK",
       LogWith({{kVariable, GlobalVariable("PK", {})}, {kVariable, GlobalVariable("PK", {})}}),
       "LOG_SB_DUPLICATE"},
      {"SecureBoot after the separator", LogWith({}, {kSecureBootOn}), "LOG_AFTER_SEPARATOR"},
      {"firmware after the separator",
       LogWith({}, {{eventlog::kEvEfiPlatformFirmwareBlob, Bytes(16, 0)}}, 0),
       "LOG_AFTER_SEPARATOR"},
      {"error separator",
       LogBuilder(LogBuilder::CryptoAgile({HashAlg::kSha256})
                      .Event(0, eventlog::kEvSCrtmVersion, AsBytes("v"))
                      .Event(0, eventlog::kEvSeparator, Bytes{1, 0, 0, 0})
                      .Raw(Tail(testing::FirmwareLog({HashAlg::kSha256}),
                                LogBuilder::CryptoAgile({HashAlg::kSha256})
                                    .Event(0, eventlog::kEvSCrtmVersion, AsBytes("version 1"))
                                    .Event(7, kVariable, testing::SecureBootVariable(1))
                                    .Event(0, eventlog::kEvSeparator, kZeros))))
           .Finish(),
       "LOG_SEPARATOR"},
      {"two separators", LogWith({}, {{eventlog::kEvSeparator, kZeros}}, 3), "LOG_SEPARATOR"},
      {"no separator",
       LogBuilder(LogBuilder::CryptoAgile({HashAlg::kSha256})
                      .Event(0, eventlog::kEvSCrtmVersion, AsBytes("v"))
                      .Event(0, eventlog::kEvSeparator, kZeros))
           .Finish(),
       "LOG_SEPARATOR"},
  };
  for (const auto& row : rows) {
    const Verdict verdict = JudgeLog(row.log);
    EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny) << row.name;
    EXPECT_THAT(Failing(verdict), Each(std::string(row.code))) << row.name;
    EXPECT_THAT(Failing(verdict), Not(IsEmpty())) << row.name;
    if (!absl::StrContains(row.name, "SecureBoot")) continue;
    EXPECT_THAT(Values(verdict, "secureBootEnabled"), IsEmpty()) << row.name;
  }
}

TEST(Attack, A39_SeparatorIsMissedInEachOfPcr0To7) {
  for (uint32_t missing = 0; missing < 8; ++missing) {
    LogBuilder log = LogBuilder::CryptoAgile({HashAlg::kSha256});
    log.Event(0, eventlog::kEvSCrtmVersion, AsBytes("version 1"));
    for (uint32_t i = 0; i < 8; ++i) {
      if (i != missing) log.Event(i, eventlog::kEvSeparator, kZeros);
    }
    const Verdict verdict = JudgeLog(log.Finish());
    ASSERT_THAT(Failing(verdict), ElementsAre("LOG_SEPARATOR")) << missing;
    EXPECT_EQ(verdict.findings[0].register_index, missing);
  }
}

// ---- A40

// An EFI_SIGNATURE_LIST of SHA-256 hashes with these sizes and `rest` bytes behind its header.
Bytes SignatureList(uint32_t list_size, uint32_t header_size, uint32_t signature_size,
                    size_t rest) {
  bytes::Writer out;
  out.Raw(Guid("2616c4c14c509240aca941f936934328"));
  out.U32Le(list_size).U32Le(header_size).U32Le(signature_size).Raw(Bytes(rest, 0x77));
  return out.Finish();
}

TEST(Attack, A40_MalformedSignatureListsAreDeniedAndNothingOfThemIsUsed) {
  const struct {
    const char* name;
    Bytes list;
  } rows[] = {
      {"size 0", SignatureList(76, 0, 0, 48)},
      {"size 15", SignatureList(76, 0, 15, 48)},
      {"list shorter than its header", SignatureList(27, 0, 48, 48)},
      {"header larger than the list", SignatureList(76, 0x1000, 48, 48)},
      {"header underflows", SignatureList(28, 0xffffffff, 48, 48)},
      {"list larger than the data", SignatureList(0x7fffffff, 0, 48, 48)},
      {"not a multiple", SignatureList(28 + 50, 0, 48, 50)},
      {"cut", Bytes(20, 1)},
  };
  for (const char* name : {"db", "dbx"}) {
    for (const auto& row : rows) {
      const Bytes variable = VariableData(SecurityGuid(), Utf16(name), row.list);
      const Verdict verdict = JudgeLog(LogWith({kSecureBootOn, {kVariable, variable}}));
      EXPECT_THAT(Failing(verdict), ElementsAre("LOG_ESL")) << name << ", " << row.name;
      EXPECT_THAT(Values(verdict, "dbxEntryCount"), IsEmpty()) << row.name;
      EXPECT_THAT(Values(verdict, "secureBootAllowedKey"), IsEmpty()) << row.name;
    }
  }
  const Bytes good = VariableData(SecurityGuid(), Utf16("dbx"), SignatureList(76, 0, 48, 48));
  EXPECT_THAT(Values(JudgeLog(LogWith({{kVariable, good}})), "dbxEntryCount"),
              ElementsAre(ClaimValue(int64_t{1})));
}

// ---- A41-A44

TEST(Attack, A41_CutPaddedAndEmptyLogsHaveTheirOwnCodes) {
  const Bytes whole = LogWith({kSecureBootOn});
  const RegisterBank bank = testing::Registers(whole, {}, HashAlg::kSha256);
  const Bytes cut(whole.begin(), whole.end() - 3);
  EXPECT_THAT(Failing(JudgeRegisters(cut, bank)), Contains("LOG_TRUNCATED"));
  const Bytes trailing = Joined(whole, Bytes(64, 'A'));
  EXPECT_THAT(Failing(JudgeRegisters(trailing, bank)), ElementsAre("LOG_TRAILING"));
  const Bytes padded = Joined(whole, Bytes(64, 0xff));
  EXPECT_EQ(JudgeRegisters(padded, bank).outcome, OutcomeClass::kAdmit);
  const Verdict missing = JudgeRegisters({}, bank);
  EXPECT_THAT(Failing(missing), ElementsAre("LOG_MISSING"));
  EXPECT_THAT(missing.findings[0].text, HasSubstr("virtual TPMs"));
}

TEST(Attack, A42_RegisterOutOfRangeIsDenied) {
  const Bytes whole = LogWith({kSecureBootOn});
  const RegisterBank bank = testing::Registers(whole, {}, HashAlg::kSha256);
  for (const uint32_t index : {24u, 32u, 0xffffffffu}) {
    LogBuilder log = testing::FirmwareLog({HashAlg::kSha256});
    const Bytes bytes = log.Event(index, eventlog::kEvIpl, AsBytes("x")).Finish();
    EXPECT_THAT(Failing(JudgeRegisters(bytes, bank)), ElementsAre("LOG_PCR_INDEX")) << index;
  }
}

TEST(Attack, A43_DigestTablesThatLieAreDenied) {
  const RegisterBank bank = testing::Registers(LogWith({kSecureBootOn}), {}, HashAlg::kSha256);
  const std::vector<std::vector<TpmDigest>> rows = {
      {},                                                // no digest
      {{0x000b, Bytes(32, 1)}, {0x000b, Bytes(32, 2)}},  // twice
      {{0x000b, Bytes(32, 1)}, {0x000c, Bytes(48, 2)}},  // one more than announced
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    LogBuilder log = testing::FirmwareLog({HashAlg::kSha256});
    const Bytes bytes = log.Event(5, eventlog::kEvEfiAction, AsBytes("x"), rows[i]).Finish();
    const Verdict verdict = JudgeRegisters(bytes, bank);
    EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny) << i;
    EXPECT_THAT(Failing(verdict), Contains("LOG_DIGESTS")) << i;
  }
}

TEST(Attack, A44_BombsAreLimits) {
  const RegisterBank bank = testing::Registers(LogWith({kSecureBootOn}), {}, HashAlg::kSha256);
  bytes::Writer event;
  event.U32Le(5).U32Le(eventlog::kEvEfiAction).U32Le(1).U16Le(0x000b).Raw(Bytes(32, 1));
  event.U32Le(0xfffffffe);
  const Bytes huge = Joined(LogWith({kSecureBootOn}), event.Finish());
  EXPECT_THAT(Failing(JudgeRegisters(huge, bank)), Contains("LOG_LIMIT"));
  LogBuilder many = testing::FirmwareLog({HashAlg::kSha256});
  for (size_t i = 0; i < eventlog::kMaxEvents; ++i) many.Event(5, 0x12345, {});
  const Verdict verdict = JudgeRegisters(many.Finish(), bank);
  EXPECT_THAT(Failing(verdict), Contains("LOG_LIMIT"));
  EXPECT_LT(verdict.findings.size(), 2000u);
}

// ---- A45

TEST(Attack, A45_NameUnderAVendorsGuidIsNotSecureBoot) {
  const Bytes vendor = VariableData(Bytes(16, 0x42), Utf16("SecureBoot"), Bytes{1});
  const Verdict verdict = JudgeLog(LogWith({{kVariable, vendor}}));
  EXPECT_EQ(verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_THAT(Values(verdict, "secureBootEnabled"), IsEmpty());
}

TEST(Attack, A45_NamesThatAreNoTextAreDenied) {
  const Bytes rows[] = {
      Bytes{0x00, 0xd8, 'x', 0},                     // unpaired surrogate
      Bytes{0x00, 0xdc},                             // low surrogate alone
      Utf16(absl::string_view("SecureBoot\0", 11)),  // NUL in the name
  };
  for (const Bytes& name : rows) {
    const Verdict verdict =
        JudgeLog(LogWith({{kVariable, VariableData(GlobalGuid(), name, Bytes{1})}}));
    EXPECT_THAT(Failing(verdict), ElementsAre("LOG_STRING"));
    EXPECT_THAT(Values(verdict, "secureBootEnabled"), IsEmpty());
  }
}

TEST(Attack, A45_ActionsAreComparedInFullLength) {
  for (const absl::string_view text : {"UEFI Debug Mod", "UEFI Debug ModeX", "uefi debug mode"}) {
    const Verdict verdict = JudgeLog(LogWith({{eventlog::kEvEfiAction, ToBytes(AsBytes(text))}}));
    EXPECT_THAT(Values(verdict, "uefiDebugModeEnabled"), ElementsAre(ClaimValue(false))) << text;
  }
}

// ---- A46

TEST(Attack, A46_FirmwareRegisterWithoutEventsIsDenied) {
  LogBuilder log = LogBuilder::CryptoAgile({HashAlg::kSha256});
  log.Event(0, eventlog::kEvSCrtmVersion, AsBytes("version 1"));
  for (uint32_t i = 0; i < 8; ++i) {
    if (i != 5) log.Event(i, eventlog::kEvSeparator, kZeros);
  }
  const Bytes bytes = log.Finish();
  RegisterBank bank = testing::Registers(bytes, {}, HashAlg::kSha256);
  bank.Set(5, crypto::Hash(HashAlg::kSha256, AsBytes("who knows")));
  const Verdict verdict = JudgeRegisters(bytes, bank);
  EXPECT_THAT(Failing(verdict), ElementsAre("PCR_UNEXPLAINED"));
  EXPECT_EQ(verdict.findings[0].register_index, 5u);
}

TEST(Attack, A46_LogOfOtherRegistersThanPcrsExplainsNoPcr) {
  const Bytes log = CorpusFile("eventlogs/ccel-sha384.bin");
  const Verdict verdict = JudgeRegisters(log, testing::Registers(log, {}, HashAlg::kSha384));
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Failing(verdict), ElementsAre("LOG_SPEC_ID"));
  EXPECT_EQ(Values(verdict, "bootLogReplayed"), std::vector<ClaimValue>{false});
}

// The end of the true boot log, told as systemd's.
TEST(Attack, A46_EndOfTheBootLogMovedIntoTheUserSpaceLogIsDenied) {
  const Bytes boot = LogWith({kSecureBootOn});
  const auto judge = [&](const CelBuilder& user, absl::string_view measured, uint32_t index) {
    RegisterBank bank = testing::Registers(boot, {}, HashAlg::kSha256);
    bank.Extend(index, crypto::Hash(HashAlg::kSha256, AsBytes(measured)).view());
    const tpm2::QuotedPcrs quoted = testing::QuoteOver({bank});
    const Bytes user_log = user.Build();
    JudgeInput input{.quoted = quoted, .boot_log = boot, .ima = {}};
    input.user_log = user_log;
    input.logs_bound = true;
    input.policy = &PermitAll();
    return Failing(Judge(input));
  };
  for (const uint32_t index : {0u, 4u, 7u, 8u, 9u, 11u, 12u, 14u}) {
    const CelBuilder hidden = CelBuilder().Secret(index, "of tomorrow", "text", "a loader");
    EXPECT_THAT(judge(hidden, "a loader", index), ElementsAre("CEL_REGISTER")) << index;
  }
  for (const uint32_t index : {4u, 7u, 8u, 9u}) {
    const CelBuilder text = CelBuilder().Pcr(index, "phase", "/vmlinuz quiet");
    EXPECT_THAT(judge(text, "/vmlinuz quiet", index), ElementsAre("CEL_REGISTER")) << index;
  }
  for (const uint32_t index : {0u, 7u, 9u, 11u, 12u, 14u}) {
    const CelBuilder honest = CelBuilder().Pcr(index, "os-separator", "os-separator");
    EXPECT_THAT(judge(honest, "os-separator", index), IsEmpty()) << index;
  }
}

// ---- A47: true logs of bad states, denied by the policies that we ship

std::string ShippedPolicy(absl::string_view name) {
  return ReadTextFile(absl::StrCat(bootgate::testing::SourcePath("deploy/policies/"), name),
                      1 << 20)
      .value();
}

Verdict JudgeByShipped(ByteView log, absl::string_view name) {
  const policy::Policy policy = ReadPolicy(ShippedPolicy(name));
  const tpm2::QuotedPcrs quoted =
      testing::QuoteOver({testing::Registers(log, {}, HashAlg::kSha256)});
  JudgeInput input{.quoted = quoted, .boot_log = log, .ima = {}};
  input.logs_bound = true;
  input.policy = &policy;
  Claim validated;
  validated.type = "aikValidated";
  validated.value = true;
  input.extra_claims = {validated};
  return Judge(input);
}

TEST(Attack, A47_DebuggersAreDeniedByTheShippedPolicy) {
  const struct {
    const char* name;
    Bytes log;
    const char* claim;
  } rows[] = {
      {"UEFI debug mode",
       LogWith({{eventlog::kEvEfiAction, ToBytes(AsBytes("UEFI Debug Mode"))}, kSecureBootOn}),
       "uefiDebugModeEnabled"},
      {"DMA protection",
       LogWith({kSecureBootOn},
               {{eventlog::kEvEfiAction, ToBytes(AsBytes("DMA Protection Disabled"))}}),
       "dmaProtectionDisabled"},
      {"kernel debugger",
       WithText("kernel_cmdline: /vmlinuz kgdboc=ttyS0", "/vmlinuz kgdboc=ttyS0").Finish(),
       "kernelDebugEnabled"},
      {"first program", WithText("kernel_cmdline: /v init=/bin/sh", "/v init=/bin/sh").Finish(),
       "initOverridden"},
      {"debug shell",
       WithText("kernel_cmdline: /v systemd.debug_shell", "/v systemd.debug_shell").Finish(),
       "debugShellEnabled"},
  };
  EXPECT_EQ(JudgeByShipped(GoodLog(), "no-debugging.policy").outcome, OutcomeClass::kAdmit);
  for (const auto& row : rows) {
    const Verdict verdict = JudgeByShipped(row.log, "no-debugging.policy");
    EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny) << row.name;
    EXPECT_THAT(Failing(verdict), ElementsAre("POLICY_DENY")) << row.name;
    EXPECT_THAT(Values(verdict, row.claim), ElementsAre(ClaimValue(true))) << row.name;
  }
}

// The good boot's authority, and a dbx with one published hash.
Bytes DbxWith(absl::string_view hash) {
  bytes::Writer out;
  out.Raw(Guid("2616c4c14c509240aca941f936934328")).U32Le(76).U32Le(0).U32Le(48);
  out.Raw(Bytes(16, 0)).Raw(Guid(hash));
  return VariableData(SecurityGuid(), Utf16("dbx"), out.Finish());
}
constexpr absl::string_view kPublished2016 =
    "075eea060589548ba060b2feed10da3c20c7fe9b17cd026b94e8a683b8115238";
constexpr absl::string_view kPublished2024 =
    "0690eadbd2302957bf7912c2851c33463c855c10ad226a11bbfdc8d69d8a14b3";

Bytes AuthorityOf(ByteView log_bytes) {
  const eventlog::Log log = eventlog::Log::Parse(log_bytes);
  for (const Event& event : log.events()) {
    if (event.untrusted_type == eventlog::kEvEfiVariableAuthority) return ToBytes(event.data);
  }
  return {};
}

Bytes CurrentLog(absl::string_view hash, const Bytes& authority, absl::string_view sbat) {
  const Bytes shim = Guid("50ab5d6046e00043abb63dd810dd8b23");
  const Bytes level = VariableData(shim, Utf16("SbatLevel"), AsBytes(sbat));
  return LogWith(
      {kSecureBootOn, {kVariable, DbxWith(hash)}},
      {{eventlog::kEvEfiVariableAuthority, authority}, {eventlog::kEvEfiVariableAuthority, level}});
}

TEST(Attack, A47_OldSecureBootIsDeniedByTheShippedPolicy) {
  constexpr absl::string_view kPolicy = "secure-boot-current.policy";
  constexpr absl::string_view kSbat = "sbat,1,2023012900\nshim,2\ngrub,3\n";
  const Bytes microsoft = AuthorityOf(GoodLog());
  const Bytes other = AuthorityOf(CorpusFile("eventlogs/systemd-stub-t480s.bin"));
  const Verdict current = JudgeByShipped(CurrentLog(kPublished2024, microsoft, kSbat), kPolicy);
  EXPECT_EQ(current.outcome, OutcomeClass::kAdmit);
  EXPECT_THAT(Values(current, "sbatLevel"), ElementsAre(ClaimValue(int64_t{2023012900})));
  const struct {
    const char* name;
    Bytes log;
  } rows[] = {
      {"old dbx", CurrentLog(kPublished2016, microsoft, kSbat)},
      {"another authority", CurrentLog(kPublished2024, other, kSbat)},
      {"old SBAT level", CurrentLog(kPublished2024, microsoft, "sbat,1,2021030218\n")},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(Failing(JudgeByShipped(row.log, kPolicy)), ElementsAre("POLICY_DENY")) << row.name;
  }
  const Bytes no_dbx = LogWith({kSecureBootOn}, {{eventlog::kEvEfiVariableAuthority, microsoft}});
  EXPECT_THAT(Failing(JudgeByShipped(no_dbx, kPolicy)), ElementsAre("POLICY_NOT_PERMITTED"));
}

// ---- A48

// The evidence has no place for claims: what a host writes into its log stays text.
TEST(Attack, A48_ClaimsThatAHostWritesAreNone) {
  const Bytes json = ToBytes(
      AsBytes(R"([{"type":"secureBootEnabled","value":true,"issuer":"AttestationService"}])"));
  const Bytes log =
      LogWith({{eventlog::kEvNoAction, json}, {kVariable, testing::SecureBootVariable(0)}},
              {{eventlog::kEvEfiAction, json}});
  const Verdict verdict = JudgeLog(log);
  EXPECT_THAT(Values(verdict, "secureBootEnabled"), ElementsAre(ClaimValue(false)));
}

TEST(Attack, A48_ClaimsOfAPolicyAreNotTheServices) {
  const policy::Policy policy = ReadPolicy(
      "version=1.0;\nauthorizationrules {\n"
      "  => add(type=\"vouched\", value=true);\n"
      "  [type==\"vouched\", issuer==\"AttestationService\"] => permit();\n};\n"
      "issuancerules { };\n");
  EXPECT_EQ(JudgeLog(LogWith({kSecureBootOn}), policy).outcome, OutcomeClass::kDeny);
}

}  // namespace
}  // namespace bootgate::gatekeeper::admission

// A host whose systemd extends registers after the boot log's end: its measurement log explains
// them, and nothing else does.
#include <map>

#include "common/cel/log.h"
#include "common/cel/log_builder.h"
#include "common/cel/replay.h"
#include "tests/attack/victim.h"

namespace bootgate::attack {
namespace {

using gatekeeper::admission::Decision;
using testing::CelBuilder;

constexpr absl::string_view kPhases[] = {"enter-initrd", "leave-initrd", "sysinit", "ready"};

// As systemd 255 measures: phases into PCR 11, identity into PCR 15.
CelBuilder Systemd255() {
  CelBuilder log;
  for (const absl::string_view phase : kPhases) log.Pcr(11, "phase", phase);
  log.Secret(15, "volume-key", "cryptsetup:root:6c1e3a52", "an HMAC");
  log.Pcr(15, "machine-id", "machine-id:0f1e2d3c4b5a69788796a5b4c3d2e1f0");
  return log;
}

// As systemd 262 does: a separator into the firmware's registers, too, and NvPCRs.
CelBuilder Systemd262() {
  CelBuilder log;
  for (const uint32_t pcr : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 9u, 12u, 13u, 14u})
    log.Pcr(pcr, "os-separator", "os-separator");
  log.Pcr(9, "nvpcr-init", "nvpcr-init:hardware:0x1d10200:000b00");
  log.Nv(0x01d10200, "hardware", "product-id", "product-id:missing");
  for (const absl::string_view phase : kPhases) log.Pcr(11, "phase", phase);
  return log;
}

GateOptions QuotingPcr15() {
  GateOptions options;
  options.selection = registers::ParseSelection("sha256:0-15").value();
  return options;
}

class UserLogAttack : public ::testing::Test {
 protected:
  UserLogAttack() : gate_(QuotingPcr15()), client_(gate_.Direct()) {}

  // systemd measured all this: the registers move on, and the log tells of it.
  SoftHost HostThatMeasured(const CelBuilder& log) {
    SoftHost host = gate_.NewHost();
    host.boot.user_log = log.Build();
    const cel::Log parsed = cel::Log::Parse(host.boot.user_log);
    for (registers::RegisterBank& bank : host.boot.registers) {
      if (bank.alg() == crypto::HashAlg::kSha256) bank = cel::ReplayBank(parsed, bank).bank;
    }
    return host;
  }

  // The host's answer with another log, bound by a quote of its own TPM.
  absl::StatusOr<Decision> AnswerWith(SoftHost& host, const Bytes& user_log) {
    const agent::Challenge challenge = host.Ask(*client_).value();
    evidence::Evidence evidence = host.Answer(challenge);
    evidence.user_log = user_log;
    host.Sign(challenge, &evidence);
    return gate_.admission.Decide({}, evidence);
  }

  Gate gate_;
  const std::unique_ptr<agent::GatekeeperClient> client_;
};

bool Has(const gatekeeper::Verdict& verdict, Reason reason) {
  for (const gatekeeper::Finding& finding : verdict.findings) {
    if (finding.code == reason) return true;
  }
  return false;
}

std::string CheckedIn(const Decision& decision) {
  std::string out;
  for (const std::string& row : decision.verdict.coverage.checked) absl::StrAppend(&out, row, "\n");
  return out;
}

TEST_F(UserLogAttack, HostIsAdmittedWithItsLog) {
  SoftHost host = HostThatMeasured(Systemd255());
  BG_ASSERT_OK_AND_ASSIGN(const Decision decision, AnswerWith(host, host.boot.user_log));
  EXPECT_EQ(decision.verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_THAT(CheckedIn(decision),
              ::testing::HasSubstr("user-space log replayed to quoted PCR 11,15 (sha256)"));
  std::map<std::string, gatekeeper::ClaimValue> claims;
  for (const gatekeeper::Claim& claim : decision.verdict.claims) claims[claim.type] = claim.value;
  EXPECT_EQ(claims["userLogReplayed"], gatekeeper::ClaimValue(true));
  EXPECT_EQ(claims["userLogPhase"], gatekeeper::ClaimValue(std::string("ready")));
}

// Registers that the firmware extended go on with systemd's separator; the kernel's boot_aggregate
// is of the time before.
TEST_F(UserLogAttack, SeparatorInTheFirmwaresRegistersIsExplained) {
  SoftHost host = HostThatMeasured(Systemd262());
  BG_ASSERT_OK_AND_ASSIGN(const Decision decision, AnswerWith(host, host.boot.user_log));
  EXPECT_EQ(decision.verdict.outcome, OutcomeClass::kAdmit)
      << (decision.verdict.findings.empty() ? "" : decision.verdict.findings[0].text);
  EXPECT_THAT(CheckedIn(decision), ::testing::HasSubstr("boot_aggregate"));
}

TEST_F(UserLogAttack, WithoutItsLogTheHostIsDenied) {
  SoftHost phases = HostThatMeasured(Systemd255());
  BG_ASSERT_OK_AND_ASSIGN(const Decision decision, AnswerWith(phases, {}));
  EXPECT_EQ(decision.verdict.outcome, OutcomeClass::kDeny);
  EXPECT_TRUE(Has(decision.verdict, Reason::kPcrUnexplained));
  SoftHost separators = HostThatMeasured(Systemd262());
  BG_ASSERT_OK_AND_ASSIGN(const Decision other, AnswerWith(separators, {}));
  EXPECT_EQ(other.verdict.outcome, OutcomeClass::kDeny);
  EXPECT_TRUE(Has(other.verdict, Reason::kLogPcrMismatch));
}

// Replaces a part of the log's text.
Bytes With(const std::string& log, absl::string_view was, absl::string_view is) {
  const size_t at = log.find(std::string(was));
  EXPECT_NE(at, std::string::npos);
  std::string out = log;
  out.replace(at, was.size(), std::string(is));
  return ToBytes(AsBytes(out));
}

std::string PhaseDigest(absl::string_view phase) {
  return crypto::Hash(crypto::HashAlg::kSha256, AsBytes(phase)).hex();
}

struct Altered {
  const char* name;
  Reason reason;
  Bytes (*log)();
};

const Altered kAltered[] = {
    {"a record left out", Reason::kLogPcrMismatch,
     [] {
       const std::string log = Systemd255().Text();
       return ToBytes(AsBytes(log.substr(log.find('\x1e', 1))));
     }},
    {"a record doubled", Reason::kLogPcrMismatch,
     [] { return Systemd255().Pcr(11, "phase", "ready").Build(); }},
    {"records in another order", Reason::kLogPcrMismatch,
     [] {
       const std::string log = Systemd255().Text();
       const size_t second = log.find('\x1e', 1), third = log.find('\x1e', second + 1);
       return ToBytes(
           AsBytes(log.substr(second, third - second) + log.substr(0, second) + log.substr(third)));
     }},
    {"a digest altered", Reason::kLogPcrMismatch,
     [] { return With(Systemd255().Text(), PhaseDigest("sysinit"), PhaseDigest("other")); }},
    {"a record moved to another register", Reason::kLogPcrMismatch,
     [] { return With(Systemd255().Text(), "\"pcr\":15", "\"pcr\":14"); }},
    {"a text altered", Reason::kLogEventDigest,
     [] { return With(Systemd255().Text(), "\"string\":\"sysinit\"", "\"string\":\"initsys\""); }},
    {"garbage at the end", Reason::kCelParse,
     [] { return Systemd255().Raw("\x1egarbage\n").Build(); }},
    {"no digest of the quoted bank", Reason::kCelDigests,
     [] { return With(Systemd255().Text(), "sha256", "sm3_256"); }},
    {"a register that does not exist", Reason::kCelRegister,
     [] { return With(Systemd255().Text(), "\"pcr\":11", "\"pcr\":99"); }},
    {"a record nested without end", Reason::kCelLimit,
     [] { return Systemd255().Raw("\x1e{\"x\":" + std::string(50000, '[') + "\n").Build(); }},
};

TEST_F(UserLogAttack, AlteredLogIsDeniedAndTheReasonNamed) {
  for (const Altered& row : kAltered) {
    SoftHost liar = HostThatMeasured(Systemd255());
    BG_ASSERT_OK_AND_ASSIGN(const Decision decision, AnswerWith(liar, row.log()));
    EXPECT_EQ(decision.verdict.outcome, OutcomeClass::kDeny) << row.name;
    EXPECT_TRUE(Has(decision.verdict, row.reason)) << row.name;
    EXPECT_EQ(gate_.TrustOf(liar.id()), Trust::kQuarantined) << row.name;
  }
}

TEST_F(UserLogAttack, SameLogsUnsignedChangeNothing) {
  SoftHost victim = HostThatMeasured(Systemd255());
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer admitted, victim.Attest(*client_));
  ASSERT_EQ(admitted.outcome, "ADMIT");
  const std::string untouched = gate_.Dump();
  for (const Altered& row : kAltered) {
    evidence::Evidence evidence = victim.Answer(victim.Ask(*client_).value());
    evidence.user_log = row.log();
    EXPECT_THAT(client_->Submit(evidence), IsRejectedWith(Reason::kNonceMismatch)) << row.name;
  }
  EXPECT_TRUE(gate_.Dump() == untouched);
}

// A crash while systemd wrote: whether the register moved the quote tells.
TEST_F(UserLogAttack, LastRecordThatBrokeOffIsNotedAndTheRegistersDecide) {
  const std::string cut = "\x1e{\"pcr\":11,\"digests\":[{\"hashAlg\"";
  SoftHost host = HostThatMeasured(Systemd255());
  BG_ASSERT_OK_AND_ASSIGN(const Decision not_extended,
                          AnswerWith(host, Systemd255().Raw(cut).Build()));
  EXPECT_EQ(not_extended.verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_TRUE(Has(not_extended.verdict, Reason::kCelTruncated));
  SoftHost ahead = HostThatMeasured(Systemd255().Pcr(11, "phase", "shutdown"));
  BG_ASSERT_OK_AND_ASSIGN(const Decision extended,
                          AnswerWith(ahead, Systemd255().Raw(cut).Build()));
  EXPECT_EQ(extended.verdict.outcome, OutcomeClass::kDeny);
  EXPECT_TRUE(Has(extended.verdict, Reason::kLogPcrMismatch));
}

// Both logs are judged by the same rule: what is frozen with an incident holds both.
TEST_F(UserLogAttack, IncidentKeepsTheLog) {
  SoftHost liar = HostThatMeasured(Systemd255());
  const Bytes log = Systemd255().Pcr(11, "phase", "ready").Build();
  BG_ASSERT_OK_AND_ASSIGN(const Decision decision, AnswerWith(liar, log));
  ASSERT_EQ(decision.verdict.outcome, OutcomeClass::kDeny);
  BG_ASSERT_OK_AND_ASSIGN(const Bytes frozen,
                          gate_.store->GetBlob(crypto::Hash(crypto::HashAlg::kSha256, log).hex()));
  EXPECT_EQ(frozen, log);
}

}  // namespace
}  // namespace bootgate::attack

// A known host's TPM over time, through the whole gate: rolled back, cleared, reset alone, cloned,
// exchanged, with weak firmware.
#include <sstream>

#include "common/base/exit_code.h"
#include "common/crypto/hash.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/enroll/ek_documents.h"
#include "gatekeeper/fleet/changes.h"
#include "gmock/gmock.h"
#include "tests/gate/gate.h"

namespace bootgate::gate {
namespace {

using gatekeeper::host::Trust;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Refuses;

bool Has(const agent::AttestAnswer& answer, Reason reason) {
  for (const agent::DisclosedFinding& finding : answer.findings) {
    if (finding.code == Code(reason)) return true;
  }
  return false;
}

class TpmOverTime : public ::testing::Test {
 protected:
  explicit TpmOverTime(const GateOptions& options = {})
      : gate_(options), client_(gate_.Direct()), host_(gate_.NewHost()) {
    host_.clock.clock_ms = 100'000'000;  // room to go back
  }

  // Asked again where the gatekeeper needs the whole list first.
  absl::StatusOr<agent::AttestAnswer> Attest(SoftHost& host) {
    gate_.clock.Advance(absl::Minutes(10));
    absl::StatusOr<agent::AttestAnswer> answer = host.Attest(*client_);
    if (ReasonOf(answer.status()) == Reason::kRetryResync) answer = host.Attest(*client_);
    return answer;
  }
  std::string OutcomeOf(SoftHost& host) {
    const absl::StatusOr<agent::AttestAnswer> answer = Attest(host);
    if (answer.ok()) return answer->outcome;
    const std::optional<Reason> reason = ReasonOf(answer.status());
    return reason.has_value() ? std::string(Code(*reason)) : "no reason";
  }
  struct HostChange {
    std::string host_id, reason, ticket;
  };
  gatekeeper::fleet::Act ActOf(const HostChange& change) const {
    return {.actor = "operator alice",
            .now = gate_.clock.Now(),
            .reason = change.reason,
            .ticket = change.ticket};
  }
  ExitCode Tell(const absl::Status& status) {
    const std::optional<Reason> reason = ReasonOf(status);
    told_ << (reason.has_value() ? Code(*reason) : "") << " " << status.message() << "\n";
    return ExitCodeFor(status);
  }
  ExitCode HostAcceptClear(const HostChange& change) {
    return Tell(
        gatekeeper::fleet::AcceptClear(*gate_.store, change.host_id, ActOf(change)).status());
  }
  ExitCode HostRetire(const HostChange& change) {
    return Tell(gatekeeper::fleet::Retire(*gate_.store, change.host_id, ActOf(change)).status());
  }
  ExitCode HostReinstate(const HostChange& change) {
    return Tell(gatekeeper::fleet::Reinstate(*gate_.store, change.host_id, ActOf(change)).status());
  }
  ExitCode HostSwapTpm(const HostChange& change, const std::string& new_id) {
    return Tell(
        gatekeeper::fleet::SwapTpm(*gate_.store, change.host_id, new_id, ActOf(change)).status());
  }
  ExitCode AcceptClear() {
    return HostAcceptClear({.host_id = host_.id(), .reason = "cleared for resale"});
  }
  std::string LastVerdict(const std::string& id) {
    return gate_.store->GetVerdict(gate_.Host(id).last_verdict_id)->body_json;
  }
  std::vector<std::string> AuditActions() {
    std::vector<std::string> actions;
    const auto rows = gate_.store->ListAudit(0, 1000);
    for (const gatekeeper::store::AuditRow& row : rows.value()) actions.push_back(row.action);
    return actions;
  }

  Gate gate_;
  const std::unique_ptr<agent::GatekeeperClient> client_;
  SoftHost host_;
  std::ostringstream told_;
};

// ---- counters

TEST_F(TpmOverTime, A17_ALineThatWentBackIsRefusedAndRememberedAndMovesNothing) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  SoftHost snapshot = host_.Clone(gate_.vendor);
  snapshot.clock.clock_ms -= 1'000'000;
  EXPECT_EQ(OutcomeOf(snapshot), "CLOCK_ROLLBACK");
  const auto record = gate_.Host(host_.id());
  EXPECT_EQ(record.trust, Trust::kTrusted);
  EXPECT_EQ(record.last_boot->clock_ms, host_.clock.clock_ms);
  ASSERT_TRUE(record.tpm_history.second_line.has_value());
  EXPECT_EQ(record.tpm_history.second_line->boot.clock_ms, snapshot.clock.clock_ms);
  EXPECT_THAT(AuditActions(), Contains("host.rolled_back"));
}

TEST_F(TpmOverTime, A17_RefusalNamesTheWayOut) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  host_.clock = {.clock_ms = 5, .safe = true};
  const absl::Status refused = Attest(host_).status();
  EXPECT_THAT(refused, Refuses(Reason::kClockRollback));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("host accept-clear " + host_.id()));
}

// The boot log is the same byte for byte; only the counter and the kernel tell the boots apart.
TEST_F(TpmOverTime, A17_ANewBootWithTheSameLogIsAttestedFromEntryZero) {
  host_.sends_only_new = true;
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  host_.Reboot();
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge before, host_.Ask(*client_));
  ASSERT_GT(before.ima_first_entry, 0u);
  const evidence::Evidence partial = host_.Answer(before);
  EXPECT_THAT(client_->Submit(partial), Refuses(Reason::kRetryResync));
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge again, host_.Ask(*client_));
  EXPECT_EQ(again.ima_first_entry, 0u);
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, client_->Submit(host_.Answer(again)));
  EXPECT_EQ(answer.outcome, "ADMIT");
}

TEST_F(TpmOverTime, A17_ACrashIsNoRollback) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  host_.Reboot();
  host_.clock.clock_ms -= 50'000;
  host_.clock.safe = false;
  EXPECT_EQ(OutcomeOf(host_), "ADMIT");
  EXPECT_THAT(LastVerdict(host_.id()), HasSubstr(R"("clockSafe","value":false)"));
}

TEST_F(TpmOverTime, A17_AClockThatIsNotSafeIsForThePolicyToDeny) {
  gate_.AssignPolicy(
      "version= 1.2;\nauthorizationrules { c:[type==\"clockSafe\", value==true] => permit(); };\n"
      "issuancerules { };\n");
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  host_.Reboot();
  host_.clock.safe = false;
  EXPECT_EQ(OutcomeOf(host_), "DENY");
}

// ---- reset without a boot

TEST_F(TpmOverTime, A61_ATpmThatWasResetUnderARunningKernelIsDenied) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  ++host_.clock.reset_count;  // the registers are as good as ever: replayed
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, Attest(host_));
  EXPECT_EQ(answer.outcome, "DENY");
  EXPECT_TRUE(Has(answer, Reason::kTpmResetAnomaly));
  EXPECT_EQ(gate_.TrustOf(host_.id()), Trust::kQuarantined);
}

TEST_F(TpmOverTime, A61_ATpmThatWasRestartedWithItsRegistersLostIsDenied) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  ++host_.clock.restart_count;
  for (registers::RegisterBank& bank : host_.boot.registers) {
    for (uint32_t i = 0; i < 16; ++i) bank.Set(i, crypto::Digest(bank.alg()));
  }
  host_.boot.ima.clear();
  host_.boot.ima_entries = 0;
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, Attest(host_));
  EXPECT_EQ(answer.outcome, "DENY");
  EXPECT_TRUE(Has(answer, Reason::kTpmResetAnomaly));
}

TEST_F(TpmOverTime, A61_SleepAndKexecAreNoAnomaly) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  ++host_.clock.restart_count;
  EXPECT_EQ(OutcomeOf(host_), "ADMIT");
  host_.facts.boot_id = "after kexec";
  EXPECT_EQ(OutcomeOf(host_), "ADMIT");
}

// Nobody in between can have a host quarantined by another boot id.
TEST_F(TpmOverTime, A61_TheKernelsBootIdIsBoundByTheQuote) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  const std::string told = host_.facts.boot_id;
  host_.Reboot();
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge challenge, host_.Ask(*client_));
  evidence::Evidence evidence = host_.Answer(challenge);
  evidence.statement.kernel_boot_id = told;
  EXPECT_THAT(client_->Submit(evidence), Refuses(Reason::kNonceMismatch));
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge second, host_.Ask(*client_));
  evidence = host_.Answer(second);
  evidence.statement.kernel_boot_id.clear();
  EXPECT_THAT(client_->Submit(evidence), Refuses(Reason::kNonceMismatch));
  EXPECT_EQ(gate_.TrustOf(host_.id()), Trust::kTrusted);
}

TEST_F(TpmOverTime, AHostThatTellsNoBootIdIsAdmittedAndTheVerdictSaysWhatWasNotChecked) {
  host_.facts.boot_id.clear();
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  EXPECT_THAT(LastVerdict(host_.id()), HasSubstr("a reset of the TPM without a boot"));
}

// ---- clones

TEST_F(TpmOverTime, A35_TwoMachinesWithOneTpmAreBothDenied) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  SoftHost other = host_.Clone(gate_.vendor);
  other.Reboot();
  EXPECT_EQ(OutcomeOf(other), "ADMIT");  // looks like a reboot
  EXPECT_EQ(OutcomeOf(host_), "CLOCK_ROLLBACK");
  EXPECT_EQ(gate_.TrustOf(host_.id()), Trust::kTrusted);
  EXPECT_EQ(OutcomeOf(other), "ADMIT");
  for (SoftHost* machine : {&host_, &other, &host_, &other}) {
    BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, Attest(*machine));
    EXPECT_EQ(answer.outcome, "DENY");
    EXPECT_TRUE(Has(answer, Reason::kTpmCloneSuspected));
    EXPECT_TRUE(answer.drop_credentials);
  }
  EXPECT_EQ(gate_.TrustOf(host_.id()), Trust::kQuarantined);
  EXPECT_THAT(LastVerdict(host_.id()), HasSubstr("reset 7, restart 0"));
  EXPECT_THAT(LastVerdict(host_.id()), HasSubstr("reset 8, restart 0"));
}

TEST_F(TpmOverTime, A35_ACopyThatRunsInStepIsKnownByItsKernel) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  SoftHost other = host_.Clone(gate_.vendor);
  other.facts.boot_id = "of the copy";
  EXPECT_EQ(OutcomeOf(other), "ADMIT");
  host_.clock.clock_ms += 5000;
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, Attest(host_));
  EXPECT_EQ(answer.outcome, "DENY");
  EXPECT_TRUE(Has(answer, Reason::kTpmCloneSuspected));
}

TEST_F(TpmOverTime, A35_OneMachineThatIsRolledBackIsNoClone) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  host_.clock.clock_ms -= 1'000'000;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(OutcomeOf(host_), "CLOCK_ROLLBACK");
  host_.clock.clock_ms += 2'000'000;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(OutcomeOf(host_), "ADMIT");
  EXPECT_EQ(gate_.TrustOf(host_.id()), Trust::kTrusted);
}

TEST_F(TpmOverTime, AnAnswerThatWasOvertakenIsRefusedAndLeavesNothing) {
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge slow, host_.Ask(*client_));
  const evidence::Evidence overtaken = host_.Answer(slow);
  ASSERT_EQ(host_.Attest(*client_)->outcome, "ADMIT");
  const std::string before = gate_.Dump();
  EXPECT_THAT(client_->Submit(overtaken), Refuses(Reason::kClockRollback));
  EXPECT_EQ(gate_.Dump(), before);
}

// ---- TPM2_Clear

TEST_F(TpmOverTime, AClearedTpmIsTakenBackOnAnOperatorsWordOnce) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  host_.clock = {.clock_ms = 5, .safe = true};
  EXPECT_EQ(OutcomeOf(host_), "CLOCK_ROLLBACK");
  EXPECT_EQ(AcceptClear(), ExitCode::kSuccess);
  EXPECT_THAT(AuditActions(), Contains("host.accept-clear"));
  EXPECT_EQ(OutcomeOf(host_), "ADMIT");
  EXPECT_EQ(OutcomeOf(host_), "ADMIT");
  host_.clock = {.clock_ms = 5, .safe = true};
  EXPECT_EQ(OutcomeOf(host_), "CLOCK_ROLLBACK") << "the word was good for once";
}

TEST_F(TpmOverTime, AClearIsNoWayOutOfAQuarantine) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  gate_.ChangeHost(host_.id(), [](auto& record) {
    record.trust = Trust::kRemediated;
    record.quarantined_boot = record.last_boot;
  });
  host_.clock = {.clock_ms = 5, .safe = true};
  ASSERT_EQ(AcceptClear(), ExitCode::kSuccess);
  ASSERT_THAT(Attest(host_), IsOk());
  EXPECT_EQ(gate_.TrustOf(host_.id()), Trust::kRemediated) << "the same boot";
  host_.Reboot();
  ASSERT_THAT(Attest(host_), IsOk());
  EXPECT_EQ(gate_.TrustOf(host_.id()), Trust::kTrusted) << "a boot later than the new start";
}

TEST_F(TpmOverTime, AcceptClearNeedsAReasonAndAHostThatHasSentEvidence) {
  EXPECT_EQ(HostAcceptClear({.host_id = host_.id(), .reason = " "}), ExitCode::kUsage);
  EXPECT_EQ(AcceptClear(), ExitCode::kConflict);
  EXPECT_THAT(told_.str(), HasSubstr("never sent evidence"));
  EXPECT_EQ(HostAcceptClear({.host_id = "h-00000000000000000000000000000000", .reason = "r"}),
            ExitCode::kNotFound);
}

// ---- another TPM in the same machine

class Swap : public TpmOverTime {
 protected:
  Swap() : fresh_(gate_.NewHost()) {
    gate_.ChangeHost(host_.id(), [](auto& record) { record.labels["role"] = "web"; });
    gate_.ChangeHost(fresh_.id(), [](auto& record) {
      record.approved = false;
      record.labels["rack"] = "7";
    });
  }
  ExitCode SwapTpm() {
    return HostSwapTpm({.host_id = host_.id(), .reason = "board died", .ticket = "OPS-1"},
                       fresh_.id());
  }
  SoftHost fresh_;
};

TEST_F(Swap, LinksTheRecordsAndCarriesLabelsButNoTrust) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  ASSERT_EQ(SwapTpm(), ExitCode::kSuccess) << told_.str();
  const auto old = gate_.Host(host_.id()), fresh = gate_.Host(fresh_.id());
  EXPECT_EQ(old.trust, Trust::kRetired);
  EXPECT_EQ(old.replaced_by, fresh_.id());
  EXPECT_EQ(fresh.replaces, host_.id());
  EXPECT_EQ(fresh.trust, Trust::kPending);
  EXPECT_TRUE(fresh.approved);
  EXPECT_EQ(fresh.labels.at("role"), "web");
  EXPECT_EQ(fresh.labels.at("rack"), "7");
  const auto rows = gate_.store->ListCredentials(host_.id());
  ASSERT_THAT(rows, IsOk());
  EXPECT_FALSE(rows->empty());
  for (const auto& row : *rows) EXPECT_TRUE(row.revoked);
  EXPECT_EQ(OutcomeOf(host_), "HOST_RETIRED");
  EXPECT_EQ(OutcomeOf(fresh_), "ADMIT");
  EXPECT_THAT(AuditActions(), Contains("host.swap-tpm").Times(2));
}

TEST_F(Swap, AgainChangesNothing) {
  ASSERT_EQ(SwapTpm(), ExitCode::kSuccess);
  const std::string before = gate_.Dump();
  EXPECT_EQ(SwapTpm(), ExitCode::kSuccess);
  EXPECT_EQ(gate_.Dump(), before);
}

TEST_F(Swap, ThatWasInterruptedIsFinishedByGivingItAgain) {
  gate_.ChangeHost(host_.id(), [&](auto& record) {
    record.replaced_by = fresh_.id();
    record.trust = Trust::kRetired;
  });
  EXPECT_EQ(SwapTpm(), ExitCode::kSuccess) << told_.str();
  EXPECT_EQ(gate_.Host(fresh_.id()).replaces, host_.id());
}

TEST_F(Swap, IsNoWayOutOfAQuarantine) {
  for (const Trust shut_out : {Trust::kQuarantined, Trust::kInvestigating, Trust::kRemediated}) {
    gate_.ChangeHost(host_.id(), [&](auto& record) {
      record.trust = shut_out;
      record.quarantined_boot = gatekeeper::host::BootMark{};
    });
    const std::string before = gate_.Dump();
    EXPECT_EQ(SwapTpm(), ExitCode::kConflict);
    EXPECT_EQ(gate_.Dump(), before);
  }
  // Nor by retiring it first.
  ASSERT_EQ(HostRetire({.host_id = host_.id(), .reason = "r"}), ExitCode::kSuccess);
  EXPECT_EQ(SwapTpm(), ExitCode::kConflict);
  EXPECT_THAT(told_.str(), HasSubstr("QUARANTINED"));
  EXPECT_FALSE(gate_.Host(fresh_.id()).approved);
}

TEST_F(Swap, ToAHostThatIsShutOutOrToItselfOrToNobodyIsRefused) {
  gate_.ChangeHost(fresh_.id(), [](auto& record) { record.trust = Trust::kQuarantined; });
  EXPECT_EQ(SwapTpm(), ExitCode::kConflict);
  EXPECT_EQ(HostSwapTpm({.host_id = host_.id(), .reason = "r"}, host_.id()), ExitCode::kUsage);
  EXPECT_EQ(HostSwapTpm({.host_id = host_.id(), .reason = "r"}, "h-none"), ExitCode::kNotFound);
  EXPECT_EQ(gate_.TrustOf(host_.id()), Trust::kPending) << "nothing was written";
}

TEST_F(Swap, OfAHostThatWasSwappedAlreadyIsRefused) {
  ASSERT_EQ(SwapTpm(), ExitCode::kSuccess);
  SoftHost third = gate_.NewHost();
  EXPECT_EQ(HostSwapTpm({.host_id = host_.id(), .reason = "r"}, third.id()), ExitCode::kConflict);
  EXPECT_EQ(HostSwapTpm({.host_id = third.id(), .reason = "r"}, fresh_.id()), ExitCode::kConflict);
  EXPECT_EQ(HostReinstate({.host_id = host_.id(), .reason = "r"}), ExitCode::kConflict);
}

// ---- out of service and back

TEST_F(TpmOverTime, ARetiredHostIsRefusedUntilItIsReinstatedAndApproved) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  ASSERT_EQ(HostRetire({.host_id = host_.id(), .reason = "sold"}), ExitCode::kSuccess);
  EXPECT_EQ(OutcomeOf(host_), "HOST_RETIRED");
  EXPECT_THAT(host_.Join(*client_, gate_.token), Refuses(Reason::kHostRetired));
  ASSERT_EQ(HostReinstate({.host_id = host_.id(), .reason = "bought back"}), ExitCode::kSuccess);
  EXPECT_EQ(OutcomeOf(host_), "EK_NOT_BOUND");
  ASSERT_THAT(host_.Join(*client_, gate_.token), IsOk());  // this token approves
  EXPECT_EQ(OutcomeOf(host_), "ADMIT");
}

TEST_F(TpmOverTime, RetirementDoesNotClearAQuarantine) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  ++host_.clock.reset_count;
  ASSERT_EQ(OutcomeOf(host_), "DENY");
  ASSERT_EQ(HostRetire({.host_id = host_.id(), .reason = "r"}), ExitCode::kSuccess);
  ASSERT_EQ(HostReinstate({.host_id = host_.id(), .reason = "r"}), ExitCode::kSuccess);
  EXPECT_EQ(gate_.TrustOf(host_.id()), Trust::kQuarantined);
}

// ---- distrust after the host has joined

class Distrust : public TpmOverTime {
 protected:
  void Say(const std::string& digest) {
    const gatekeeper::store::AuditRow audit{.actor = "operator alice", .action = "ek.distrust"};
    ASSERT_THAT(gatekeeper::enroll::AddEkDocument(*gate_.store, gatekeeper::enroll::kEkDistrustKind,
                                                  {.name = digest,
                                                   .title = "stolen batch",
                                                   .text = digest + " stolen batch\n",
                                                   .author = "operator alice",
                                                   .at = gate_.clock.Now()},
                                                  audit),
                IsOk());
  }
  void ExpectDistrusted() {
    ASSERT_EQ(OutcomeOf(host_), "DENY");
    EXPECT_EQ(gate_.TrustOf(host_.id()), Trust::kQuarantined);
    EXPECT_THAT(LastVerdict(host_.id()), HasSubstr("TPM_DISTRUSTED"));
    EXPECT_THAT(LastVerdict(host_.id()), HasSubstr("stolen batch"));
  }
  static std::string DigestOf(ByteView der) {
    return crypto::Hash(crypto::HashAlg::kSha256, der).hex();
  }
};

TEST_F(Distrust, A33_OfTheEkCertificateShowsAtTheNextAttestation) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  Say(DigestOf(host_.ek_certificate));
  ExpectDistrusted();
}

TEST_F(Distrust, A33_OfTheEndorsementKeyShowsAtTheNextAttestation) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  Say(DigestOf(host_.ek.area().Key()->SpkiDer()));
  ExpectDistrusted();
}

TEST_F(Distrust, A33_OfTheVendorsCaShowsAtTheNextAttestation) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  const pki::TrustAnchors vendor = gate_.vendor.Anchors();
  ASSERT_FALSE(vendor.der().empty());
  Say(DigestOf(vendor.der().front()));
  ExpectDistrusted();
}

TEST_F(Distrust, OfAnotherTpmChangesNothing) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  SoftHost other = gate_.NewHost();
  Say(DigestOf(other.ek_certificate));
  EXPECT_EQ(OutcomeOf(host_), "ADMIT");
  EXPECT_EQ(OutcomeOf(other), "DENY");
}

// ---- firmware

class WeakFirmware : public TpmOverTime {
 protected:
  explicit WeakFirmware(bool deny = false)
      : TpmOverTime({.advisories = R"([{"manufacturer": "IFX", "first": "1.2.3.0",
                                        "last": "1.2.3.9", "advisory": "CVE-TEST",
                                        "weakness": "keys can be found"}])",
                     .deny_vulnerable_firmware = deny}) {
    gate_.ChangeHost(host_.id(), [](auto& record) { record.tpm.manufacturer = "id:49465800"; });
  }
};
class WeakFirmwareIsDenied : public WeakFirmware {
 protected:
  WeakFirmwareIsDenied() : WeakFirmware(true) {}
};

TEST_F(WeakFirmware, A33_IsReportedUnlessConfiguredOtherwise) {
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, Attest(host_));
  EXPECT_EQ(answer.outcome, "ADMIT");
  EXPECT_TRUE(Has(answer, Reason::kTpmFirmwareVulnerable));
  EXPECT_THAT(LastVerdict(host_.id()), HasSubstr(R"("tpmAdvisory","value":"CVE-TEST")"));
  EXPECT_THAT(LastVerdict(host_.id()), HasSubstr(R"("tpmFirmwareVersion","value":"1.2.3.4")"));
}

TEST_F(WeakFirmware, A33_IsForThePolicyToDeny) {
  gate_.AssignPolicy(
      "version= 1.2;\nauthorizationrules { c:[type==\"tpmFirmwareVulnerable\", value==false] => "
      "permit(); };\nissuancerules { };\n");
  EXPECT_EQ(OutcomeOf(host_), "DENY");
}

TEST_F(WeakFirmwareIsDenied, A33_UntilItIsUpdated) {
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, Attest(host_));
  EXPECT_EQ(answer.outcome, "DENY");
  EXPECT_TRUE(Has(answer, Reason::kTpmFirmwareVulnerable));
  SoftHost updated = gate_.NewHost();
  gate_.ChangeHost(updated.id(), [](auto& record) { record.tpm.manufacturer = "id:49465800"; });
  updated.firmware_version = 0x000100020003000a;
  EXPECT_EQ(OutcomeOf(updated), "ADMIT");
}

TEST_F(WeakFirmware, AChangeOfVersionIsTold) {
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  EXPECT_EQ(gate_.Host(host_.id()).tpm.firmware, 0x0001000200030004u);
  host_.firmware_version = 0x0001000200040000;
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  EXPECT_THAT(LastVerdict(host_.id()), HasSubstr(R"("tpmFirmwareChanged","value":true)"));
  EXPECT_THAT(LastVerdict(host_.id()), HasSubstr("1.2.4.0, changed from 1.2.3.4"));
}

TEST_F(TpmOverTime, WithoutAMakerNothingIsSaidOfWeaknesses) {
  gate_.ChangeHost(host_.id(), [](auto& record) { record.tpm.manufacturer.clear(); });
  ASSERT_EQ(OutcomeOf(host_), "ADMIT");
  EXPECT_THAT(LastVerdict(host_.id()), HasSubstr("who made the TPM is not known"));
}

}  // namespace
}  // namespace bootgate::gate

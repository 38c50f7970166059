// Out and back again through the whole gate: what findings come to, waivers, the brake, operators.
#include <algorithm>

#include "common/testing/status_matchers.h"
#include "gatekeeper/quarantine/acts.h"
#include "gatekeeper/quarantine/waivers.h"
#include "gmock/gmock.h"
#include "tests/gate/gate.h"

namespace bootgate::gate {
namespace {

namespace quarantine = gatekeeper::quarantine;
namespace softening = gatekeeper::softening;
namespace store = gatekeeper::store;

using gatekeeper::host::Trust;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Refuses;

// What "secure-boot-off" fails in, under the gate's policy.
const std::vector<std::string> kFails = {"POLICY_NOT_PERMITTED"};

class QuarantineGate : public ::testing::Test {
 protected:
  explicit QuarantineGate(const GateOptions& options = {})
      : gate_(options), client_(gate_.Direct()), host_(gate_.NewHost()) {}

  agent::AttestAnswer Attest(SoftHost& host) {
    gate_.clock.Advance(absl::Seconds(10));
    const absl::StatusOr<agent::AttestAnswer> answer = host.Attest(*client_);
    EXPECT_THAT(answer, IsOk());
    return answer.value_or(agent::AttestAnswer());
  }
  void Break(SoftHost& host) { host.Reboot(LoadCase("secure-boot-off")); }
  Trust TrustOf(const SoftHost& host) { return gate_.TrustOf(host.id()); }
  store::IncidentRow Incident(const SoftHost& host) {
    const auto all = gate_.store->ListIncidents(host.id());
    EXPECT_FALSE(all->empty());
    return all->empty() ? store::IncidentRow() : all->back();
  }
  std::vector<std::string> Moves(const SoftHost& host) {
    std::vector<std::string> out;
    const auto changes = gate_.store->ListHostChanges(host.id());
    for (const store::ChangeRow& row : changes.value()) {
      if (row.kind == "trust") out.push_back(row.after);
    }
    return out;
  }
  quarantine::By By(const std::string& name) { return {"operator " + name, gate_.clock.Now(), 0}; }
  // The verbs of the incident, as far as they go with the host.
  void Resolve(const SoftHost& host) {
    ASSERT_THAT(quarantine::Investigate(*gate_.store, By("alice"), host.id()), IsOk());
    store::Commit commit;
    commit.incident = Incident(host);
    commit.incident->state = "resolved";
    commit.incident->resolved_by = "operator alice";
    commit.incident->root_cause = "Secure Boot was switched off for a repair";
    commit.audit.emplace_back();
    ASSERT_THAT(gate_.store->Apply(commit), IsOk());
  }
  void Release(const SoftHost& host) {
    ASSERT_THAT(quarantine::Release(*gate_.store, By("bob"), host.id(), {}), IsOk());
  }

  Gate gate_;
  const std::unique_ptr<agent::GatekeeperClient> client_;
  SoftHost host_;
};

// ---- out, and the one way back

TEST_F(QuarantineGate, ADenyOpensAnIncidentThatTheRecordNames) {
  Attest(host_);
  Break(host_);
  EXPECT_TRUE(Attest(host_).drop_credentials);
  EXPECT_EQ(TrustOf(host_), Trust::kQuarantined);
  EXPECT_EQ(gate_.Host(host_.id()).incident_id, Incident(host_).id);
  EXPECT_EQ(Incident(host_).action, "isolate");
  EXPECT_EQ(Incident(host_).failures, 1);
  const auto events = gate_.store->ListIncidentEvents(Incident(host_).id);
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ(events->front().kind, "opened");
  Attest(host_);
  EXPECT_EQ(Incident(host_).failures, 2);
  EXPECT_EQ(gate_.Host(host_.id()).incident_id, Incident(host_).id);
}

TEST_F(QuarantineGate, TheReturnNeedsReleaseLaterBootAndAdmitAndClosesTheIncident) {
  Attest(host_);
  Break(host_);
  Attest(host_);
  host_.Reboot();
  EXPECT_EQ(Attest(host_).trust, "quarantined") << "a good boot alone";
  Break(host_);
  Attest(host_);  // this boot is the bad one now
  Resolve(host_);
  Release(host_);
  EXPECT_EQ(TrustOf(host_), Trust::kRemediated);
  host_.Reboot();
  const agent::AttestAnswer back = Attest(host_);
  EXPECT_EQ(back.outcome, "ADMIT");
  EXPECT_EQ(back.trust, "trusted");
  EXPECT_EQ(Incident(host_).state, "closed");
  EXPECT_TRUE(Incident(host_).closed_at.has_value());
  EXPECT_EQ(gate_.Host(host_.id()).incident_id, "");
  EXPECT_THAT(Moves(host_), ElementsAre("pending", "trusted", "quarantined", "investigating",
                                        "remediated", "trusted"));
}

TEST_F(QuarantineGate, A81_ADenyAfterTheReleaseOpensTheIncidentAgain) {
  Attest(host_);
  Break(host_);
  Attest(host_);
  Resolve(host_);
  Release(host_);
  Break(host_);
  EXPECT_EQ(Attest(host_).trust, "quarantined");
  EXPECT_EQ(Incident(host_).state, "open");
  EXPECT_EQ(Incident(host_).resolved_by, "");
  EXPECT_EQ(Incident(host_).failures, 2);
  EXPECT_EQ(gate_.store->ListIncidents(host_.id())->size(), 1u);
}

TEST_F(QuarantineGate, AnOperatorsQuarantineHoldsAHostThatPasses) {
  Attest(host_);
  ASSERT_THAT(quarantine::Quarantine(*gate_.store, By("alice"), host_.id(), "the lid was open"),
              IsOk());
  for (int i = 0; i < 3; ++i) {
    const agent::AttestAnswer answer = Attest(host_);
    EXPECT_EQ(answer.outcome, "ADMIT");
    EXPECT_EQ(answer.trust, "quarantined");
    EXPECT_TRUE(answer.drop_credentials);
    host_.Reboot();
  }
  EXPECT_EQ(gate_.Host(host_.id()).why, "the lid was open");
  Resolve(host_);
  Release(host_);
  EXPECT_EQ(Attest(host_).trust, "trusted");
}

// An hour either way between each step: nobody is let back by it, and nobody is kept out.
TEST_F(QuarantineGate, A81_AClockThatJumpsAnHourReleasesNobody) {
  Attest(host_);
  Break(host_);
  Attest(host_);
  for (const absl::Duration jump : {absl::Hours(1), -absl::Hours(2), absl::Hours(1)}) {
    gate_.clock.Advance(jump);
    host_.Reboot();
    EXPECT_EQ(Attest(host_).trust, "quarantined");
  }
  Resolve(host_);
  gate_.clock.Advance(-absl::Hours(1));
  Release(host_);
  host_.Reboot();
  EXPECT_EQ(Attest(host_).trust, "trusted");
}

// ---- actions

class RestrictingGate : public QuarantineGate {
 protected:
  RestrictingGate()
      : QuarantineGate({.actions = softening::ReadActions({.restrict = kFails}).value()}) {}
};

TEST_F(RestrictingGate, StopsRenewalRevokesNothingAndEndsWithAnAdmit) {
  Attest(host_);
  const auto held = gate_.store->ListCredentials(host_.id());
  Break(host_);
  const agent::AttestAnswer answer = Attest(host_);
  EXPECT_EQ(answer.outcome, "DENY");
  EXPECT_EQ(answer.trust, "restricted");
  EXPECT_FALSE(answer.drop_credentials);
  EXPECT_TRUE(answer.sealed.certificate.empty());
  for (const store::CredentialRow& row : held.value())
    EXPECT_FALSE(gate_.store->IsRevoked(row.serial).value()) << row.kind;
  EXPECT_EQ(Incident(host_).action, "restrict");
  EXPECT_EQ(Incident(host_).state, "open");

  host_.Reboot();
  EXPECT_EQ(Attest(host_).trust, "trusted");
  EXPECT_EQ(Incident(host_).state, "open") << "people close it";
}

TEST_F(RestrictingGate, OneFindingMoreIsolatesAndTheIncidentSaysSo) {
  Attest(host_);
  Break(host_);
  Attest(host_);
  ++host_.clock.reset_count;  // TPM_RESET_ANOMALY
  EXPECT_EQ(Attest(host_).trust, "quarantined");
  EXPECT_EQ(Incident(host_).action, "isolate");
  EXPECT_EQ(Incident(host_).failures, 2);
  EXPECT_EQ(gate_.store->ListIncidents(host_.id())->size(), 1u);
}

class ObservingGate : public QuarantineGate {
 protected:
  ObservingGate()
      : QuarantineGate({.actions = softening::ReadActions({.observe = kFails}).value()}) {}
};

TEST_F(ObservingGate, AdmitsAndSaysWhatItLetPass) {
  Break(host_);
  EXPECT_EQ(Attest(host_).outcome, "ADMIT");
  const auto verdict = gate_.store->GetVerdict(gate_.Host(host_.id()).last_verdict_id);
  EXPECT_THAT(verdict->body_json, HasSubstr(R"("action":"observe")"));
}

// ---- waivers

class WaivingGate : public QuarantineGate {
 protected:
  std::string Waive(const std::string& host_id) {
    quarantine::Waiver waiver;
    waiver.findings.emplace_back();
    waiver.findings[0].code = Reason::kPolicyNotPermitted;
    waiver.hosts = {host_id};
    waiver.owner = "team db";
    waiver.reason = "a repair";
    waiver.expires_at = gate_.clock.Now() + absl::Hours(1);
    return quarantine::AddWaiver(*gate_.store, waiver, "operator bob", gate_.clock.Now())
        ->waiver.id;
  }
};

TEST_F(WaivingGate, LetsTheNamedHostPassUntilItExpires) {
  SoftHost other = gate_.NewHost();
  Attest(host_);
  Attest(other);
  const std::string id = Waive(host_.id());
  Break(host_);
  Break(other);
  EXPECT_EQ(Attest(host_).outcome, "ADMIT");
  EXPECT_EQ(Attest(other).outcome, "DENY");
  const auto verdict = gate_.store->GetVerdict(gate_.Host(host_.id()).last_verdict_id);
  EXPECT_THAT(verdict->body_json, HasSubstr("\"waiver\":\"" + id + "\""));
  gate_.clock.Advance(absl::Hours(1));
  EXPECT_EQ(Attest(host_).outcome, "DENY");
  EXPECT_EQ(TrustOf(host_), Trust::kQuarantined);
}

TEST_F(WaivingGate, OneThatIsRevokedLetsNobodyPassFromThenOn) {
  Attest(host_);
  const std::string id = Waive(host_.id());
  Break(host_);
  EXPECT_EQ(Attest(host_).outcome, "ADMIT");
  ASSERT_THAT(
      quarantine::RevokeWaiver(*gate_.store, id, "repaired", "operator bob", gate_.clock.Now()),
      IsOk());
  EXPECT_EQ(Attest(host_).outcome, "DENY");
}

TEST_F(WaivingGate, A81_AHostThatIsShutOutIsNotLetBackByOne) {
  Attest(host_);
  Break(host_);
  Attest(host_);
  Waive(host_.id());
  EXPECT_EQ(Attest(host_).outcome, "DENY");
  Break(host_);
  EXPECT_EQ(Attest(host_).outcome, "DENY");
  EXPECT_EQ(TrustOf(host_), Trust::kQuarantined);
  // Released, it comes back with a later boot, and its waiver counts as that of any other host.
  Resolve(host_);
  Release(host_);
  Break(host_);
  EXPECT_EQ(Attest(host_).trust, "trusted");
}

TEST_F(WaivingGate, NoneCoversAHostWithoutAPolicy) {
  GateOptions options;
  options.policy = "";
  Gate gate(options);
  SoftHost host = gate.NewHost();
  quarantine::Waiver waiver;
  waiver.findings.emplace_back();
  waiver.findings[0].code = Reason::kNoPolicy;
  waiver.hosts = {host.id()};
  waiver.owner = waiver.reason = "x";
  waiver.expires_at = gate.clock.Now() + absl::Hours(1);
  EXPECT_THAT(quarantine::AddWaiver(*gate.store, waiver, "operator bob", gate.clock.Now()),
              Refuses(Reason::kWaiver));
  EXPECT_EQ(host.Attest(*gate.Direct())->outcome, "DENY");
}

// ---- the brake

class BrakingGate : public QuarantineGate {
 protected:
  BrakingGate() : QuarantineGate({.brake = {.on = true, .share_percent = 10, .least = 2}}) {}
};

// A policy that permits nobody would have quarantined everyone.
TEST_F(BrakingGate, ABadPolicyIsHeldAndForgiven) {
  std::vector<SoftHost> hosts;
  for (int i = 0; i < 6; ++i) hosts.push_back(gate_.NewHost());
  for (SoftHost& host : hosts) ASSERT_EQ(Attest(host).trust, "trusted");
  gate_.AssignPolicy("version= 1.2;\nauthorizationrules { => deny(); };\nissuancerules { };\n");
  std::vector<std::string> trusts;
  for (SoftHost& host : hosts) {
    const agent::AttestAnswer answer = Attest(host);
    trusts.push_back(answer.trust);
    EXPECT_EQ(answer.drop_credentials, answer.trust == "quarantined");
  }
  EXPECT_THAT(trusts, ElementsAre("quarantined", "quarantined", "suspect", "suspect", "suspect",
                                  "suspect"));
  EXPECT_THAT(gate_.Host(hosts[2].id()).reasons, Contains("BRAKE_ENGAGED"));
  gate_.AssignPolicy(kSecureBootPolicy);
  EXPECT_EQ(Attest(hosts[2]).trust, "suspect") << "passing evidence alone does not clear it";
  BG_ASSERT_OK_AND_ASSIGN(
      const quarantine::BrakeReleased released,
      quarantine::ReleaseBrake(*gate_.store, By("bob"), quarantine::BrakeVerdict::kForgive,
                               "the policy was wrong"));
  EXPECT_EQ(released.hosts, 4);
  for (size_t i = 2; i < hosts.size(); ++i) EXPECT_EQ(Attest(hosts[i]).trust, "trusted");
  EXPECT_EQ(TrustOf(hosts[0]), Trust::kQuarantined) << "those need a release";
}

}  // namespace
}  // namespace bootgate::gate

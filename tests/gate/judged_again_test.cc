// What was frozen at a DENY is judged again to the same verdict, byte for byte.
#include "common/crypto/hash.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/admission/judge_again.h"
#include "gatekeeper/incident/admitted.h"
#include "gmock/gmock.h"
#include "tests/gate/gate.h"

namespace bootgate::gate {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using gatekeeper::admission::JudgeAgain;
using gatekeeper::incident::FrozenJudgement;
using gatekeeper::incident::Parts;
using gatekeeper::store::EvidenceParts;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;

Parts PartsOf(Gate& gate, const std::string& host_id, const std::string& verdict_id) {
  Parts parts;
  const std::string incident = gate.store->ListIncidents(host_id).value().at(0).id;
  const EvidenceParts kept = gate.store->GetEvidence(incident).value();
  for (const auto& [name, digest] : kept) {
    if (name.rfind(verdict_id + "/", 0) != 0) continue;
    parts[name.substr(verdict_id.size() + 1)] = gate.store->GetBlob(digest).value();
  }
  return parts;
}

std::string StoredBody(Gate& gate, const std::string& verdict_id) {
  return gate.store->GetVerdict(verdict_id).value().body_json;
}

class JudgedAgain : public ::testing::Test {
 protected:
  // The verdict's id.
  std::string Deny(SoftHost& host) {
    const absl::StatusOr<agent::AttestAnswer> answer = host.Attest(*client_);
    EXPECT_THAT(answer, IsOk());
    EXPECT_EQ(answer->outcome, "DENY");
    return answer->verdict_id;
  }
  FrozenJudgement Frozen(const std::string& host_id, const std::string& verdict_id) {
    return gatekeeper::incident::Unpack(PartsOf(gate_, host_id, verdict_id)).value();
  }

  Gate gate_;
  const std::unique_ptr<agent::GatekeeperClient> client_ = gate_.Direct();
};

TEST_F(JudgedAgain, GivesTheStoredVerdictByteForByte) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge challenge, host.Ask(*client_));
  evidence::Evidence evidence = host.Answer(challenge);
  evidence.statement.rp_data = {1, 2, 3};
  evidence.statement.custom_claims = {{.name = "site", .value = "south", .value_type = "String"}};
  host.Sign(challenge, &evidence);
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, client_->Submit(evidence));
  ASSERT_EQ(answer.outcome, "DENY");
  const std::string verdict = answer.verdict_id;
  const FrozenJudgement frozen = Frozen(host.id(), verdict);
  BG_ASSERT_OK_AND_ASSIGN(const auto again, JudgeAgain(frozen, {}));
  EXPECT_EQ(again.verdict_json, StoredBody(gate_, verdict));
  EXPECT_EQ(frozen.verdict_json, again.verdict_json);
  EXPECT_THAT(again.verdict_json, HasSubstr("site"));
  EXPECT_THAT(frozen.trace_json, HasSubstr("authorizationrules"));
  EXPECT_EQ(frozen.evidence.nonce.size(), 32u);
  EXPECT_FALSE(frozen.host.ek_certificate.empty());
}

// Another clock, other options, another policy in force: only what was frozen counts.
TEST_F(JudgedAgain, DependsOnNothingButWhatWasFrozen) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  const std::string verdict = Deny(host);
  gate_.clock.Advance(absl::Hours(24 * 400));
  gate_.AssignPolicy("version=1.0;\nauthorizationrules { => permit(); };\nissuancerules { };\n");
  BG_ASSERT_OK_AND_ASSIGN(const auto again, JudgeAgain(Frozen(host.id(), verdict), {}));
  EXPECT_EQ(again.verdict_json, StoredBody(gate_, verdict));
}

TEST_F(JudgedAgain, ARepeatedFailureKeepsNothingMore) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  Deny(host);
  const std::string second = Deny(host);
  EXPECT_THAT(PartsOf(gate_, host.id(), second), IsEmpty());
}

// Each raw part is covered by the quote, or by a digest that is: a changed one never passes.
TEST_F(JudgedAgain, ChangedEvidenceIsNotThisHosts) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  const std::string verdict = Deny(host);
  for (const char* part : {"boot_log", "ima_before_quote", "quote", "signature", "ak_public"}) {
    Parts parts = PartsOf(gate_, host.id(), verdict);
    ASSERT_THAT(parts, Contains(Key(part)));
    parts[part].back() ^= 1;
    BG_ASSERT_OK_AND_ASSIGN(const FrozenJudgement frozen, gatekeeper::incident::Unpack(parts));
    EXPECT_FALSE(JudgeAgain(frozen, {}).ok()) << part;
  }
}

TEST_F(JudgedAgain, AnotherPolicyGivesAnotherVerdict) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  FrozenJudgement frozen = Frozen(host.id(), Deny(host));
  frozen.policy = "version=1.0;\nauthorizationrules { => permit(); };\nissuancerules { };\n";
  BG_ASSERT_OK_AND_ASSIGN(const auto again, JudgeAgain(frozen, {}));
  EXPECT_NE(again.verdict_json, frozen.verdict_json);
}

TEST_F(JudgedAgain, AMissingReferenceSetIsNamed) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  FrozenJudgement frozen = Frozen(host.id(), Deny(host));
  frozen.sets = {std::string(64, 'a')};
  EXPECT_THAT(JudgeAgain(frozen, {}), Refuses(Reason::kImaSetMissing));
}

TEST(AdmittedEvidence, IsKeptOnceForABoot) {
  Gate gate;
  SoftHost host = gate.NewHost();
  host.sends_only_new = true;
  const auto client = gate.Direct();
  ASSERT_EQ(host.Attest(*client)->outcome, "ADMIT");
  BG_ASSERT_OK_AND_ASSIGN(const EvidenceParts first, gate.store->GetEvidence(host.id()));
  EXPECT_THAT(first, Contains(Key("boot_log")));
  EXPECT_THAT(first, Contains(Key("pcrs")));
  EXPECT_THAT(first, Contains(Key("ima_files")));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes log, gate.store->GetBlob(first.at("boot_log")));
  EXPECT_EQ(log, host.boot.boot_log);
  host.Measure("/usr/bin/one");
  ASSERT_EQ(host.Attest(*client)->outcome, "ADMIT");
  BG_ASSERT_OK_AND_ASSIGN(const EvidenceParts second, gate.store->GetEvidence(host.id()));
  EXPECT_EQ(first, second);
}

TEST(AdmittedEvidence, IsNotThatOfADeny) {
  Gate gate;
  SoftHost host = gate.NewHost("secure-boot-off");
  ASSERT_EQ(host.Attest(*gate.Direct())->outcome, "DENY");
  EXPECT_THAT(gate.store->GetEvidence(host.id()).value(), IsEmpty());
}

}  // namespace
}  // namespace bootgate::gate

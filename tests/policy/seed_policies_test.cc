// The four policies of the source document, verbatim, on live attestations: a captured boot is
// replayed into a TPM, the agent's code makes the evidence, the gatekeeper judges it.
#include <algorithm>

#include "common/base/hex.h"
#include "common/crypto/private_key.h"
#include "common/eventlog/decode/variable.h"
#include "common/jose/jwk.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/soft_tpm/soft_ak.h"
#include "gmock/gmock.h"
#include "tests/policy/desk_host.h"

namespace bootgate::policy_test {
namespace {

using gatekeeper::Claim;
using gatekeeper::ClaimValue;
using gatekeeper::Issuer;
using gatekeeper::admission::Decision;
using ::testing::Contains;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Not;
using testing::Refuses;
using ::testing::UnorderedElementsAre;

std::string Seed(const char* file) { return testing::CorpusText(std::string("policies/") + file); }

// Values that the policy issued under this name.
std::vector<ClaimValue> Issued(const Decision& decision, absl::string_view type) {
  std::vector<ClaimValue> values;
  for (const Claim& claim : decision.verdict.claims) {
    if (claim.type == type && claim.issuer == Issuer::kAttestationPolicy)
      values.push_back(claim.value);
  }
  return values;
}

// The content of a UEFI variable as the log of a case tells it.
std::string VariableIn(const std::string& case_folder, absl::string_view name) {
  const Bytes bytes = testing::CorpusFile("boots/" + case_folder + "/eventlog.bin");
  const eventlog::Log log = eventlog::Log::Parse(bytes);
  for (const eventlog::Event& event : log.events()) {
    const auto variable = eventlog::DecodeUefiVariable(event);
    if (variable.has_value() && variable->name == name) return ToBase64Url(variable->data);
  }
  return "";
}

gate::GateOptions Judging(const std::string& policy) { return {.policy = policy}; }

std::string CaseFolder(absl::string_view name) {
  return testing::CorpusPath("boots/" + std::string(name));
}

TEST(SeedPolicies, SimpleIssuesForAGoodBootAndNotForABadOne) {
  gate::Gate gate(Judging(Seed("seed-1-simple.txt")));
  DeskHost host(gate, CaseFolder("good"));
  BG_ASSERT_OK_AND_ASSIGN(const Decision good, host.Attest());
  EXPECT_EQ(good.verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_THAT(Issued(good, "PlatformAttested"), UnorderedElementsAre(ClaimValue(true)));
  host.Reboot(CaseFolder("secure-boot-off"));
  BG_ASSERT_OK_AND_ASSIGN(const Decision bad, host.Attest());
  EXPECT_EQ(bad.verdict.outcome, OutcomeClass::kAdmit) << "it permits everybody";
  EXPECT_THAT(Issued(bad, "PlatformAttested"), IsEmpty());
}

TEST(SeedPolicies, LinuxReadsVariablesAndImaOfALiveHost) {
  gate::Gate gate(Judging(Seed("seed-3-linux-ima.txt")));
  DeskHost host(gate, CaseFolder("good"));
  BG_ASSERT_OK_AND_ASSIGN(const Decision good, host.Attest());
  ASSERT_EQ(good.verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_THAT(Issued(good, "secureBootEnabled"), UnorderedElementsAre(ClaimValue(true)));
  const struct {
    const char *claim, *variable;
  } rows[] = {{"bootOrder", "BootOrder"},
              {"platformKey", "PK"},
              {"keyExchangeKey", "KEK"},
              {"keyDatabase", "db"},
              {"forbiddenSignatures", "dbx"}};
  for (const auto& row : rows) {
    const std::string content = VariableIn("good", row.variable);
    EXPECT_THAT(Issued(good, row.claim), UnorderedElementsAre(ClaimValue(content))) << row.claim;
    EXPECT_THAT(content, Not(IsEmpty())) << row.claim;
  }
  const auto kernel = std::ranges::find(good.verdict.claims, "kernelVersion", &Claim::type);
  ASSERT_NE(kernel, good.verdict.claims.end());
  EXPECT_THAT(Issued(good, "kernelVersions"), UnorderedElementsAre(kernel->value));
  host.Reboot(CaseFolder("secure-boot-off"));
  BG_ASSERT_OK_AND_ASSIGN(const Decision bad, host.Attest());
  EXPECT_THAT(Issued(bad, "secureBootEnabled"), UnorderedElementsAre(ClaimValue(false)));
}

TEST(SeedPolicies, WindowsReadsTheRecordsOfALiveHost) {
  const desk::ScratchFolder scratch;
  const std::string boot = CaseOfLog(scratch, testing::CorpusPath("eventlogs/windows-vbs.bin"));
  gate::GateOptions options = Judging(Seed("seed-2-windows-boot.txt"));
  options.selection = registers::ParseSelection("sha256:1-14").value();
  options.seal_selection = registers::ParseSelection("sha256:1-9,14").value();
  gate::Gate gate(options);
  DeskHost host(gate, boot);
  BG_ASSERT_OK_AND_ASSIGN(const Decision decision, host.Attest());
  EXPECT_EQ(decision.verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_THAT(Issued(decision, "hvciEnabled"), UnorderedElementsAre(ClaimValue(true)));
  EXPECT_THAT(Issued(decision, "MaliciousDriverLoaded"), UnorderedElementsAre(ClaimValue(false)));
}

TEST(SeedPolicies, KeysAreSeenAsTheyAreBound) {
  gate::Gate gate(Judging(Seed("seed-4-key-attestation.txt")));
  DeskHost host(gate, CaseFolder("good"));
  BG_ASSERT_OK_AND_ASSIGN(const Decision certified, host.Attest());
  // The identity key, as the TPM certified it: on P-256, its name by SHA-256.
  EXPECT_THAT(Issued(certified, "requestKeyType"), IsEmpty());
  EXPECT_THAT(Issued(certified, "requestKeyCertifyNameAlg"),
              UnorderedElementsAre(ClaimValue(int64_t{11})));
  EXPECT_THAT(Issued(certified, "otherKeysCertifyNameAlgs"), IsEmpty());

  agent::evidence_builder::Options say;
  say.statement.request_key = jose::JwkText(tpm2::soft_tpm::SoftAk::Rsa().key().Public());
  say.other_keys = {registers::ParseSelection("sha256:7").value(),
                    registers::ParseSelection("sha256:0-4").value()};
  BG_ASSERT_OK_AND_ASSIGN(const Decision quoted, host.Attest(say));
  EXPECT_THAT(Issued(quoted, "requestKeyType"),
              UnorderedElementsAre(ClaimValue(std::string("RSA"))));
  EXPECT_THAT(Issued(quoted, "requestKeyQuoteHashAlg"),
              UnorderedElementsAre(ClaimValue(std::string("sha-256"))));
  EXPECT_THAT(Issued(quoted, "requestKeyCertifyNameAlg"), IsEmpty()) << "bound by the quote alone";
  EXPECT_THAT(Issued(quoted, "otherKeysCertifyNameAlgs"),
              UnorderedElementsAre(ClaimValue(int64_t{11})));
  EXPECT_TRUE(quoted.issued.tpm_key.has_value()) << "the identity key is certified all the same";
}

// ---- what a host may say of itself

constexpr char kTrustsCustom[] = R"(version=1.0;
authorizationrules {
  [type=="custom:zone", value=="blue", issuer=="CustomClaim"] &&
  [type=="custom:rack", value==7] => permit();
};
issuancerules { };
)";

TEST(Statements, A48_AHostCannotClaimWhatTheGatekeeperClaims) {
  gate::Gate gate(Judging(kTrustsCustom));
  DeskHost host(gate, CaseFolder("good"));
  agent::evidence_builder::Options say;
  say.statement.custom_claims = {{"zone", "blue", "String"}, {"rack", "7", "Integer"}};
  BG_ASSERT_OK_AND_ASSIGN(const Decision honest, host.Attest(say));
  EXPECT_EQ(honest.verdict.outcome, OutcomeClass::kAdmit);
  const Claim zone = {
      .type = "custom:zone", .value = std::string("blue"), .issuer = Issuer::kCustomClaim};
  EXPECT_THAT(honest.verdict.claims, Contains(zone));
  const std::string before = gate.Dump();
  for (const char* name : {"secureBootEnabled", "custom:zone", "x-ms-policy-hash", "cnf", ""}) {
    agent::evidence_builder::Options forged = say;
    forged.statement.custom_claims.push_back({name, "true", "Boolean"});
    EXPECT_THAT(host.Attest(forged), Refuses(Reason::kClaimReserved)) << name;
  }
  EXPECT_EQ(gate.Dump(), before) << "a REJECT changes nothing";
}

// The quote binds what was said: nobody on the way can add to it or change it.
TEST(Statements, AreBoundByTheQuote) {
  gate::Gate gate(Judging(kTrustsCustom));
  DeskHost host(gate, CaseFolder("good"));
  agent::evidence_builder::Options say;
  say.statement = {
      .request_key = jose::JwkText(crypto::PrivateKey::GenerateEc(crypto::Curve::kP256)->Public()),
      .rp_data = Bytes(8, 1),
      .custom_claims = {{"zone", "red", "String"}}};
  const auto changed = [&](void (*change)(evidence::Evidence&)) {
    evidence::Evidence evidence = host.Evidence(say);
    change(evidence);
    return gate.admission.Decide({}, evidence).status();
  };
  const auto refused = Refuses(Reason::kNonceMismatch);
  EXPECT_THAT(changed([](auto& e) { e.statement.custom_claims[0].value = "blue"; }), refused);
  EXPECT_THAT(changed([](auto& e) { e.statement.custom_claims.clear(); }), refused);
  EXPECT_THAT(changed([](auto& e) { e.statement.rp_data[0] = 2; }), refused);
  EXPECT_THAT(changed([](auto& e) { e.statement.request_key += " "; }), refused);
  EXPECT_THAT(changed([](auto& e) { e.statement = {}; }), refused);
  EXPECT_THAT(changed([](auto& e) { e.want_token = true; }), IsOk());
}

}  // namespace
}  // namespace bootgate::policy_test

// What a DENY keeps, and what a host can make the gatekeeper keep.
#include "common/crypto/hash.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "tests/gate/gate.h"

namespace bootgate::gate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string LastAuditDetail(Gate& gate) {
  const auto rows = gate.store->ListAudit(0, 1000);
  return rows.ok() && !rows->empty() ? rows->back().detail_json : "";
}

std::string DigestOf(ByteView bytes) { return crypto::Hash(crypto::HashAlg::kSha256, bytes).hex(); }

TEST(FrozenEvidence, IsNamedInTheAuditTrailAndComesBackAsItWas) {
  Gate gate;
  SoftHost host = gate.NewHost("secure-boot-off");
  const auto client = gate.Direct();
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge challenge, host.Ask(*client));
  const evidence::Evidence evidence = host.Answer(challenge);
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, client->Submit(evidence));
  ASSERT_EQ(answer.outcome, "DENY");
  const std::string digest = DigestOf(evidence.boot_log);
  EXPECT_THAT(LastAuditDetail(gate), HasSubstr(digest));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes frozen, gate.store->GetBlob(digest));
  EXPECT_EQ(frozen, evidence.boot_log);
}

// A hostile host sends other bytes each time; each would stay on the gatekeeper's disk.
TEST(FrozenEvidence, AHostThatIsShutOutAddsNoMore) {
  Gate gate;
  SoftHost host = gate.NewHost("secure-boot-off");
  const auto client = gate.Direct();
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer first, host.Attest(*client));
  ASSERT_EQ(first.outcome, "DENY");
  BG_ASSERT_OK_AND_ASSIGN(const agent::Challenge challenge, host.Ask(*client));
  evidence::Evidence evidence = host.Answer(challenge);
  evidence.boot_log.push_back(0xaa);
  host.Sign(challenge, &evidence);
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer again, client->Submit(evidence));
  ASSERT_EQ(again.outcome, "DENY");
  EXPECT_THAT(LastAuditDetail(gate), Not(HasSubstr("evidence")));
  EXPECT_EQ(gate.store->GetBlob(DigestOf(evidence.boot_log)).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(gate.store->ListIncidents(host.id()).value().at(0).failures, 2);
}

TEST(HostFacts, AreKeptSafeToPrint) {
  Gate gate;
  SoftHost host = gate.NewHost();
  host.facts.hostname = "web1\x1b[2J\n";
  host.facts.kernel_release = std::string(500, 'x');
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, host.Attest(*gate.Direct()));
  ASSERT_EQ(answer.outcome, "ADMIT");
  EXPECT_EQ(gate.Host(host.id()).hostname, "web1\\x1b[2J\\x0a");
  EXPECT_LE(gate.Host(host.id()).kernel_release.size(), gatekeeper::host::kMaxFact + 3);
}

}  // namespace
}  // namespace bootgate::gate

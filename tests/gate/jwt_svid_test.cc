// JWT-SVIDs: only for a host that is trusted at this moment, by a certificate that is good at this
// moment.
#include <nlohmann/json.hpp>

#include "common/base/reason.h"
#include "common/jose/jws.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/gate/gate.h"

namespace bootgate::gate {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using gatekeeper::admission::Peer;
using gatekeeper::host::HostRecord;
using gatekeeper::host::Trust;

class JwtSvidOfHosts : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto client = gate_.Direct();
    const agent::Challenge challenge = host_.Ask(*client).value();
    ASSERT_EQ(client->Submit(host_.Answer(challenge)).value().outcome, "ADMIT");
    const auto rows = gate_.store->ListCredentials(host_.id()).value();
    ASSERT_FALSE(rows.empty());
    peer_ = {.host_id = host_.id(), .serial = rows[0].serial, .not_after = rows[0].not_after};
  }
  absl::Status Fetch(const Peer& peer) {
    absl::Status fetched = gate_.admission.FetchJwtSvid(peer, {"db"}).status();
    EXPECT_EQ(gate_.admission.JwtKeys(peer).status().code(), fetched.code());
    return fetched;
  }
  void Become(Trust trust) {
    gate_.ChangeHost(host_.id(), [trust](HostRecord& host) { host.trust = trust; });
  }

  Gate gate_;
  SoftHost host_ = gate_.NewHost();
  Peer peer_;
};

TEST_F(JwtSvidOfHosts, AnAdmittedHostGetsOneThatNamesIt) {
  BG_ASSERT_OK_AND_ASSIGN(const auto made, gate_.admission.FetchJwtSvid(peer_, {"db"}));
  EXPECT_EQ(made.spiffe_id, "spiffe://" + gate_.authority.trust_domain() + "/host/" + host_.id());
  EXPECT_EQ(made.expires_at, gate_.clock.Now() + absl::Minutes(5));
  BG_ASSERT_OK_AND_ASSIGN(const auto jws, jose::ParsedJws::Parse(made.svid));
  const auto claims = nlohmann::json::parse(AsText(jws.untrusted_payload()));
  EXPECT_EQ(claims["sub"], made.spiffe_id);
}

TEST_F(JwtSvidOfHosts, NoCertificateNoToken) {
  EXPECT_THAT(Fetch(Peer{}), Refuses(Reason::kPeerHostMismatch));
}

TEST_F(JwtSvidOfHosts, ACertificateThatTheStoreDoesNotKnowIsWorthNothing) {
  peer_.serial = std::string(32, '7');
  EXPECT_THAT(Fetch(peer_), Refuses(Reason::kPeerCertRevoked));
}

TEST_F(JwtSvidOfHosts, TheCertificatesEndIsTheTokensEnd) {
  peer_.not_after = gate_.clock.Now() + absl::Seconds(10);
  EXPECT_EQ(gate_.admission.FetchJwtSvid(peer_, {"db"}).value().expires_at, peer_.not_after);
  gate_.clock.Advance(absl::Seconds(10));
  EXPECT_THAT(gate_.admission.FetchJwtSvid(peer_, {"db"}).status(), Refuses(Reason::kTokenExpired));
}

struct Untrusted {
  const char* name;
  Trust trust;
  Reason reason;
};
void PrintTo(const Untrusted& row, std::ostream* os) { *os << row.name; }
class JwtSvidOfUntrustedHosts : public JwtSvidOfHosts,
                                public ::testing::WithParamInterface<Untrusted> {};

TEST_P(JwtSvidOfUntrustedHosts, IsRefusedWhateverCertificateTheyStillHold) {
  EXPECT_THAT(Fetch(peer_), IsOk());
  Become(GetParam().trust);
  EXPECT_THAT(Fetch(peer_), Refuses(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(Rows, JwtSvidOfUntrustedHosts,
                         ::testing::ValuesIn(std::vector<Untrusted>{
                             {"Pending", Trust::kPending, Reason::kHostNotApproved},
                             {"Quarantined", Trust::kQuarantined, Reason::kQuarantined},
                             {"Investigating", Trust::kInvestigating, Reason::kQuarantined},
                             {"Remediated", Trust::kRemediated, Reason::kQuarantined},
                             {"Retired", Trust::kRetired, Reason::kHostRetired},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(JwtSvidOfHosts, AnOperatorsWithdrawnApprovalEndsItToo) {
  gate_.ChangeHost(host_.id(), [](HostRecord& host) { host.approved = false; });
  EXPECT_THAT(Fetch(peer_), Refuses(Reason::kEkNotBound));
}

}  // namespace
}  // namespace bootgate::gate

#include "agent/identity/trust_bundle.h"

#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "tests/desk/tpm_fixture.h"

namespace bootgate::agent::identity {
namespace {

using ::bootgate::testing::CorpusText;
using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

std::string Root() { return CorpusText("tpm-flows/ca/root.pem"); }
std::string Issuer() { return CorpusText("tpm-flows/ca/issuer.pem"); }

JoinState Joined() {
  return {.gatekeeper = "gate.example:9743",
          .ca_pem = Issuer() + Root(),
          .cluster_id = "blue",
          .host_id = "h-0123",
          .ek_name = Bytes(34, 7)};
}

TEST(TrustBundle, TakesThePlaceOfTheOneBefore) {
  const desk::ScratchFolder scratch;
  ASSERT_THAT(SaveJoinState(scratch.path(), Joined()), IsOk());
  ASSERT_THAT(StoreTrustBundle(scratch.path(), Joined(), Root() + Issuer()), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const JoinState stored, LoadJoinState(scratch.path()));
  EXPECT_EQ(stored.ca_pem, Root() + Issuer());
  EXPECT_EQ(stored.host_id, Joined().host_id);
}

TEST(TrustBundle, WhatIsNoneLeavesTheOneBefore) {
  const desk::ScratchFolder scratch;
  ASSERT_THAT(SaveJoinState(scratch.path(), Joined()), IsOk());
  std::string many;
  for (size_t i = 0; i <= kMaxBundleCertificates; ++i) many += Root();
  for (const std::string& pem :
       {std::string(), std::string("hello"), Issuer(), many, std::string(kMaxTrustBundle + 1, ' '),
        Root() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    EXPECT_THAT(StoreTrustBundle(scratch.path(), Joined(), pem), Refuses(Reason::kCertParse))
        << pem.substr(0, 40);
  }
  BG_ASSERT_OK_AND_ASSIGN(const JoinState stored, LoadJoinState(scratch.path()));
  EXPECT_EQ(stored.ca_pem, Joined().ca_pem);
}

TEST(TrustBundle, OfAnotherEnrolmentIsNotTouched) {
  const desk::ScratchFolder scratch;
  JoinState other = Joined();
  other.host_id = "h-4567";
  ASSERT_THAT(SaveJoinState(scratch.path(), other), IsOk());
  EXPECT_THAT(StoreTrustBundle(scratch.path(), Joined(), Root()),
              HasCode(absl::StatusCode::kAborted));
}

}  // namespace
}  // namespace bootgate::agent::identity

#include "agent/workload/identity.h"

#include "agent/workload/identity_hub.h"
#include "agent/workload/made_identity_test.h"
#include "agent/workload/token_bucket.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "pki/pem.h"

namespace bootgate::agent::workload {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::Refuses;

TEST(Identity, IsTheSealedCredentialInDer) {
  const MadeIdentities made;
  const evidence::SealedPayload payload = made.Payload(absl::Now() + absl::Hours(1));
  BG_ASSERT_OK_AND_ASSIGN(const Identity identity, IdentityOf(payload, made.bundle_pem()));
  EXPECT_EQ(identity.spiffe_id, TestSpiffeId());
  EXPECT_EQ(identity.trust_domain_id, kTestTrustDomain);
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<Bytes> chain,
                          pki::CertificatesFromPem(payload.chain_pem));
  ASSERT_EQ(chain.size(), 2u);
  Bytes both = chain[0];
  both.insert(both.end(), chain[1].begin(), chain[1].end());
  EXPECT_EQ(identity.chain_der, both);
  // Of the bundle only the root is an anchor.
  EXPECT_EQ(identity.bundle_der, pki::PemToDer(made.authority().root_pem()).value());
  EXPECT_EQ(identity.key_pkcs8_der.view()[0], 0x30);
}

TEST(Identity, WhatIsNoneIsRefused) {
  const MadeIdentities made;
  const absl::Time later = absl::Now() + absl::Hours(1);
  EXPECT_THAT(IdentityOf(made.Payload(later), "").status(), Refuses(Reason::kCertParse));
  EXPECT_THAT(IdentityOf(made.Payload(later), made.authority().issuing_pem()).status(),
              Refuses(Reason::kCertParse));
  evidence::SealedPayload no_chain = made.Payload(later);
  no_chain.chain_pem.clear();
  EXPECT_THAT(IdentityOf(no_chain, made.bundle_pem()).status(), Refuses(Reason::kCertParse));
  evidence::SealedPayload no_host = made.Payload(later);
  no_host.chain_pem = made.authority().issuing_pem();
  EXPECT_THAT(IdentityOf(no_host, made.bundle_pem()).status(), Refuses(Reason::kCertParse));
  evidence::SealedPayload no_key = made.Payload(later);
  no_key.private_key_pem = SecretBytes(AsBytes(no_key.chain_pem));
  EXPECT_THAT(IdentityOf(no_key, made.bundle_pem()).status(),
              HasCode(absl::StatusCode::kInvalidArgument));
}

TEST(IdentityHub, TellsEveryChangeAndNothingElse) {
  const MadeIdentities made;
  IdentityHub hub;
  int told = 0;
  {
    const IdentityHub::Subscription subscription(hub, [&told] { ++told; });
    hub.Withdraw("not yet");  // there was none
    EXPECT_EQ(told, 0);
    hub.SetJwtKeys("{}");  // of no identity
    EXPECT_EQ(told, 0);
    hub.Publish(made.Next());
    EXPECT_EQ(told, 1);
    hub.SetJwtKeys("{\"keys\":[]}");
    EXPECT_EQ(told, 2);
    hub.SetJwtKeys("{\"keys\":[]}");
    EXPECT_EQ(told, 2);
  }
  hub.Publish(made.Next());
  EXPECT_EQ(told, 2);
}

TEST(IdentityHub, AnIdentityEndsWithItsCertificate) {
  const MadeIdentities made;
  IdentityHub hub;
  hub.Publish(made.Next());
  const absl::Time ends = hub.Now().identity->not_after;
  hub.WithdrawExpired(ends - absl::Seconds(1));
  EXPECT_NE(hub.Now().identity, nullptr);
  hub.SetJwtKeys("{\"keys\":[]}");
  hub.WithdrawExpired(ends);
  EXPECT_EQ(hub.Now().identity, nullptr);
  EXPECT_EQ(hub.Now().jwt_keys, "");
  EXPECT_NE(hub.Now().why_none, "");
}

TEST(TokenBucket, GivesSoManyAtOnceAndThenSoManyASecond) {
  TokenBucket bucket(2, 3);
  absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.Take(now)) << i;
  EXPECT_FALSE(bucket.Take(now));
  now += absl::Milliseconds(500);
  EXPECT_TRUE(bucket.Take(now));
  EXPECT_FALSE(bucket.Take(now));
  EXPECT_FALSE(bucket.Take(now - absl::Hours(1)));  // a clock that was set back gives nothing
  now += absl::Hours(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.Take(now)) << i;
  EXPECT_FALSE(bucket.Take(now));
}

}  // namespace
}  // namespace bootgate::agent::workload

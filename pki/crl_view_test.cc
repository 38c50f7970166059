#include "pki/crl_view.h"

#include "common/base/reason.h"
#include "gmock/gmock.h"
#include "pki/crl.h"
#include "pki/published_test.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::Refuses;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CrlViewTest : public PublishedTest {
 protected:
  CrlViewTest() {
    const std::vector<RevokedCertificate> revoked = {
        {.serial = FromHex("40112233445566778899aabbccddeeff").value(),
         .revoked_at = kNow - absl::Minutes(1),
         .not_after = kNow + absl::Hours(1),
         .reason = RevocationReason::kPrivilegeWithdrawn,
         .invalid_since = kNow - absl::Minutes(11)},
        {.serial = FromHex("41").value(), .revoked_at = kNow, .not_after = kNow}};
    der_ = MakeCrl({.issuer = issuer_->name,
                    .issuer_key_id = issuer_->key_id,
                    .number = 1'800'000'000'000'000,
                    .this_update = kNow,
                    .next_update = kNow + absl::Hours(1)},
                   revoked, *issuer_->signer)
               .value();
  }
  Bytes der_;
};

TEST_F(CrlViewTest, ShowsWhatIsInIt) {
  for (const std::string& form : {std::string(AsText(der_)), CrlToPem(der_)}) {
    BG_ASSERT_OK_AND_ASSIGN(const CrlView view,
                            ViewCrl(AsBytes(form), DerToPem(issuer_->certificate)));
    EXPECT_EQ(view.issuer, SubjectText(IssuerCertificate().get()));
    EXPECT_EQ(view.issuer_key_id, ToHex(issuer_->key_id));
    EXPECT_EQ(view.number, "1800000000000000");
    EXPECT_EQ(view.this_update, kNow);
    EXPECT_EQ(view.next_update, kNow + absl::Hours(1));
    EXPECT_EQ(view.signed_by_ca, true);
    ASSERT_THAT(view.entries, SizeIs(2));
    EXPECT_EQ(view.entries[0].serial_hex, "40112233445566778899aabbccddeeff");
    EXPECT_EQ(view.entries[0].revoked_at, kNow - absl::Minutes(1));
    EXPECT_EQ(view.entries[0].reason, "privilege-withdrawn");
    EXPECT_EQ(view.entries[0].invalid_since, kNow - absl::Minutes(11));
    EXPECT_EQ(view.entries[1].serial_hex, "41");
    EXPECT_THAT(view.entries[1].reason, IsEmpty());
  }
}

TEST_F(CrlViewTest, ToldWhoDidNotSign) {
  EXPECT_EQ(ViewCrl(der_).value().signed_by_ca, std::nullopt);
  EXPECT_EQ(ViewCrl(der_, authority_->root_pem()).value().signed_by_ca, false);
  Bytes changed = der_;
  changed.back() ^= 1;
  EXPECT_EQ(ViewCrl(changed, DerToPem(issuer_->certificate)).value().signed_by_ca, false);
}

TEST_F(CrlViewTest, WhatIsNoListIsSaid) {
  EXPECT_THAT(ViewCrl({}), Refuses(Reason::kCertParse));
  EXPECT_THAT(ViewCrl(AsBytes("hello")), Refuses(Reason::kCertParse));
  EXPECT_THAT(ViewCrl(AsBytes(authority_->root_pem())), Refuses(Reason::kCertParse));
  EXPECT_THAT(ViewCrl(issuer_->certificate), Refuses(Reason::kCertParse));
  EXPECT_THAT(ViewCrl(ByteView(der_).first(der_.size() - 1)), Refuses(Reason::kCertParse));
  Bytes longer = der_;
  longer.push_back(0);
  EXPECT_THAT(ViewCrl(longer), Refuses(Reason::kCertParse));
  EXPECT_FALSE(ViewCrl(der_, "no certificate").ok());
}

}  // namespace
}  // namespace bootgate::pki

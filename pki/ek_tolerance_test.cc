// Departures from the profile that real EK certificates have: each is let through, and said.
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/baked_chain_test.h"
#include "pki/ek_chain.h"

namespace bootgate::pki {
namespace {

using namespace baked;  // NOLINT(google-build-using-namespace): the recipes are what is read
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TrustAnchors Anchors() { return *TrustAnchors::FromPem(DerToPem(Bake(Root()))); }

absl::StatusOr<VerifiedEkChain> VerifyLeaf(ByteView leaf,
                                           std::vector<Bytes> middles = {Bake(Intermediate())}) {
  return VerifiedEkChain::Verify(leaf, middles, Anchors(), kNow);
}

Bytes TimeText(uint8_t tag, absl::string_view text) { return der::Element(tag, {AsBytes(text)}); }
Bytes Validity(uint8_t tag, absl::string_view from, absl::string_view until) {
  return der::Sequence({TimeText(tag, from), TimeText(tag, until)});
}

struct OddSerialRow {
  const char *name, *hex, *says;
};
void PrintTo(const OddSerialRow& row, std::ostream* os) { *os << row.name; }
class OddSerialTest : public ::testing::TestWithParam<OddSerialRow> {};
TEST_P(OddSerialTest, IsToleratedAndSaid) {
  const Bytes serial = der::Element(der::kInteger, {*FromHex(GetParam().hex)});
  BG_ASSERT_OK_AND_ASSIGN(const auto chain, VerifyLeaf(BakeOdd(Leaf(), serial, RegularValidity())));
  EXPECT_THAT(chain.tolerances(), ElementsAre(HasSubstr(GetParam().says)));
}
INSTANTIATE_TEST_SUITE_P(
    Serials, OddSerialTest,
    ::testing::ValuesIn(std::vector<OddSerialRow>{
        {"Zero", "00", "serial number is 0"},
        {"Long", "0102030405060708090a0b0c0d0e0f101112131415161718", "serial number of 24 bytes"},
        {"ForgottenZero", "fd6116fc896c2e962768613e15169dfc7a11e1ce", "without its leading zero"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(OddSerial, A28_NegativeWithoutExcuseIsRefused) {
  const Bytes minus_one = {0x02, 0x01, 0xff};
  EXPECT_THAT(VerifyLeaf(BakeOdd(Leaf(), minus_one, RegularValidity())),
              Refuses(Reason::kEkCertProfile));
}

// A set out of order in the issuer's name, as Nuvoton writes it; and lengths in more bytes than
// needed.
TEST(NotDer, A26_IsToleratedWhereItLeavesNoDoubt) {
  const Bytes leaf = Bake(Leaf());
  // The outermost length, which no signature covers, once more in three bytes.
  ASSERT_EQ(leaf[1], 0x82);
  Bytes longer = {0x30, 0x83, 0x00, leaf[2], leaf[3]};
  longer.insert(longer.end(), leaf.begin() + 4, leaf.end());
  BG_ASSERT_OK_AND_ASSIGN(const auto chain, VerifyLeaf(longer));
  EXPECT_THAT(chain.tolerances(), ElementsAre("not in DER: a length is not minimal"));
  // What the path says of it is the same as of the certificate itself: a distrust list meets both.
  EXPECT_EQ(chain.path().front(), leaf);
}

// An integer with a needless zero is one that OpenSSL does not read.
TEST(NotDer, A28_APaddedSerialNumberIsRefused) {
  const Bytes padded = {0x02, 0x03, 0x00, 0x00, 0x11};
  EXPECT_THAT(VerifyLeaf(BakeOdd(Leaf(), padded, RegularValidity())), Refuses(Reason::kCertParse));
}

struct OddTimeRow {
  const char* name;
  uint8_t tag;
  const char *from, *until;
  const char* says;  // nullptr: refused as expired
};
void PrintTo(const OddTimeRow& row, std::ostream* os) { *os << row.name; }
class OddTimeTest : public ::testing::TestWithParam<OddTimeRow> {};
TEST_P(OddTimeTest, IsReadAndSaid) {
  const OddTimeRow& row = GetParam();
  const auto chain =
      VerifyLeaf(BakeOdd(Leaf(), RegularSerial(), Validity(row.tag, row.from, row.until)));
  if (row.says == nullptr) {
    EXPECT_THAT(chain, Refuses(Reason::kEkChainExpired));
    return;
  }
  ASSERT_THAT(chain, IsOk());
  EXPECT_THAT(chain->tolerances(), ElementsAre(HasSubstr(row.says)));
}
INSTANTIATE_TEST_SUITE_P(
    Times, OddTimeTest,
    ::testing::ValuesIn(std::vector<OddTimeRow>{
        {"WithoutSeconds", der::kUtcTime, "2612010000Z", "2701310000Z", "without seconds"},
        {"WithOffset", der::kUtcTime, "261201000000+0100", "270131000000+0100", "offset"},
        {"LongYearsBefore2050", der::kGeneralizedTime, "20261201000000Z", "20270131000000Z",
         "GeneralizedTime"},
        {"WithoutSecondsExpired", der::kUtcTime, "2512010000Z", "2612010000Z", nullptr},
        {"WithoutSecondsNotYetValid", der::kUtcTime, "2701020000Z", "2712010000Z", nullptr},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(OddTime, WhatTellsNoTimeIsRefused) {
  EXPECT_FALSE(VerifyLeaf(BakeOdd(Leaf(), RegularSerial(),
                                  Validity(der::kUtcTime, "yesterday", "270131000000Z")))
                   .ok());
}

TEST(OddTime, TheYear9999IsRegular) {
  BG_ASSERT_OK_AND_ASSIGN(
      const auto chain,
      VerifyLeaf(BakeOdd(Leaf(), RegularSerial(),
                         der::Sequence({TimeText(der::kUtcTime, "261201000000Z"),
                                        TimeText(der::kGeneralizedTime, "99991231235959Z")}))));
  EXPECT_THAT(chain.tolerances(), IsEmpty());
}

TEST(StoredHeader, OfTpm12TimesIsTakenOff) {
  const Bytes leaf = Bake(Leaf());
  const size_t size = leaf.size() + 2;
  Bytes stored = {0x10, 0x01, 0x00, static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size),
                  0x10, 0x02};
  stored.insert(stored.end(), leaf.begin(), leaf.end());
  BG_ASSERT_OK_AND_ASSIGN(const auto chain, VerifyLeaf(stored));
  EXPECT_THAT(chain.tolerances(), ElementsAre(HasSubstr("stored-certificate header")));
  stored[4] ^= 0x80;  // another size than what follows
  stored[3] = 0x7f;
  EXPECT_THAT(VerifyLeaf(stored), Refuses(Reason::kCertParse));
}

// Intel's On-Die CA: the chain lies in one index, one certificate after the other, and the index is
// longer than they are.
TEST(Intermediates, MayStandInOneIndexAndBePadded) {
  Recipe top = {
      .subject = "top", .issuer = "root", .extensions = {ext::BasicConstraintsCa(2), CaUsage()}};
  Recipe middle = Intermediate();
  middle.issuer = "top";
  Recipe root = Root();
  root.extensions[0] = ext::BasicConstraintsCa(3);
  const TrustAnchors anchors = *TrustAnchors::FromPem(DerToPem(Bake(root)));
  Bytes index = Joined({Bake(middle), Bake(top)});
  EXPECT_THAT(VerifiedEkChain::Verify(Bake(Leaf()), {index}, anchors, kNow), IsOk());
  index.resize(index.size() + 30, 0xff);
  BG_ASSERT_OK_AND_ASSIGN(const auto chain,
                          VerifiedEkChain::Verify(Bake(Leaf()), {index}, anchors, kNow));
  EXPECT_THAT(chain.tolerances(), ElementsAre("intermediate 2: trimmed 30 bytes of NV padding"));
  EXPECT_EQ(chain.path().size(), 4u);
  EXPECT_EQ(chain.anchor(), "CN=root");
  Bytes many;
  for (int i = 0; i < 9; ++i) many = Joined({many, Bake(middle)});
  EXPECT_THAT(VerifiedEkChain::Verify(Bake(Leaf()), {many}, anchors, kNow),
              Refuses(Reason::kCertParse));
}

TEST(KeyPurpose, A26_ACaForSomethingElseCertifiesNoEk) {
  Recipe middle = Intermediate();
  middle.extensions.push_back(ext::ExtendedKeyUsage({ext::oid::AikCertificate()}));
  const auto chain = VerifyLeaf(Bake(Leaf()), {Bake(middle)});
  ASSERT_THAT(chain, Refuses(Reason::kEkCertProfile));
  EXPECT_THAT(std::string(chain.status().message()), HasSubstr("other key purposes"));
  middle.extensions.back() =
      ext::ExtendedKeyUsage({ext::oid::AikCertificate(), der::Oid({2, 5, 29, 37, 0})});
  EXPECT_THAT(VerifyLeaf(Bake(Leaf()), {Bake(middle)}), IsOk());
}

// A vendor's root certifies smart cards and secure elements, too: a certificate that says nothing
// of its purpose is an EK's only when something else says so.
TEST(KeyPurpose, A26_AnythingOfTheVendorsIsNoEk) {
  Recipe leaf = Leaf();
  leaf.extensions = {ext::BasicConstraintsEndEntity(), ext::KeyUsage(ext::kKeyEncipherment)};
  const auto chain = VerifyLeaf(Bake(leaf));
  ASSERT_THAT(chain, Refuses(Reason::kEkCertProfile));
  EXPECT_THAT(std::string(chain.status().message()), HasSubstr("nothing says that it is an EK's"));
  leaf.extensions.push_back(TpmNames());
  BG_ASSERT_OK_AND_ASSIGN(const auto named, VerifyLeaf(Bake(leaf)));
  EXPECT_THAT(named.tolerances(), ElementsAre(HasSubstr("no extended key usage")));
}

// Known CAs help to find the path of a TPM that does not carry them, but end no chain.
TEST(TrustAnchors, A26_KnownCasLeadOnToTheirRoot) {
  TrustAnchors anchors = Anchors();
  ASSERT_THAT(anchors.Add(DerToPem(Bake(Intermediate()))), IsOk());
  EXPECT_EQ(anchors.anchors().size(), 1u);
  EXPECT_EQ(anchors.known().size(), 1u);
  BG_ASSERT_OK_AND_ASSIGN(const auto chain,
                          VerifiedEkChain::Verify(Bake(Leaf()), {}, anchors, kNow));
  EXPECT_EQ(chain.path().size(), 3u);
  EXPECT_EQ(chain.anchor(), "CN=root");
  // Given alone, the CA is what the operator trusts.
  const auto alone = *TrustAnchors::FromPem(DerToPem(Bake(Intermediate())));
  EXPECT_EQ(VerifiedEkChain::Verify(Bake(Leaf()), {}, alone, kNow)->anchor(), "CN=middle");
  // With its root expired, it leads nowhere.
  Recipe old_root = Root();
  old_root.not_after = kNow - absl::Minutes(1);
  TrustAnchors old = *TrustAnchors::FromPem(DerToPem(Bake(old_root)));
  ASSERT_THAT(old.Add(DerToPem(Bake(Intermediate()))), IsOk());
  EXPECT_THAT(VerifiedEkChain::Verify(Bake(Leaf()), {}, old, kNow),
              Refuses(Reason::kEkChainExpired));
}

TEST(TrustAnchors, TheSameCertificateTwiceIsOne) {
  TrustAnchors anchors = Anchors();
  ASSERT_THAT(anchors.Add(DerToPem(Bake(Root()))), IsOk());
  EXPECT_GE(anchors.size(), 1u);
  const std::string pem = DerToPem(Bake(Intermediate()));
  ASSERT_THAT(anchors.Add(absl::StrCat(pem, pem)), IsOk());
  EXPECT_EQ(anchors.known().size(), 1u);
}

}  // namespace
}  // namespace bootgate::pki

#include "common/evidence/sealed_payload.h"

#include "common/base/hex.h"
#include "common/crypto/random.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::evidence {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;

SealedPayload Sample() {
  SealedPayload payload{.chain_pem = "chain", .private_key_pem = SecretBytes(AsBytes("key"))};
  payload.secrets.emplace("disk", SecretBytes(AsBytes("s1")));
  payload.secrets.emplace("vault", SecretBytes(AsBytes("")));
  return payload;
}

TEST(SealedPayload, HasTheDocumentedForm) {
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes encoded, Encode(Sample()));
  EXPECT_EQ(ToHex(encoded.view()),
            "00000001"
            "00000005"
            "636861696e"
            "00000003"
            "6b6579"
            "00000002"
            "00000004"
            "6469736b"
            "00000002"
            "7331"
            "00000005"
            "7661756c74"
            "00000000");
}

TEST(SealedPayload, ComesBackAsItWent) {
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes encoded, Encode(Sample()));
  BG_ASSERT_OK_AND_ASSIGN(const SealedPayload back, DecodeSealedPayload(encoded.view()));
  EXPECT_EQ(back.chain_pem, "chain");
  EXPECT_EQ(AsText(back.private_key_pem.view()), "key");
  ASSERT_EQ(back.secrets.size(), 2u);
  EXPECT_EQ(AsText(back.secrets.at("disk").view()), "s1");
  EXPECT_TRUE(back.secrets.at("vault").empty());
}

TEST(SealedPayload, EveryCutIsRefused) {
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes encoded, Encode(Sample()));
  for (size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_FALSE(DecodeSealedPayload(encoded.view().first(size)).ok()) << size;
  }
}

struct BadPayload {
  const char *name, *hex;
};
class SealedPayloadRefusesTest : public ::testing::TestWithParam<BadPayload> {};

TEST_P(SealedPayloadRefusesTest, WhatTheFormForbids) {
  EXPECT_THAT(DecodeSealedPayload(*FromHex(GetParam().hex)),
              HasCode(absl::StatusCode::kInvalidArgument));
}

INSTANTIATE_TEST_SUITE_P(BadPayloads, SealedPayloadRefusesTest,
                         ::testing::ValuesIn(std::vector<BadPayload>{
                             {"OtherVersion",
                              "00000002"
                              "00000000"
                              "00000000"
                              "00000000"},
                             {"HugeChain",
                              "00000001"
                              "7fffffff"},
                             {"HugeKey",
                              "00000001"
                              "00000000"
                              "00004001"},
                             {"ManySecrets",
                              "00000001"
                              "00000000"
                              "00000000"
                              "00000041"},
                             {"HugeSecretName",
                              "00000001"
                              "00000000"
                              "00000000"
                              "00000001"
                              "00000081"},
                             {"SecretTwice",
                              "00000001"
                              "00000000"
                              "00000000"
                              "00000002"
                              "00000001"
                              "61"
                              "00000000"
                              "00000001"
                              "61"
                              "00000000"},
                             {"SecretsOutOfOrder",
                              "00000001"
                              "00000000"
                              "00000000"
                              "00000002"
                              "00000001"
                              "62"
                              "00000000"
                              "00000001"
                              "61"
                              "00000000"},
                             {"Trailing",
                              "00000001"
                              "00000000"
                              "00000000"
                              "00000000"
                              "00"},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(SealedPayload, BoundsHoldWhenWriting) {
  SealedPayload payload = Sample();
  payload.private_key_pem = SecretBytes(kMaxPayloadKey + 1);
  EXPECT_THAT(Encode(payload), HasCode(absl::StatusCode::kInvalidArgument));
  payload.private_key_pem = SecretBytes(kMaxPayloadKey);
  EXPECT_THAT(Encode(payload), IsOk());
  payload.secrets.emplace(std::string(kMaxPayloadSecretName + 1, 'n'), SecretBytes());
  EXPECT_THAT(Encode(payload), HasCode(absl::StatusCode::kInvalidArgument));
}

TEST(ClosedPayload, OpensForItsHostAndCertificateOnly) {
  const SecretBytes key = crypto::RandomSecret(kSealedKeySize);
  BG_ASSERT_OK_AND_ASSIGN(const Bytes closed, ClosePayload(key, "h-1", "41", Sample()));
  EXPECT_THAT(OpenPayload(key, "h-1", "41", closed), IsOk());
  EXPECT_FALSE(OpenPayload(key, "h-2", "41", closed).ok());
  EXPECT_FALSE(OpenPayload(key, "h-1", "42", closed).ok());
  EXPECT_FALSE(OpenPayload(crypto::RandomSecret(kSealedKeySize), "h-1", "41", closed).ok());
  for (size_t at = 0; at < closed.size(); at += 3) {
    Bytes changed = closed;
    changed[at] ^= 1;
    EXPECT_FALSE(OpenPayload(key, "h-1", "41", changed).ok()) << at;
  }
}

}  // namespace
}  // namespace bootgate::evidence

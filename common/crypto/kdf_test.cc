#include "common/crypto/kdf.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace bootgate::crypto {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;

nlohmann::json Vectors(const char* table) {
  return nlohmann::json::parse(testing::CorpusText("tpm-flows/kdf.json")).at(table);
}

Bytes Hex(const nlohmann::json& row, const char* name) {
  return *FromHex(row.at(name).get<std::string>());
}

HashAlg Alg(const nlohmann::json& row) {
  std::string name = row.at("hash");
  std::ranges::transform(name, name.begin(), [](char c) { return c | 0x20; });
  return *HashAlgFromName(name);
}

TEST(KdfA, EveryVector) {
  const nlohmann::json rows = Vectors("kdfa");
  ASSERT_EQ(rows.size(), 20u);
  for (const auto& row : rows) {
    SCOPED_TRACE(row.dump());
    const SecretBytes out = KdfA(Alg(row), Hex(row, "key"), row.at("label").get<std::string>(),
                                 Hex(row, "contextU"), Hex(row, "contextV"), row.at("bits"));
    EXPECT_EQ(ToHex(out.view()), row.at("out").get<std::string>());
  }
}

TEST(KdfE, EveryVector) {
  const nlohmann::json rows = Vectors("kdfe");
  ASSERT_EQ(rows.size(), 12u);
  for (const auto& row : rows) {
    SCOPED_TRACE(row.dump());
    const SecretBytes out = KdfE(Alg(row), Hex(row, "z"), row.at("use").get<std::string>(),
                                 Hex(row, "partyU"), Hex(row, "partyV"), row.at("bits"));
    EXPECT_EQ(ToHex(out.view()), row.at("out").get<std::string>());
  }
}

// RFC 4231, cases 2 and 6 (a key longer than the block).
TEST(Hmac, PublishedValues) {
  EXPECT_EQ(Hmac(HashAlg::kSha256, AsBytes("Jefe"),
                 {AsBytes("what do ya want "), AsBytes("for nothing?")})
                .hex(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const Bytes long_key(131, 0xaa);
  EXPECT_EQ(Hmac(HashAlg::kSha384, long_key,
                 {AsBytes("Test Using Larger Than Block-Size Key - Hash Key First")})
                .hex(),
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
            "0c2ef6ab4030fe8296248df163f44952");
}

TEST(AesCfb, GoesBothWays) {
  const Bytes key(16, 7);
  const Bytes plain = ToBytes(AsBytes("thirty-three bytes, no block size"));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes sealed, AesCfbEncrypt(key, plain));
  EXPECT_EQ(sealed.size(), plain.size());
  EXPECT_FALSE(SameBytes(sealed, plain));
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes opened, AesCfbDecrypt(key, sealed));
  EXPECT_TRUE(opened.ConstantTimeEquals(plain));
}

TEST(AesCfb, ZeroKeyBlockIsTheCiphers) {
  // Under a zero IV the first block of zeros comes out as the block cipher's own output.
  EXPECT_EQ(ToHex(*AesCfbEncrypt(Bytes(16), Bytes(16))), "66e94bd4ef8a2c3b884cfa59ca342b2e");
  EXPECT_EQ(ToHex(*AesCfbEncrypt(Bytes(32), Bytes(16))), "dc95c078a2408989ad48a21492842087");
}

TEST(AesCfb, OtherKeySizesAreRefused) {
  for (const size_t size : {size_t{0}, size_t{15}, size_t{17}, size_t{24}, size_t{33}}) {
    EXPECT_THAT(AesCfbEncrypt(Bytes(size), Bytes(4)), HasCode(absl::StatusCode::kInvalidArgument));
  }
}

TEST(Aead, OpensOnlyWhatWasSealed) {
  const Bytes key(32, 1);
  const Bytes sealed = *AeadSeal(key, AsBytes("secret"), AsBytes("context"));
  EXPECT_EQ(sealed.size(), 12u + 6u + 16u);
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes opened, AeadOpen(key, sealed, AsBytes("context")));
  EXPECT_EQ(AsText(opened.view()), "secret");
  EXPECT_FALSE(AeadOpen(key, sealed, AsBytes("other")).ok());
  EXPECT_FALSE(AeadOpen(Bytes(32, 2), sealed, AsBytes("context")).ok());
  for (size_t i = 0; i < sealed.size(); ++i) {
    Bytes altered = sealed;
    altered[i] ^= 1;
    EXPECT_FALSE(AeadOpen(key, altered, AsBytes("context")).ok()) << i;
    EXPECT_FALSE(AeadOpen(key, ByteView(sealed).first(i), AsBytes("context")).ok()) << i;
  }
}

TEST(Aead, EmptyAndNoAssociatedDataWork) {
  const Bytes key(32, 1);
  const Bytes sealed = *AeadSeal(key, {}, {});
  EXPECT_THAT(AeadOpen(key, sealed, {}), IsOk());
  EXPECT_NE(sealed, *AeadSeal(key, {}, {}));  // a fresh nonce each time
  EXPECT_FALSE(AeadSeal(Bytes(16), {}, {}).ok());
}

}  // namespace
}  // namespace bootgate::crypto

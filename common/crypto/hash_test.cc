#include "common/crypto/hash.h"

#include <openssl/evp.h>

#include "common/base/hex.h"
#include "gtest/gtest.h"

namespace bootgate::crypto {
namespace {

struct Known {
  HashAlg alg;
  const char* of_abc;
};

class HashTest : public ::testing::TestWithParam<Known> {};

TEST_P(HashTest, PublishedValueOfAbc) {
  const Known& row = GetParam();
  EXPECT_EQ(Hash(row.alg, AsBytes("abc")).hex(), row.of_abc);
  EXPECT_EQ(Hash(row.alg, {AsBytes("a"), AsBytes("bc")}).hex(), row.of_abc);
  EXPECT_EQ(HashAlgFromName(Name(row.alg)), row.alg);
  EXPECT_EQ(HashAlgFromTpm(static_cast<uint16_t>(row.alg)), row.alg);
}

INSTANTIATE_TEST_SUITE_P(
    AllAlgorithms, HashTest,
    ::testing::Values(Known{HashAlg::kSha1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
                      Known{HashAlg::kSha256,
                            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                      Known{HashAlg::kSha384,
                            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed808607"
                            "2ba1e7cc2358baeca134c825a7"},
                      Known{HashAlg::kSha512,
                            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a219299"
                            "2a274fc1a836ba3c23a3feebbd"
                            "454d4423643ce80e2a9ac94fa54ca49f"},
                      Known{HashAlg::kSm3_256,
                            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"}),
    [](const auto& row) { return std::string(Name(row.param.alg)); });

// Short messages are padded here, long ones by OpenSSL: the change-over and every block boundary.
TEST(Sha256, EveryLengthAgreesWithOpenSsl) {
  Bytes message;
  for (size_t size = 0; size < 260; ++size) {
    uint8_t expected[32];
    ASSERT_EQ(EVP_Digest(message.data(), size, expected, nullptr, EVP_sha256(), nullptr), 1);
    const ByteView view(message);
    EXPECT_TRUE(SameBytes(Hash(HashAlg::kSha256, view).view(), expected)) << size;
    EXPECT_EQ(Hash(HashAlg::kSha256, {view.first(size / 3), view.subspan(size / 3)}),
              Hash(HashAlg::kSha256, view))
        << size;
    message.push_back(static_cast<uint8_t>(7 * size + 1));
  }
}

TEST(Digest, KnowsItsSize) {
  EXPECT_EQ(Digest(HashAlg::kSha384).size(), 48u);
  EXPECT_TRUE(Digest(HashAlg::kSha1).IsZero());
  EXPECT_EQ(Digest::Ones(HashAlg::kSha1).hex(), std::string(40, 'f'));
  EXPECT_FALSE(Digest::From(HashAlg::kSha256, Bytes(20)).ok());
  EXPECT_NE(Digest(HashAlg::kSha256), Digest(HashAlg::kSm3_256));
}

TEST(HashAlg, UnknownIsNotGuessed) {
  EXPECT_EQ(HashAlgFromTpm(0x0010), std::nullopt);
  EXPECT_EQ(HashAlgFromName("SHA256"), std::nullopt);
}

}  // namespace
}  // namespace bootgate::crypto

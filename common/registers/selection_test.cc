#include "common/registers/selection.h"

#include "common/base/hex.h"
#include "common/registers/bank.h"
#include "gtest/gtest.h"

namespace bootgate::registers {
namespace {

using crypto::HashAlg;

TEST(Selection, TextFormGoesBothWays) {
  const Selection selection = *ParseSelection("sha256:0-7,10+sha1:23");
  ASSERT_EQ(selection.size(), 2u);
  EXPECT_EQ(selection[0].mask, 0x4ffu);
  EXPECT_EQ(selection[1], (BankSelection{HashAlg::kSha1, 1u << 23}));
  EXPECT_EQ(Format(selection), "sha256:0-7,10+sha1:23");
}

TEST(Selection, BadTextIsNamed) {
  for (const char* bad : {"", "sha256", "sha256:", "sha256:24", "sha256:3-1", "md5:1",
                          "sha256:1+sha256:2", "sha256:1,,2", "sha256:a"}) {
    EXPECT_FALSE(ParseSelection(bad).ok()) << bad;
  }
}

TEST(Selection, WireFormIsTheTpms) {
  // The selection of the corpus's quotes: sha256, PCRs 0 to 14.
  const Selection selection = *ParseSelection("sha256:0-14");
  EXPECT_EQ(ToHex(Marshal(selection)), "00000001000b03ff7f00");
  const Bytes wire = Marshal(selection);
  bytes::Reader in(wire);
  EXPECT_EQ(*Unmarshal(in), selection);
}

TEST(Selection, HostileWireFormsAreRefused) {
  for (const char* bad : {"00000011", "00000001000b04ff7f0000", "00000001001003ff7f00",
                          "00000002000b03010000000b03020000", "00000001000b03ff7f", "0000"}) {
    const Bytes wire = *FromHex(bad);
    bytes::Reader in(wire);
    EXPECT_FALSE(Unmarshal(in).ok()) << bad;
  }
}

TEST(Selection, EmptyFormsAreSeen) {
  for (const char* empty : {"00000000", "00000001000b03000000", "00000001000b00"}) {
    const Bytes wire = *FromHex(empty);
    bytes::Reader in(wire);
    EXPECT_TRUE(IsEmpty(*Unmarshal(in))) << empty;
  }
}

TEST(RegisterBank, UnknownIsNotZero) {
  RegisterBank bank(HashAlg::kSha256);
  EXPECT_EQ(bank.Get(4), std::nullopt);
  EXPECT_TRUE(bank.Set(4, crypto::Digest(HashAlg::kSha256)));
  EXPECT_TRUE(bank.Get(4)->IsZero());
  EXPECT_EQ(bank.mask(), 1u << 4);
}

TEST(RegisterBank, ExtendsAsTheTpmDoes) {
  RegisterBank bank(HashAlg::kSha256);
  // Zeros extended with zeros: SHA-256 of 64 zero bytes.
  EXPECT_TRUE(bank.Extend(16, crypto::Digest(HashAlg::kSha256)));
  EXPECT_EQ(bank.Get(16)->hex(),
            "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}

TEST(RegisterBank, RefusesOtherIndexesAndAlgorithms) {
  RegisterBank bank(HashAlg::kSha256);
  EXPECT_FALSE(bank.Extend(24, crypto::Digest(HashAlg::kSha256)));
  EXPECT_FALSE(bank.Extend(0xffffffff, crypto::Digest(HashAlg::kSha256)));
  EXPECT_FALSE(bank.Set(0, crypto::Digest(HashAlg::kSm3_256)));
  EXPECT_EQ(bank.mask(), 0u);
}

}  // namespace
}  // namespace bootgate::registers

#include "common/tpm2/key_profile.h"

#include <openssl/bn.h>

#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/bytes/writer.h"
#include "common/crypto/owners.h"
#include "common/crypto/private_key.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/policy_digest.h"
#include "common/tpm2/soft_tpm/public_area.h"
#include "common/tpm2/soft_tpm/soft_ak.h"
#include "common/tpm2/soft_tpm/soft_storage_key.h"
#include "gtest/gtest.h"

namespace bootgate::tpm2 {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using soft_tpm::AreaFields;
using soft_tpm::SoftAk;
using soft_tpm::SoftStorageKey;
using ::testing::HasSubstr;

const crypto::PrivateKey& P256() {
  static const auto* const key =
      new crypto::PrivateKey(*crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  return *key;
}

Public AkWith(uint32_t attributes, Bytes policy = {}) {
  AreaFields fields;
  fields.attributes = attributes;
  fields.auth_policy = std::move(policy);
  return soft_tpm::Area(P256().Public(), fields);
}

constexpr uint32_t kAkBits = 0x00050472;

struct Bit {
  uint32_t bit;
  const char* name;
};

TEST(Attack, A22_AkLackingAnAttributeIsRefusedByName) {
  const Bit needed[] = {{attribute::kFixedTpm, "fixedTPM"},
                        {attribute::kFixedParent, "fixedParent"},
                        {attribute::kSensitiveDataOrigin, "sensitiveDataOrigin"},
                        {attribute::kRestricted, "restricted"},
                        {attribute::kSign, "sign"}};
  ASSERT_THAT(CheckAk(AkWith(kAkBits)), IsOk());
  for (const Bit& row : needed) {
    const absl::Status status = CheckAk(AkWith(kAkBits & ~row.bit));
    EXPECT_THAT(status, Refuses(Reason::kAkAttributes));
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string("lacks ") + row.name));
  }
}

TEST(Attack, A22_AkWithAnAttributeTooManyIsRefusedByName) {
  const uint32_t agents_choice =
      attribute::kUserWithAuth | attribute::kAdminWithPolicy | attribute::kNoDa;
  size_t refused = 0;
  for (uint32_t i = 0; i < 32; ++i) {
    const uint32_t bit = 1u << i;
    if (((kAkBits | agents_choice) & bit) != 0) continue;
    const absl::Status status = CheckAk(AkWith(kAkBits | bit));
    EXPECT_THAT(status, Refuses(Reason::kAkAttributes)) << i;
    EXPECT_THAT(std::string(status.message()), HasSubstr("has ")) << i;
    ++refused;
  }
  EXPECT_EQ(refused, 24u);
  EXPECT_THAT(std::string(CheckAk(AkWith(kAkBits | attribute::kDecrypt)).message()),
              HasSubstr("decrypt"));
  EXPECT_THAT(std::string(CheckAk(AkWith(kAkBits | attribute::kStClear)).message()),
              HasSubstr("stClear"));
  EXPECT_THAT(std::string(CheckAk(AkWith(kAkBits | 1u << 31)).message()),
              HasSubstr("reserved bit 31"));
}

TEST(Attack, A22_AdminByPolicyNeedsAPolicy) {
  const uint32_t with_admin = kAkBits | attribute::kAdminWithPolicy;
  EXPECT_THAT(CheckAk(AkWith(with_admin)), Refuses(Reason::kAkAttributes));
  EXPECT_THAT(CheckAk(AkWith(with_admin, Bytes(32, 1))), IsOk());
}

TEST(CheckAk, WhatTheAgentMayChoose) {
  for (const uint32_t clear : {attribute::kUserWithAuth, attribute::kNoDa}) {
    EXPECT_THAT(CheckAk(AkWith(kAkBits & ~clear)), IsOk());
  }
  EXPECT_THAT(CheckAk(SoftAk::Rsa(Alg::kRsassa).area()), IsOk());
  EXPECT_THAT(CheckAk(SoftAk::Rsa(Alg::kRsapss).area()), IsOk());
  EXPECT_THAT(CheckAk(SoftAk::Ecc(crypto::Curve::kP384).area()), IsOk());
}

TEST(Attack, A23_WeakNameAlgorithmsAreRefused) {
  for (const crypto::HashAlg alg : crypto::kAllHashAlgs) {
    AreaFields fields;
    fields.name_alg = alg;
    const Public ak = soft_tpm::Area(P256().Public(), fields);
    const bool strong = alg == crypto::HashAlg::kSha256 || alg == crypto::HashAlg::kSha384 ||
                        alg == crypto::HashAlg::kSha512;
    if (strong) {
      EXPECT_THAT(CheckAk(ak), IsOk()) << crypto::Name(alg);
    } else {
      EXPECT_THAT(CheckAk(ak), Refuses(Reason::kAkNameAlg)) << crypto::Name(alg);
    }
  }
  Bytes no_name = soft_tpm::AreaBytes(P256().Public(), {});
  no_name[3] = 0x10;  // TPM_ALG_NULL: an object without a Name
  EXPECT_THAT(Public::FromTpmt(no_name), Refuses(Reason::kTpmMarshal));
}

TEST(CheckAk, SchemesThatDoNotSignOrSignWeakly) {
  for (const Alg scheme : {Alg::kNull, Alg::kEcdaa}) {
    AreaFields fields;
    fields.scheme = scheme;
    EXPECT_THAT(CheckAk(soft_tpm::Area(P256().Public(), fields)), Refuses(Reason::kAkScheme));
  }
  for (const crypto::HashAlg hash : {crypto::HashAlg::kSha1, crypto::HashAlg::kSm3_256}) {
    AreaFields fields;
    fields.scheme_hash = hash;
    EXPECT_THAT(CheckAk(soft_tpm::Area(P256().Public(), fields)), Refuses(Reason::kAkScheme));
  }
}

TEST(CheckAk, KeysThatAreNone) {
  // The template: every attribute right, but no point.
  EXPECT_THAT(CheckAk(*Public::FromTpmt(AkTemplateBytes(true))), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(CheckAk(*Public::FromTpmt(AkTemplateBytes(false))), Refuses(Reason::kKeyWeak));
  EXPECT_THAT(CheckAk(*Public::FromTpmt(EkTemplateBytes(EkTemplate::kP256Low))),
              Refuses(Reason::kAkAttributes));
}

TEST(CheckEk, EveryTemplateIsKnownByItsForm) {
  for (const EkTemplate which : kEkTemplates) {
    const SoftStorageKey ek = SoftStorageKey::MakeEk(which);
    BG_ASSERT_OK_AND_ASSIGN(const EkTemplate found, CheckEk(ek.area()));
    EXPECT_EQ(found, which) << Name(which);
    EXPECT_THAT(CheckEkKey(ek.area(), ek.key().Public()), IsOk());
    EXPECT_THAT(CheckEkKey(ek.area(), P256().Public()), Refuses(Reason::kEkCertKeyMismatch));
  }
}

TEST(CheckEk, OfRealHosts) {
  for (const char* boot : {"good", "secure-boot-off", "cmdline-changed", "ima-policy"}) {
    const std::string folder = std::string("boots/") + boot;
    BG_ASSERT_OK_AND_ASSIGN(const Public rsa,
                            Public::FromTpm2b(testing::CorpusFile(folder + "/ek.pub")));
    EXPECT_EQ(*CheckEk(rsa), EkTemplate::kRsa2048Low);
    BG_ASSERT_OK_AND_ASSIGN(const Public ecc,
                            Public::FromTpm2b(testing::CorpusFile(folder + "/ek-ecc384h.pub")));
    EXPECT_EQ(*CheckEk(ecc), EkTemplate::kP384High);
  }
}

TEST(CheckEk, AnythingBesideTheTemplatesIsRefused) {
  const SoftStorageKey ek = SoftStorageKey::MakeEk(EkTemplate::kP256High);
  for (size_t i = 0; i + 68 < ek.area().raw.size(); ++i) {  // all but the key
    Bytes altered = ek.area().raw;
    altered[i] ^= 0x40;
    const absl::StatusOr<Public> area = Public::FromTpmt(altered);
    if (!area.ok()) continue;
    EXPECT_THAT(CheckEk(*area), Refuses(Reason::kEkTemplate)) << i;
  }
  EXPECT_THAT(CheckEk(SoftAk::Ecc().area()), Refuses(Reason::kEkTemplate));
  EXPECT_THAT(CheckEk(*Public::FromTpmt(EkTemplateBytes(EkTemplate::kP256High))),
              Refuses(Reason::kEkTemplate));
}

Public IdentityKey(uint32_t attributes, const Bytes& policy) {
  AreaFields fields;
  fields.attributes = attributes;
  fields.auth_policy = policy;
  fields.scheme = Alg::kNull;
  return soft_tpm::Area(P256().Public(), fields);
}

TEST(CheckIdentityKey, OnlyByPolicyAndOnlyThisPolicy) {
  constexpr uint32_t kGood = 0x00040432;
  const Bytes policy(32, 7);
  EXPECT_THAT(CheckIdentityKey(IdentityKey(kGood, policy), policy), IsOk());
  EXPECT_THAT(CheckIdentityKey(IdentityKey(kGood, Bytes(32, 8)), policy),
              Refuses(Reason::kKeyPolicy));
  EXPECT_THAT(CheckIdentityKey(IdentityKey(kGood, {}), policy), Refuses(Reason::kKeyPolicy));
  EXPECT_THAT(CheckIdentityKey(IdentityKey(kGood, {}), {}), Refuses(Reason::kKeyPolicy));
  for (uint32_t i = 0; i < 32; ++i) {
    const uint32_t flipped = kGood ^ (1u << i);
    const bool harmless =
        (flipped ^ kGood) == attribute::kNoDa || (flipped ^ kGood) == attribute::kAdminWithPolicy;
    const absl::Status status = CheckIdentityKey(IdentityKey(flipped, policy), policy);
    if (harmless) {
      EXPECT_THAT(status, IsOk()) << i;
    } else {
      EXPECT_THAT(status, Refuses(Reason::kKeyAttributes)) << i;
    }
  }
  EXPECT_THAT(
      std::string(CheckIdentityKey(IdentityKey(kGood | attribute::kUserWithAuth, policy), policy)
                      .message()),
      HasSubstr("userWithAuth"));
}

// ---- Weak keys, as a host may send them in its AK and in the key that it wants certified

// A modulus that is a power of 65537 is one modulo every prime: the flawed generator's shape.
Bytes ShapedModulus() {
  const crypto::BnPtr number(BN_new());
  BN_one(number.get());
  while (BN_num_bits(number.get()) <= 2040) BN_mul_word(number.get(), 65537);
  Bytes out(static_cast<size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), out.data());
  return out;
}
Bytes ModulusWithFactor(uint32_t factor) {
  crypto::BnPtr number(BN_new());
  BN_set_bit(number.get(), 2047);
  BN_set_bit(number.get(), 2000);
  BN_set_bit(number.get(), 0);
  while (BN_mod_word(number.get(), factor) != 0) BN_add_word(number.get(), 2);
  Bytes out(256);
  BN_bn2binpad(number.get(), out.data(), 256);
  return out;
}
Bytes SoundModulus(size_t size = 256) {
  static const auto* const kSound =
      new Bytes(crypto::PrivateKey::GenerateRsa(2048)->Public().Rsa()->modulus);
  Bytes modulus = *kSound;
  modulus.resize(size, 0x5b);
  modulus.back() |= 1;
  return modulus;
}
Bytes Even(Bytes modulus) {
  modulus.back() &= 0xfe;
  return modulus;
}

// The parts of a TPMT_PUBLIC behind authPolicy: symmetric, scheme, then the key.
Bytes RsaParts(const Bytes& modulus, uint32_t exponent, Alg scheme) {
  bytes::Writer out;
  out.U16Be(static_cast<uint16_t>(Alg::kNull)).U16Be(static_cast<uint16_t>(scheme));
  if (scheme != Alg::kNull) out.U16Be(static_cast<uint16_t>(crypto::HashAlg::kSha256));
  out.U16Be(static_cast<uint16_t>(modulus.size() * 8)).U32Be(exponent).Sized16Be(modulus);
  return out.Finish();
}
Bytes EcParts(uint16_t curve, const Bytes& x, const Bytes& y, Alg scheme) {
  bytes::Writer out;
  out.U16Be(static_cast<uint16_t>(Alg::kNull)).U16Be(static_cast<uint16_t>(scheme));
  if (scheme != Alg::kNull) out.U16Be(static_cast<uint16_t>(crypto::HashAlg::kSha256));
  out.U16Be(curve).U16Be(static_cast<uint16_t>(Alg::kNull)).Sized16Be(x).Sized16Be(y);
  return out.Finish();
}

struct WeakKey {
  const char* name;
  Alg type;
  Bytes (*parts)(Alg scheme);  // kNull: an unrestricted key's
  const char* says;
  Reason reason = Reason::kKeyWeak;
};
void PrintTo(const WeakKey& row, std::ostream* os) { *os << row.name; }
class WeakKeyTest : public ::testing::TestWithParam<WeakKey> {
 protected:
  // Right in everything but the key.
  static Bytes Tpmt(uint32_t attributes, ByteView policy, Alg scheme) {
    bytes::Writer out;
    out.U16Be(static_cast<uint16_t>(GetParam().type));
    out.U16Be(static_cast<uint16_t>(crypto::HashAlg::kSha256)).U32Be(attributes);
    out.Sized16Be(policy).Raw(GetParam().parts(scheme));
    return out.Finish();
  }
  static absl::Status RefusedAs(const Bytes& tpmt, auto check) {
    const absl::StatusOr<Public> area = Public::FromTpmt(tpmt);
    return area.ok() ? check(*area) : area.status();
  }
};

TEST_P(WeakKeyTest, A30_IsRefusedAsAnAk) {
  const Alg scheme = GetParam().type == Alg::kRsa ? Alg::kRsassa : Alg::kEcdsa;
  const absl::Status status = RefusedAs(Tpmt(kAkBits, {}, scheme), CheckAk);
  EXPECT_THAT(status, Refuses(GetParam().reason));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
}

TEST_P(WeakKeyTest, A30_IsRefusedAsAKeyToBeCertified) {
  constexpr uint32_t kIdentityBits = 0x00040432;
  const Bytes policy(32, 7);
  const absl::Status status =
      RefusedAs(Tpmt(kIdentityBits, policy, Alg::kNull),
                [&](const Public& area) { return CheckIdentityKey(area, policy); });
  EXPECT_THAT(status, Refuses(GetParam().reason));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, WeakKeyTest,
    ::testing::ValuesIn(std::vector<WeakKey>{
        {"Rsa1024", Alg::kRsa, [](Alg s) { return RsaParts(SoundModulus(128), 0, s); },
         "1024 bits"},
        {"ExponentOne", Alg::kRsa, [](Alg s) { return RsaParts(SoundModulus(), 1, s); },
         "exponent"},
        {"ExponentEven", Alg::kRsa, [](Alg s) { return RsaParts(SoundModulus(), 65536, s); },
         "exponent"},
        {"ModulusEven", Alg::kRsa, [](Alg s) { return RsaParts(Even(SoundModulus()), 0, s); },
         "even"},
        {"SmallFactor", Alg::kRsa, [](Alg s) { return RsaParts(ModulusWithFactor(641), 0, s); },
         "has the factor"},
        {"Roca", Alg::kRsa, [](Alg s) { return RsaParts(ShapedModulus(), 0, s); }, "ROCA"},
        {"Oversized", Alg::kRsa, [](Alg s) { return RsaParts(Bytes(1024, 0xc5), 0, s); },
         "8192 bits", Reason::kKeyTooLarge},
        {"P192", Alg::kEcc, [](Alg s) { return EcParts(0x0001, Bytes(24, 1), Bytes(24, 2), s); },
         "unknown curve", Reason::kTpmMarshal},
        {"Sm2", Alg::kEcc, [](Alg s) { return EcParts(0x0020, Bytes(32, 1), Bytes(32, 2), s); },
         "unknown curve", Reason::kTpmMarshal},
        {"OffTheCurve", Alg::kEcc,
         [](Alg s) { return EcParts(0x0003, Bytes(32, 1), Bytes(32, 2), s); }, "not a valid EC"},
        {"AtInfinity", Alg::kEcc, [](Alg s) { return EcParts(0x0003, {}, {}, s); },
         "not a valid EC"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(EkTemplates, NamesAndIndexes) {
  EXPECT_EQ(Name(EkTemplate::kRsa2048Low), "rsa2048-low (L-1)");
  EXPECT_EQ(CertificateNvIndex(EkTemplate::kRsa2048Low), 0x01c00002u);
  EXPECT_EQ(CertificateNvIndex(EkTemplate::kP384High), 0x01c00016u);
  EXPECT_EQ(CertificateNvIndex(EkTemplate::kP521High), 0x01c00018u);
  EXPECT_EQ(CertificateNvIndex(EkTemplate::kRsa3072High), 0x01c0001cu);
  EXPECT_EQ(CertificateNvIndex(EkTemplate::kRsa4096High), 0x01c0001eu);
}

// EK Credential Profile 2.6, B.4.4.4, B.4.4.6, B.4.4.7: hash and cipher grow with the key.
TEST(EkTemplates, LongKeysHaveTheLongAlgorithms) {
  struct {
    EkTemplate which;
    crypto::HashAlg name_alg;
    const char* policy_b;  // its first bytes, as published in B.6
  } const kRows[] = {{EkTemplate::kP521High, crypto::HashAlg::kSha512, "b8221ca69e8550a4"},
                     {EkTemplate::kRsa3072High, crypto::HashAlg::kSha384, "b26e7d28d11a50bc"},
                     {EkTemplate::kRsa4096High, crypto::HashAlg::kSha384, "b26e7d28d11a50bc"}};
  for (const auto& row : kRows) {
    BG_ASSERT_OK_AND_ASSIGN(const Public form, Public::FromTpmt(EkTemplateBytes(row.which)));
    EXPECT_EQ(form.name_alg, row.name_alg) << Name(row.which);
    EXPECT_EQ(form.symmetric_bits, 256) << Name(row.which);
    EXPECT_EQ(ToHex(ByteView(form.auth_policy).first(8)), row.policy_b) << Name(row.which);
    EXPECT_EQ(NameAlgOf(row.which), row.name_alg);
    EXPECT_FALSE(IsLowRange(row.which));
  }
}

TEST(EkTemplates, OneOfAnotherSizeIsNone) {
  for (const EkTemplate which : {EkTemplate::kRsa3072High, EkTemplate::kRsa4096High}) {
    const SoftStorageKey ek = SoftStorageKey::MakeEk(EkTemplate::kRsa2048High);
    const Public area = soft_tpm::AreaFromTemplate(EkTemplateBytes(which), ek.key().Public());
    EXPECT_THAT(CheckEk(area), Refuses(Reason::kEkTemplate)) << Name(which);
  }
}

}  // namespace
}  // namespace bootgate::tpm2

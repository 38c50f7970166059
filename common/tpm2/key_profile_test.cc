#include "common/tpm2/key_profile.h"

#include "common/base/hex.h"
#include "common/base/reason.h"
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
  for (const EkTemplate which :
       {EkTemplate::kRsa2048Low, EkTemplate::kP256Low, EkTemplate::kRsa2048High,
        EkTemplate::kP256High, EkTemplate::kP384High}) {
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

TEST(EkTemplates, NamesAndIndexes) {
  EXPECT_EQ(Name(EkTemplate::kRsa2048Low), "rsa2048-low (L-1)");
  EXPECT_EQ(CertificateNvIndex(EkTemplate::kRsa2048Low), 0x01c00002u);
  EXPECT_EQ(CertificateNvIndex(EkTemplate::kP384High), 0x01c00016u);
}

}  // namespace
}  // namespace bootgate::tpm2

#include "gatekeeper/enroll/ek_trust.h"

#include <ostream>

#include "common/testing/status_matchers.h"
#include "common/tpm2/soft_tpm/soft_ak.h"
#include "common/tpm2/soft_tpm/soft_storage_key.h"
#include "gatekeeper/enroll/test_ca.h"
#include "gatekeeper/host/host.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::enroll {
namespace {

using ::bootgate::testing::Refuses;
using tpm2::soft_tpm::SoftStorageKey;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

const TestCa& Vendor() {
  static const TestCa ca(kNow);
  return ca;
}
const tpm2::Public& Ek() {
  static const SoftStorageKey ek = SoftStorageKey::MakeEk(tpm2::EkTemplate::kP256Low);
  return ek.area();
}
const tpm2::Public& OtherEk() {
  static const SoftStorageKey ek = SoftStorageKey::MakeEk(tpm2::EkTemplate::kP256Low);
  return ek.area();
}

absl::StatusOr<EkTrust> Judge(const EkPolicy& policy, const tpm2::Public& ek, ByteView certificate,
                              absl::Time now = kNow) {
  const std::vector<Bytes> none;
  EkKnown known;
  const std::vector<std::string> keys = InventoryKeys(ek, certificate).value();
  for (const std::string& key : keys) {
    known.listed = known.listed || policy.inventory.contains(key);
  }
  return JudgeEk(policy, {.ek = ek, .certificate = certificate, .intermediates = none}, known, now);
}

struct Row {
  const char* name;
  EkMode mode;
  bool has_certificate, is_listed;
  const char* how;
  bool approved, token_may_approve;
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.name; }
class JudgeEkTest : public ::testing::TestWithParam<Row> {};

TEST_P(JudgeEkTest, BelievesAsTheModeSays) {
  const Row& row = GetParam();
  EkPolicy policy = {.mode = row.mode, .anchors = Vendor().Anchors(), .inventory = {}};
  if (row.is_listed) policy.inventory.insert(host::HostIdFor(Ek().Name()));
  const Bytes certificate = row.has_certificate ? Vendor().CertificateFor(Ek()) : Bytes();
  BG_ASSERT_OK_AND_ASSIGN(const EkTrust trust, Judge(policy, Ek(), certificate));
  EXPECT_EQ(trust.how, row.how);
  EXPECT_EQ(trust.approved, row.approved);
  EXPECT_EQ(trust.may_be_approved_by_token, row.token_may_approve);
}

using enum EkMode;
INSTANTIATE_TEST_SUITE_P(
    Modes, JudgeEkTest,
    ::testing::ValuesIn(std::vector<Row>{
        {"ChainAlone", kChain, true, false, "chain", true, true},
        {"ChainAndListed", kChain, true, true, "chain+inventory", true, true},
        {"ChainMissing", kChain, false, false, "none", false, false},
        {"ChainMissingButListed", kChain, false, true, "inventory", false, true},
        {"Inventory", kInventory, false, true, "inventory", true, true},
        {"InventoryWithCertificate", kInventory, true, true, "inventory", true, true},
        {"InventoryNotListed", kInventory, true, false, "none", false, false},
        {"BothThere", kChainAndInventory, true, true, "chain+inventory", true, true},
        {"BothButNotListed", kChainAndInventory, true, false, "chain", false, true},
        {"BothButNoCertificate", kChainAndInventory, false, true, "inventory", false, true},
        {"NeitherThere", kChainAndInventory, false, false, "none", false, false},
    }),
    [](const auto& row) { return std::string(row.param.name); });

// The certificate must be for the EK shown in every mode, one without chains too.
TEST(Attack, A19_CertificateOfAnotherTpmIsRefused) {
  for (const EkMode mode : {kChain, kInventory, kChainAndInventory}) {
    EkPolicy policy = {.mode = mode, .anchors = Vendor().Anchors(), .inventory = {}};
    policy.inventory.insert(host::HostIdFor(OtherEk().Name()));
    EXPECT_THAT(Judge(policy, OtherEk(), Vendor().CertificateFor(Ek())),
                Refuses(Reason::kEkCertKeyMismatch));
  }
}

TEST(Attack, A19_CertificateOfAnUnknownVendorIsRefused) {
  const TestCa stranger(kNow);
  const EkPolicy policy = {.mode = kChain, .anchors = Vendor().Anchors(), .inventory = {}};
  EXPECT_THAT(Judge(policy, Ek(), stranger.CertificateFor(Ek())),
              Refuses(Reason::kEkChainUntrusted));
  const EkPolicy nobody = {
      .mode = kChainAndInventory, .anchors = pki::TrustAnchors::None(), .inventory = {}};
  EXPECT_THAT(Judge(nobody, Ek(), Vendor().CertificateFor(Ek())),
              Refuses(Reason::kEkChainUntrusted));
}

TEST(JudgeEk, ExpiredCertificateIsRefused) {
  const EkPolicy policy = {.mode = kChain, .anchors = Vendor().Anchors(), .inventory = {}};
  EXPECT_THAT(Judge(policy, Ek(), Vendor().CertificateFor(Ek()), kNow + absl::Hours(2)),
              Refuses(Reason::kEkChainExpired));
}

TEST(JudgeEk, KeyThatIsNoEkIsRefused) {
  const auto ak = tpm2::soft_tpm::SoftAk::Ecc();
  EXPECT_THAT(Judge(EkPolicy(), ak.area(), {}), Refuses(Reason::kEkTemplate));
}

TEST(EkMode, NamesGoThereAndBack) {
  for (const EkMode mode : {kChain, kInventory, kChainAndInventory}) {
    EXPECT_EQ(EkModeFromName(Name(mode)), mode);
  }
  EXPECT_EQ(EkModeFromName("off"), std::nullopt);
}

}  // namespace
}  // namespace bootgate::gatekeeper::enroll

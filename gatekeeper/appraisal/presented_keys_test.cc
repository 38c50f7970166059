#include "gatekeeper/appraisal/presented_keys.h"

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/jose/jwk.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/soft_tpm/soft_ak.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::appraisal {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace soft_tpm = tpm2::soft_tpm;
namespace attribute = tpm2::attribute;

constexpr uint32_t kBound =
    attribute::kFixedTpm | attribute::kFixedParent | attribute::kSensitiveDataOrigin;

class PresentedKeysTest : public ::testing::Test {
 protected:
  tpm2::Public Area(const crypto::PublicKey& key, Bytes policy = {}) const {
    return soft_tpm::Area(
        key, {.attributes = kBound, .auth_policy = std::move(policy), .scheme = tpm2::Alg::kNull});
  }
  evidence::CertifiedKey Certified(const tpm2::Public& area, ByteView data) const {
    soft_tpm::SignedAttest attest = ak_.Certify(area, data);
    return {area.Tpm2b(), std::move(attest.attest), std::move(attest.signature)};
  }
  evidence::CertifiedKey Certified(const tpm2::Public& area) const {
    return Certified(area, data_);
  }
  absl::StatusOr<PresentedKeys> Verify(const evidence::Evidence& evidence) const {
    return PresentedKeys::Verify({ak_.area(), data_}, evidence);
  }

  const soft_tpm::SoftAk ak_ = soft_tpm::SoftAk::Ecc();
  const crypto::PrivateKey ec_ = *crypto::PrivateKey::GenerateEc(crypto::Curve::kP256);
  const crypto::PublicKey rsa_ = soft_tpm::SoftAk::Rsa().key().Public();
  const Bytes data_ = Bytes(32, 0x51);
};

TEST_F(PresentedKeysTest, NoKeysNoClaims) {
  BG_ASSERT_OK_AND_ASSIGN(const PresentedKeys keys, Verify({}));
  EXPECT_FALSE(keys.HasRequestKey());
  EXPECT_FALSE(keys.HasOtherKeys());
  EXPECT_EQ(keys.RequestKeyJson(), "");
  EXPECT_EQ(keys.RequestJwk(), "");
  EXPECT_EQ(keys.OtherKeysJson(), "");
}

// Exactly the form of the specification, 6.4.
TEST_F(PresentedKeysTest, TheIdentityKeyIsTheRequestKey) {
  evidence::Evidence evidence;
  evidence.identity_keys = {Certified(Area(ec_.Public(), Bytes(32, 0xff)))};
  BG_ASSERT_OK_AND_ASSIGN(const PresentedKeys keys, Verify(evidence));
  const std::string jwk = jose::JwkText(ec_.Public());
  EXPECT_EQ(keys.RequestJwk(), jwk);
  EXPECT_EQ(keys.RequestKeyJson(),
            absl::StrCat("{\"jwk\":", jwk,
                         ",\"info\":{\"tpm_certify\":{\"name_alg\":11,\"obj_attr\":50,"
                         "\"auth_policy\":\"__________________________________________8\"}}}"));
  EXPECT_FALSE(keys.HasOtherKeys());
}

TEST_F(PresentedKeysTest, AQuotedKeyComesBeforeTheIdentityKey) {
  evidence::Evidence evidence;
  evidence.identity_keys = {Certified(Area(ec_.Public()))};
  evidence.statement.request_key =
      absl::StrCat("{ \"use\":\"sig\", ", jose::JwkText(rsa_).substr(1));
  BG_ASSERT_OK_AND_ASSIGN(const PresentedKeys keys, Verify(evidence));
  EXPECT_THAT(keys.RequestKeyJson(), StartsWith(R"({"jwk":{"use":"sig","e":"AQAB",)"));
  EXPECT_THAT(keys.RequestKeyJson(),
              HasSubstr(R"("},"info":{"tpm_quote":{"hash_alg":"sha-256"}}})"));
  EXPECT_TRUE(keys.identity().has_value()) << "still good for a credential";
}

TEST_F(PresentedKeysTest, OtherKeysAreAnArray) {
  evidence::Evidence evidence;
  evidence.other_keys = {Certified(Area(rsa_)), Certified(Area(ec_.Public()))};
  BG_ASSERT_OK_AND_ASSIGN(const PresentedKeys keys, Verify(evidence));
  const std::string info = R"(,"info":{"tpm_certify":{"name_alg":11,"obj_attr":50}}})";
  EXPECT_EQ(keys.OtherKeysJson(),
            absl::StrCat("[{\"jwk\":", jose::JwkText(rsa_), info,
                         ",{\"jwk\":", jose::JwkText(ec_.Public()), info, "]"));
  EXPECT_FALSE(keys.HasRequestKey());
}

TEST_F(PresentedKeysTest, A79_KeysThatAreNotThisTpmsAreRefused) {
  const tpm2::Public area = Area(ec_.Public());
  const evidence::CertifiedKey good = Certified(area);
  evidence::CertifiedKey swapped = good;
  swapped.public_area = Area(rsa_).Tpm2b();
  evidence::CertifiedKey foreign = good;
  const soft_tpm::SignedAttest other = soft_tpm::SoftAk::Ecc().Certify(area, data_);
  foreign.certify_attest = other.attest;
  foreign.certify_signature = other.signature;
  for (const evidence::CertifiedKey& bad :
       {swapped, foreign, Certified(area, Bytes(32, 0x52)), Certified(area, Bytes())}) {
    evidence::Evidence evidence;
    evidence.other_keys = {good, bad};
    EXPECT_THAT(Verify(evidence), Refuses(Reason::kKeyNotAttested));
    evidence.other_keys.clear();
    evidence.identity_keys = {bad};
    EXPECT_THAT(Verify(evidence), Refuses(Reason::kKeyNotAttested));
  }
}

TEST_F(PresentedKeysTest, MoreKeysThanAreTakenAreRefused) {
  const evidence::CertifiedKey key = Certified(Area(ec_.Public()));
  evidence::Evidence evidence;
  evidence.identity_keys = {key, key};
  EXPECT_THAT(Verify(evidence), Refuses(Reason::kMessageMalformed));
  evidence.identity_keys.clear();
  evidence.other_keys = {key, key, key};
  EXPECT_THAT(Verify(evidence), Refuses(Reason::kMessageMalformed));
}

TEST_F(PresentedKeysTest, OnlyAPublicJwkCanBeQuoted) {
  const std::string jwk = jose::JwkText(ec_.Public());
  for (const std::string& text :
       {std::string("no JSON"), std::string("[]"), std::string("{\"kty\":\"oct\",\"k\":\"AAAA\"}"),
        absl::StrCat("{\"d\":\"AAAA\",", jwk.substr(1)),
        absl::StrCat("{\"kty\":\"RSA\",", jwk.substr(1)), jwk + "x"}) {
    evidence::Evidence evidence;
    evidence.statement.request_key = text;
    EXPECT_THAT(Verify(evidence), Refuses(Reason::kMessageMalformed)) << text;
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::appraisal

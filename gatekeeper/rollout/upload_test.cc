#include "gatekeeper/rollout/upload.h"

#include "absl/strings/str_cat.h"
#include "common/crypto/hash.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/rollout/made_signer_test.h"
#include "gatekeeper/rollout/signers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::rollout {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::Refuses;

constexpr char kPolicy[] = "version=1.0;\nauthorizationrules { => permit(); };\n";

const MadeSigner& Alice() {
  static const auto* const signer = new MadeSigner("alice");
  return *signer;
}
const MadeSigner& Mallory() {
  static const auto* const signer = new MadeSigner("mallory");
  return *signer;
}

absl::StatusOr<Upload> Read(absl::string_view bytes, const std::vector<Bytes>& signers) {
  return ReadUpload("p.policy", bytes, signers, SignerTime());
}
const std::vector<Bytes> kNobody;

TEST(ReadUpload, EveryFormIsTakenWhereNobodyIsConfigured) {
  BG_ASSERT_OK_AND_ASSIGN(const Upload text, Read(kPolicy, kNobody));
  EXPECT_EQ(text.policy.text(), kPolicy);
  EXPECT_EQ(text.jws, "");
  EXPECT_EQ(text.signer, "");

  const std::string unsigned_jws = jose::UnsignedJws(PolicyPayload(kPolicy));
  BG_ASSERT_OK_AND_ASSIGN(const Upload none, Read(unsigned_jws, kNobody));
  EXPECT_EQ(none.policy.id(), text.policy.id());
  EXPECT_EQ(none.jws, unsigned_jws);
  EXPECT_EQ(none.signer, "");

  BG_ASSERT_OK_AND_ASSIGN(const Upload signed_one,
                          Read(Alice().SignRs256(PolicyPayload(kPolicy)), kNobody));
  EXPECT_EQ(signed_one.policy.id(), text.policy.id());
  EXPECT_EQ(signed_one.signer, crypto::Hash(crypto::HashAlg::kSha256, Alice().leaf()).hex());
}

TEST(ReadUpload, A83_OnlyConfiguredSignersAreTaken) {
  const std::vector<Bytes> alice = {Alice().root()};
  for (const std::string& good :
       {Alice().SignRs256(PolicyPayload(kPolicy)), Alice().SignEs256(PolicyPayload(kPolicy))}) {
    EXPECT_THAT(Read(good, alice), IsOk());
    EXPECT_THAT(Read(absl::StrCat("\n", good, "\n"), alice), IsOk());
  }
  EXPECT_THAT(Read(kPolicy, alice), Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(Read(jose::UnsignedJws(PolicyPayload(kPolicy)), alice),
              Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(Read(Mallory().SignRs256(PolicyPayload(kPolicy)), alice),
              Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(Read(Mallory().SignEs256(PolicyPayload(kPolicy)), alice),
              Refuses(Reason::kSignerUntrusted));
}

TEST(ReadUpload, A83_SignatureIsOverThisVeryText) {
  const std::string good = Alice().SignRs256(PolicyPayload(kPolicy));
  const std::string other = Alice().SignRs256(PolicyPayload("version=1.0;\nauthorizationrules{};"));
  const std::string swapped =
      absl::StrCat(good.substr(0, good.find('.')),
                   other.substr(other.find('.'), other.rfind('.') - other.find('.')),
                   good.substr(good.rfind('.')));
  for (const std::vector<Bytes>& signers : {kNobody, std::vector<Bytes>{Alice().root()}}) {
    EXPECT_THAT(Read(swapped, signers), Refuses(Reason::kJwsSignature));
    EXPECT_FALSE(Read(good.substr(0, good.rfind('.') + 1), signers).ok()) << "no signature";
  }
}

TEST(ReadUpload, SignerMustBeACaAndValidAtTheTime) {
  const MadeSigner no_ca("no ca", MadeSigner::Root::kNoCa);
  EXPECT_THAT(Read(no_ca.SignRs256(PolicyPayload(kPolicy)), kNobody),
              Refuses(Reason::kSignerUntrusted));
  const std::string good = Alice().SignRs256(PolicyPayload(kPolicy));
  EXPECT_THAT(ReadUpload("p", good, kNobody, SignerTime() + absl::Hours(24 * 400)),
              Refuses(Reason::kSignerUntrusted));
}

TEST(ReadUpload, OlderPayloadsAreNotTaken) {
  for (const std::string& payload :
       {absl::StrCat(R"({"text":")", ToBase64Url(AsBytes(std::string(kPolicy))), "\"}"),
        std::string(R"({"AttestationPolicy":"version=1.0; authorizationrules{};"})"),
        std::string(R"({"AttestationPolicy":7})"), std::string("[]"), std::string("{}"),
        absl::StrCat(R"({"AttestationPolicy":"","AttestationPolicy":"eA"})")}) {
    EXPECT_THAT(Read(jose::UnsignedJws(payload), kNobody), Refuses(Reason::kJwsParse)) << payload;
  }
}

TEST(ReadUpload, WhatCannotBeReadIsToldWithItsPlace) {
  constexpr char kBroken[] = "version=1.0;\nauthorizationrules { => permitt(); };\n";
  for (const std::string& bytes : {std::string(kBroken), jose::UnsignedJws(PolicyPayload(kBroken)),
                                   Alice().SignRs256(PolicyPayload(kBroken))}) {
    const absl::Status status = Read(bytes, kNobody).status();
    EXPECT_THAT(status, Refuses(Reason::kPolicyParse));
    EXPECT_THAT(std::string(status.message()), HasSubstr("p.policy:2:"));
  }
  EXPECT_THAT(Read("", kNobody), Refuses(Reason::kPolicyParse));
  EXPECT_FALSE(Read("a.b.c", kNobody).ok());
}

// PCR 16 and 23 can be reset by anybody on the host.
TEST(Attack, A65_APolicyThatReliesOnAResettablePcrIsNotTaken) {
  const auto with_mask = [](const char* mask, const char* more) {
    return absl::StrCat(
        "version=1.1;configurationrules{=>issueproperty(type=\"required_pcr_mask\","
        "value=",
        mask, ");", more, "};authorizationrules{=>permit();};");
  };
  constexpr char kAllowed[] = "=>issueproperty(type=\"allow_resettable\",value=true);";
  constexpr char kNotAllowed[] = "=>issueproperty(type=\"allow_resettable\",value=false);";
  constexpr char kQuery[] =
      "version=1.2;authorizationrules{[type==\"x\"]=>permit();};issuancerules{"
      "c:[type==\"pcrs\"]=>issue(type=\"d\",value=JmesPath(c.value, \"PCRs[?Index == `23`]\"));};";
  for (const std::string& text :
       {with_mask("65536", ""), with_mask("8388608", ""), with_mask("16777215", ""),
        with_mask("65536", kNotAllowed), std::string(kQuery)}) {
    const absl::Status status = Read(text, kNobody).status();
    EXPECT_THAT(status, Refuses(Reason::kPcrResettable)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("allow_resettable"));
  }
  for (const std::string& text : {with_mask("65536", kAllowed), with_mask("255", "")})
    EXPECT_THAT(Read(text, kNobody).status(), ::bootgate::testing::IsOk()) << text;
}

TEST(PolicySignerJson, NamesKeyAndChainOfWhoSigned) {
  const std::string json = PolicySignerJson(Alice().SignRs256(PolicyPayload(kPolicy)));
  EXPECT_THAT(json, HasSubstr("{\"jwk\":{"));
  EXPECT_THAT(json, HasSubstr("\"kty\":\"RSA\""));
  EXPECT_THAT(json, HasSubstr(ToBase64(Alice().leaf())));
  EXPECT_EQ(PolicySignerJson(""), "");
  EXPECT_EQ(PolicySignerJson(jose::UnsignedJws(PolicyPayload(kPolicy))), "");
}

// ---- who may sign

std::string ChangeClaim(const MadeSigner& added, absl::string_view more = "",
                        absl::string_view name = "x-ms-policyCertificate") {
  return absl::StrCat("{\"", name, "\":", added.RootJwk(), more, "}");
}

absl::StatusOr<SignerChange> ReadChange(absl::string_view bytes,
                                        const std::vector<Bytes>& configured,
                                        const std::vector<store::AssignmentRow>& steps = {}) {
  return ReadSignerChange(bytes, configured, steps, SignerTime());
}

TEST(ReadSignerChange, TheFirstSignerIsACertificate) {
  BG_ASSERT_OK_AND_ASSIGN(const SignerChange first, ReadChange(Alice().RootPem(), {}));
  EXPECT_EQ(first.root.der, Alice().root());
  EXPECT_EQ(first.root.id, crypto::Hash(crypto::HashAlg::kSha256, Alice().root()).hex());
  EXPECT_THAT(first.root.subject, HasSubstr("alice"));
  EXPECT_EQ(first.token_id, "");
  EXPECT_THAT(ReadChange(MadeSigner("x", MadeSigner::Root::kNoCa).RootPem(), {}),
              Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(ReadChange("", {}), Refuses(Reason::kCertParse));
  EXPECT_THAT(ReadChange(Alice().SignRs256(ChangeClaim(Mallory())), {}),
              Refuses(Reason::kCertParse));
}

TEST(ReadSignerChange, A83_AfterThatASignerMustHaveSignedIt) {
  const std::vector<Bytes> alice = {Alice().root()};
  EXPECT_THAT(ReadChange(Mallory().RootPem(), alice), Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(ReadChange(Mallory().SignRs256(ChangeClaim(Mallory())), alice),
              Refuses(Reason::kSignerUntrusted));
  EXPECT_FALSE(ReadChange(jose::UnsignedJws(ChangeClaim(Mallory())), alice).ok());
  for (const char* const name : {"x-ms-policyCertificate", "maa-policyCertificate"}) {
    BG_ASSERT_OK_AND_ASSIGN(const SignerChange change,
                            ReadChange(Alice().SignRs256(ChangeClaim(Mallory(), "", name)), alice));
    EXPECT_EQ(change.root.der, Mallory().root());
    EXPECT_NE(change.token_id, "");
  }
  EXPECT_THAT(ReadChange(Alice().SignRs256(ChangeClaim(Mallory(), "", "certificate")), alice),
              Refuses(Reason::kJwsParse));
}

// The same form adds and removes: what removed a signer must not bring it back, or the reverse.
TEST(ReadSignerChange, A83_EachJwtIsTakenOnce) {
  const std::vector<Bytes> alice = {Alice().root()};
  const std::string jwt = Alice().SignEs256(ChangeClaim(Mallory(), ",\"iat\":1"));
  BG_ASSERT_OK_AND_ASSIGN(const SignerChange change, ReadChange(jwt, alice));
  store::AssignmentRow step;
  step.why = WhyOf(change);
  EXPECT_THAT(ReadChange(jwt, alice, {step}), Refuses(Reason::kTokenExpired));
  // Signed again, with another signature over the same words.
  EXPECT_THAT(ReadChange(Alice().SignEs256(ChangeClaim(Mallory(), ",\"iat\":1")), alice, {step}),
              Refuses(Reason::kTokenExpired));
  EXPECT_THAT(ReadChange(Alice().SignEs256(ChangeClaim(Mallory(), ",\"iat\":2")), alice, {step}),
              IsOk());
}

TEST(ReadSignerChange, HoldsToTheTimesOfTheJwt) {
  const std::vector<Bytes> alice = {Alice().root()};
  const int64_t now = absl::ToUnixSeconds(SignerTime());
  const auto read = [&](const std::string& more) {
    return ReadChange(Alice().SignRs256(ChangeClaim(Mallory(), more)), alice);
  };
  EXPECT_THAT(read(absl::StrCat(",\"nbf\":", now, ",\"exp\":", now + 1)), IsOk());
  EXPECT_THAT(read(absl::StrCat(",\"exp\":", now)), Refuses(Reason::kTokenExpired));
  EXPECT_THAT(read(absl::StrCat(",\"nbf\":", now + 1)), Refuses(Reason::kTokenExpired));
  EXPECT_THAT(read(",\"exp\":\"never\""), Refuses(Reason::kJwsParse));
}

}  // namespace
}  // namespace bootgate::gatekeeper::rollout

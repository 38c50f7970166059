#include "gatekeeper/reference/imaset/signed_file.h"

#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/imaset/keylime.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using testing::HasCode;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Refuses;

TrustedKeys KeylimeKey() {
  TrustedKeys keys;
  EXPECT_THAT(keys.AddPem(testing::CorpusText("keylime/policy-key.pem")), IsOk());
  return keys;
}

Bytes Policy(absl::string_view name) { return testing::CorpusFile(absl::StrCat("keylime/", name)); }

TEST(OpenSigned, KeylimesOwnSignedPolicyVerifies) {
  BG_ASSERT_OK_AND_ASSIGN(
      const SignedFile file,
      OpenSigned(Policy("policy-signed.json"), std::nullopt, kKeylimePayloadType, KeylimeKey()));
  EXPECT_EQ(file.state, Signed::kVerified);
  BG_ASSERT_OK_AND_ASSIGN(const KeylimeImport import, ImportKeylime(AsText(file.content), {}));
  EXPECT_EQ(import.draft.items.size(), 21u);
}

TEST(OpenSigned, KeylimesBadlySignedPolicyDoesNot) {
  EXPECT_THAT(
      OpenSigned(Policy("policy-signed-bad.json"), std::nullopt, kKeylimePayloadType, KeylimeKey()),
      Refuses(Reason::kSigInvalid));
}

TEST(OpenSigned, WithoutAKeyTheSignatureIsNotChecked) {
  BG_ASSERT_OK_AND_ASSIGN(const SignedFile file,
                          OpenSigned(Policy("policy-signed-bad.json"), std::nullopt,
                                     kKeylimePayloadType, TrustedKeys()));
  EXPECT_EQ(file.state, Signed::kNotChecked);
  BG_ASSERT_OK_AND_ASSIGN(const SignedFile plain, OpenSigned(Policy("policy.json"), std::nullopt,
                                                             kKeylimePayloadType, TrustedKeys()));
  EXPECT_EQ(plain.state, Signed::kNo);
  EXPECT_EQ(plain.content, Policy("policy.json"));
}

TEST(OpenSigned, WithAKeyAnUnsignedFileIsRefused) {
  EXPECT_THAT(OpenSigned(Policy("policy.json"), std::nullopt, kKeylimePayloadType, KeylimeKey()),
              Refuses(Reason::kSigInvalid));
}

// A signed policy must not pass for a signed set.
TEST(OpenSigned, AnotherPayloadTypeIsRefused) {
  const auto opened =
      OpenSigned(Policy("policy-signed.json"), std::nullopt, kSetPayloadType, KeylimeKey());
  EXPECT_THAT(opened, Refuses(Reason::kReferenceParse));
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("application/vnd.keylime+json"));
}

TEST(OpenSigned, DamagedEnvelopesAreRefused) {
  for (const char* const json :
       {R"({"payload": 1, "payloadType": "t", "signatures": []})",
        R"({"payload": "!", "payloadType": "t", "signatures": []})",
        R"({"payload": "", "payloadType": 1, "signatures": []})",
        R"({"payload": "", "payloadType": "t"})",
        R"({"payload": "", "payloadType": "t", "signatures": [1]})",
        R"({"payload": "", "payloadType": "t", "signatures": [{"sig": 1}]})"}) {
    EXPECT_THAT(OpenSigned(ToBytes(AsBytes(json)), std::nullopt, "t", KeylimeKey()),
                Refuses(Reason::kReferenceParse))
        << json;
  }
}

// The genuine envelope with more written into it, before its last brace.
Bytes WithMember(absl::string_view member) {
  std::string text = testing::CorpusText("keylime/policy-signed.json");
  text.insert(text.rfind('}'), absl::StrCat(",", member));
  return ToBytes(AsBytes(text));
}

TEST(Attack, A27_ASecondPayloadInAnEnvelopeIsRefused) {
  for (const char* member : {R"("payload": "e30=")", R"("payloadType": "other")",
                             R"("signatures": [])", R"("p\u0061yload": "e30=")"}) {
    EXPECT_THAT(OpenSigned(WithMember(member), std::nullopt, kKeylimePayloadType, KeylimeKey()),
                Refuses(Reason::kUnsignedDuplicate))
        << member;
  }
}

TEST(Attack, A27_WhatStandsBesideASignedPayloadHasNoEffect) {
  BG_ASSERT_OK_AND_ASSIGN(
      const SignedFile plain,
      OpenSigned(Policy("policy-signed.json"), std::nullopt, kKeylimePayloadType, KeylimeKey()));
  BG_ASSERT_OK_AND_ASSIGN(
      const SignedFile more,
      OpenSigned(WithMember(R"("digests": {"/bin/evil": ["00"]}, "content": "e30=")"), std::nullopt,
                 kKeylimePayloadType, KeylimeKey()));
  EXPECT_EQ(more.content, plain.content);
  EXPECT_EQ(more.state, Signed::kVerified);
}

TEST(OpenSigned, AMangledSignatureBesideAFileIsRefused) {
  EXPECT_FALSE(
      OpenSigned(ToBytes(AsBytes("x")), Bytes{1, 2, 3}, kSetPayloadType, KeylimeKey()).ok());
}

TEST(TrustedKeys, RefuseWhatIsNoKey) {
  TrustedKeys keys;
  EXPECT_THAT(keys.AddPem("hello"), HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(keys.empty());
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference

// Every vector of tests/corpus/tpm-flows: what a TPM computed, recomputed without one.
#include <nlohmann/json.hpp>

#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/bytes/reader.h"
#include "common/crypto/kdf.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/key_profile.h"
#include "common/tpm2/policy_digest.h"
#include "common/tpm2/quote.h"
#include "common/tpm2/soft_tpm/soft_storage_key.h"
#include "common/tpm2/wrap.h"
#include "gtest/gtest.h"

namespace bootgate::tpm2 {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using crypto::HashAlg;
using nlohmann::json;
using soft_tpm::SoftStorageKey;

json Load(const char* file) {
  return json::parse(testing::CorpusText(std::string("tpm-flows/") + file));
}

Bytes Hex(const json& row, const char* name) { return *FromHex(row.at(name).get<std::string>()); }

Public Area(const json& row, const char* name) { return Public::FromTpmt(Hex(row, name)).value(); }

// "sha256:4" -> its parts.
registers::BankSelection One(const std::string& text) {
  return registers::ParseSelection(text)->at(0);
}

std::vector<registers::RegisterBank> Banks(const json& values) {
  std::vector<registers::RegisterBank> out;
  for (const auto& [label, value] : values.items()) {
    const registers::BankSelection one = One(label);
    auto bank =
        std::find_if(out.begin(), out.end(), [&](const auto& b) { return b.alg() == one.alg; });
    if (bank == out.end()) bank = out.emplace(out.end(), one.alg);
    const Bytes bytes = *FromHex(value.get<std::string>());
    bank->Set(static_cast<uint32_t>(std::countr_zero(one.mask)),
              *crypto::Digest::From(one.alg, bytes));
  }
  return out;
}

TEST(Templates, EveryVector) {
  const json rows = Load("templates.json").at("keys");
  ASSERT_EQ(rows.size(), 8u);
  for (const json& row : rows) {
    SCOPED_TRACE(row.at("what").get<std::string>());
    const Public area = Area(row, "public_tpmt");
    EXPECT_EQ(ToHex(area.Name()), row.at("name").get<std::string>());
    EXPECT_EQ(ToHex(QualifiedName(Hex(row, "hierarchy"), area)),
              row.at("qualified_name").get<std::string>());
    EXPECT_THAT(area.Key(), IsOk());
    const Public form = Area(row, "template_tpmt_public");
    EXPECT_TRUE(SameBytes(form.WithoutUnique(), area.WithoutUnique()));
    EXPECT_THAT(Public::FromTpm2b(area.Tpm2b()), IsOk());
  }
}

struct OurTemplate {
  const char* what;
  Bytes bytes;
};

TEST(Templates, OursAreThoseOfTheVectors) {
  const OurTemplate ours[] = {
      {"ek-rsa2048-low (L-1)", EkTemplateBytes(EkTemplate::kRsa2048Low)},
      {"ek-ecc-p256-low (L-2)", EkTemplateBytes(EkTemplate::kP256Low)},
      {"ek-rsa2048-high (H-1)", EkTemplateBytes(EkTemplate::kRsa2048High)},
      {"ek-ecc-p256-high (H-2)", EkTemplateBytes(EkTemplate::kP256High)},
      {"srk-ecc-p256", SrkTemplateBytes()},
      {"ak-ecc-p256-ecdsa (primary, endorsement)", AkTemplateBytes(true)},
      {"ak-rsa2048-rsassa (primary, endorsement)", AkTemplateBytes(false)},
  };
  size_t compared = 0;
  const json rows = Load("templates.json").at("keys");
  for (const json& row : rows) {
    for (const OurTemplate& own : ours) {
      if (row.at("what") != own.what) continue;
      EXPECT_EQ(ToHex(own.bytes), row.at("template_tpmt_public").get<std::string>()) << own.what;
      ++compared;
    }
  }
  EXPECT_EQ(compared, std::size(ours));
}

TEST(Policies, EveryPolicyPcrVector) {
  const json rows = Load("policy.json").at("policy_pcr");
  ASSERT_EQ(rows.size(), 10u);
  size_t with_values = 0;
  for (const json& row : rows) {
    SCOPED_TRACE(row.dump());
    const Bytes wire = Hex(row, "tpml_pcr_selection");
    bytes::Reader in(wire);
    BG_ASSERT_OK_AND_ASSIGN(const registers::Selection selection, registers::Unmarshal(in));
    EXPECT_EQ(registers::Marshal(selection), wire);
    const crypto::Digest pcr_digest =
        *crypto::Digest::From(HashAlg::kSha256, Hex(row, "pcr_digest_sha256"));
    if (row.contains("pcr_values")) {
      EXPECT_EQ(PcrDigest(HashAlg::kSha256, selection, Banks(row.at("pcr_values"))), pcr_digest);
      ++with_values;
    }
    EXPECT_EQ(PolicyDigest(HashAlg::kSha256).Pcr(selection, pcr_digest).value().hex(),
              row.at("policy_digest_sha256").get<std::string>());
  }
  EXPECT_GE(with_values, 4u);
}

PolicyDigest PolicyOf(const std::string& name, const json& inputs) {
  PolicyDigest digest(HashAlg::kSha256);
  const auto branch = [&](const char* key) {
    return *crypto::Digest::From(HashAlg::kSha256, Hex(inputs, key));
  };
  if (name.find("PolicySecret") == 0) {
    digest.Secret(Hex(inputs, "entity_name"), Hex(inputs, "policyRef"));
  } else if (name.find("PolicyOR") == 0) {
    digest.Or({branch("PolicyA"), branch("PolicyC")});
  } else if (name == "PolicyAuthValue") {
    digest.AuthValue();
  } else if (name.find("PolicyCommandCode") == 0) {
    digest.CommandCode(0x148);
  } else {
    digest.Authorize(Hex(inputs, "key_name"), Hex(inputs, "policyRef"));
  }
  return digest;
}

TEST(Policies, EveryOtherVector) {
  const json rows = Load("policy.json").at("policies");
  ASSERT_EQ(rows.size(), 5u);
  for (const json& row : rows) {
    const std::string name = row.at("policy");
    EXPECT_EQ(PolicyOf(name, row.at("inputs")).value().hex(),
              row.at("policy_digest_sha256").get<std::string>())
        << name;
  }
}

TEST(Policies, EkPoliciesFollowFromFirstPrinciples) {
  const json row = Load("policy.json").at("ek_policies").at("sha256");
  EXPECT_EQ(EkPolicyA(HashAlg::kSha256).hex(), row.at("PolicyA").get<std::string>());
  EXPECT_EQ(EkPolicyB(HashAlg::kSha256).hex(), row.at("PolicyB").get<std::string>());
  // EK Credential Profile 2.5, B.6.2 and B.6.5.
  EXPECT_EQ(EkPolicyB(HashAlg::kSha384).hex(),
            "b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419ca"
            "cb47ba09699646150f9fc000f3f80e12");
  EXPECT_EQ(EkPolicyB(HashAlg::kSha512).hex(),
            "b8221ca69e8550a4914de3faa6a18c072cc01208073a928d5d66d59ef79e49a4"
            "29c41a6b269571d57edb25fbdb1838425608b413cd616a5f6db5b6071af99bea");
}

SoftStorageKey ParentOf(const std::string& name) {
  const json rows = Load("make-credential.json").at("vectors");
  for (const json& row : rows) {
    if (row.at("parent") != name) continue;
    return SoftStorageKey(
        crypto::PrivateKey::FromPem(row.at("parent_private_pem").get<std::string>()).value(),
        Area(row, "parent_public_tpmt"));
  }
  std::abort();  // the vectors are incomplete
}

FixedRandomness Fixed(const json& row) {
  FixedRandomness out;
  out.seed = Hex(row, "seed");
  if (row.contains("ephemeral_private")) out.ephemeral_private = Hex(row, "ephemeral_private");
  if (row.contains("seed_value")) out.obfuscation = Hex(row, "seed_value");
  return out;
}

TEST(MakeCredential, EveryVector) {
  const json rows = Load("make-credential.json").at("vectors");
  ASSERT_EQ(rows.size(), 3u);
  for (const json& row : rows) {
    SCOPED_TRACE(row.at("parent").get<std::string>());
    const SoftStorageKey parent = ParentOf(row.at("parent"));
    const Bytes name = Hex(row, "object_name");
    const SecretBytes credential(Hex(row, "credential"));
    BG_ASSERT_OK_AND_ASSIGN(const CredentialBlob blob,
                            MakeCredentialForTest(parent.area(), name, credential, Fixed(row)));
    EXPECT_EQ(ToHex(blob.id_object), row.at("id_object").get<std::string>());
    if (row.contains("ephemeral_x")) {
      EXPECT_EQ(ToHex(blob.encrypted_secret), row.at("encrypted_secret").get<std::string>());
    }
    const CredentialBlob theirs = {Hex(row, "id_object"), Hex(row, "encrypted_secret")};
    for (const CredentialBlob& each : {blob, theirs}) {
      BG_ASSERT_OK_AND_ASSIGN(const SecretBytes seed,
                              parent.OpenSeed("IDENTITY", each.encrypted_secret));
      EXPECT_EQ(ToHex(seed.view()), row.at("seed").get<std::string>());
      BG_ASSERT_OK_AND_ASSIGN(const SecretBytes opened, parent.ActivateCredential(each, name));
      EXPECT_TRUE(opened.ConstantTimeEquals(credential.view()));
    }
    EXPECT_EQ(ToHex(crypto::KdfA(parent.area().name_alg, Hex(row, "seed"), "STORAGE", name, {},
                                 parent.area().symmetric_bits)
                        .view()),
              row.at("sym_key").get<std::string>());
    EXPECT_EQ(ToHex(crypto::KdfA(parent.area().name_alg, Hex(row, "seed"), "INTEGRITY", {}, {},
                                 8 * crypto::DigestSize(parent.area().name_alg))
                        .view()),
              row.at("hmac_key").get<std::string>());
  }
}

TEST(Import, EveryVectorWithoutInnerWrapIsWhatWeMake) {
  size_t made = 0;
  const json rows = Load("import.json").at("vectors");
  for (const json& row : rows) {
    if (row.at("inner_key") != "") continue;
    SCOPED_TRACE(row.at("parent").get<std::string>());
    const SoftStorageKey parent = ParentOf(row.at("parent"));
    EXPECT_EQ(ToHex(parent.area().raw), row.at("parent_public_tpmt").get<std::string>());
    const SecretBytes data(Hex(row, "data"));
    BG_ASSERT_OK_AND_ASSIGN(
        const ImportBlob blob,
        SealForImportForTest(parent.area(), Hex(row, "auth_policy"), data, Fixed(row)));
    EXPECT_EQ(ToHex(blob.object_public), row.at("object_public_tpmt").get<std::string>());
    EXPECT_EQ(ToHex(blob.duplicate), row.at("duplicate").get<std::string>());
    if (row.contains("ephemeral_private")) {
      EXPECT_EQ(ToHex(blob.in_sym_seed), row.at("in_sym_seed").get<std::string>());
    }
    BG_ASSERT_OK_AND_ASSIGN(const SecretBytes unsealed, parent.Unseal(blob));
    EXPECT_TRUE(unsealed.ConstantTimeEquals(data.view()));
    ++made;
  }
  EXPECT_EQ(made, 3u);
}

TEST(Import, EveryVectorOpensWithOrWithoutInnerWrap) {
  const json rows = Load("import.json").at("vectors");
  ASSERT_EQ(rows.size(), 6u);
  for (const json& row : rows) {
    SCOPED_TRACE(row.at("parent").get<std::string>() + row.at("inner_key").get<std::string>());
    const SoftStorageKey parent = ParentOf(row.at("parent"));
    const ImportBlob blob = {Hex(row, "object_public_tpmt"), Hex(row, "duplicate"),
                             Hex(row, "in_sym_seed")};
    EXPECT_EQ(ToHex(Area(row, "object_public_tpmt").Name()),
              row.at("object_name").get<std::string>());
    BG_ASSERT_OK_AND_ASSIGN(const SecretBytes seed, parent.OpenSeed("DUPLICATE", blob.in_sym_seed));
    EXPECT_EQ(ToHex(seed.view()), row.at("seed").get<std::string>());
    BG_ASSERT_OK_AND_ASSIGN(const SecretBytes sensitive,
                            parent.Import(blob, Hex(row, "inner_key")));
    EXPECT_EQ(ToHex(sensitive.view()), row.at("tpm2b_sensitive").get<std::string>());
  }
}

// The vector replays on a TPM state whose EK's private half nobody has; what can be checked without
// it is that the parts fit one another and our profiles.
TEST(FixtureActivation, PartsFit) {
  const json rows = Load("fixture-activation.json").at("vectors");
  ASSERT_EQ(rows.size(), 1u);
  for (const json& row : rows) {
    const Public ek = Area(row, "ek_public_tpmt");
    BG_ASSERT_OK_AND_ASSIGN(const EkTemplate which, CheckEk(ek));
    EXPECT_EQ(which, EkTemplate::kRsa2048Low);
    const Public ak = Area(row, "ak_public_tpmt");
    EXPECT_THAT(CheckAk(ak), IsOk());
    BG_ASSERT_OK_AND_ASSIGN(const CredentialBlob blob,
                            MakeCredential(ek, ak.Name(), SecretBytes(Hex(row, "credential"))));
    EXPECT_EQ(blob.id_object.size(), Hex(row, "id_object").size());
    EXPECT_EQ(blob.encrypted_secret.size(), Hex(row, "encrypted_secret").size());
  }
}

std::vector<UntrustedPcr> PcrList(const json& values, const registers::Selection& selection) {
  std::vector<UntrustedPcr> out;
  const uint32_t mask = registers::MaskOf(selection, HashAlg::kSha256);
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    if ((mask >> i & 1u) != 0) {
      out.push_back({HashAlg::kSha256, i, *FromHex(values.at(i).get<std::string>())});
    }
  }
  return out;
}

void CheckQuoteVector(const json& row) {
  const Public ak = Area(row, "ak_public_tpmt");
  const Bytes attest = Hex(row, "attest");
  BG_ASSERT_OK_AND_ASSIGN(const QuoteInfo info, ParseQuote(attest));
  const json& decoded = row.at("decoded");
  EXPECT_EQ(ToHex(info.header.qualified_signer), decoded.at("qualified_signer").get<std::string>());
  EXPECT_EQ(info.header.clock.clock_ms, decoded.at("clock"));
  EXPECT_EQ(info.header.clock.reset_count, decoded.at("reset_count"));
  EXPECT_EQ(info.header.clock.restart_count, decoded.at("restart_count"));
  EXPECT_EQ(info.header.clock.safe, decoded.at("safe") == 1);
  EXPECT_EQ(ToHex(info.pcr_digest), row.at("pcr_digest").get<std::string>());
  const bool endorsement = row.at("ak_hierarchy").get<std::string>().find("endorsement") == 0;
  if (endorsement) {
    EXPECT_EQ(QualifiedName(HandleName(kRhEndorsement), ak), info.header.qualified_signer);
  }
  const Bytes nonce = Hex(row, "qualifying_data");
  BG_ASSERT_OK_AND_ASSIGN(
      const QuotedPcrs quoted,
      QuotedPcrs::Verify(
          {ak, info.header.qualified_signer, info.selection, nonce},
          {attest, Hex(row, "signature_tpmt"), PcrList(row.at("pcr_sha256"), info.selection)}));
  EXPECT_NE(quoted.Bank(HashAlg::kSha256), nullptr);
  EXPECT_EQ(quoted.Bank(HashAlg::kSha1), nullptr);
}

void CheckCertifyVector(const json& row) {
  const Bytes attest = Hex(row, "attest");
  BG_ASSERT_OK_AND_ASSIGN(const Signature signature, ParseSignature(Hex(row, "signature_tpmt")));
  EXPECT_THAT(VerifySignature(Area(row, "ak_public_tpmt"), attest, signature), IsOk());
  if (row.at("type") == "certify-creation") {
    EXPECT_THAT(ParseCertify(attest), Refuses(Reason::kCertifyType));
    return;
  }
  BG_ASSERT_OK_AND_ASSIGN(const CertifyInfo info, ParseCertify(attest));
  const Public key = Area(row, "key_public_tpmt");
  EXPECT_EQ(info.name, key.Name());
  EXPECT_EQ(ToHex(info.name), row.at("key_name").get<std::string>());
  EXPECT_EQ(info.header.extra_data, Hex(row, "qualifying_data"));
  const Bytes policy = Hex(row, "key_auth_policy");
  EXPECT_THAT(CheckIdentityKey(key, policy), IsOk());
  EXPECT_EQ(ToHex(IdentityKeyTemplateBytes(policy)).substr(0, 100), ToHex(key.raw).substr(0, 100));
}

TEST(Attest, EveryVector) {
  const json rows = Load("attest.json").at("vectors");
  ASSERT_EQ(rows.size(), 6u);
  for (const json& row : rows) {
    SCOPED_TRACE(row.at("type").get<std::string>());
    if (row.at("type") == "quote") {
      CheckQuoteVector(row);
    } else {
      CheckCertifyVector(row);
    }
  }
}

}  // namespace
}  // namespace bootgate::tpm2

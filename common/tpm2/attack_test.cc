// Attacks on quotes and on the structures they are made of; numbers as in the attack catalogue.
#include <functional>
#include <random>

#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/bytes/writer.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/key_profile.h"
#include "common/tpm2/policy_digest.h"
#include "common/tpm2/quote.h"
#include "common/tpm2/soft_tpm/soft_ak.h"
#include "gtest/gtest.h"

namespace bootgate::tpm2 {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using crypto::HashAlg;
using registers::RegisterBank;
using registers::Selection;
using soft_tpm::AreaFields;
using soft_tpm::AttestFields;
using soft_tpm::SignedAttest;
using soft_tpm::SoftAk;
using ::testing::HasSubstr;

const SoftAk& EccAk() {
  static const auto* const ak = new SoftAk(SoftAk::Ecc());
  return *ak;
}
const SoftAk& RsaAk() {
  static const auto* const ak = new SoftAk(SoftAk::Rsa());
  return *ak;
}

Selection Select(const char* text) { return *registers::ParseSelection(text); }

RegisterBank Filled(HashAlg alg) {
  RegisterBank bank(alg);
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    const uint8_t seed[] = {static_cast<uint8_t>(i)};
    bank.Set(i, crypto::Hash(alg, seed));
  }
  return bank;
}

const std::vector<RegisterBank>& Banks() {
  static const auto* const banks =
      new std::vector<RegisterBank>{Filled(HashAlg::kSha256), Filled(HashAlg::kSha1)};
  return *banks;
}

Bytes Nonce() { return ToBytes(crypto::Hash(HashAlg::kSha256, AsBytes("nonce")).view()); }

// What the gatekeeper asks in these tests unless a test says otherwise.
struct Asked {
  const SoftAk& ak = EccAk();
  Selection selection = Select("sha256:0-7,10");
  Bytes nonce = Nonce();

  absl::StatusOr<QuotedPcrs> Check(const RawQuote& quote) const {
    const Bytes name = ak.qualified_name();
    return QuotedPcrs::Verify({ak.area(), name, selection, nonce}, quote);
  }
  RawQuote Genuine() const { return ak.Quote(selection, Banks(), nonce); }
};

// The fields of a genuine quote, to be bent before signing.
AttestFields GenuineFields(const Asked& asked) {
  AttestFields fields;
  fields.qualified_signer = asked.ak.qualified_name();
  fields.extra_data = asked.nonce;
  fields.body = soft_tpm::QuoteBody(asked.selection,
                                    PcrDigest(HashAlg::kSha256, asked.selection, Banks())->view());
  return fields;
}

// A genuine quote's values with `fields` signed in place of its body.
RawQuote Bent(const Asked& asked, const AttestFields& fields) {
  RawQuote quote = asked.Genuine();
  SignedAttest bent = asked.ak.SignAttest(fields);
  quote.attest = std::move(bent.attest);
  quote.signature = std::move(bent.signature);
  return quote;
}

TEST(Quote, GenuineOnesHold) {
  EXPECT_THAT(Asked().Check(Asked().Genuine()), IsOk());
  const Asked rsa = {.ak = RsaAk()};
  EXPECT_THAT(rsa.Check(rsa.Genuine()), IsOk());
  const SoftAk pss = SoftAk::Rsa(Alg::kRsapss);
  const Asked by_pss = {.ak = pss, .selection = Select("sha1:0-23+sha256:0-23")};
  EXPECT_THAT(by_pss.Check(by_pss.Genuine()), IsOk());
  const SoftAk p384(*crypto::PrivateKey::GenerateEc(crypto::Curve::kP384),
                    AreaFields{.scheme_hash = HashAlg::kSha384});
  const Asked by_p384 = {.ak = p384};
  EXPECT_THAT(by_p384.Check(by_p384.Genuine()), IsOk());
}

TEST(Attack, A1_BodyWithoutTheTpmsMagicIsRefused) {
  const Asked asked;
  for (const uint32_t magic : {0u, 1u, 0xff544346u, 0x474354ffu, 0xffffffffu}) {
    AttestFields fields = GenuineFields(asked);
    fields.magic = magic;
    EXPECT_THAT(asked.Check(Bent(asked, fields)), Refuses(Reason::kQuoteMagic)) << magic;
    fields.type = AttestType::kCertify;
    EXPECT_THAT(ParseCertify(soft_tpm::AttestBytes(fields)), Refuses(Reason::kCertifyMagic));
  }
}

TEST(Attack, A1_MagicIsNamedOnlyUnderAGoodSignature) {
  const Asked asked;
  AttestFields fields = GenuineFields(asked);
  fields.magic = 0;
  RawQuote quote = Bent(asked, fields);
  quote.signature = asked.Genuine().signature;
  EXPECT_THAT(asked.Check(quote), Refuses(Reason::kSigInvalid));
}

TEST(Attack, A2_OtherAttestationsInTheQuotesSlotAreRefused) {
  const Asked asked;
  for (const AttestType type :
       {AttestType::kNv, AttestType::kCommandAudit, AttestType::kSessionAudit, AttestType::kCertify,
        AttestType::kTime, AttestType::kCreation, AttestType::kNvDigest}) {
    AttestFields fields = GenuineFields(asked);  // the body of a quote, as NV contents could be
    fields.type = type;
    EXPECT_THAT(asked.Check(Bent(asked, fields)), Refuses(Reason::kQuoteType))
        << static_cast<int>(type);
  }
}

TEST(Attack, A2_QuoteInTheCertifySlotIsRefused) {
  EXPECT_THAT(ParseCertify(Asked().Genuine().attest), Refuses(Reason::kCertifyType));
  const SignedAttest certify = EccAk().Certify(RsaAk().area(), Nonce());
  EXPECT_THAT(ParseCertify(certify.attest), IsOk());
  EXPECT_THAT(ParseQuote(certify.attest), Refuses(Reason::kQuoteType));
}

TEST(Attack, A3_QuoteOverNoPcrsIsRefused) {
  const crypto::Digest of_nothing = crypto::Hash(HashAlg::kSha256, ByteView());
  for (const char* selection :
       {"00000000", "00000001000b03000000", "00000001000b00", "00000002000b030000000004020000"}) {
    const Asked asked;
    AttestFields fields = GenuineFields(asked);
    fields.body = bytes::Writer().Raw(*FromHex(selection)).Sized16Be(of_nothing.view()).Finish();
    EXPECT_THAT(asked.Check(Bent(asked, fields)), Refuses(Reason::kQuoteSelectionEmpty))
        << selection;
    const Asked asks_nothing = {.selection = {}};
    EXPECT_THAT(asks_nothing.Check(Bent(asked, fields)), Refuses(Reason::kQuoteSelectionEmpty));
  }
}

struct Differing {
  const char *quoted, *says;
};

TEST(Attack, A4_SelectionOtherThanAskedIsRefusedNamingTheDifference) {
  const Differing rows[] = {
      {"sha256:0-6,10", "missing sha256:7; extra none"},
      {"sha256:0-7", "missing sha256:10; extra none"},
      {"sha256:0-7,10,14", "missing none; extra sha256:14"},
      {"sha1:0-7,10", "missing sha256:0-7,10; extra sha1:0-7,10"},
      {"sha256:0-7,10+sha1:0", "missing none; extra sha1:0"},
      {"sha256:16", "missing sha256:0-7,10; extra sha256:16"},
  };
  const Asked asked;
  for (const Differing& row : rows) {
    const RawQuote quote = asked.ak.Quote(Select(row.quoted), Banks(), asked.nonce);
    const absl::Status status = asked.Check(quote).status();
    EXPECT_THAT(status, Refuses(Reason::kQuoteSelectionMismatch)) << row.quoted;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.says));
  }
}

TEST(Attack, A4_BanksInAnotherOrderAreAnotherSelection) {
  const Asked asked = {.selection = Select("sha256:0+sha1:0")};
  const RawQuote quote = asked.ak.Quote(Select("sha1:0+sha256:0"), Banks(), asked.nonce);
  EXPECT_THAT(asked.Check(quote), Refuses(Reason::kQuoteSelectionMismatch));
}

TEST(Attack, A5_ResettableRegistersRelabelledAreRefused) {
  const Asked asked = {.selection = Select("sha256:4,7")};
  RawQuote quote = asked.ak.Quote(Select("sha256:16,23"), Banks(), asked.nonce);
  quote.values[0].index = 4;
  quote.values[1].index = 7;
  EXPECT_THAT(asked.Check(quote), Refuses(Reason::kQuoteSelectionMismatch));
}

TEST(Attack, A5_ValuesOfTwoRegistersExchangedAreRefused) {
  const Asked asked;
  RawQuote quote = asked.Genuine();
  std::swap(quote.values[0].index, quote.values[1].index);
  EXPECT_THAT(asked.Check(quote), Refuses(Reason::kQuoteDigestMismatch));
}

TEST(Attack, A6_ValueOfAnUnquotedBankIsRefused) {
  const Asked asked = {.selection = Select("sha1:7")};
  RawQuote quote = asked.Genuine();
  quote.values.push_back({HashAlg::kSha256, 7, Bytes(32, 0xaa)});
  EXPECT_THAT(asked.Check(quote), Refuses(Reason::kPcrNotQuoted));
}

TEST(Attack, A6_ValueOfAnUnquotedRegisterIsRefused) {
  const Asked asked;
  for (const uint32_t index : {8u, 23u, 24u, 32u, 0xffffffffu}) {
    RawQuote quote = asked.Genuine();
    quote.values.push_back({HashAlg::kSha256, index, Bytes(32)});
    EXPECT_THAT(asked.Check(quote), Refuses(Reason::kPcrNotQuoted)) << index;
  }
}

TEST(Attack, A6_ValuesMissingTwiceOrOfWrongSizeAreRefused) {
  const Asked asked;
  RawQuote missing = asked.Genuine();
  missing.values.pop_back();
  RawQuote twice = asked.Genuine();
  twice.values.push_back(twice.values.front());
  RawQuote longer = asked.Genuine();
  longer.values.front().value.push_back(0);
  RawQuote none = asked.Genuine();
  none.values.clear();
  for (const RawQuote& quote : {missing, twice, longer, none}) {
    EXPECT_THAT(asked.Check(quote), Refuses(Reason::kQuoteDigestMismatch));
  }
}

TEST(Attack, A6_DigestOfAnotherHashOrLengthIsRefused) {
  const Asked asked;
  const crypto::Digest right = *PcrDigest(HashAlg::kSha256, asked.selection, Banks());
  const crypto::Digest other_hash = *PcrDigest(HashAlg::kSha384, asked.selection, Banks());
  for (const ByteView digest : {ByteView(other_hash.view()), right.view().first(31), ByteView()}) {
    AttestFields fields = GenuineFields(asked);
    fields.body = soft_tpm::QuoteBody(asked.selection, digest);
    EXPECT_THAT(asked.Check(Bent(asked, fields)), Refuses(Reason::kQuoteDigestMismatch));
  }
}

// TPMT_SIGNATURE of every scheme we know of, with plausible sizes.
struct SignatureForm {
  const char* name;
  Bytes bytes;
};

std::vector<SignatureForm> SignatureForms() {
  const Bytes modulus(256, 0x11);
  const Bytes field(32, 0x11);
  const auto rsa = [&](Alg scheme, HashAlg hash) {
    bytes::Writer out;
    out.U16Be(static_cast<uint16_t>(scheme)).U16Be(static_cast<uint16_t>(hash)).Sized16Be(modulus);
    return out.Finish();
  };
  const auto ecc = [&](Alg scheme, HashAlg hash) {
    bytes::Writer out;
    out.U16Be(static_cast<uint16_t>(scheme)).U16Be(static_cast<uint16_t>(hash));
    return out.Sized16Be(field).Sized16Be(field).Finish();
  };
  return {{"rsassa", rsa(Alg::kRsassa, HashAlg::kSha256)},
          {"rsassa-sha384", rsa(Alg::kRsassa, HashAlg::kSha384)},
          {"rsapss", rsa(Alg::kRsapss, HashAlg::kSha256)},
          {"ecdsa", ecc(Alg::kEcdsa, HashAlg::kSha256)},
          {"ecdsa-sha1", ecc(Alg::kEcdsa, HashAlg::kSha1)},
          {"ecdaa", ecc(Alg::kEcdaa, HashAlg::kSha256)},
          {"null", *FromHex("0010")},
          {"hmac", *FromHex("0005000b")}};
}

TEST(Attack, A9_EverySchemeUnderEveryOtherKeyIsRefused) {
  const SoftAk pss = SoftAk::Rsa(Alg::kRsapss);
  const SoftAk p384 = SoftAk::Ecc(crypto::Curve::kP384);
  const std::pair<const char*, const SoftAk*> keys[] = {
      {"rsassa", &RsaAk()}, {"rsapss", &pss}, {"ecdsa", &EccAk()}, {"ecdsa", &p384}};
  for (const auto& [own, ak] : keys) {
    const Asked asked = {.ak = *ak};
    for (const SignatureForm& form : SignatureForms()) {
      RawQuote quote = asked.Genuine();
      quote.signature = form.bytes;
      // The key's own scheme with a made-up value fails as a signature, any other as a scheme.
      const Reason expected =
          std::string(form.name) == own ? Reason::kSigInvalid : Reason::kSigScheme;
      EXPECT_THAT(asked.Check(quote), Refuses(expected)) << own << " " << form.name;
    }
  }
}

// A key of each kind under each scheme that its public area may claim, against a signature that
// the same key really made by another scheme: only the pair that fits is ever verified.
TEST(Attack, A9_EachSchemeAgainstEachSchemeOnEachKindOfKey) {
  struct Kind {
    const char* name;
    crypto::PrivateKey key;
    HashAlg hash;
  };
  std::vector<Kind> kinds;
  kinds.push_back({"rsa", *crypto::PrivateKey::GenerateRsa(2048), HashAlg::kSha256});
  kinds.push_back(
      {"p256", *crypto::PrivateKey::GenerateEc(crypto::Curve::kP256), HashAlg::kSha256});
  kinds.push_back(
      {"p384", *crypto::PrivateKey::GenerateEc(crypto::Curve::kP384), HashAlg::kSha384});
  constexpr Alg kSchemes[] = {Alg::kRsassa, Alg::kRsapss, Alg::kEcdsa, Alg::kEcdaa, Alg::kNull};
  constexpr Alg kOfRsa[] = {Alg::kRsassa, Alg::kRsapss}, kOfEcc[] = {Alg::kEcdsa};
  const Bytes message = Nonce();
  int held = 0;
  for (const Kind& kind : kinds) {
    const bool rsa = kind.name == std::string("rsa");
    const absl::Span<const Alg> makes = rsa ? absl::MakeConstSpan(kOfRsa) : kOfEcc;
    for (const Alg claimed : kSchemes) {
      const absl::StatusOr<Public> area = Public::FromTpmt(soft_tpm::AreaBytes(
          kind.key.Public(), AreaFields{.scheme = claimed, .scheme_hash = kind.hash}));
      if (!area.ok()) continue;  // a public area that contradicts itself does not parse
      for (const Alg made : makes) {
        const SoftAk signer(*crypto::PrivateKey::FromPem(AsText(kind.key.Pem().view())),
                            AreaFields{.scheme = made, .scheme_hash = kind.hash});
        const Bytes genuine = signer.Sign(message);
        for (const Alg said : kSchemes) {
          Bytes bytes = genuine;
          bytes[0] = static_cast<uint8_t>(static_cast<uint16_t>(said) >> 8);
          bytes[1] = static_cast<uint8_t>(said);
          const absl::StatusOr<Signature> signature = ParseSignature(bytes);
          const absl::Status status =
              signature.ok() ? VerifySignature(*area, message, *signature) : signature.status();
          const bool fits = claimed == made && made == said;
          held += fits ? 1 : 0;
          if (fits) {
            EXPECT_THAT(status, IsOk()) << kind.name;
          } else if (claimed == said && signature.ok()) {
            EXPECT_THAT(status, Refuses(Reason::kSigInvalid)) << kind.name;  // PSS for RSASSA
          } else {
            const auto reason = ReasonOf(status);
            EXPECT_TRUE(reason == Reason::kSigScheme || reason == Reason::kTpmMarshal)
                << kind.name << " " << status;
          }
        }
      }
    }
  }
  EXPECT_EQ(held, 2 + 1 + 1);
}

// A key of one kind, a genuine signature of a key of another.
TEST(Attack, A9_SignatureOfAKeyOfAnotherKindIsRefused) {
  const SoftAk pss = SoftAk::Rsa(Alg::kRsapss);
  const SoftAk p384 = SoftAk(*crypto::PrivateKey::GenerateEc(crypto::Curve::kP384),
                             AreaFields{.scheme_hash = HashAlg::kSha384});
  const std::pair<const char*, const SoftAk*> keys[] = {
      {"rsassa", &RsaAk()}, {"rsapss", &pss}, {"p256", &EccAk()}, {"p384", &p384}};
  for (const auto& [own, ak] : keys) {
    for (const auto& [other, signer] : keys) {
      const Bytes message = Nonce();
      const absl::StatusOr<Signature> signature = ParseSignature(signer->Sign(message));
      ASSERT_THAT(signature, IsOk());
      const absl::Status status = VerifySignature(ak->area(), message, *signature);
      if (own == other) {
        EXPECT_THAT(status, IsOk()) << own;
      } else {
        EXPECT_THAT(status, Refuses(Reason::kSigScheme)) << own << " by " << other;
      }
    }
  }
}

TEST(Attack, A9_KeyWithoutASchemeVerifiesNothing) {
  AreaFields fields;
  fields.scheme = Alg::kNull;
  const Public schemeless = soft_tpm::Area(EccAk().key().Public(), fields);
  const Asked asked;
  EXPECT_THAT(QuotedPcrs::Verify({schemeless, {}, asked.selection, asked.nonce}, asked.Genuine()),
              Refuses(Reason::kSigScheme));
}

TEST(Attack, A9_EcdsaNumbersOutOfRangeAreRefused) {
  const Asked asked;
  const Bytes one = {1};
  const Bytes order = *FromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  Bytes padded(33);
  padded.back() = 1;
  for (const Bytes& bad :
       {Bytes(), Bytes(1), Bytes(32), order, Bytes(32, 0xff), padded, Bytes(66, 1)}) {
    for (const bool in_r : {true, false}) {
      RawQuote quote = asked.Genuine();
      bytes::Writer out;
      out.U16Be(static_cast<uint16_t>(Alg::kEcdsa)).U16Be(static_cast<uint16_t>(HashAlg::kSha256));
      quote.signature = out.Sized16Be(in_r ? bad : one).Sized16Be(in_r ? one : bad).Finish();
      EXPECT_THAT(asked.Check(quote), Refuses(Reason::kSigInvalid)) << ToHex(bad);
    }
  }
}

TEST(Attack, A9_NumbersOfAP384SignatureOutOfRangeAreRefused) {
  const SoftAk p384(*crypto::PrivateKey::GenerateEc(crypto::Curve::kP384),
                    AreaFields{.scheme_hash = HashAlg::kSha384});
  const Bytes message = Nonce();
  const Signature good = *ParseSignature(p384.Sign(message));
  const Bytes order = *FromHex(
      "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77a"
      "ecec196accc52973");
  Bytes padded(49);
  std::copy(good.r.begin(), good.r.end(), padded.end() - static_cast<ptrdiff_t>(good.r.size()));
  for (const Bytes& bad : {Bytes(), Bytes(1), Bytes(48), order, Bytes(48, 0xff), padded}) {
    for (const bool in_r : {true, false}) {
      Signature signature = good;
      (in_r ? signature.r : signature.s) = bad;
      EXPECT_THAT(VerifySignature(p384.area(), message, signature), Refuses(Reason::kSigInvalid))
          << ToHex(bad);
    }
  }
  EXPECT_THAT(VerifySignature(p384.area(), message, good), IsOk());
}

// One structure that we parse, and where in it sizes lie.
struct Structure {
  const char* name;
  Bytes bytes;
  std::vector<size_t> sizes;  // offsets of 16-bit sizes
  std::function<absl::Status(ByteView)> parse;
};

std::vector<Structure> Structures() {
  const Asked ecc;
  const Asked rsa = {.ak = RsaAk()};
  const SignedAttest certify = EccAk().Certify(RsaAk().area(), Nonce());
  const auto area = [](ByteView b) { return Public::FromTpmt(b).status(); };
  const auto sized_area = [](ByteView b) { return Public::FromTpm2b(b).status(); };
  const auto quote = [](ByteView b) { return ParseQuote(b).status(); };
  const auto certification = [](ByteView b) { return ParseCertify(b).status(); };
  const auto signature = [](ByteView b) { return ParseSignature(b).status(); };
  const size_t quote_size = ecc.Genuine().attest.size();
  const size_t certify_size = certify.attest.size();
  return {
      {"TPMT_PUBLIC ecc", EccAk().area().raw, {8, 20, 54}, area},
      {"TPMT_PUBLIC rsa", RsaAk().area().raw, {8, 22}, area},
      {"TPMT_PUBLIC ek", EkTemplateBytes(EkTemplate::kRsa2048Low), {8, 56}, area},
      {"TPM2B_PUBLIC", EccAk().area().Tpm2b(), {0, 10, 22, 56}, sized_area},
      {"TPMS_ATTEST quote", ecc.Genuine().attest, {6, 42, quote_size - 34}, quote},
      {"TPMS_ATTEST certify",
       certify.attest,
       {6, 42, certify_size - 72, certify_size - 36},
       certification},
      {"TPMT_SIGNATURE ecdsa", ecc.Genuine().signature, {4}, signature},
      {"TPMT_SIGNATURE rsassa", rsa.Genuine().signature, {4}, signature},
  };
}

TEST(Attack, A10_StructuresCutOrContinuedAreRefused) {
  for (const Structure& row : Structures()) {
    SCOPED_TRACE(row.name);
    ASSERT_THAT(row.parse(row.bytes), IsOk());
    for (size_t size = 0; size < row.bytes.size(); ++size) {
      EXPECT_THAT(row.parse(ByteView(row.bytes).first(size)), Refuses(Reason::kTpmMarshal)) << size;
    }
    for (const uint8_t more : {uint8_t{0x00}, uint8_t{0xff}}) {
      Bytes longer = row.bytes;
      longer.push_back(more);
      const absl::Status status = row.parse(longer);
      EXPECT_THAT(status, Refuses(Reason::kTpmMarshal));
      EXPECT_THAT(std::string(status.message()), HasSubstr("offset"));
    }
  }
}

TEST(Attack, A10_InnerSizesThatLieAreRefused) {
  for (const Structure& row : Structures()) {
    for (const size_t at : row.sizes) {
      SCOPED_TRACE(std::string(row.name) + " size at " + std::to_string(at));
      const int size = row.bytes[at] << 8 | row.bytes[at + 1];
      for (const int lie : {size - 1, size + 1, 0xffff}) {
        if (lie < 0) continue;
        Bytes altered = row.bytes;
        altered[at] = static_cast<uint8_t>(lie >> 8);
        altered[at + 1] = static_cast<uint8_t>(lie);
        EXPECT_THAT(row.parse(altered), Refuses(Reason::kTpmMarshal)) << lie;
      }
    }
  }
}

TEST(Attack, A10_SelectionCountsThatLieAreRefused) {
  const Asked asked;
  for (const char* selection :
       {"00000002000b03ff0400", "ffffffff000b03ff0400", "00000011", "00000001000b04ff040000",
        "00000001001003ff0400", "00000002000b03ff0400000b03ff0400"}) {
    AttestFields fields = GenuineFields(asked);
    fields.body = bytes::Writer().Raw(*FromHex(selection)).Sized16Be(Bytes(32)).Finish();
    EXPECT_THAT(asked.Check(Bent(asked, fields)), Refuses(Reason::kTpmMarshal)) << selection;
  }
}

// Flips one random bit at a time of whatever `bytes` points to, checks, flips it back.
class Flipper {
 public:
  void Flip(const std::vector<Bytes*>& parts, int times, const std::function<bool()>& admitted) {
    for (int i = 0; i < times; ++i) {
      Bytes& part = *parts[random_() % parts.size()];
      const size_t at = random_() % part.size();
      const auto bit = static_cast<uint8_t>(1u << random_() % 8);
      part[at] ^= bit;
      EXPECT_FALSE(admitted()) << "part of " << part.size() << " bytes, byte " << at;
      part[at] ^= bit;
    }
  }

 private:
  std::mt19937 random_{20240611};  // deterministic: a failure can be repeated
};

void FlipEverything(const SoftAk& ak, int times) {
  const Asked asked = {.ak = ak};
  RawQuote quote = asked.Genuine();
  Bytes area = ak.area().raw;
  Bytes nonce = asked.nonce;
  const Bytes name = ak.qualified_name();
  std::vector<Bytes*> parts = {&quote.attest, &quote.signature, &area, &nonce};
  for (UntrustedPcr& pcr : quote.values) parts.push_back(&pcr.value);
  const auto admitted = [&] {
    const absl::StatusOr<Public> key = Public::FromTpmt(area);
    // An altered key is another key: admission finds no enrolment under its Name.
    if (!key.ok() || QualifiedName(HandleName(kRhEndorsement), *key) != name) return false;
    return QuotedPcrs::Verify({*key, name, asked.selection, nonce}, quote).ok();
  };
  ASSERT_TRUE(admitted());
  Flipper().Flip(parts, times, admitted);
  EXPECT_TRUE(admitted());
}

TEST(Attack, A11_NoBitFlipEverVerifies) {
  FlipEverything(EccAk(), 6000);
  FlipEverything(RsaAk(), 6000);
}

TEST(Attack, A15_OtherEncodingsOfTheNonceAreRefused) {
  const Asked asked;
  const Bytes& nonce = asked.nonce;
  Bytes padded = nonce;
  padded.push_back(0);
  Bytes prefixed = nonce;
  prefixed.insert(prefixed.begin(), 0);
  Bytes sized = {0x00, 0x20};
  sized.insert(sized.end(), nonce.begin(), nonce.end());
  const Bytes forms[] = {padded,
                         prefixed,
                         sized,
                         ToBytes(AsBytes(ToHex(nonce))),
                         ToBytes(AsBytes(ToBase64(nonce))),
                         ToBytes(ByteView(nonce).first(31)),
                         ToBytes(ByteView(nonce).last(31)),
                         Bytes(nonce.rbegin(), nonce.rend()),
                         Bytes(32)};
  for (const Bytes& form : forms) {
    const RawQuote quote = asked.ak.Quote(asked.selection, Banks(), form);
    EXPECT_THAT(asked.Check(quote), Refuses(Reason::kNonceMismatch)) << ToHex(form);
  }
  const RawQuote without = asked.ak.Quote(asked.selection, Banks(), {});
  EXPECT_THAT(asked.Check(without), Refuses(Reason::kNonceAbsent));
  const Asked asks_for_nothing = {.nonce = {}};
  EXPECT_THAT(asks_for_nothing.Check(without), Refuses(Reason::kNonceAbsent));
  EXPECT_THAT(asks_for_nothing.Check(asked.Genuine()), Refuses(Reason::kNonceMismatch));
}

TEST(Attack, A18_QuoteOfAnotherKeyIsRefused) {
  const SoftAk other = SoftAk::Ecc();
  const Asked asked;
  EXPECT_THAT(asked.Check(other.Quote(asked.selection, Banks(), asked.nonce)),
              Refuses(Reason::kSigInvalid));
  // The other key's body under the enrolled key's name: still not the enrolled key's signature.
  RawQuote forged = asked.Genuine();
  forged.signature = other.Sign(forged.attest);
  EXPECT_THAT(asked.Check(forged), Refuses(Reason::kSigInvalid));
}

TEST(Attack, A18_SignerOtherThanTheEnrolledOneIsRefused) {
  const Asked asked;
  for (const Bytes& signer : {SoftAk::Ecc().qualified_name(), asked.ak.area().Name(), Bytes(),
                              QualifiedName(HandleName(kRhOwner), asked.ak.area())}) {
    AttestFields fields = GenuineFields(asked);
    fields.qualified_signer = signer;
    const absl::Status status = asked.Check(Bent(asked, fields)).status();
    EXPECT_THAT(status, Refuses(Reason::kAkQualifiedName));
  }
  // Offline evidence knows no enrolment, and is told so by the empty expectation.
  AttestFields fields = GenuineFields(asked);
  fields.qualified_signer = asked.ak.area().Name();
  EXPECT_THAT(
      QuotedPcrs::Verify({asked.ak.area(), {}, asked.selection, asked.nonce}, Bent(asked, fields)),
      IsOk());
}

}  // namespace
}  // namespace bootgate::tpm2

// DSSE, CMS and PEM keys: what verifies, and everything near it that must not.
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/crypto/cms.h"
#include "common/crypto/dsse.h"
#include "common/crypto/hasher.h"
#include "common/crypto/key_id.h"
#include "common/crypto/owners.h"
#include "common/crypto/pem_key.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"

namespace bootgate::crypto {
namespace {

using testing::HasCode;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Refuses;

PkeyPtr NewKey(const char* curve) { return PkeyPtr(EVP_EC_gen(curve)); }
PkeyPtr NewRsa() { return PkeyPtr(EVP_RSA_gen(2048)); }

PublicKey PublicOf(const PkeyPtr& key) {
  return *PublicKey::FromEvp(PkeyPtr(EVP_PKEY_dup(key.get())));
}

Bytes Drain(BIO* bio) {
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return ToBytes(AsBytes(absl::string_view(data, static_cast<size_t>(size))));
}

std::string PemOf(const PkeyPtr& key) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(out.get(), key.get());
  return std::string(AsText(Drain(out.get())));
}

X509Ptr SelfSigned(const PkeyPtr& key) {
  X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 7);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("signer"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  return certificate;
}

Bytes DerOf(const X509Ptr& certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  i2d_X509_bio(out.get(), certificate.get());
  return Drain(out.get());
}

Bytes CmsOver(absl::string_view content, const X509Ptr& certificate, const PkeyPtr& key,
              const EVP_MD* hash, unsigned int flags = CMS_DETACHED) {
  const BioPtr data(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
  CMS_ContentInfo* const cms =
      CMS_sign(nullptr, nullptr, nullptr, data.get(), flags | CMS_BINARY | CMS_PARTIAL);
  CMS_add1_signer(cms, certificate.get(), key.get(), hash, CMS_BINARY);
  CMS_final(cms, data.get(), nullptr, flags | CMS_BINARY);
  const BioPtr out(BIO_new(BIO_s_mem()));
  i2d_CMS_bio(out.get(), cms);
  CMS_ContentInfo_free(cms);
  return Drain(out.get());
}

Bytes SignDsse(const DsseEnvelope& envelope, const PkeyPtr& key, const EVP_MD* hash) {
  const Bytes preimage = DssePreimage(envelope.payload_type, envelope.payload);
  const MdCtxPtr context(EVP_MD_CTX_new());
  EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key.get());
  size_t size = 0;
  EVP_DigestSign(context.get(), nullptr, &size, preimage.data(), preimage.size());
  Bytes signature(size);
  EVP_DigestSign(context.get(), signature.data(), &size, preimage.data(), preimage.size());
  signature.resize(size);
  return signature;
}

DsseEnvelope Envelope() { return {"text/plain", ToBytes(AsBytes("hello world")), {}}; }

TEST(Dsse, PreimageIsTheProtocolsOwnExample) {
  EXPECT_EQ(AsText(DssePreimage("http://example.com/HelloWorld", AsBytes("hello world"))),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  EXPECT_EQ(AsText(DssePreimage("", ByteView())), "DSSEv1 0  0 ");
}

TEST(Dsse, EveryKindOfKeyVerifiesItsOwnSignature) {
  struct Row {
    PkeyPtr key;
    const EVP_MD* hash;
  };
  Row rows[] = {{NewKey("P-256"), EVP_sha256()},
                {NewKey("P-384"), EVP_sha384()},
                {NewKey("P-521"), EVP_sha512()},
                {NewRsa(), EVP_sha256()}};
  for (const Row& row : rows) {
    DsseEnvelope envelope = Envelope();
    envelope.signatures = {Bytes{1, 2, 3}, SignDsse(envelope, row.key, row.hash)};
    const std::vector<PublicKey> keys = {PublicOf(NewKey("P-256")), PublicOf(row.key)};
    EXPECT_THAT(VerifyDsse(envelope, keys), IsOk());
    DsseEnvelope other_type = envelope;
    other_type.payload_type = "text/html";
    EXPECT_THAT(VerifyDsse(other_type, keys), Refuses(Reason::kSigInvalid));
    DsseEnvelope other_payload = envelope;
    other_payload.payload.back() ^= 1;
    EXPECT_THAT(VerifyDsse(other_payload, keys), Refuses(Reason::kSigInvalid));
    EXPECT_THAT(VerifyDsse(envelope, std::span(keys).first(1)), Refuses(Reason::kSigInvalid));
    EXPECT_THAT(VerifyDsse(envelope, {}), Refuses(Reason::kSigInvalid));
  }
}

TEST(Dsse, WithoutASignatureNothingVerifies) {
  const std::vector<PublicKey> keys = {PublicOf(NewKey("P-256"))};
  EXPECT_THAT(VerifyDsse(Envelope(), keys), Refuses(Reason::kSigInvalid));
  DsseEnvelope many = Envelope();
  many.signatures.assign(kMaxDsseSignatures + 1, Bytes{1});
  EXPECT_THAT(VerifyDsse(many, keys), Refuses(Reason::kSigInvalid));
}

TEST(DetachedCms, ConfiguredSignerVerifies) {
  const PkeyPtr key = NewKey("P-256");
  const X509Ptr certificate = SelfSigned(key);
  const std::vector<Bytes> trusted = {DerOf(certificate)};
  const Bytes signature = CmsOver("content", certificate, key, EVP_sha256());
  EXPECT_THAT(VerifyDetachedCms(signature, AsBytes("content"), trusted), IsOk());
  EXPECT_THAT(VerifyDetachedCms(signature, AsBytes("Content"), trusted),
              Refuses(Reason::kSigInvalid));
  EXPECT_THAT(VerifyDetachedCms(signature, AsBytes("content"), {}), Refuses(Reason::kSigInvalid));
}

// The certificate inside the signature is the attacker's to choose.
TEST(DetachedCms, ForeignSignerIsRefused) {
  const PkeyPtr key = NewKey("P-256"), foreign = NewKey("P-256");
  const std::vector<Bytes> trusted = {DerOf(SelfSigned(key))};
  const Bytes signature = CmsOver("content", SelfSigned(foreign), foreign, EVP_sha256());
  EXPECT_THAT(VerifyDetachedCms(signature, AsBytes("content"), trusted),
              Refuses(Reason::kSigInvalid));
}

// The signature holds over the content that it brings; the file beside it may be another.
TEST(Attack, A27_ACmsSignatureWithContentOfItsOwnIsRefused) {
  const PkeyPtr key = NewKey("P-256");
  const X509Ptr certificate = SelfSigned(key);
  const std::vector<Bytes> trusted = {DerOf(certificate)};
  const Bytes signature = CmsOver("content", certificate, key, EVP_sha256(), 0);
  for (const char* beside : {"content", "other content", ""}) {
    EXPECT_THAT(VerifyDetachedCms(signature, AsBytes(beside), trusted),
                Refuses(Reason::kUnsignedDuplicate))
        << beside;
  }
}

TEST(DetachedCms, WeakHashAndGarbageAreRefused) {
  const PkeyPtr key = NewKey("P-256");
  const X509Ptr certificate = SelfSigned(key);
  const std::vector<Bytes> trusted = {DerOf(certificate)};
  const auto verify = [&](ByteView signature) {
    return VerifyDetachedCms(signature, AsBytes("content"), trusted);
  };
  EXPECT_THAT(verify(CmsOver("content", certificate, key, EVP_sha1())),
              Refuses(Reason::kSigInvalid));
  EXPECT_THAT(verify(AsBytes("hello")), HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(verify({}), HasCode(absl::StatusCode::kInvalidArgument));
  Bytes cut = CmsOver("content", certificate, key, EVP_sha256());
  cut.pop_back();
  EXPECT_FALSE(verify(cut).ok());
}

TEST(KeysFromPem, ReadsKeysAndCertificatesInOrder) {
  const PkeyPtr first = NewKey("P-256"), second = NewKey("P-384");
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), SelfSigned(second).get());
  const std::string pem = "a comment\n" + PemOf(first) + std::string(AsText(Drain(out.get())));
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<PemKey> keys, KeysFromPem(pem));
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].key, PublicOf(first));
  EXPECT_TRUE(keys[0].certificate.empty());
  EXPECT_EQ(keys[1].key, PublicOf(second));
  EXPECT_FALSE(keys[1].certificate.empty());
}

TEST(KeysFromPem, RefusesWhatIsNoneByItsNumber) {
  const PkeyPtr key = NewKey("P-256");
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  const auto refused = KeysFromPem(PemOf(key) + std::string(AsText(Drain(out.get()))));
  EXPECT_THAT(refused, HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("PEM block 2: is a PRIVATE KEY"));
  EXPECT_THAT(KeysFromPem(""), HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(KeysFromPem("-----BEGIN PUBLIC KEY-----\nnot base64!\n-----END PUBLIC KEY-----\n"),
              HasCode(absl::StatusCode::kInvalidArgument));
  const PkeyPtr weak(EVP_RSA_gen(1024));
  EXPECT_THAT(KeysFromPem(PemOf(weak)), Refuses(Reason::kKeyWeak));
}

TEST(Hasher, InPiecesIsAsInOne) {
  for (const HashAlg alg : kAllHashAlgs) {
    Hasher hasher(alg);
    hasher.Add(AsBytes("abc"));
    hasher.Add({});
    hasher.Add(AsBytes("def"));
    EXPECT_EQ(hasher.Finish(), Hash(alg, AsBytes("abcdef")));
    EXPECT_EQ(hasher.Finish(), Hash(alg, ByteView()));
  }
}

// What a kernel module's appended signature is: nothing but the digest is known of the content.
TEST(CmsOverDigest, OneKnownSignerOverThisDigestIsEnough) {
  const PkeyPtr signer = NewRsa(), other = NewRsa();
  const X509Ptr certificate = SelfSigned(signer);
  const PemKey known = *KeyFromCertificate(DerOf(certificate));
  const PemKey stranger = *KeyFromCertificate(DerOf(SelfSigned(other)));
  const Digest content = Hash(HashAlg::kSha256, AsBytes("module"));
  const std::vector<PemKey> keys = {stranger, known};
  for (const unsigned int form : {CMS_NOATTR + 0u, 0u, (CMS_USE_KEYID | CMS_NOATTR) + 0u}) {
    SCOPED_TRACE(form);
    const BioPtr data(BIO_new_mem_buf("module", 6));
    CMS_ContentInfo* const cms =
        CMS_sign(nullptr, nullptr, nullptr, data.get(), CMS_DETACHED | CMS_BINARY | CMS_PARTIAL);
    if (CMS_add1_signer(cms, certificate.get(), signer.get(), EVP_sha256(), CMS_BINARY | form) ==
        nullptr) {
      CMS_ContentInfo_free(cms);  // this certificate has no key identifier to be named by
      ClearOpenSslErrors();
      continue;
    }
    CMS_final(cms, data.get(), nullptr, CMS_DETACHED | CMS_BINARY);
    const BioPtr out(BIO_new(BIO_s_mem()));
    i2d_CMS_bio(out.get(), cms);
    CMS_ContentInfo_free(cms);
    const Bytes signature = Drain(out.get());
    EXPECT_THAT(VerifyCmsOverDigest(signature, content, keys), IsOk());
    EXPECT_THAT(VerifyCmsOverDigest(signature, Hash(HashAlg::kSha256, AsBytes("evil")), keys),
                Refuses(Reason::kSigInvalid));
    EXPECT_THAT(VerifyCmsOverDigest(signature, Hash(HashAlg::kSha384, AsBytes("module")), keys),
                Refuses(Reason::kSigInvalid));
    EXPECT_THAT(VerifyCmsOverDigest(signature, content, {&stranger, 1}),
                Refuses(Reason::kSigInvalid));
    EXPECT_THAT(VerifyCmsOverDigest(signature, content, {}), Refuses(Reason::kSigInvalid));
  }
  EXPECT_FALSE(VerifyCmsOverDigest(AsBytes("nothing"), content, keys).ok());
  EXPECT_FALSE(VerifyCmsOverDigest({}, content, keys).ok());
}

// What `evmctl sign` writes: the last four bytes of the SHA-1 of the key's bits.
TEST(KeyIds, AreTheHashOfTheKeysBits) {
  const PkeyPtr key = NewKey("P-256");
  const PublicKey half = PublicOf(key);
  const Bytes spki = half.SpkiDer();
  const ByteView point = ByteView(spki).last(65);
  const std::vector<Bytes> ids = KeyIds({half, {}});
  ASSERT_EQ(ids.size(), 1u);
  EXPECT_EQ(ToHex(ids[0]), Hash(HashAlg::kSha1, point).hex());
}

}  // namespace
}  // namespace bootgate::crypto

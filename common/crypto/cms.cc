#include "common/crypto/cms.h"

// clang-format off
#include <openssl/pem.h>  // before cms.h, which declares its PEM functions only then
#include <openssl/cms.h>
#include <openssl/x509.h>
// clang-format on

#include <algorithm>
#include <limits>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/key_id.h"
#include "common/crypto/owners.h"

namespace bootgate::crypto {
namespace {

using CmsPtr = std::unique_ptr<CMS_ContentInfo, FreeWith<CMS_ContentInfo_free>>;

struct FreeX509Stack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using X509StackPtr = std::unique_ptr<STACK_OF(X509), FreeX509Stack>;

absl::Status Invalid(absl::string_view why) { return NotAuthentic(Reason::kSigInvalid, why); }

// OpenSSL takes no null pointer, also for nothing.
BioPtr Over(ByteView bytes) {
  return BioPtr(bytes.empty() ? BIO_new_mem_buf("", 0)
                              : BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

absl::StatusOr<CmsPtr> ReadCms(ByteView signature) {
  if (signature.size() > kMaxCmsBytes) {
    return absl::InvalidArgumentError(absl::StrCat("CMS signature larger than ", kMaxCmsBytes));
  }
  const BioPtr in = Over(signature);
  if (in == nullptr) return OpenSslError(absl::StatusCode::kInternal, "read a CMS signature");
  CmsPtr cms(absl::StartsWith(AsText(signature), "-----BEGIN")
                 ? PEM_read_bio_CMS(in.get(), nullptr, nullptr, nullptr)
                 : d2i_CMS_bio(in.get(), nullptr));
  if (cms == nullptr) {
    ClearOpenSslErrors();
    return absl::InvalidArgumentError("not a CMS signature in DER or PEM");
  }
  if (OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_pkcs7_signed) {
    return absl::InvalidArgumentError("a CMS message that is no signature");
  }
  if (CMS_is_detached(cms.get()) != 1) {
    return Malformed(Reason::kUnsignedDuplicate,
                     "a CMS signature that brings its own content: two copies, of which it covers "
                     "one");
  }
  return cms;
}

absl::StatusOr<X509StackPtr> StackOf(std::span<const Bytes> certificates) {
  X509StackPtr stack(sk_X509_new_null());
  if (stack == nullptr) return OpenSslError(absl::StatusCode::kInternal, "hold certificates");
  for (const Bytes& der : certificates) {
    const unsigned char* at = der.data();
    X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (certificate == nullptr) {
      ClearOpenSslErrors();
      return absl::InvalidArgumentError("a configured certificate cannot be read");
    }
    if (sk_X509_push(stack.get(), certificate.get()) == 0) {
      return OpenSslError(absl::StatusCode::kInternal, "hold certificates");
    }
    certificate.release();  // the stack owns it now
  }
  return stack;
}

int HashNidOf(CMS_SignerInfo* signer) {
  X509_ALGOR* hash = nullptr;
  CMS_SignerInfo_get0_algs(signer, nullptr, nullptr, &hash, nullptr);
  return hash == nullptr ? NID_undef : OBJ_obj2nid(hash->algorithm);
}

bool IsStrong(int nid) { return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512; }

// SHA-1 and MD5 sign nothing here.
bool StrongHashes(CMS_ContentInfo* cms) {
  STACK_OF(CMS_SignerInfo)* const signers = CMS_get0_SignerInfos(cms);
  if (signers == nullptr || sk_CMS_SignerInfo_num(signers) == 0) return false;
  for (int i = 0; i < sk_CMS_SignerInfo_num(signers); ++i) {
    if (!IsStrong(HashNidOf(sk_CMS_SignerInfo_value(signers, i)))) return false;
  }
  return true;
}

X509Ptr ParsedCertificate(const PemKey& key) {
  const unsigned char* at = key.certificate.data();
  X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(key.certificate.size())));
  if (certificate == nullptr) ClearOpenSslErrors();
  return certificate;
}

// Does the signer's name (issuer and serial, or key identifier) stand for this key?
bool Names(CMS_SignerInfo* signer, const PemKey& key, X509* certificate) {
  if (certificate != nullptr && CMS_SignerInfo_cert_cmp(signer, certificate) == 0) return true;
  ASN1_OCTET_STRING* id = nullptr;
  CMS_SignerInfo_get0_signer_id(signer, &id, nullptr, nullptr);
  if (id == nullptr) return false;
  const ByteView named(ASN1_STRING_get0_data(id), static_cast<size_t>(ASN1_STRING_length(id)));
  return std::ranges::any_of(KeyIds(key), [&](const Bytes& own) { return SameBytes(own, named); });
}

bool HoldsWithoutAttributes(CMS_SignerInfo* signer, const Digest& content, const PublicKey& key) {
  const ASN1_OCTET_STRING* const bits = CMS_SignerInfo_get0_signature(signer);
  const ByteView signature(ASN1_STRING_get0_data(bits),
                           static_cast<size_t>(ASN1_STRING_length(bits)));
  const SignatureScheme scheme =
      key.kind() == PublicKey::Kind::kRsa ? SignatureScheme::kRsassa : SignatureScheme::kEcdsa;
  return key.Verify(scheme, content, signature).ok();
}

// The content's digest is one of the attributes, and the attributes are what was signed.
bool HoldsWithAttributes(CMS_SignerInfo* signer, const Digest& content, X509* certificate) {
  constexpr int kOnlyOne = -3;  // OpenSSL: neither several attributes nor several values
  const auto* const digest = static_cast<const ASN1_OCTET_STRING*>(CMS_signed_get0_data_by_OBJ(
      signer, OBJ_nid2obj(NID_pkcs9_messageDigest), kOnlyOne, V_ASN1_OCTET_STRING));
  if (digest == nullptr || certificate == nullptr) return false;
  const ByteView said(ASN1_STRING_get0_data(digest),
                      static_cast<size_t>(ASN1_STRING_length(digest)));
  if (!SameBytes(said, content.view())) return false;
  CMS_SignerInfo_set1_signer_cert(signer, certificate);
  return CMS_SignerInfo_verify(signer) == 1;
}

int NidOf(HashAlg alg) {
  switch (alg) {
    case HashAlg::kSha256:
      return NID_sha256;
    case HashAlg::kSha384:
      return NID_sha384;
    case HashAlg::kSha512:
      return NID_sha512;
    case HashAlg::kSha1:
    case HashAlg::kSm3_256:
      return NID_undef;  // none that signs here
  }
  return NID_undef;
}

bool HoldsBy(CMS_SignerInfo* signer, const Digest& content, const PemKey& key) {
  const X509Ptr certificate = key.certificate.empty() ? nullptr : ParsedCertificate(key);
  if (!Names(signer, key, certificate.get())) return false;
  return CMS_signed_get_attr_count(signer) < 0
             ? HoldsWithoutAttributes(signer, content, key.key)
             : HoldsWithAttributes(signer, content, certificate.get());
}

}  // namespace

absl::Status VerifyDetachedCms(ByteView signature, ByteView content,
                               std::span<const Bytes> certificates) {
  BG_ASSIGN_OR_RETURN(const CmsPtr cms, ReadCms(signature));
  BG_ASSIGN_OR_RETURN(const X509StackPtr trusted, StackOf(certificates));
  if (!StrongHashes(cms.get())) return Invalid("no signer, or one with a weak hash");
  if (content.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError("signed content larger than 2 GiB");
  }
  const BioPtr data = Over(content);
  if (data == nullptr) return OpenSslError(absl::StatusCode::kInternal, "read what was signed");
  constexpr unsigned int kFlags =
      CMS_DETACHED | CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY;
  if (CMS_verify(cms.get(), trusted.get(), nullptr, data.get(), nullptr, kFlags) == 1) {
    return absl::OkStatus();
  }
  ClearOpenSslErrors();
  return Invalid(absl::StrCat("the CMS signature is by none of ", certificates.size(),
                              " configured certificates, or over other content"));
}

absl::Status VerifyCmsOverDigest(ByteView signature, const Digest& content,
                                 std::span<const PemKey> keys) {
  if (absl::StartsWith(AsText(signature), "-----")) {
    return absl::InvalidArgumentError("a CMS signature in PEM where DER is due");
  }
  BG_ASSIGN_OR_RETURN(const CmsPtr cms, ReadCms(signature));
  STACK_OF(CMS_SignerInfo)* const signers = CMS_get0_SignerInfos(cms.get());
  const int count = signers == nullptr ? 0 : sk_CMS_SignerInfo_num(signers);
  if (count > kMaxCmsSigners) return absl::InvalidArgumentError("a CMS signature of many signers");
  for (int i = 0; i < count; ++i) {
    CMS_SignerInfo* const signer = sk_CMS_SignerInfo_value(signers, i);
    const int nid = HashNidOf(signer);
    if (!IsStrong(nid) || nid != NidOf(content.alg())) continue;
    const bool holds =
        std::ranges::any_of(keys, [&](const PemKey& key) { return HoldsBy(signer, content, key); });
    ClearOpenSslErrors();
    if (holds) return absl::OkStatus();
  }
  return Invalid("the CMS signature is by none of the keys, or over other content");
}

}  // namespace bootgate::crypto

#include "common/crypto/cms.h"

// clang-format off
#include <openssl/pem.h>  // before cms.h, which declares its PEM functions only then
#include <openssl/cms.h>
#include <openssl/x509.h>
// clang-format on

#include <limits>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
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
    return absl::InvalidArgumentError("a CMS signature that brings its own content");
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

// SHA-1 and MD5 sign nothing here.
bool StrongHashes(CMS_ContentInfo* cms) {
  STACK_OF(CMS_SignerInfo)* const signers = CMS_get0_SignerInfos(cms);
  if (signers == nullptr || sk_CMS_SignerInfo_num(signers) == 0) return false;
  for (int i = 0; i < sk_CMS_SignerInfo_num(signers); ++i) {
    X509_ALGOR* hash = nullptr;
    CMS_SignerInfo_get0_algs(sk_CMS_SignerInfo_value(signers, i), nullptr, nullptr, &hash, nullptr);
    const int nid = hash == nullptr ? NID_undef : OBJ_obj2nid(hash->algorithm);
    if (nid != NID_sha256 && nid != NID_sha384 && nid != NID_sha512) return false;
  }
  return true;
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

}  // namespace bootgate::crypto

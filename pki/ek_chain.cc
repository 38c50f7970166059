#include "pki/ek_chain.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/ek_profile.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr size_t kMaxIntermediates = 8;
constexpr int kMaxChain = 10;  // leaf, intermediates, root

struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }  // borrows its elements
};
using BorrowedStack = std::unique_ptr<STACK_OF(X509), FreeStack>;
using Intermediates = std::vector<crypto::X509Ptr>;

absl::StatusOr<Intermediates> ParseIntermediates(const std::vector<Bytes>& ders) {
  if (ders.size() > kMaxIntermediates) {
    return Malformed(Reason::kCertParse, absl::StrCat(ders.size(), " intermediate certificates, ",
                                                      kMaxIntermediates, " are allowed"));
  }
  Intermediates parsed;
  for (const Bytes& der : ders) {
    absl::StatusOr<crypto::X509Ptr> certificate = ParseCertificate(der);
    // Sizes before signatures: an oversized key in the chain costs a parse, no arithmetic.
    const absl::Status status =
        certificate.ok() ? KeyOf(certificate->get()).status() : certificate.status();
    if (!status.ok()) {
      return Refuse(status.code(), ReasonOf(status).value_or(Reason::kCertParse),
                    absl::StrCat("intermediate ", parsed.size() + 1, ": ", status.message()));
    }
    parsed.push_back(*std::move(certificate));
  }
  return parsed;
}

std::string Names(const X509* certificate) {
  return absl::StrCat("certificate \"", SubjectText(certificate), "\" of issuer \"",
                      IssuerText(certificate), "\"");
}

absl::Status Untrusted(const X509* last) {
  return Malformed(
      Reason::kEkChainUntrusted,
      absl::StrCat("no configured root for the issuer \"", IssuerText(last),
                   "\" (its certificate: ", AiaText(last), "); once reviewed, add it to ek.roots"));
}

absl::Status Expired(const X509* at, absl::Time now) {
  return Malformed(Reason::kEkChainExpired,
                   absl::StrCat(Names(at), " is valid from ", FormatUtc(NotBefore(at)), " to ",
                                FormatUtc(NotAfter(at)), ", and now is ", FormatUtc(now)));
}

// What OpenSSL found wrong, in our words and codes.
absl::Status ChainError(X509_STORE_CTX* context, absl::Time now) {
  const int error = X509_STORE_CTX_get_error(context);
  const X509* at = X509_STORE_CTX_get_current_cert(context);
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context);
  if (chain != nullptr && sk_X509_num(chain) > 0 && at == nullptr) at = sk_X509_value(chain, 0);
  crypto::ClearOpenSslErrors();
  if (at == nullptr) return Malformed(Reason::kEkChainUntrusted, "no chain could be built");
  switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return Untrusted(at);
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Expired(at, now);
    default:
      return Malformed(Reason::kEkChainUntrusted,
                       absl::StrCat(Names(at), ": ", X509_verify_cert_error_string(error)));
  }
}

// Signatures on hashes that can be forged prove nothing. The anchor's own signature is not used.
absl::Status CheckSignatureHash(X509* certificate) {
  int hash = NID_undef;
  if (X509_get_signature_info(certificate, &hash, nullptr, nullptr, nullptr) == 1 &&
      (hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512)) {
    return absl::OkStatus();
  }
  const char* name = OBJ_nid2sn(hash);
  return Malformed(
      Reason::kEkChainUntrusted,
      absl::StrCat(Names(certificate), ": signed with the hash ",
                   name == nullptr ? "unknown" : name, "; SHA-256, SHA-384 or SHA-512 is needed"));
}

absl::Status CheckChain(X509_STORE_CTX* context) {
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context);
  const int length = sk_X509_num(chain);
  if (length < 2) {
    return Malformed(Reason::kEkChainUntrusted,
                     "the EK certificate itself is configured as a root; use the inventory");
  }
  constexpr int kCaByBasicConstraints = 1;
  for (int i = 0; i < length - 1; ++i) {
    X509* const certificate = sk_X509_value(chain, i);
    BG_RETURN_IF_ERROR(CheckSignatureHash(certificate));
    if (i > 0 && X509_check_ca(certificate) != kCaByBasicConstraints) {
      return Malformed(Reason::kEkChainUntrusted,
                       absl::StrCat(Names(certificate), ": not marked as a CA"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<crypto::X509StorePtr> StoreOf(const std::vector<std::shared_ptr<X509>>& anchors,
                                             absl::Time now) {
  crypto::X509StorePtr store(X509_STORE_new());
  if (store == nullptr) return crypto::OpenSslError(absl::StatusCode::kInternal, "X509_STORE_new");
  for (const std::shared_ptr<X509>& anchor : anchors) {
    if (X509_STORE_add_cert(store.get(), anchor.get()) != 1) {
      return crypto::OpenSslError(absl::StatusCode::kInternal, "X509_STORE_add_cert");
    }
  }
  X509_VERIFY_PARAM* const rules = X509_STORE_get0_param(store.get());
  // An anchor may be an issuing CA: the chain need not end in a self-signed root.
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(rules, absl::ToTimeT(now));
  X509_VERIFY_PARAM_set_depth(rules, kMaxChain);
  return store;
}

absl::Status VerifyPath(X509* leaf, const Intermediates& intermediates,
                        const std::vector<std::shared_ptr<X509>>& anchors, absl::Time now) {
  BG_ASSIGN_OR_RETURN(const crypto::X509StorePtr store, StoreOf(anchors, now));
  const BorrowedStack untrusted(sk_X509_new_null());
  const crypto::X509StoreCtxPtr context(X509_STORE_CTX_new());
  if (untrusted == nullptr || context == nullptr) {
    return crypto::OpenSslError(absl::StatusCode::kInternal, "X509_STORE_CTX_new");
  }
  for (const crypto::X509Ptr& certificate : intermediates) {
    if (sk_X509_push(untrusted.get(), certificate.get()) == 0) {
      return crypto::OpenSslError(absl::StatusCode::kInternal, "sk_X509_push");
    }
  }
  if (X509_STORE_CTX_init(context.get(), store.get(), leaf, untrusted.get()) != 1) {
    return crypto::OpenSslError(absl::StatusCode::kInternal, "X509_STORE_CTX_init");
  }
  if (X509_verify_cert(context.get()) != 1) return ChainError(context.get(), now);
  crypto::ClearOpenSslErrors();
  return CheckChain(context.get());
}

}  // namespace

absl::StatusOr<VerifiedEkChain> VerifiedEkChain::Verify(ByteView leaf,
                                                        const std::vector<Bytes>& intermediates,
                                                        const TrustAnchors& anchors,
                                                        absl::Time now) {
  BG_ASSIGN_OR_RETURN(EkLeaf parsed, ParseEkLeaf(leaf));
  BG_ASSIGN_OR_RETURN(crypto::PublicKey key, KeyOf(parsed.certificate.get()));
  BG_ASSIGN_OR_RETURN(const Intermediates untrusted, ParseIntermediates(intermediates));
  BG_RETURN_IF_ERROR(CheckEkProfile(parsed));
  BG_RETURN_IF_ERROR(VerifyPath(parsed.certificate.get(), untrusted, anchors.parsed_, now));
  VerifiedEkChain chain(std::move(key));
  chain.tolerances_ = std::move(parsed.tolerances);
  chain.subject_ = TpmText(parsed.certificate.get());
  chain.issuer_ = IssuerText(parsed.certificate.get());
  chain.tpm_san_der_ = SubjectAltNameDer(parsed.certificate.get());
  return chain;
}

absl::StatusOr<crypto::PublicKey> KeyOfCertificate(ByteView der) {
  BG_ASSIGN_OR_RETURN(const EkLeaf leaf, ParseEkLeaf(der));
  return KeyOf(leaf.certificate.get());
}

}  // namespace bootgate::pki

#include "pki/signer_chain.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/owners.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr int kMaxDepth = 10;  // leaf, intermediates, root
constexpr int kCaByBasicConstraints = 1;
constexpr uint32_t kSigningUses = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;

struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }  // borrows its elements
};
using BorrowedStack = std::unique_ptr<STACK_OF(X509), FreeStack>;

absl::Status Untrusted(const X509* at, absl::string_view why) {
  return NotAuthentic(Reason::kSignerUntrusted,
                      absl::StrCat("certificate \"", SubjectText(at), "\": ", why));
}

// Parsed, and its key of a size that may be computed with.
absl::StatusOr<crypto::X509Ptr> Checked(ByteView der) {
  BG_ASSIGN_OR_RETURN(crypto::X509Ptr certificate, ParseCertificate(der));
  BG_RETURN_IF_ERROR(KeyOf(certificate.get()).status());
  return certificate;
}

bool SignedByItself(X509* certificate) {
  EVP_PKEY* const key = X509_get0_pubkey(certificate);
  const bool holds = key != nullptr && X509_check_issued(certificate, certificate) == X509_V_OK &&
                     X509_verify(certificate, key) == 1;
  crypto::ClearOpenSslErrors();
  return holds;
}

absl::Status CheckRootForm(X509* root) {
  if (X509_check_ca(root) != kCaByBasicConstraints) {
    return Untrusted(root, "its basic constraints do not say CA true");
  }
  if (!SignedByItself(root)) return Untrusted(root, "not signed by its own key");
  return absl::OkStatus();
}

absl::Status CheckHash(X509* certificate) {
  int hash = NID_undef;
  const bool known = X509_get_signature_info(certificate, &hash, nullptr, nullptr, nullptr) == 1 &&
                     (hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512);
  return known ? absl::OkStatus()
               : Untrusted(certificate, "not signed with SHA-256, SHA-384 or SHA-512");
}

// What OpenSSL leaves open: CAs by their version alone, and hashes that can be forged. The root's
// own signature is not used.
absl::Status CheckPath(const STACK_OF(X509) * path) {
  const int size = sk_X509_num(path);
  for (int i = 0; i < size; ++i) {
    X509* const at = sk_X509_value(path, i);
    if (i > 0 && X509_check_ca(at) != kCaByBasicConstraints) return Untrusted(at, "not a CA");
    if (i + 1 < size) BG_RETURN_IF_ERROR(CheckHash(at));
  }
  X509* const leaf = sk_X509_value(path, 0);
  if (size > 1 && (X509_get_key_usage(leaf) & kSigningUses) == 0) {
    return Untrusted(leaf, "its key usage is not to sign");
  }
  return absl::OkStatus();
}

absl::StatusOr<crypto::X509StorePtr> StoreOf(const std::vector<crypto::X509Ptr>& roots,
                                             absl::Time now) {
  crypto::X509StorePtr store(X509_STORE_new());
  if (store == nullptr) return crypto::OpenSslError(absl::StatusCode::kInternal, "X509_STORE_new");
  for (const crypto::X509Ptr& root : roots) {
    if (X509_STORE_add_cert(store.get(), root.get()) != 1) {
      return crypto::OpenSslError(absl::StatusCode::kInternal, "X509_STORE_add_cert");
    }
  }
  X509_VERIFY_PARAM* const rules = X509_STORE_get0_param(store.get());
  X509_VERIFY_PARAM_set_time(rules, absl::ToTimeT(now));
  X509_VERIFY_PARAM_set_depth(rules, kMaxDepth);
  return store;
}

absl::Status VerifyPath(const std::vector<crypto::X509Ptr>& chain,
                        const std::vector<crypto::X509Ptr>& roots, absl::Time now) {
  BG_ASSIGN_OR_RETURN(const crypto::X509StorePtr store, StoreOf(roots, now));
  const BorrowedStack untrusted(sk_X509_new_null());
  const crypto::X509StoreCtxPtr context(X509_STORE_CTX_new());
  bool ready = untrusted != nullptr && context != nullptr;
  for (size_t i = 1; ready && i < chain.size(); ++i) {
    ready = sk_X509_push(untrusted.get(), chain[i].get()) != 0;
  }
  if (!ready ||
      X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), untrusted.get()) != 1) {
    return crypto::OpenSslError(absl::StatusCode::kInternal, "X509_STORE_CTX_init");
  }
  if (X509_verify_cert(context.get()) != 1) {
    const X509* at = X509_STORE_CTX_get_current_cert(context.get());
    crypto::ClearOpenSslErrors();
    return Untrusted(
        at == nullptr ? chain.front().get() : at,
        absl::StrCat(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())),
                     " (now is ", FormatUtc(now), ")"));
  }
  crypto::ClearOpenSslErrors();
  return CheckPath(X509_STORE_CTX_get0_chain(context.get()));
}

}  // namespace

absl::Status CheckSignerRoot(ByteView certificate_der) {
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr root, Checked(certificate_der));
  return CheckRootForm(root.get());
}

absl::StatusOr<SignerCertificate> ReadSignerCertificate(ByteView certificate_der) {
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr certificate, ParseCertificate(certificate_der));
  BG_ASSIGN_OR_RETURN(crypto::PublicKey key, KeyOf(certificate.get()));
  return SignerCertificate{std::move(key), NotBefore(certificate.get()),
                           NotAfter(certificate.get())};
}

absl::StatusOr<crypto::PublicKey> VerifySignerChain(std::span<const Bytes> chain,
                                                    std::span<const Bytes> roots, absl::Time now) {
  if (chain.empty()) return NotAuthentic(Reason::kSignerUntrusted, "no certificate of the signer");
  if (roots.empty()) return NotAuthentic(Reason::kSignerUntrusted, "no signer is configured");
  if (chain.size() > kMaxSignerChain || roots.size() > kMaxSignerRoots) {
    return Malformed(Reason::kCertParse, "too many certificates");
  }
  std::vector<crypto::X509Ptr> sent, trusted;
  for (const Bytes& der : chain) {
    BG_ASSIGN_OR_RETURN(sent.emplace_back(), Checked(der));
  }
  for (const Bytes& der : roots) {
    BG_ASSIGN_OR_RETURN(trusted.emplace_back(), Checked(der));
    BG_RETURN_IF_ERROR(CheckRootForm(trusted.back().get()));
  }
  BG_RETURN_IF_ERROR(VerifyPath(sent, trusted, now));
  return KeyOf(sent.front().get());
}

}  // namespace bootgate::pki

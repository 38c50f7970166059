#include "pki/ek_path.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr int kMaxChain = 10;  // leaf, intermediates, root
constexpr int kCaByBasicConstraints = 1;

struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }  // borrows its elements
};
using BorrowedStack = std::unique_ptr<STACK_OF(X509), FreeStack>;
using NameConstraintsPtr =
    std::unique_ptr<NAME_CONSTRAINTS, crypto::FreeWith<NAME_CONSTRAINTS_free>>;

// The certificates of a verified path, borrowed: the target first, an anchor last.
using Path = std::vector<X509*>;

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

// What OpenSSL leaves open: hashes, and CAs that are none by their basic constraints.
absl::Status CheckPath(const Path& path) {
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    BG_RETURN_IF_ERROR(CheckSignatureHash(path[i]));
    if (i > 0 && X509_check_ca(path[i]) != kCaByBasicConstraints) {
      return Malformed(Reason::kEkChainUntrusted,
                       absl::StrCat(Names(path[i]), ": not marked as a CA"));
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

// OpenSSL's path from `target` to an anchor.
absl::StatusOr<Path> FindPath(X509* target, const PathInput& input) {
  BG_ASSIGN_OR_RETURN(const crypto::X509StorePtr store, StoreOf(input.anchors, input.now));
  const BorrowedStack untrusted(sk_X509_new_null());
  const crypto::X509StoreCtxPtr context(X509_STORE_CTX_new());
  if (untrusted == nullptr || context == nullptr) {
    return crypto::OpenSslError(absl::StatusCode::kInternal, "X509_STORE_CTX_new");
  }
  for (const crypto::X509Ptr& certificate : input.intermediates) {
    if (sk_X509_push(untrusted.get(), certificate.get()) == 0) {
      return crypto::OpenSslError(absl::StatusCode::kInternal, "sk_X509_push");
    }
  }
  if (X509_STORE_CTX_init(context.get(), store.get(), target, untrusted.get()) != 1) {
    return crypto::OpenSslError(absl::StatusCode::kInternal, "X509_STORE_CTX_init");
  }
  if (X509_verify_cert(context.get()) != 1) return ChainError(context.get(), input.now);
  crypto::ClearOpenSslErrors();
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context.get());
  Path path;
  for (int i = 0; i < sk_X509_num(chain); ++i) path.push_back(sk_X509_value(chain, i));
  return path;
}

// Does `issuer` name itself as the issuer, and did its key sign? OpenSSL's own two checks.
bool Signed(X509* issuer, X509* leaf) {
  EVP_PKEY* const key = X509_get0_pubkey(issuer);
  const bool holds =
      key != nullptr && X509_check_issued(issuer, leaf) == X509_V_OK && X509_verify(leaf, key) == 1;
  crypto::ClearOpenSslErrors();
  return holds;
}

X509* IssuerOf(X509* leaf, const PathInput& input) {
  for (const std::shared_ptr<X509>& anchor : input.anchors) {
    if (Signed(anchor.get(), leaf)) return anchor.get();
  }
  for (const crypto::X509Ptr& intermediate : input.intermediates) {
    if (Signed(intermediate.get(), leaf)) return intermediate.get();
  }
  return nullptr;
}

// The rules that run along the whole path, for a path whose leaf OpenSSL did not see: path lengths
// (RFC 5280, 4.2.1.9) and name constraints (4.2.1.10).
absl::Status CheckAlongPath(const Path& path) {
  long below = 0;  // NOLINT(google-runtime-int): OpenSSL's type; CAs below, self-issued ones aside
  for (size_t i = 1; i < path.size(); ++i) {
    const long allowed = X509_get_pathlen(path[i]);  // NOLINT(google-runtime-int)
    if (allowed >= 0 && below > allowed) {
      return Malformed(Reason::kEkChainUntrusted,
                       absl::StrCat(Names(path[i]), ": path length exceeded"));
    }
    if ((X509_get_extension_flags(path[i]) & EXFLAG_SI) == 0) ++below;
    int found = 0;
    const NameConstraintsPtr rules(static_cast<NAME_CONSTRAINTS*>(
        X509_get_ext_d2i(path[i], NID_name_constraints, &found, nullptr)));
    const bool broken =
        rules == nullptr ? found != -1 : NAME_CONSTRAINTS_check(path[0], rules.get()) != X509_V_OK;
    crypto::ClearOpenSslErrors();
    if (broken) {
      return Malformed(Reason::kEkChainUntrusted,
                       absl::StrCat(Names(path[i]), ": name constraints violated"));
    }
  }
  return absl::OkStatus();
}

// OpenSSL builds no path from a leaf whose key it cannot read, as those marked id-RSAES-OAEP. Then
// the leaf's own step is ours, and OpenSSL verifies the rest from its issuer on.
absl::Status VerifyFromIssuer(X509* leaf, const PathInput& input) {
  X509* const issuer = IssuerOf(leaf, input);
  if (issuer == nullptr) return Untrusted(leaf);
  if (input.now < NotBefore(leaf) || input.now > NotAfter(leaf)) return Expired(leaf, input.now);
  BG_ASSIGN_OR_RETURN(Path path, FindPath(issuer, input));
  path.insert(path.begin(), leaf);
  BG_RETURN_IF_ERROR(CheckPath(path));
  return CheckAlongPath(path);
}

}  // namespace

absl::Status VerifyPath(X509* leaf, const PathInput& input) {
  const bool readable = X509_get0_pubkey(leaf) != nullptr;
  crypto::ClearOpenSslErrors();
  if (!readable) return VerifyFromIssuer(leaf, input);
  BG_ASSIGN_OR_RETURN(const Path path, FindPath(leaf, input));
  if (path.size() < 2) {
    return Malformed(Reason::kEkChainUntrusted,
                     "the EK certificate itself is configured as a root; use the inventory");
  }
  return CheckPath(path);
}

}  // namespace bootgate::pki

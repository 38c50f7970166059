#include "pki/ek_path.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "pki/foreign_leaf.h"
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

// No issuer is known for `last`. What an operator needs to decide: who that is, where its
// certificate lies, and what exactly would be trusted. We fetch nothing.
absl::Status Untrusted(const X509* last, const PathInput& input) {
  const std::string issuer = IssuerText(last);
  const std::string candidate = IsCa(last) ? absl::StrCat("this host sent \"", SubjectText(last),
                                                          "\", SHA-256 ", Sha256Of(last), "; ")
                                           : std::string();
  return Malformed(
      input.untrusted,
      absl::StrCat("no configured root for the issuer \"", issuer,
                   "\" (its certificate: ", AiaText(last), "); ", candidate,
                   "review with 'bootgate-gatekeeper ek root show FILE', compare the SHA-256 with "
                   "what the vendor publishes, then '",
                   input.add_with, "' (or name the file in ", input.config_key, ")"));
}

absl::Status Expired(const X509* at, const PathInput& input) {
  return Malformed(input.expired,
                   absl::StrCat(NamesOf(at), " is valid from ", FormatUtc(NotBefore(at)), " to ",
                                FormatUtc(NotAfter(at)), ", and now is ", FormatUtc(input.now)));
}

absl::Status Broken(const X509* at, absl::string_view what, const PathInput& input) {
  return Malformed(input.untrusted, absl::StrCat(NamesOf(at), ": ", what));
}

// What OpenSSL found wrong, in our words and codes.
absl::Status ChainError(X509_STORE_CTX* context, const PathInput& input) {
  const int error = X509_STORE_CTX_get_error(context);
  const X509* at = X509_STORE_CTX_get_current_cert(context);
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context);
  if (chain != nullptr && sk_X509_num(chain) > 0 && at == nullptr) at = sk_X509_value(chain, 0);
  crypto::ClearOpenSslErrors();
  if (at == nullptr) return Malformed(input.untrusted, "no chain could be built");
  switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return Untrusted(at, input);
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Expired(at, input);
    default:
      return Broken(at, X509_verify_cert_error_string(error), input);
  }
}

// Signatures on hashes that can be forged prove nothing. The anchor's own signature is not used.
absl::Status CheckSignatureHash(X509* certificate, const PathInput& input) {
  int hash = NID_undef;
  if (X509_get_signature_info(certificate, &hash, nullptr, nullptr, nullptr) == 1 &&
      (hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512)) {
    return absl::OkStatus();
  }
  const char* name = OBJ_nid2sn(hash);
  return Broken(certificate,
                absl::StrCat("signed with the hash ", name == nullptr ? "unknown" : name,
                             "; SHA-256, SHA-384 or SHA-512 is needed"),
                input);
}

// What OpenSSL leaves open: hashes, and CAs that are none by their basic constraints.
absl::Status CheckPath(const Path& path, const PathInput& input) {
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    BG_RETURN_IF_ERROR(CheckSignatureHash(path[i], input));
    if (i > 0 && X509_check_ca(path[i]) != kCaByBasicConstraints) {
      return Broken(path[i], "not marked as a CA", input);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<crypto::X509StorePtr> StoreOf(const PathInput& input) {
  crypto::X509StorePtr store(X509_STORE_new());
  if (store == nullptr) return crypto::OpenSslError(absl::StatusCode::kInternal, "X509_STORE_new");
  for (const std::shared_ptr<X509>& anchor : input.anchors.anchors()) {
    if (X509_STORE_add_cert(store.get(), anchor.get()) != 1) {
      return crypto::OpenSslError(absl::StatusCode::kInternal, "X509_STORE_add_cert");
    }
  }
  X509_VERIFY_PARAM* const rules = X509_STORE_get0_param(store.get());
  // An anchor may be an issuing CA: the chain need not end in a self-signed root.
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(rules, absl::ToTimeT(input.now));
  X509_VERIFY_PARAM_set_depth(rules, kMaxChain);
  return store;
}

// What a path may lead over: what the host sent, and what the operator knows.
absl::StatusOr<BorrowedStack> MiddleOf(const PathInput& input) {
  BorrowedStack middle(sk_X509_new_null());
  bool pushed = middle != nullptr;
  for (const crypto::X509Ptr& sent : input.intermediates) {
    pushed = pushed && sk_X509_push(middle.get(), sent.get()) != 0;
  }
  for (const std::shared_ptr<X509>& known : input.anchors.known()) {
    pushed = pushed && sk_X509_push(middle.get(), known.get()) != 0;
  }
  if (!pushed) return crypto::OpenSslError(absl::StatusCode::kInternal, "sk_X509_push");
  return middle;
}

// OpenSSL's path from `target` to an anchor.
absl::StatusOr<Path> FindPath(X509* target, const PathInput& input) {
  BG_ASSIGN_OR_RETURN(const crypto::X509StorePtr store, StoreOf(input));
  BG_ASSIGN_OR_RETURN(const BorrowedStack middle, MiddleOf(input));
  const crypto::X509StoreCtxPtr context(X509_STORE_CTX_new());
  if (context == nullptr ||
      X509_STORE_CTX_init(context.get(), store.get(), target, middle.get()) != 1) {
    return crypto::OpenSslError(absl::StatusCode::kInternal, "X509_STORE_CTX_init");
  }
  if (X509_verify_cert(context.get()) != 1) return ChainError(context.get(), input);
  crypto::ClearOpenSslErrors();
  // All of them are borrowed from `target` and `input`.
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
  for (const std::shared_ptr<X509>& anchor : input.anchors.anchors()) {
    if (Signed(anchor.get(), leaf)) return anchor.get();
  }
  for (const crypto::X509Ptr& sent : input.intermediates) {
    if (Signed(sent.get(), leaf)) return sent.get();
  }
  for (const std::shared_ptr<X509>& known : input.anchors.known()) {
    if (Signed(known.get(), leaf)) return known.get();
  }
  return nullptr;
}

// The rules that run along the whole path, for a path whose leaf OpenSSL did not see: path lengths
// (RFC 5280, 4.2.1.9) and name constraints (4.2.1.10).
absl::Status CheckAlongPath(const Path& path, const PathInput& input) {
  long below = 0;  // NOLINT(google-runtime-int): OpenSSL's type; CAs below, self-issued ones aside
  for (size_t i = 1; i < path.size(); ++i) {
    const long allowed = X509_get_pathlen(path[i]);  // NOLINT(google-runtime-int)
    if (allowed >= 0 && below > allowed) return Broken(path[i], "path length exceeded", input);
    if ((X509_get_extension_flags(path[i]) & EXFLAG_SI) == 0) ++below;
    int found = 0;
    const NameConstraintsPtr rules(static_cast<NAME_CONSTRAINTS*>(
        X509_get_ext_d2i(path[i], NID_name_constraints, &found, nullptr)));
    const bool broken =
        rules == nullptr ? found != -1 : NAME_CONSTRAINTS_check(path[0], rules.get()) != X509_V_OK;
    crypto::ClearOpenSslErrors();
    if (broken) return Broken(path[i], "name constraints violated", input);
  }
  return absl::OkStatus();
}

// OpenSSL builds no path from a leaf whose key it cannot read, as those marked id-RSAES-OAEP, or
// whose validity it cannot. Then the leaf's own step is ours, and OpenSSL verifies the rest from
// its issuer on.
absl::StatusOr<Path> FindPathFromIssuer(X509* leaf, const PathInput& input) {
  X509* const issuer = IssuerOf(leaf, input);
  if (issuer == nullptr) return Untrusted(leaf, input);
  if (NotBefore(leaf) == absl::InfinitePast() || NotAfter(leaf) == absl::InfinitePast()) {
    return Broken(leaf, "its validity cannot be read", input);
  }
  if (input.now < NotBefore(leaf) || input.now > NotAfter(leaf)) return Expired(leaf, input);
  BG_ASSIGN_OR_RETURN(Path path, FindPath(issuer, input));
  path.insert(path.begin(), leaf);
  BG_RETURN_IF_ERROR(CheckAlongPath(path, input));
  return path;
}

}  // namespace

absl::StatusOr<std::vector<Bytes>> VerifyPath(X509* leaf, const PathInput& input) {
  const bool readable = X509_get0_pubkey(leaf) != nullptr && !HasTimesForUsAlone(leaf);
  crypto::ClearOpenSslErrors();
  BG_ASSIGN_OR_RETURN(const Path path,
                      readable ? FindPath(leaf, input) : FindPathFromIssuer(leaf, input));
  if (path.size() < 2) {
    return Malformed(input.untrusted,
                     "the certificate itself is configured as a root; use the inventory");
  }
  BG_RETURN_IF_ERROR(CheckPath(path, input));
  std::vector<Bytes> ders;
  for (const X509* certificate : path) ders.push_back(DerOf(certificate));
  return ders;
}

absl::StatusOr<bool> LimitedTo(const std::vector<Bytes>& path,
                               const std::vector<std::string>& purposes, Reason reason) {
  constexpr absl::string_view kAnyPurpose = "2.5.29.37.0";
  bool limited = false;
  for (size_t i = 1; i < path.size(); ++i) {
    BG_ASSIGN_OR_RETURN(const crypto::X509Ptr ca, ParseCertificate(path[i]));
    BG_ASSIGN_OR_RETURN(const auto allowed, PurposesOf(ca.get(), reason));
    if (!allowed.has_value()) continue;
    const auto wanted = [&](const std::string& each) {
      return std::find(purposes.begin(), purposes.end(), each) != purposes.end();
    };
    const bool named = std::any_of(allowed->begin(), allowed->end(), wanted);
    const bool any = std::find(allowed->begin(), allowed->end(), kAnyPurpose) != allowed->end();
    if (!named && !any) {
      return Malformed(reason, absl::StrCat(NamesOf(ca.get()), ": a CA for other key purposes: ",
                                            absl::StrJoin(*allowed, ", ")));
    }
    limited = limited || named;
  }
  return limited;
}

}  // namespace bootgate::pki

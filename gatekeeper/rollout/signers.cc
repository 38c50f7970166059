#include "gatekeeper/rollout/signers.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/certificate_facts.h"
#include "common/crypto/hash.h"
#include "common/jose/jwk.h"
#include "common/jose/jws.h"
#include "common/jose/strict_json.h"
#include "common/jose/x5c.h"
#include "gatekeeper/rollout/assignments.h"
#include "pki/pem.h"

namespace bootgate::gatekeeper::rollout {
namespace {

using nlohmann::json;

constexpr const char* kClaims[] = {"x-ms-policyCertificate", "maa-policyCertificate"};
constexpr char kPemBegin[] = "-----BEGIN";
constexpr double kMostSeconds = 253'402'300'799.0;  // the year 9999

std::string HashOf(ByteView bytes) { return crypto::Hash(crypto::HashAlg::kSha256, bytes).hex(); }

absl::Status Untrusted(absl::string_view why) {
  return Refuse(absl::StatusCode::kPermissionDenied, Reason::kSignerUntrusted, why);
}

SignerCertificate Described(Bytes der) {
  SignerCertificate out;
  out.id = HashOf(der);
  if (const auto facts = crypto::ReadCertificateFacts(der)) {
    out.subject = facts->subject;
    out.not_after = facts->not_after;
  }
  out.der = std::move(der);
  return out;
}

// The last of a chain, after the whole chain was checked to lead to it.
absl::StatusOr<SignerCertificate> RootOf(const std::vector<Bytes>& chain, absl::Time now) {
  if (chain.empty())
    return Malformed(Reason::kCertParse, "there is no certificate of the signer in it");
  BG_RETURN_IF_ERROR(jose::CheckRoot(chain.back()));
  BG_RETURN_IF_ERROR(jose::VerifyX5c(chain, std::span(chain).last(1), now).status());
  return Described(chain.back());
}

absl::Status CheckTimes(const json& claims, absl::Time now) {
  for (const char* const name : {"nbf", "exp"}) {
    const auto found = claims.find(name);
    if (found == claims.end()) continue;
    if (!found->is_number() || found->get<double>() < 0 || found->get<double>() > kMostSeconds)
      return Malformed(Reason::kJwsParse, absl::StrCat("\"", name, "\" is no time"));
    const absl::Time at = absl::FromUnixSeconds(static_cast<int64_t>(found->get<double>()));
    const bool holds = *name == 'n' ? at <= now : now < at;
    if (!holds) return NotAuthentic(Reason::kTokenExpired, absl::StrCat("not within its ", name));
  }
  return absl::OkStatus();
}

absl::StatusOr<SignerCertificate> CertificateIn(ByteView payload, absl::Time now) {
  const absl::string_view text = AsText(payload);
  BG_RETURN_IF_ERROR(jose::CheckStrictJson(text, kMaxSignerBytes, "the claims"));
  const json claims = json::parse(text.begin(), text.end(), nullptr, false);
  BG_RETURN_IF_ERROR(CheckTimes(claims, now));
  for (const char* const name : kClaims) {
    const auto claim = claims.find(name);
    if (claim == claims.end()) continue;
    BG_ASSIGN_OR_RETURN(const jose::Jwk jwk, jose::ParseJwk(claim->dump()));
    return RootOf(jwk.notes.x5c, now);
  }
  return Malformed(Reason::kJwsParse, absl::StrCat("there is no claim ", kClaims[0]));
}

// What the signature is over: the signature itself may have more than one form.
std::string TokenId(absl::string_view jwt) {
  return HashOf(AsBytes(std::string(jwt.substr(0, jwt.rfind('.')))));
}

absl::StatusOr<SignerChange> ReadToken(absl::string_view jwt, std::span<const Bytes> configured,
                                       const std::vector<store::AssignmentRow>& steps,
                                       absl::Time now) {
  BG_ASSIGN_OR_RETURN(const jose::ParsedJws jws, jose::ParsedJws::Parse(jwt));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key,
                      jose::VerifyX5c(jws.untrusted_header().x5c, configured, now));
  BG_ASSIGN_OR_RETURN(const jose::VerifiedJws verified, jws.Verify(key));
  SignerChange change;
  change.token_id = TokenId(jwt);
  const std::string why = WhyOf(change);
  if (std::ranges::any_of(steps, [&](const auto& step) { return step.why == why; })) {
    return NotAuthentic(Reason::kTokenExpired, "this JWT was used before; sign a new one");
  }
  BG_ASSIGN_OR_RETURN(change.root, CertificateIn(verified.payload(), now));
  return change;
}

}  // namespace

std::string WhyOf(const SignerChange& change) {
  return change.token_id.empty() ? "" : absl::StrCat("JWT ", change.token_id);
}

absl::StatusOr<SignerChange> ReadSignerChange(absl::string_view bytes,
                                              std::span<const Bytes> configured,
                                              const std::vector<store::AssignmentRow>& steps,
                                              absl::Time now) {
  const bool certificate = absl::StrContains(bytes, kPemBegin);
  if (!certificate && !configured.empty())
    return ReadToken(absl::StripAsciiWhitespace(bytes), configured, steps, now);
  if (!configured.empty()) {
    return Untrusted("signers are configured: a change is a JWT that one of them has signed");
  }
  if (!certificate) {
    return Malformed(Reason::kCertParse, "the first signer is given as a certificate in PEM");
  }
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> chain, pki::CertificatesFromPem(bytes));
  SignerChange change;
  BG_ASSIGN_OR_RETURN(change.root, RootOf(chain, now));
  return change;
}

absl::StatusOr<std::vector<SignerCertificate>> ConfiguredSigners(store::Store& store) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> rows,
                      store.ListAssignments(kSignerKind));
  std::vector<SignerCertificate> out;
  for (const store::AssignmentRow& row : rows) {
    BG_ASSIGN_OR_RETURN(const store::DocumentRow document,
                        store.GetDocument(kSignerKind, row.document_id));
    absl::StatusOr<Bytes> der = FromStrictBase64(document.text);
    // Who cannot be read must not be forgotten: without any signer every upload would be taken.
    if (!der.ok() || HashOf(*der) != row.document_id) {
      return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt,
                    absl::StrCat("the stored certificate of signer ", row.document_id));
    }
    out.push_back(Described(*std::move(der)));
  }
  return out;
}

std::vector<Bytes> RootsOf(const std::vector<SignerCertificate>& signers) {
  std::vector<Bytes> roots;
  for (const SignerCertificate& signer : signers) roots.push_back(signer.der);
  return roots;
}

}  // namespace bootgate::gatekeeper::rollout

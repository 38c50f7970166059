#include "gatekeeper/rollout/upload.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "common/jose/jwk.h"
#include "common/jose/jws.h"
#include "common/jose/strict_json.h"
#include "common/jose/x5c.h"
#include "gatekeeper/policy/format_error.h"
#include "gatekeeper/policy/lint.h"
#include "pki/ek_chain.h"

namespace bootgate::gatekeeper::rollout {
namespace {

constexpr char kMember[] = "AttestationPolicy";
constexpr char kNone[] = "none";

// A policy begins with `version`, a comment or white space, and has blanks: it is never of this
// form.
bool LooksSigned(absl::string_view bytes) {
  return std::ranges::count(bytes, '.') == 2 && std::ranges::all_of(bytes, [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                  c == '.';
         });
}

absl::Status NotSigned(absl::string_view name, absl::string_view what) {
  return Refuse(absl::StatusCode::kPermissionDenied, Reason::kSignerUntrusted,
                absl::StrCat(Printable(name), ": ", what,
                             ", and signers are configured: only a policy that one of them signed "
                             "is taken"));
}

absl::StatusOr<std::string> PolicyText(ByteView payload) {
  const absl::string_view json = AsText(payload);
  BG_RETURN_IF_ERROR(jose::CheckStrictJson(json, kMaxUploadBytes, "the payload"));
  const auto object = nlohmann::json::parse(json.begin(), json.end(), nullptr, false);
  const auto member = object.find(kMember);
  if (member == object.end() || !member->is_string()) {
    return Malformed(Reason::kJwsParse, absl::StrCat("the payload has no text ", kMember));
  }
  const absl::StatusOr<Bytes> text = FromBase64Url(member->get_ref<const std::string&>());
  if (!text.ok()) {
    return Malformed(Reason::kJwsParse,
                     absl::StrCat(kMember, " is not base64url: ", text.status().message()));
  }
  return std::string(AsText(*text));
}

// The payload of what the key of the first certificate has signed. Without configured signers a
// signature must still hold: who it names is told to relying parties.
absl::StatusOr<Bytes> SignedPayload(const jose::ParsedJws& jws, std::span<const Bytes> signers,
                                    absl::Time now) {
  const std::vector<Bytes>& chain = jws.untrusted_header().x5c;
  if (chain.empty())
    return Malformed(Reason::kJwsParse, "the signed policy has no x5c: whose key is it?");
  // The chain's own last certificate: is it one at all, is it a CA, is it valid now?
  const std::span<const Bytes> roots = signers.empty() ? std::span(chain).last(1) : signers;
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, jose::VerifyX5c(chain, roots, now));
  BG_ASSIGN_OR_RETURN(const jose::VerifiedJws verified, jws.Verify(key));
  return verified.payload();
}

absl::StatusOr<policy::Policy> ReadPolicy(absl::string_view name, absl::string_view text) {
  policy::ParseError error;
  std::optional<policy::Policy> policy = policy::Policy::Read(text, &error);
  if (!policy.has_value())
    return Malformed(Reason::kPolicyParse, policy::FormatError(name, text, error));
  const std::optional<policy::ParseError> resettable =
      policy::ResettableProblem(*policy, policy::Lint(*policy));
  if (resettable.has_value())
    return Malformed(Reason::kPcrResettable, policy::FormatError(name, text, *resettable));
  return *std::move(policy);
}

absl::StatusOr<Upload> ReadSigned(absl::string_view name, absl::string_view compact,
                                  std::span<const Bytes> signers, absl::Time now) {
  BG_ASSIGN_OR_RETURN(const jose::ParsedJws jws, jose::ParsedJws::Parse(compact));
  const jose::JwsHeader& header = jws.untrusted_header();
  std::string signer;
  Bytes payload;
  if (header.alg == kNone) {
    if (!signers.empty()) return NotSigned(name, "its alg is none");
    BG_ASSIGN_OR_RETURN(payload, jws.PayloadOfUnsigned());
  } else {
    BG_ASSIGN_OR_RETURN(payload, SignedPayload(jws, signers, now));
    signer = crypto::Hash(crypto::HashAlg::kSha256, header.x5c.front()).hex();
  }
  BG_ASSIGN_OR_RETURN(const std::string text, PolicyText(payload));
  BG_ASSIGN_OR_RETURN(policy::Policy policy, ReadPolicy(name, text));
  return Upload{std::move(policy), std::string(compact), std::move(signer)};
}

}  // namespace

absl::StatusOr<Upload> ReadUpload(absl::string_view name, absl::string_view bytes,
                                  std::span<const Bytes> signers, absl::Time now) {
  const absl::string_view stripped = absl::StripAsciiWhitespace(bytes);
  if (LooksSigned(stripped)) return ReadSigned(name, stripped, signers, now);
  if (!signers.empty()) return NotSigned(name, "it is plain text");
  BG_ASSIGN_OR_RETURN(policy::Policy policy, ReadPolicy(name, bytes));
  return Upload{std::move(policy), "", ""};
}

std::string PolicySignerJson(const std::string& upload) {
  const absl::StatusOr<jose::ParsedJws> jws = jose::ParsedJws::Parse(upload);
  if (!jws.ok() || jws->untrusted_header().x5c.empty()) return "";
  jose::JwkNotes notes;
  notes.x5c = jws->untrusted_header().x5c;
  const absl::StatusOr<crypto::PublicKey> key = pki::KeyOfCertificate(notes.x5c.front());
  if (!key.ok()) return "";
  return absl::StrCat("{\"jwk\":", jose::JwkText(jose::Jwk{*key, std::move(notes)}), "}");
}

}  // namespace bootgate::gatekeeper::rollout

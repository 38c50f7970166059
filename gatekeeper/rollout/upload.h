// A policy as somebody hands it in: as text, or signed.
//
// Implements: policy language specification, section 8.3: a compact JWS with the payload
// {"AttestationPolicy": base64url(text)}, signed with the key of the first certificate in its x5c;
// `alg` none with an empty signature where no signer is configured. Once signers are configured
// only what leads to one of them is taken. Pure; the input is hostile.
#pragma once

#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::gatekeeper::rollout {

inline constexpr size_t kMaxUploadBytes = size_t{2} << 20;  // a JWS of the largest policy

struct Upload {
  policy::Policy policy;
  std::string jws;     // as handed in; empty: plain text
  std::string signer;  // hex SHA-256 of the signer's certificate; empty: nobody signed
};

// `name` begins the messages. `signers`: certificates in DER, the roots of those who may sign.
// POLICY_PARSE with line, column and a caret; POLICY_PCR_RESETTABLE likewise; JWS_PARSE, JWS_ALG,
// JWS_SIGNATURE; SIGNER_UNTRUSTED, also for what is not signed although it must be.
absl::StatusOr<Upload> ReadUpload(absl::string_view name, absl::string_view bytes,
                                  std::span<const Bytes> signers, absl::Time now);

// {"jwk": ...}, the key and chain of an upload that was taken, as the claim x-ms-policy-signer has
// it. Empty when nobody signed.
std::string PolicySignerJson(const std::string& upload);

}  // namespace bootgate::gatekeeper::rollout

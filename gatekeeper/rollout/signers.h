// Who may sign policies, and how that changes.
//
// Implements: policy language specification, section 8.3. A signer is a root certificate with basic
// constraints CA true: itself, or one that leads to it, signs. The first one is added by an
// operator alone; once there is one, a change is a JWT signed by a configured signer, whose claim
// x-ms-policyCertificate (or maa-policyCertificate) is a JWK with x5c. Each JWT is taken once.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::rollout {

inline constexpr size_t kMaxSignerBytes = size_t{256} << 10;  // a PEM file or a JWT

struct SignerCertificate {
  std::string id;  // hex SHA-256 of the DER
  Bytes der;
  std::string subject, not_after;  // for people
};

// What to add or remove, and by what right.
struct SignerChange {
  SignerCertificate root;
  std::string
      token_id;  // hex SHA-256 of the JWT's signed part; empty: a certificate, given plainly
};

// `bytes`: a PEM certificate, or a JWT. A certificate is taken only where `configured` is empty.
// SIGNER_UNTRUSTED: no right to change, or a certificate that is no root. JWS_PARSE, JWS_ALG,
// JWS_SIGNATURE, CERT_PARSE, KEY_WEAK. TOKEN_EXPIRED: a JWT outside its nbf and exp, or one of
// which `steps`, the history of signers, knows already.
absl::StatusOr<SignerChange> ReadSignerChange(absl::string_view bytes,
                                              std::span<const Bytes> configured,
                                              const std::vector<store::AssignmentRow>& steps,
                                              absl::Time now);

// How a step of the history names the JWT that it was taken by.
std::string WhyOf(const SignerChange& change);

// The configured roots, as they stand. STORE, RECORD_CORRUPT.
absl::StatusOr<std::vector<SignerCertificate>> ConfiguredSigners(store::Store& store);
std::vector<Bytes> RootsOf(const std::vector<SignerCertificate>& signers);

}  // namespace bootgate::gatekeeper::rollout

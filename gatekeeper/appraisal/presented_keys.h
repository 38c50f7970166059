// The keys that a host presents: what the claims x-ms-tpm-request-key and x-ms-tpm-other-keys say.
//
// Implements: policy language specification, section 6.4. The request key is the one that the quote
// binds (its JWK is part of the qualifying data, common/evidence), else the identity key, which the
// TPM has certified. That the quote binds a key says that this host named it in this answer; that
// the host can use it is shown to whoever is given a token, by using it (RFC 7800).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/evidence/evidence.h"
#include "common/tpm2/certified_object.h"

namespace bootgate::gatekeeper::appraisal {

// Copies share nothing of the evidence. Texts are made when they are asked for.
class PresentedKeys {
 public:
  PresentedKeys() = default;  // none

  // `question.qualifying_data`: of a quote that was verified, over this evidence. Every key must
  // hold: one that does not is the host's mistake or somebody else's key.
  // Errors: those of CertifiedObject; MESSAGE_MALFORMED for more than one identity key, or a
  // request key that is no public JWK; KEY_WEAK, KEY_TOO_LARGE.
  static absl::StatusOr<PresentedKeys> Verify(const tpm2::CertifyQuestion& question,
                                              const evidence::Evidence& evidence);

  const std::optional<tpm2::CertifiedObject>& identity() const { return identity_; }
  bool HasRequestKey() const { return identity_.has_value() || !quoted_jwk_.empty(); }
  bool HasOtherKeys() const { return !others_.empty(); }

  // JSON texts; empty when there is no such key.
  std::string RequestJwk() const;      // the public key alone: for a token's `cnf`
  std::string RequestKeyJson() const;  // an object {"jwk", "info"}
  std::string OtherKeysJson() const;   // an array of them

 private:
  std::string quoted_jwk_;  // canonical text; empty: none
  std::optional<tpm2::CertifiedObject> identity_;
  std::vector<tpm2::CertifiedObject> others_;
};

}  // namespace bootgate::gatekeeper::appraisal

// The certificate of the identity key inside the TPM, and what the TPM must be told to use that
// key.
//
// Nothing in it is secret: the key never leaves the TPM and signs only while the registers are
// those of its policy. Kept with the same care as the join state, because who could change it could
// make this host show another certificate.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/crypto/public_key.h"
#include "common/registers/selection.h"

namespace bootgate::agent::identity {

struct TpmKeyCredential {
  std::string chain_pem;           // leaf, issuing CA
  registers::Selection selection;  // registers of the key's policy
  Bytes auth_policy;               // SHA-256
};

// What the leaf says.
struct TpmKeyFacts {
  Bytes certificate;         // DER of the leaf
  std::vector<Bytes> chain;  // DER, leaf first
  crypto::PublicKey key;
  std::string spiffe_id;
  absl::Time not_after;
};
// CERT_PARSE, KEY_WEAK.
absl::StatusOr<TpmKeyFacts> FactsOf(const TpmKeyCredential& credential);

absl::Status StoreTpmKeyCredential(const std::string& state_folder,
                                   const TpmKeyCredential& credential);
// kNotFound: there is none. kDataLoss STATE_CORRUPT.
absl::StatusOr<TpmKeyCredential> LoadTpmKeyCredential(const std::string& state_folder);
absl::Status RemoveTpmKeyCredential(const std::string& state_folder);

}  // namespace bootgate::agent::identity

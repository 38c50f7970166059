// The sealed credential as the gatekeeper sent it, kept so that it can be unsealed again.
//
// Useless to anybody without this TPM in this boot state; kept with the same care as the join
// state.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/registers/selection.h"
#include "common/tpm2/wrap.h"

namespace bootgate::agent::identity {

struct StoredCredential {
  tpm2::ImportBlob blob;           // the key of the payload, sealed to the EK
  Bytes payload;                   // evidence::ClosePayload under that key
  registers::Selection selection;  // of the blob's policy
  Bytes certificate;               // DER of the leaf
  absl::Time not_after;            // whole seconds
};

absl::Status StoreCredential(const std::string& state_folder, const StoredCredential& credential);
// kNotFound: there is none. kDataLoss STATE_CORRUPT.
absl::StatusOr<StoredCredential> LoadStoredCredential(const std::string& state_folder);
absl::Status RemoveStoredCredential(const std::string& state_folder);

}  // namespace bootgate::agent::identity

// The key that approves boot states: P-256, held as a CA's key is (pki/key_holder.h), in a file, a
// PKCS#11 token or this machine's TPM.
//
//   approving.key    PKCS #8 PEM, 0600: made at the first start where there is no approving.toml
//   approving.toml   who holds the key instead, and its public part
//
// What was approved by another key approves nothing any more, and what is sealed is made anew with
// the hosts' next attestations.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "pki/key_holder.h"
#include "pki/key_spec.h"

namespace bootgate::gatekeeper::sealing {

// Made when there is none. STATE_CORRUPT: a file is not what we write, or others may read it.
// CA_KEY: the holder does not open the key, or has another one. A token that does not answer is no
// error before the first signature.
absl::StatusOr<std::shared_ptr<const pki::KeyHolder>> ApprovingKey(const std::string& folder);

enum class Existing { kStays, kIsReplaced };
// Makes a new key where `where` says; file names and labels are made here. A running gatekeeper
// takes it with its next start. kAlreadyExists: there is a key, and it stays. CA_KEY.
absl::StatusOr<std::shared_ptr<const pki::KeyHolder>> MakeApprovingKey(const std::string& folder,
                                                                       const pki::KeySpec& where,
                                                                       Existing existing);

}  // namespace bootgate::gatekeeper::sealing

// One token key on disk: what may be known of it, and apart from that its private half.
//
//   KID.json  0600: algorithm, times, certificates
//   KID.key   0600: PKCS #8 PEM; gone once the key does not sign any more
//
// The name KID is the RFC 7638 thumbprint of the public key.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/crypto/private_key.h"
#include "common/jose/jws.h"

namespace bootgate::gatekeeper::token {

// A key as everybody may see it.
struct KeyInfo {
  std::string kid;
  jose::JwsAlg alg = jose::JwsAlg::kEs256;
  absl::Time created_at;
  std::optional<absl::Time> retired_at;            // signs nothing since then
  absl::Time covers_until = absl::InfinitePast();  // no token that it signed is valid longer
  std::vector<Bytes> chain;                        // DER: its certificate, the issuing CA's
  absl::Time not_after;                            // of its certificate

  bool signs() const { return !retired_at.has_value(); }
};

struct StoredKey {
  KeyInfo info;
  crypto::PublicKey key;
  std::shared_ptr<const crypto::PrivateKey>
      secret;  // shared: signers outlive a reload; may be null
};

// Writes the private half, where there is one, before the file that names it. An error leaves the
// key as it was or not at all.
absl::Status WriteKey(const std::string& folder, const StoredKey& key);
absl::Status WriteInfo(const std::string& folder, const KeyInfo& info);  // the private half stays
absl::Status RemoveSecret(const std::string& folder, const std::string& kid);
absl::Status RemoveKey(const std::string& folder, const std::string& kid);

// All keys of the folder: those that sign before the others, the newest first. kFailedPrecondition
// STATE_CORRUPT names a file that is not what WriteKey writes: a key must not vanish from
// publication unseen.
absl::StatusOr<std::vector<StoredKey>> ReadKeys(const std::string& folder);

}  // namespace bootgate::gatekeeper::token

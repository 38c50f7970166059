// One secret as it lies in the store: a document, encrypted under a key of the gatekeeper's folder.
//
// The document's text is JSON; name, selector and flags stand in it in the clear and are bound to
// what is encrypted: one secret's value cannot be given another's name or another's hosts.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/secret_bytes.h"
#include "gatekeeper/sealing/key_folder.h"

namespace bootgate::gatekeeper::sealing {

inline constexpr char kSecretKind[] = "secret";
inline constexpr size_t kMaxSecretName = 64;      // bytes
inline constexpr size_t kMaxSecretBytes = 16384;  // of one value
inline constexpr size_t kMaxSecretsOfHost = 32;
inline constexpr size_t kMaxSecretBytesOfHost = size_t{96} << 10;  // of all values together

// What everybody may see of a secret.
struct SecretFacts {
  std::string name;           // a plain file name: letters, digits, "._-", no leading dot
  std::string selector;       // rollout/selector.h
  bool per_host = false;      // each host has a value of its own, derived from what is stored
  bool across_boots = false;  // hosts open it at their next start, before they attest
};

struct Secret {
  SecretFacts facts;
  std::string key_id;
  Bytes sealed;  // AES-256-GCM: value, or what the hosts' values are derived from
};

// kInvalidArgument names what is wrong.
absl::Status CheckSecretName(const std::string& name);

// How a secret is called among the assignments of its kind: one for each name and selector.
std::string SlotOf(const SecretFacts& facts);

absl::StatusOr<Secret> CloseSecret(const SecretFacts& facts, const SecretKey& key,
                                   const SecretBytes& value);
// STATE_CORRUPT: none of `keys` is the one, or the document was altered.
absl::StatusOr<SecretBytes> OpenSecret(const Secret& secret, const std::vector<SecretKey>& keys);

// The value that this host gets: 64 hexadecimal digits for a secret of each host's own.
SecretBytes ValueFor(const SecretFacts& facts, const SecretBytes& opened,
                     const std::string& host_id);

std::string ToText(const Secret& secret);
// RECORD_CORRUPT.
absl::StatusOr<Secret> SecretFromText(const std::string& text);

}  // namespace bootgate::gatekeeper::sealing

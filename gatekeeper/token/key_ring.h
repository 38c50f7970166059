// The keys that sign tokens: one that signs, and those that did and are still published.
//
// A key's life: made (with a certificate of the internal CA) -> signs -> retired, by age or by an
// operator: its private half is deleted -> published until the last token that it signed has
// expired -> deleted. Several processes may share the folder: whoever changes it holds a lock and
// leaves a new generation number, which the others see at their next use.
//
// That a published key outlives its tokens is kept on disk before a token leaves: a key "covers" a
// time, and a token that would be valid longer first moves that time on.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/jose/jwk.h"
#include "gatekeeper/token/key_file.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::token {

struct RingOptions {
  std::string folder;                       // made when it is not there, 0700
  jose::JwsAlg alg = jose::JwsAlg::kEs256;  // ES256 or RS256
  absl::Duration rotate_every = absl::Hours(24 * 30);
};

// What a signature needs; stays good while the ring moves on.
struct SigningKey {
  KeyInfo info;
  std::shared_ptr<const crypto::PrivateKey> secret;  // shared with the ring
  absl::Time expires;  // when a token that it signs may end: published as long, and certified
};

enum class Retirement {
  kKeepPublished,  // until the last token that it signed has expired
  kWithdraw,       // at once: its tokens are worth nothing any more
};

// What of these keys is to be published at `now`.
std::vector<jose::Jwk> PublishedOf(const std::vector<StoredKey>& keys, absl::Time now);

// Any thread.
class KeyRing {
 public:
  // Makes a first key, and a new one when the one that signs is of another algorithm. The
  // references must outlive it. Errors: of the file system; STATE_CORRUPT; CA.
  static absl::StatusOr<std::unique_ptr<KeyRing>> Open(RingOptions options,
                                                       const pki::Authority& authority,
                                                       const Clock& clock);

  // The key that signs now, once it is sure to be published until `expires`, which is cut where the
  // key's certificate ends.
  absl::StatusOr<SigningKey> KeyFor(absl::Time expires);

  absl::StatusOr<std::vector<KeyInfo>> Keys();  // the one that signs first
  absl::StatusOr<std::vector<jose::Jwk>> Published();

  // A new key signs from now on. Its name.
  absl::StatusOr<std::string> Rotate();
  // When the key that signs is retired, a new one takes its place. kNotFound: no such key.
  absl::Status Retire(const std::string& kid, Retirement how);
  // What age asks for: rotates a key that has signed long enough, deletes those whose tokens have
  // all expired. The names of new and deleted keys.
  struct Tended {
    std::vector<std::string> made, deleted;
  };
  absl::StatusOr<Tended> Tend();

 private:
  KeyRing(RingOptions options, const pki::Authority& authority, const Clock& clock)
      : options_(std::move(options)), authority_(authority), clock_(clock) {}

  class FolderLock;
  // All below: with mutex_ held; those that change: with the folder locked, too.
  absl::Status Refresh();
  absl::Status Load();
  absl::Status Changed();  // leaves a new generation and reads the folder
  absl::StatusOr<std::string> MakeKey();
  absl::Status StopSigning(KeyInfo info, absl::Time now);
  absl::StatusOr<std::string> RotateLocked();
  const StoredKey* Signer() const;
  absl::Status Cover(absl::Time expires);

  const RingOptions options_;
  const pki::Authority& authority_;
  const Clock& clock_;
  std::mutex mutex_;
  std::string generation_;
  std::vector<StoredKey> keys_;
};

}  // namespace bootgate::gatekeeper::token

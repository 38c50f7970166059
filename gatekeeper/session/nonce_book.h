// Challenges that were given out: random, bound, answered once, soon or never.
//
// Bounds: a whole table's and a host's number of nonces. One host's greed drops that host's own
// oldest nonce; a full table refuses new ones and keeps the old. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/base/clock.h"
#include "common/registers/selection.h"

namespace bootgate::gatekeeper::session {

inline constexpr size_t kNonceSize = 32;  // bytes

// What a nonce may be answered with.
enum class NoncePurpose { kAttest, kEnroll };

struct NonceBinding {
  std::string host_id;
  Bytes ak_name;
  NoncePurpose purpose = NoncePurpose::kAttest;
  registers::Selection selection;  // the registers asked for
  uint64_t ima_first_entry = 0;    // the first IMA entry asked for
};

// Holding one proves: we gave this nonce to this host and key, not long ago, and it is answered now
// for the first time. Only a NonceBook makes it.
class RedeemedNonce {
 public:
  const Bytes& nonce() const { return nonce_; }
  const std::string& host_id() const { return binding_.host_id; }
  const Bytes& ak_name() const { return binding_.ak_name; }
  const registers::Selection& selection() const { return binding_.selection; }
  uint64_t ima_first_entry() const { return binding_.ima_first_entry; }

 private:
  friend class NonceBook;
  RedeemedNonce(Bytes nonce, NonceBinding binding)
      : nonce_(std::move(nonce)), binding_(std::move(binding)) {}
  Bytes nonce_;
  NonceBinding binding_;
};

struct NonceOptions {
  absl::Duration ttl = absl::Seconds(60);
  size_t max_nonces = 200'000;  // all hosts together, the used ones with them
  size_t max_per_host = 8;      // the used ones with them
};

class NonceBook {
 public:
  NonceBook(const Clock& clock, const NonceOptions& options) : clock_(clock), options_(options) {}

  // A new nonce. kResourceExhausted TOO_MANY_REQUESTS when the table is full.
  absl::StatusOr<Bytes> Issue(NonceBinding binding);

  // What the host claims beside its answer. Errors, in the order of the checks: NONCE_UNKNOWN,
  // NONCE_BINDING (the nonce stays good for the one it was given to), NONCE_USED, NONCE_EXPIRED.
  // Used and expired ones are remembered for one more ttl, then unknown.
  absl::StatusOr<RedeemedNonce> Redeem(ByteView nonce, const std::string& host_id, ByteView ak_name,
                                       NoncePurpose purpose);

  size_t size() const;  // nonces remembered

 private:
  struct Entry {
    std::string nonce;
    NonceBinding binding;
    absl::Time expires_at;
    bool used = false;
  };
  using Entries = std::list<Entry>;

  void ForgetOld(absl::Time now);
  void Forget(Entries::iterator entry);

  const Clock& clock_;
  const NonceOptions options_;
  mutable std::mutex mutex_;
  // All below: guarded by mutex_.
  Entries entries_;  // in order of issue, which is the order of expiry
  std::unordered_map<std::string, Entries::iterator> by_nonce_;
  std::map<std::string, std::deque<Entries::iterator>> by_host_;  // each in order of issue
};

}  // namespace bootgate::gatekeeper::session

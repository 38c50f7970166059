#include "gatekeeper/session/activation_book.h"

#include <iterator>
#include <utility>

#include "common/base/reason.h"
#include "common/crypto/random.h"

namespace bootgate::gatekeeper::session {
namespace {

constexpr size_t kSessionIdSize = 16;  // random bytes, twice as many digits

}  // namespace

absl::StatusOr<std::string> ActivationBook::Open(PendingHost host, SecretBytes secret) {
  std::string id = crypto::RandomHex(kSessionIdSize);
  const absl::Time now = clock_.Now();
  const std::lock_guard lock(mutex_);
  ForgetOld(now);
  if (sessions_.size() >= options_.max_open) {
    return Refuse(absl::StatusCode::kResourceExhausted, Reason::kTooManyRequests,
                  "too many enrolments are open");
  }
  sessions_.push_back({.id = id,
                       .host = std::move(host),
                       .secret = std::move(secret),
                       .expires_at = now + options_.ttl});
  by_id_.emplace(id, std::prev(sessions_.end()));
  return id;
}

absl::StatusOr<ActivatedHost> ActivationBook::Complete(const std::string& session_id,
                                                       ByteView ak_name, ByteView answer) {
  const absl::Time now = clock_.Now();
  const std::lock_guard lock(mutex_);
  ForgetOld(now);
  const auto found = by_id_.find(session_id);
  if (found == by_id_.end()) {
    return NotAuthentic(Reason::kActivationUnknown, "no such activation is open");
  }
  Session& session = *found->second;
  if (now >= session.expires_at || session.tries >= options_.max_tries) {
    return NotAuthentic(Reason::kActivationExpired, "answered too late or too often");
  }
  ++session.tries;
  if (!SameBytes(session.host.ak_name, ak_name)) {
    return NotAuthentic(Reason::kAkNameMismatch, "the activation was for another key");
  }
  if (session.secret.empty() || !session.secret.ConstantTimeEquals(answer)) {
    return NotAuthentic(Reason::kActivationFailed, "the answer to the activation is wrong");
  }
  ActivatedHost activated(std::move(session.host));
  sessions_.erase(found->second);
  by_id_.erase(found);
  return activated;
}

// Expired sessions are remembered for one more ttl, to be told apart from unknown ones.
void ActivationBook::ForgetOld(absl::Time now) {
  while (!sessions_.empty() && now >= sessions_.front().expires_at + options_.ttl) {
    by_id_.erase(sessions_.front().id);
    sessions_.pop_front();
  }
}

}  // namespace bootgate::gatekeeper::session

#include "gatekeeper/session/nonce_book.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/reason.h"
#include "common/crypto/random.h"

namespace bootgate::gatekeeper::session {

absl::StatusOr<Bytes> NonceBook::Issue(NonceBinding binding) {
  const Bytes nonce = crypto::RandomBytes(kNonceSize);
  const absl::Time now = clock_.Now();
  const std::lock_guard lock(mutex_);
  ForgetOld(now);
  const auto of_host = by_host_.find(binding.host_id);
  if (of_host != by_host_.end() && of_host->second.size() >= options_.max_per_host) {
    Forget(of_host->second.front());
  }
  if (entries_.size() >= options_.max_nonces) {
    return Refuse(absl::StatusCode::kResourceExhausted, Reason::kTooManyRequests,
                  "too many challenges are open");
  }
  entries_.push_back({.nonce = std::string(AsText(nonce)),
                      .binding = std::move(binding),
                      .expires_at = now + options_.ttl});
  const auto entry = std::prev(entries_.end());
  by_nonce_.emplace(entry->nonce, entry);
  by_host_[entry->binding.host_id].push_back(entry);
  return nonce;
}

absl::StatusOr<RedeemedNonce> NonceBook::Redeem(ByteView nonce, const std::string& host_id,
                                                ByteView ak_name, NoncePurpose purpose) {
  const absl::Time now = clock_.Now();
  const std::lock_guard lock(mutex_);
  ForgetOld(now);
  const auto found = by_nonce_.find(std::string(AsText(nonce)));
  if (found == by_nonce_.end()) {
    return NotAuthentic(Reason::kNonceUnknown, "no such challenge was given out");
  }
  Entry& entry = *found->second;
  const NonceBinding& given = entry.binding;
  if (given.host_id != host_id || !SameBytes(given.ak_name, ak_name) || given.purpose != purpose) {
    return NotAuthentic(Reason::kNonceBinding,
                        "the challenge was given to another host, key or purpose");
  }
  if (entry.used) return NotAuthentic(Reason::kNonceUsed, "the challenge was answered before");
  if (now >= entry.expires_at) {
    return NotAuthentic(Reason::kNonceExpired, "the challenge was answered too late");
  }
  entry.used = true;
  return RedeemedNonce(ToBytes(nonce), entry.binding);
}

size_t NonceBook::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void NonceBook::ForgetOld(absl::Time now) {
  while (!entries_.empty() && now >= entries_.front().expires_at + options_.ttl) {
    Forget(entries_.begin());
  }
}

void NonceBook::Forget(Entries::iterator entry) {
  const auto of_host = by_host_.find(entry->binding.host_id);
  std::deque<Entries::iterator>& nonces = of_host->second;
  nonces.erase(std::find(nonces.begin(), nonces.end(), entry));
  if (nonces.empty()) by_host_.erase(of_host);
  by_nonce_.erase(entry->nonce);
  entries_.erase(entry);
}

}  // namespace bootgate::gatekeeper::session

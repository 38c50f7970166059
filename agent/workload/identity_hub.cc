#include "agent/workload/identity_hub.h"

#include <utility>

namespace bootgate::agent::workload {

void IdentityHub::Publish(Identity identity) {
  {
    const std::lock_guard lock(mutex_);
    held_.identity = std::make_shared<const Identity>(std::move(identity));
    held_.why_none.clear();
    ++held_.step;
  }
  Tell();
}

void IdentityHub::Withdraw(absl::string_view why) {
  {
    const std::lock_guard lock(mutex_);
    const bool had_one = held_.identity != nullptr;
    held_.why_none = std::string(why.data(), why.size());
    if (!had_one) return;
    held_.identity.reset();
    held_.jwt_keys.clear();
    ++held_.step;
  }
  Tell();
}

void IdentityHub::WithdrawExpired(absl::Time now) {
  const Held held = Now();
  if (held.identity != nullptr && held.identity->not_after <= now)
    Withdraw("the credential has expired, and no new one has come");
}

void IdentityHub::SetJwtKeys(std::string jwk_set) {
  {
    const std::lock_guard lock(mutex_);
    if (held_.identity == nullptr || held_.jwt_keys == jwk_set) return;
    held_.jwt_keys = std::move(jwk_set);
    ++held_.step;
  }
  Tell();
}

Held IdentityHub::Now() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

void IdentityHub::Tell() {
  const std::lock_guard lock(tell_mutex_);
  for (const auto& [id, changed] : subscribers_) changed();
}

IdentityHub::Subscription::Subscription(IdentityHub& hub, std::function<void()> changed)
    : hub_(hub) {
  const std::lock_guard lock(hub_.tell_mutex_);
  id_ = ++hub_.last_id_;
  hub_.subscribers_.emplace(id_, std::move(changed));
}

IdentityHub::Subscription::~Subscription() {
  const std::lock_guard lock(hub_.tell_mutex_);
  hub_.subscribers_.erase(id_);
}

}  // namespace bootgate::agent::workload

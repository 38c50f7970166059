// How many submissions of one host are worked on at a time: one greedy host leaves room for others.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace bootgate::gatekeeper::service {

// Any thread.
class HostSlots {
 public:
  explicit HostSlots(size_t per_host) : per_host_(per_host) {}

  // A slot that gives itself back when it goes away. The HostSlots must outlive it.
  class Slot {
   public:
    Slot(Slot&& other) noexcept
        : slots_(std::exchange(other.slots_, nullptr)), host_id_(std::move(other.host_id_)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (slots_ != nullptr) slots_->GiveBack(host_id_);
    }

   private:
    friend class HostSlots;
    Slot(HostSlots& slots, std::string host_id) : slots_(&slots), host_id_(std::move(host_id)) {}
    HostSlots* slots_;
    std::string host_id_;
  };

  // nullopt when the host has all it may have.
  [[nodiscard]] std::optional<Slot> Take(const std::string& host_id) {
    const std::lock_guard lock(mutex_);
    size_t& taken = taken_[host_id];
    if (taken >= per_host_) return std::nullopt;
    ++taken;
    return Slot(*this, host_id);
  }

 private:
  void GiveBack(const std::string& host_id) {
    const std::lock_guard lock(mutex_);
    const auto taken = taken_.find(host_id);
    if (--taken->second == 0) taken_.erase(taken);
  }

  const size_t per_host_;
  std::mutex mutex_;
  std::map<std::string, size_t> taken_;  // guarded by mutex_; no zeros
};

}  // namespace bootgate::gatekeeper::service

// How many bytes of evidence the gatekeeper holds for all peers together, with a ceiling.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace bootgate::gatekeeper::service {

class ByteBudget {
 public:
  explicit ByteBudget(size_t ceiling) : left_(ceiling) {}

  // A share that gives itself back when it goes away.
  class Share {
   public:
    explicit Share(ByteBudget& budget) : budget_(&budget) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { budget_->left_ += held_; }

    // False, and nothing taken, when the ceiling would be passed.
    [[nodiscard]] bool Take(size_t bytes) {
      size_t left = budget_->left_;
      do {
        if (bytes > left) return false;
      } while (!budget_->left_.compare_exchange_weak(left, left - bytes));
      held_ += bytes;
      return true;
    }

   private:
    ByteBudget* budget_;
    size_t held_ = 0;
  };

 private:
  std::atomic<size_t> left_;
};

}  // namespace bootgate::gatekeeper::service

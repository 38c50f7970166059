// The events of one register as a hash chain, and counted work on it.
#pragma once

#include <cstdint>
#include <vector>

#include "common/eventlog/log.h"

namespace bootgate::eventlog {

// Counts extends. Once a step does not fit, nothing fits any more.
class Budget {
 public:
  explicit Budget(uint64_t extends) : left_(extends) {}
  bool Spend(uint64_t extends) {
    if (extends > left_) exhausted_ = true;
    if (exhausted_) return false;
    left_ -= extends;
    return true;
  }
  bool exhausted() const { return exhausted_; }

 private:
  uint64_t left_;
  bool exhausted_ = false;
};

// One extend of a register.
struct Link {
  const Event* event = nullptr;  // borrowed from the log
  crypto::Digest digest;
};

// What a log says of one register. Borrows the log.
class Chain {
 public:
  Chain(const Log& log, crypto::HashAlg alg, uint32_t register_index);

  size_t size() const { return links_.size(); }
  const std::vector<Link>& links() const { return links_; }
  const Link& operator[](size_t i) const { return links_[i]; }
  const crypto::Digest& start() const { return before_.front(); }
  // The value before link `i`; Before(size()) is the last value.
  const crypto::Digest& Before(size_t i) const { return before_[i]; }

  // `value` after the links [from, size()).
  crypto::Digest Finish(crypto::Digest value, size_t from) const;

  // The first link whose event comes after event `number` in the log; size() when there is none.
  size_t FirstAfter(uint32_t number) const;

 private:
  std::vector<Link> links_;
  std::vector<crypto::Digest> before_;
};

}  // namespace bootgate::eventlog

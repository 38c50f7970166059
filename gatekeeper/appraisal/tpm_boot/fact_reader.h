// How facts are made of events: what they share, and the two halves that facts.cc puts together.
#pragma once

#include <utility>

#include "common/eventlog/coverage.h"
#include "gatekeeper/appraisal/tpm_boot/facts.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

class FactReader {
 public:
  FactReader(const eventlog::Log& log, crypto::HashAlg bank, uint32_t proven)
      : log_(log), bank_(bank), proven_(proven) {}

  const eventlog::Log& log() const { return log_; }
  crypto::HashAlg bank() const { return bank_; }
  bool IsProven(const eventlog::Event& event) const {
    return event.register_index < 32 && ((proven_ >> event.register_index) & 1u) != 0;
  }
  bool IsCovered(const eventlog::Event& event) const {
    return eventlog::CoverageOf(log_, event, bank_) == eventlog::Coverage::kCovered;
  }

  template <typename T>
  static Fact<T> Make(const eventlog::Event& event, T value, bool verified) {
    return {std::move(value), verified, event.number, event.register_index};
  }
  // A fact that the event's data tells.
  template <typename T>
  Fact<T> FromData(const eventlog::Event& event, T value) const {
    return Make(event, std::move(value), IsProven(event) && IsCovered(event));
  }

 private:
  const eventlog::Log& log_;
  const crypto::HashAlg bank_;
  const uint32_t proven_;
};

// Secure Boot: state, key lists, revocations, authorities, SBAT level.
void ReadSecureBootFacts(const FactReader& reader, BootFacts* out);

// What was started: applications, kernels, initrds, command lines.
void ReadChainFacts(const FactReader& reader, BootFacts* out);

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot

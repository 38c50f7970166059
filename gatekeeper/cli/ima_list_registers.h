// The registers that a list leads to, followed entry by entry.
#pragma once

#include <array>
#include <bitset>
#include <map>
#include <string>

#include "common/ima/template_digest.h"
#include "common/registers/bank.h"

namespace bootgate::gatekeeper::cli {

// Every register that the list extends, from zeros, in each bank and by every rule. In
// SHA-1 all rules are one.
class ImaListRegisters {
 public:
  static constexpr std::array kBanks = {crypto::HashAlg::kSha1, crypto::HashAlg::kSha256,
                                        crypto::HashAlg::kSha384, crypto::HashAlg::kSha512};
  static constexpr std::array kRules = {ima::ExtendRule::kBankHash, ima::ExtendRule::kPaddedSha1,
                                        ima::ExtendRule::kPaddedAll};

  ImaListRegisters();

  // Entries of registers that no TPM has are passed over.
  void Extend(const ima::Record& record);

  // 10 -> {"sha1": hex, ...}; for the padding rules without SHA-1.
  using Values = std::map<uint32_t, std::map<std::string, std::string>>;
  Values Of(ima::ExtendRule rule) const;

 private:
  using Registers = std::array<crypto::Digest, registers::kCount>;
  std::array<std::array<Registers, kBanks.size()>, kRules.size()> values_;
  std::bitset<registers::kCount> extended_;
  bool violated_ = false;  // an entry was a violation
};

// One register in one bank by every rule at once: where is the value of a quote met?
class ImaMatchSearch {
 public:
  explicit ImaMatchSearch(const crypto::Digest& quoted, uint32_t register_index = 10);

  // True once this entry, or one before, led to the quoted value. A register that was never
  // extended matches no list.
  bool Extend(const ima::Record& record);
  bool met() const { return met_; }
  const crypto::Digest& value() const { return values_.front(); }  // by the present rule

 private:
  static constexpr std::array kRules = {ima::ExtendRule::kBankHash, ima::ExtendRule::kPaddedSha1,
                                        ima::ExtendRule::kPaddedAll};
  crypto::Digest quoted_;
  uint32_t register_index_;
  std::array<crypto::Digest, kRules.size()> values_;
  bool met_ = false;
};

}  // namespace bootgate::gatekeeper::cli

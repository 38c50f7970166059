#include "gatekeeper/sealing/next_state.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/eventlog/log.h"

namespace bootgate::gatekeeper::sealing {
namespace {

using registers::RegisterBank;

registers::RegisterBank* BankOf(std::vector<RegisterBank>& banks, crypto::HashAlg alg) {
  const auto found =
      std::ranges::find_if(banks, [&](const RegisterBank& b) { return b.alg() == alg; });
  return found == banks.end() ? nullptr : &*found;
}

std::string NameOf(crypto::HashAlg bank, uint32_t index) {
  return absl::StrCat("register ", index, " of bank ", std::string(crypto::Name(bank)));
}

bool IsSelected(const registers::Selection& selection, crypto::HashAlg bank, uint32_t index) {
  return (registers::MaskOf(selection, bank) >> index & 1) != 0;
}

bool IsGiven(const PlannedChange& change, crypto::HashAlg alg, uint32_t index) {
  return std::ranges::any_of(
      change.given, [&](const RegisterBank& bank) { return bank.alg() == alg && bank.Has(index); });
}

// Puts what the log foretells into `banks`, the registers as they were admitted.
absl::Status Foretell(const BootState& state, const PlannedChange& change,
                      const registers::Selection& selection, std::vector<RegisterBank>& banks) {
  if (change.replacements.empty()) return absl::OkStatus();
  const eventlog::Log log = eventlog::Log::Parse(state.boot_log);
  BG_ASSIGN_OR_RETURN(const diagnosis::Predictions foretold,
                      diagnosis::Predict(log, change.replacements));
  for (const crypto::HashAlg bank : foretold.incomplete) {
    if (registers::MaskOf(selection, bank) == 0) continue;
    return absl::InvalidArgumentError(absl::StrCat("an event has no new digest of bank ",
                                                   std::string(crypto::Name(bank)),
                                                   ", which secrets are bound to"));
  }
  for (const diagnosis::Prediction& row : foretold.registers) {
    const bool concerns = row.before != row.after &&
                          IsSelected(selection, row.bank, row.register_index) &&
                          !IsGiven(change, row.bank, row.register_index);
    if (!concerns) continue;
    RegisterBank* const bank = BankOf(banks, row.bank);
    if (bank == nullptr || bank->Get(row.register_index) != row.before) {
      return absl::InvalidArgumentError(absl::StrCat(
          NameOf(row.bank, row.register_index),
          " is extended by more than the boot log tells; give its value with --registers"));
    }
    bank->Set(row.register_index, row.after);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<RegisterBank>> NextRegisters(const BootState& state,
                                                        const PlannedChange& change,
                                                        const registers::Selection& selection) {
  std::vector<RegisterBank> banks = Restricted(state.registers, selection);
  const std::vector<RegisterBank> before = banks;
  BG_RETURN_IF_ERROR(Foretell(state, change, selection, banks));
  for (const RegisterBank& given : change.given) {
    RegisterBank* const bank = BankOf(banks, given.alg());
    for (uint32_t i = 0; i < registers::kCount && bank != nullptr; ++i) {
      const auto value = given.Get(i);
      if (value.has_value() && IsSelected(selection, given.alg(), i)) bank->Set(i, *value);
    }
  }
  if (banks == before) {
    return absl::InvalidArgumentError(absl::StrCat("no register of ", registers::Format(selection),
                                                   " changes: this state is approved already"));
  }
  return banks;
}

}  // namespace bootgate::gatekeeper::sealing

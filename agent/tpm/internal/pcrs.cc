#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/tpm/internal/convert.h"
#include "agent/tpm/internal/operations.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::tpm::internal {
namespace {

constexpr int kReadAttempts = 8;  // whole readings, when registers move meanwhile

// One TPM2_PCR_Read answers with at most 8 values: of which registers it says itself.
struct Reading {
  UINT32 update_counter = 0;
  registers::Selection answered;
  std::vector<Bytes> values;
};

absl::StatusOr<Reading> ReadSome(Context& context, const registers::Selection& wanted) {
  BG_ASSIGN_OR_RETURN(const TPML_PCR_SELECTION in, ToSelection(wanted));
  Reading reading;
  Result<TPML_PCR_SELECTION> out;
  Result<TPML_DIGEST> values;
  BG_RETURN_IF_ERROR(context.Call("TPM2_PCR_Read", [&] {
    return Esys_PCR_Read(context.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &in,
                         &reading.update_counter, out.put(), values.put());
  }));
  reading.answered = FromSelection(*out);
  for (UINT32 i = 0; i < values->count && i < std::size(values->digests); ++i) {
    reading.values.push_back(FromTpm2b(values->digests[i], &TPM2B_DIGEST::buffer));
  }
  return reading;
}

registers::RegisterBank* BankOf(std::vector<registers::RegisterBank>& banks, crypto::HashAlg alg) {
  const auto found =
      std::find_if(banks.begin(), banks.end(), [&](const auto& bank) { return bank.alg() == alg; });
  return found == banks.end() ? nullptr : &*found;
}

// Puts the answered values into `banks` and takes them off `wanted`.
absl::Status Absorb(const Reading& reading, std::vector<registers::RegisterBank>& banks,
                    registers::Selection& wanted) {
  size_t next = 0;
  for (const registers::BankSelection& part : reading.answered) {
    registers::RegisterBank* bank = BankOf(banks, part.alg);
    for (uint32_t index = 0; index < registers::kCount; ++index) {
      if ((part.mask >> index & 1) == 0) continue;
      if (bank == nullptr || next >= reading.values.size()) {
        return absl::InternalError("TPM2_PCR_Read: answer and selection do not fit");
      }
      BG_ASSIGN_OR_RETURN(const crypto::Digest value,
                          crypto::Digest::From(part.alg, reading.values[next++]));
      bank->Set(index, value);
    }
    for (registers::BankSelection& left : wanted) {
      if (left.alg == part.alg) left.mask &= ~part.mask;
    }
  }
  if (next == 0) return absl::InternalError("TPM2_PCR_Read: no value");
  return absl::OkStatus();
}

// False when a register moved between the calls.
absl::StatusOr<bool> ReadOnce(Context& context, registers::Selection wanted,
                              std::vector<registers::RegisterBank>& banks) {
  std::optional<UINT32> counter;
  while (!registers::IsEmpty(wanted)) {
    BG_ASSIGN_OR_RETURN(const Reading reading, ReadSome(context, wanted));
    if (counter.value_or(reading.update_counter) != reading.update_counter) return false;
    counter = reading.update_counter;
    BG_RETURN_IF_ERROR(WithReason(Absorb(reading, banks, wanted), Reason::kTpm));
  }
  return true;
}

// The first of `selection` that is not among `allocated`; "" for none.
std::string Missing(const registers::Selection& selection, const registers::Selection& allocated) {
  for (const registers::BankSelection& bank : selection) {
    const uint32_t missing = bank.mask & ~registers::MaskOf(allocated, bank.alg);
    if (missing == 0) continue;
    return absl::StrCat(crypto::Name(bank.alg), ":", registers::FormatMask(missing));
  }
  return "";
}

absl::Status CheckIndex(uint32_t index) {
  if (index < registers::kCount) return absl::OkStatus();
  return Refuse(absl::StatusCode::kInvalidArgument, Reason::kTpm,
                absl::StrCat("no register ", index));
}

}  // namespace

absl::StatusOr<registers::Selection> AllocatedBanks(Context& context) {
  TPMI_YES_NO more = TPM2_NO;
  Result<TPMS_CAPABILITY_DATA> found;
  BG_RETURN_IF_ERROR(context.Call("TPM2_GetCapability", [&] {
    return Esys_GetCapability(context.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              TPM2_CAP_PCRS, 0, 1, &more, found.put());
  }));
  const registers::Selection allocated = FromSelection(found->data.assignedPCR);
  context.kept().allocated = allocated;
  return allocated;
}

absl::Status CheckAllocated(Context& context, const registers::Selection& selection) {
  if (registers::IsEmpty(selection)) {
    return Refuse(absl::StatusCode::kInvalidArgument, Reason::kTpm, "no register is selected");
  }
  // What this TPM had lately it has still: an allocation takes effect with the next boot.
  const std::optional<registers::Selection>& known = context.kept().allocated;
  if (known.has_value() && Missing(selection, *known).empty()) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(const registers::Selection allocated, AllocatedBanks(context));
  const std::string missing = Missing(selection, allocated);
  if (missing.empty()) return absl::OkStatus();
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kTpm,
                absl::StrCat("this TPM has no ", missing));
}

absl::StatusOr<std::vector<registers::RegisterBank>> ReadRegisters(
    Context& context, const registers::Selection& selection) {
  BG_RETURN_IF_ERROR(CheckAllocated(context, selection));
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    std::vector<registers::RegisterBank> banks;
    for (const registers::BankSelection& bank : selection) banks.emplace_back(bank.alg);
    BG_ASSIGN_OR_RETURN(const bool consistent, ReadOnce(context, selection, banks));
    if (consistent) return banks;
  }
  return Refuse(absl::StatusCode::kAborted, Reason::kTpmPcrChanged,
                "TPM2_PCR_Read: registers kept moving between the calls");
}

absl::Status Extend(Context& context, uint32_t index, const std::vector<crypto::Digest>& digests) {
  BG_RETURN_IF_ERROR(CheckIndex(index));
  TPML_DIGEST_VALUES values = {};
  if (digests.size() > std::size(values.digests)) {
    return Refuse(absl::StatusCode::kInvalidArgument, Reason::kTpm, "too many banks");
  }
  for (const crypto::Digest& digest : digests) {
    TPMT_HA& value = values.digests[values.count++];
    value.hashAlg = static_cast<TPMI_ALG_HASH>(digest.alg());
    const ByteView bytes = digest.view();
    std::copy(bytes.begin(), bytes.end(), value.digest.sha512);  // the longest of the union
  }
  return context.Call("TPM2_PCR_Extend", [&] {
    return Esys_PCR_Extend(context.esys(), ESYS_TR_PCR0 + index, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                           ESYS_TR_NONE, &values);
  });
}

absl::Status Cap(Context& context, uint32_t index) {
  constexpr absl::string_view kLabel = "bootgate/v1/cap";
  BG_RETURN_IF_ERROR(CheckIndex(index));
  BG_ASSIGN_OR_RETURN(const registers::Selection allocated, AllocatedBanks(context));
  std::vector<crypto::Digest> digests;
  for (const registers::BankSelection& bank : allocated) {
    if ((bank.mask >> index & 1) != 0) digests.push_back(crypto::Hash(bank.alg, AsBytes(kLabel)));
  }
  return Extend(context, index, digests);
}

}  // namespace bootgate::agent::tpm::internal

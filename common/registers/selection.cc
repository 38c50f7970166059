#include "common/registers/selection.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/bytes/writer.h"
#include "common/registers/bank.h"

namespace bootgate::registers {
namespace {

constexpr size_t kSelectBytes = 3;

absl::StatusOr<uint32_t> ParseIndex(absl::string_view text) {
  uint32_t index = 0;
  if (!absl::SimpleAtoi(text, &index) || index >= kCount) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Printable(text), "' is no PCR index 0 to 23"));
  }
  return index;
}

absl::StatusOr<uint32_t> ParseMask(absl::string_view text) {
  // StrSplit gives no part at all for a missing text.
  if (text.empty()) return absl::InvalidArgumentError("no PCR index after the bank's name");
  uint32_t mask = 0;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> range =
        absl::StrSplit(part, absl::MaxSplits('-', 1));
    BG_ASSIGN_OR_RETURN(const uint32_t first, ParseIndex(range.first));
    uint32_t last = first;
    if (absl::StrContains(part, "-")) {
      BG_ASSIGN_OR_RETURN(last, ParseIndex(range.second));
    }
    if (last < first)
      return absl::InvalidArgumentError(absl::StrCat("range ", part, " runs backwards"));
    for (uint32_t i = first; i <= last; ++i) mask |= 1u << i;
  }
  return mask;
}

bool HasBank(const Selection& selection, crypto::HashAlg alg) {
  return std::ranges::any_of(selection,
                             [alg](const BankSelection& bank) { return bank.alg == alg; });
}

}  // namespace

absl::StatusOr<Selection> ParseSelection(absl::string_view text) {
  Selection out;
  for (const absl::string_view part : absl::StrSplit(text, '+')) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(part, absl::MaxSplits(':', 1));
    const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromName(halves.first);
    if (!alg.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat("'", Printable(halves.first),
                                                     "' is no PCR bank; use ",
                                                     "sha1, sha256, sha384, sha512 or sm3_256"));
    }
    if (HasBank(out, *alg))
      return absl::InvalidArgumentError(absl::StrCat("bank ", crypto::Name(*alg), " twice"));
    BG_ASSIGN_OR_RETURN(const uint32_t mask, ParseMask(halves.second));
    out.push_back({*alg, mask});
  }
  return out;
}

std::string FormatMask(uint32_t mask) {
  std::string out;
  for (uint32_t i = 0; i < 32; ++i) {
    if ((mask >> i & 1u) == 0) continue;
    uint32_t last = i;
    while (last + 1 < 32 && (mask >> (last + 1) & 1u) != 0) ++last;
    absl::StrAppend(&out, out.empty() ? "" : ",", i);
    if (last > i) absl::StrAppend(&out, "-", last);
    i = last;
  }
  return out.empty() ? "none" : out;
}

std::string Format(const Selection& selection) {
  std::string out;
  for (const BankSelection& bank : selection) {
    absl::StrAppend(&out, out.empty() ? "" : "+", crypto::Name(bank.alg), ":",
                    FormatMask(bank.mask));
  }
  return out;
}

Bytes Marshal(const Selection& selection) {
  bytes::Writer out;
  out.U32Be(static_cast<uint32_t>(selection.size()));
  for (const BankSelection& bank : selection) {
    out.U16Be(static_cast<uint16_t>(bank.alg)).U8(kSelectBytes);
    for (size_t i = 0; i < kSelectBytes; ++i) out.U8(static_cast<uint8_t>(bank.mask >> (8 * i)));
  }
  return out.Finish();
}

absl::StatusOr<Selection> Unmarshal(bytes::Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint32_t count, in.U32Be());
  if (count > kMaxBanks) {
    return absl::InvalidArgumentError(
        absl::StrCat(count, " banks in a PCR selection, at most ", kMaxBanks));
  }
  Selection out;
  for (uint32_t i = 0; i < count; ++i) {
    const size_t at = in.offset();
    BG_ASSIGN_OR_RETURN(const uint16_t id, in.U16Be());
    const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromTpm(id);
    if (!alg.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown PCR bank 0x", absl::Hex(id), " at offset ", at));
    }
    if (HasBank(out, *alg)) {
      return absl::InvalidArgumentError(
          absl::StrCat("bank ", crypto::Name(*alg), " twice, at offset ", at));
    }
    BG_ASSIGN_OR_RETURN(const uint8_t size, in.U8());
    if (size > kSelectBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("PCR select of ", size, " bytes at offset ", at, ", at most 3"));
    }
    BG_ASSIGN_OR_RETURN(const ByteView select, in.Take(size));
    BankSelection bank{*alg, 0};
    for (size_t b = 0; b < size; ++b) bank.mask |= static_cast<uint32_t>(select[b]) << (8 * b);
    out.push_back(bank);
  }
  return out;
}

bool IsEmpty(const Selection& selection) {
  return std::ranges::all_of(selection, [](const BankSelection& bank) { return bank.mask == 0; });
}

uint32_t MaskOf(const Selection& selection, crypto::HashAlg alg) {
  for (const BankSelection& bank : selection) {
    if (bank.alg == alg) return bank.mask;
  }
  return 0;
}

}  // namespace bootgate::registers

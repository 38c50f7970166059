#include "gatekeeper/appraisal/user_log_rules.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/cel/coverage.h"

namespace bootgate::gatekeeper::appraisal {
namespace {

constexpr uint32_t kFreeRegisters = 1u << 15 | 1u << 16 | 1u << 23;
constexpr uint32_t kTextRegisters = 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14;
constexpr uint32_t kSeparatedRegisters = 0xff;  // PCR 0-7
constexpr uint32_t kNvAnchorRegister = 9;
constexpr absl::string_view kOsSeparator = "os-separator";
constexpr absl::string_view kNvAnchors = "nvpcr-";  // "nvpcr-init:...", "nvpcr-separator"

bool IsIn(uint32_t index, uint32_t mask) { return ((mask >> index) & 1u) != 0; }

// Command lines in UTF-16 and files of several lines are none.
bool IsOneLine(absl::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
}

}  // namespace

bool IsOfUserSpace(const cel::Record& record, crypto::HashAlg alg) {
  if (!record.pcr.has_value() || IsIn(*record.pcr, kFreeRegisters)) return true;
  if (cel::CoverageOf(record, alg) != cel::Coverage::kCovered) return false;
  const absl::string_view text = *record.untrusted_text;
  if (!IsOneLine(text)) return false;
  if (IsIn(*record.pcr, kTextRegisters)) return true;
  if (*record.pcr == kNvAnchorRegister)
    return text == kOsSeparator || absl::StartsWith(text, kNvAnchors);
  return IsIn(*record.pcr, kSeparatedRegisters) && text == kOsSeparator;
}

}  // namespace bootgate::gatekeeper::appraisal

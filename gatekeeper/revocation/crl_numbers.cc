#include "gatekeeper/revocation/crl_numbers.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::revocation {
namespace {

constexpr size_t kMaxFile = 65536;       // bytes
constexpr size_t kMaxKeyIdDigits = 128;  // hex
constexpr mode_t kFileMode = 0600;

absl::Status ReadLine(absl::string_view line, std::map<std::string, uint64_t>& into) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(line, absl::MaxSplits(' ', 1));
  uint64_t number = 0;
  if (parts.first.size() > kMaxKeyIdDigits || !FromHex(parts.first).ok() ||
      !absl::SimpleAtoi(parts.second, &number)) {
    return absl::InvalidArgumentError("a line is not a CA's key id and a number");
  }
  into[std::string(parts.first)] = number;
  return absl::OkStatus();
}

}  // namespace

absl::Status CrlNumbers::Load() {
  if (file_.empty() || !FileExists(file_)) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file_, kMaxFile));
  std::map<std::string, uint64_t> read;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const absl::Status good = ReadLine(line, read);
    if (!good.ok()) return absl::DataLossError(absl::StrCat(file_, ": ", good.message()));
  }
  for (const auto& [key_id, number] : read) {
    uint64_t& last = last_[key_id];
    last = std::max(last, number);
  }
  return absl::OkStatus();
}

uint64_t CrlNumbers::Next(const std::string& key_id, absl::Time now) {
  const auto clock = static_cast<uint64_t>(std::max<int64_t>(absl::ToUnixMicros(now), 1));
  uint64_t& last = last_[key_id];
  last = std::max(clock, last + 1);
  saved_ = false;
  return last;
}

absl::Status CrlNumbers::Save() {
  if (file_.empty() || saved_) return absl::OkStatus();
  std::string text;
  for (const auto& [key_id, number] : last_) absl::StrAppend(&text, key_id, " ", number, "\n");
  BG_RETURN_IF_ERROR(WriteFileAtomically(file_, AsBytes(text), kFileMode));
  saved_ = true;
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::revocation

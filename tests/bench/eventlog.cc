// A boot log parsed, every event's digest checked against its data, the SHA-256 bank replayed and
// compared with the registers.
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/eventlog/coverage.h"
#include "common/eventlog/log.h"
#include "common/eventlog/replay.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {
namespace {

constexpr crypto::HashAlg kBank = crypto::HashAlg::kSha256;

// {"sha256": {"0": "hex", ...}}, or the registers of the SHA-256 bank alone.
absl::StatusOr<registers::RegisterBank> ReadBank(absl::string_view path) {
  BG_ASSIGN_OR_RETURN(const Bytes text, Load(path));
  const nlohmann::json parsed = nlohmann::json::parse(AsText(text), nullptr, false);
  if (!parsed.is_object()) return absl::InvalidArgumentError("PCRS.json is no JSON object");
  registers::RegisterBank bank(kBank);
  for (const auto& [index, hex] : (parsed.contains("sha256") ? parsed["sha256"] : parsed).items()) {
    uint32_t number = 0;
    if (!absl::SimpleAtoi(index, &number) || !hex.is_string()) {
      return absl::InvalidArgumentError("PCRS.json does not map register numbers to digests");
    }
    BG_ASSIGN_OR_RETURN(const Bytes bytes, FromHex(hex.get<std::string>()));
    BG_ASSIGN_OR_RETURN(const crypto::Digest value, crypto::Digest::From(kBank, bytes));
    bank.Set(number, value);
  }
  return bank;
}

absl::Status Check(ByteView bytes, const registers::RegisterBank& expected) {
  const eventlog::Log log = eventlog::Log::Parse(bytes);
  if (!log.defects().empty()) return absl::DataLossError(log.defects().front().text);
  for (const eventlog::Event& event : log.events()) {
    if (eventlog::CoverageOf(log, event, kBank) == eventlog::Coverage::kMismatch) {
      return absl::DataLossError(absl::StrCat("event ", event.number, " is not what was hashed"));
    }
  }
  const eventlog::Replay replay = eventlog::ReplayBank(log, kBank);
  for (uint32_t index = 0; index < registers::kCount; ++index) {
    const std::optional<crypto::Digest> value = replay.bank.Get(index);
    if (value.has_value() && value != expected.Get(index)) {
      return absl::DataLossError(absl::StrCat("register ", index, " differs"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunEventLog(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const Bytes log, Load(arguments[0]));
  BG_ASSIGN_OR_RETURN(const registers::RegisterBank expected, ReadBank(arguments[1]));
  return Repeat("eventlog", arguments[2], [&] { return Check(log, expected); });
}

}  // namespace bootgate::bench

#include "gatekeeper/advisories/firmware_advisories.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::advisories {
namespace {

using nlohmann::json;

constexpr int kPartBits = 16;
constexpr uint32_t kMaxPart = 0xffff;
constexpr size_t kParts = 4;
constexpr size_t kMaxText = 512;  // bytes, of one field

struct BuiltIn {
  const char *manufacturer, *first, *last, *id, *weakness, *reference;
};

constexpr char kRoca[] =
    "RSA keys that the TPM made have primes of a form that can be found from the public key "
    "(ROCA).";
constexpr char kRocaBy[] = "Infineon; Microsoft ADV170012";
constexpr char kTpmFail[] =
    "The time that ECDSA signatures take tells of the private key (TPM-FAIL).";
constexpr char kTpmFailBySt[] = "STMicroelectronics, TPM firmware update; tpm.fail";
constexpr char kTpmFailByIntel[] = "INTEL-SA-00241; tpm.fail";
constexpr char kOutOfBounds[] =
    "A command with parameter encryption writes beyond the buffer: the TPM stops until it is "
    "powered off.";

// Left out on purpose, because no vendor has published which firmware versions of TPMs it is about:
// EUCLEAK (CVE-2024-45678), CVE-2023-1018 of vendors other than Nuvoton, CVE-2025-2884 of vendors
// other than Nuvoton, and faulTPM. Intel's firmware from ME 12 on reports versions of its own.
constexpr BuiltIn kBuiltIn[] = {
    // CVE-2017-15361. Infineon numbers TPM 2.0 firmware 5.x, 7.x and 133.x.
    {"IFX", "5.0", "5.61.65535.65535", "CVE-2017-15361", kRoca, kRocaBy},
    {"IFX", "7.0", "7.61.65535.65535", "CVE-2017-15361", kRoca, kRocaBy},
    {"IFX", "133.0", "133.32.65535.65535", "CVE-2017-15361", kRoca, kRocaBy},
    // CVE-2019-16863: single versions, as listed by the vendor.
    {"STM", "71.0", "71.0.65535.65535", "CVE-2019-16863", kTpmFail, kTpmFailBySt},
    {"STM", "71.4", "71.4.65535.65535", "CVE-2019-16863", kTpmFail, kTpmFailBySt},
    {"STM", "71.12", "71.12.65535.65535", "CVE-2019-16863", kTpmFail, kTpmFailBySt},
    {"STM", "73.0", "73.0.65535.65535", "CVE-2019-16863", kTpmFail, kTpmFailBySt},
    {"STM", "73.4", "73.5.65535.65535", "CVE-2019-16863", kTpmFail, kTpmFailBySt},
    {"STM", "73.8", "73.9.65535.65535", "CVE-2019-16863", kTpmFail, kTpmFailBySt},
    {"STM", "74.0", "74.0.65535.65535", "CVE-2019-16863", kTpmFail, kTpmFailBySt},
    {"STM", "74.4", "74.5.65535.65535", "CVE-2019-16863", kTpmFail, kTpmFailBySt},
    {"STM", "74.8", "74.9.65535.65535", "CVE-2019-16863", kTpmFail, kTpmFailBySt},
    {"STM", "74.16", "74.16.65535.65535", "CVE-2019-16863", kTpmFail, kTpmFailBySt},
    // CVE-2019-11090: firmware TPM of ME 11 before 11.8.65, 11.11.65, 11.22.65.
    {"INTC", "11.0", "11.8.64.65535", "CVE-2019-11090", kTpmFail, kTpmFailByIntel},
    {"INTC", "11.10", "11.11.64.65535", "CVE-2019-11090", kTpmFail, kTpmFailByIntel},
    {"INTC", "11.20", "11.22.64.65535", "CVE-2019-11090", kTpmFail, kTpmFailByIntel},
    // CVE-2023-1017: NPCT65x, single versions.
    {"NTC", "1.3.0.1", "1.3.0.1", "CVE-2023-1017", kOutOfBounds, "Nuvoton SA-003"},
    {"NTC", "1.3.1.0", "1.3.1.0", "CVE-2023-1017", kOutOfBounds, "Nuvoton SA-003"},
    {"NTC", "1.3.2.8", "1.3.2.8", "CVE-2023-1017", kOutOfBounds, "Nuvoton SA-003"},
    // CVE-2025-2884: NPCT7xx; 7.2.4.1 and 7.2.5.0 have the correction.
    {"NTC", "7.2.0.0", "7.2.3.65535", "CVE-2025-2884",
     "An HMAC command reads beyond its buffer: up to 64 KiB of the TPM's memory can be read.",
     "VU#282450; Dell DSA-2025-232"},
};

absl::Status BadRow(size_t row, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("row ", row + 1, ": ", what));
}

absl::StatusOr<std::string> TextOf(const json& object, const char* name, size_t row,
                                   bool required) {
  const auto found = object.find(name);
  if (found == object.end()) {
    if (required) return BadRow(row, absl::StrCat("'", name, "' is missing"));
    return std::string();
  }
  if (!found->is_string()) return BadRow(row, absl::StrCat("'", name, "' is not a text"));
  std::string text = found->get<std::string>();
  if (text.size() > kMaxText || (required && text.empty())) {
    return BadRow(row, absl::StrCat("'", name, "' is empty or longer than ", kMaxText, " bytes"));
  }
  return Printable(text, kMaxText);
}

absl::StatusOr<uint64_t> VersionOf(const json& object, const char* name, size_t row) {
  BG_ASSIGN_OR_RETURN(const std::string text, TextOf(object, name, row, true));
  const std::optional<uint64_t> version = ParseFirmwareVersion(text);
  if (version.has_value()) return *version;
  return BadRow(row, absl::StrCat("'", name, "': '", Printable(text, 64),
                                  "' is no version; write it as 7.2.3.1"));
}

absl::Status CheckNames(const json& object, size_t row) {
  constexpr absl::string_view kNames[] = {"manufacturer", "first",    "last",
                                          "advisory",     "weakness", "reference"};
  for (const auto& item : object.items()) {
    if (std::find(std::begin(kNames), std::end(kNames), item.key()) == std::end(kNames))
      return BadRow(row, absl::StrCat("unknown member '", Printable(item.key(), 64), "'"));
  }
  return absl::OkStatus();
}

absl::StatusOr<FirmwareAdvisory> RowOf(const json& object, size_t row) {
  if (!object.is_object()) return BadRow(row, "not an object");
  BG_RETURN_IF_ERROR(CheckNames(object, row));
  FirmwareAdvisory out;
  BG_ASSIGN_OR_RETURN(out.manufacturer, TextOf(object, "manufacturer", row, true));
  BG_ASSIGN_OR_RETURN(out.first, VersionOf(object, "first", row));
  BG_ASSIGN_OR_RETURN(out.last, VersionOf(object, "last", row));
  BG_ASSIGN_OR_RETURN(out.id, TextOf(object, "advisory", row, true));
  BG_ASSIGN_OR_RETURN(out.weakness, TextOf(object, "weakness", row, false));
  BG_ASSIGN_OR_RETURN(out.reference, TextOf(object, "reference", row, false));
  if (out.last < out.first) return BadRow(row, "'last' is before 'first'");
  return out;
}

}  // namespace

std::string FirmwareVersionText(uint64_t version) {
  return absl::StrCat(version >> (3 * kPartBits), ".", (version >> (2 * kPartBits)) & kMaxPart, ".",
                      (version >> kPartBits) & kMaxPart, ".", version & kMaxPart);
}

std::optional<uint64_t> ParseFirmwareVersion(absl::string_view text) {
  constexpr size_t kMaxVersionText = 4 * 5 + 3;
  if (text.size() > kMaxVersionText) return std::nullopt;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  if (parts.size() > kParts) return std::nullopt;
  uint64_t version = 0;
  for (size_t i = 0; i < kParts; ++i) {
    uint32_t part = 0;
    if (i < parts.size()) {
      const bool digits = std::ranges::all_of(parts[i], absl::ascii_isdigit);
      if (!digits || !absl::SimpleAtoi(parts[i], &part) || part > kMaxPart) return std::nullopt;
    }
    version = version << kPartBits | part;
  }
  return version;
}

std::string VendorName(absl::string_view manufacturer) {
  absl::string_view digits = manufacturer;
  if (!absl::ConsumePrefix(&digits, "id:")) {
    return std::string(manufacturer.data(), manufacturer.size());
  }
  const absl::StatusOr<Bytes> bytes = FromHex(digits);
  constexpr size_t kVendorIdSize = 4;
  if (!bytes.ok() || bytes->size() != kVendorIdSize) {
    return std::string(manufacturer.data(), manufacturer.size());
  }
  std::string name;
  for (const uint8_t byte : *bytes) {
    if (byte == 0 || byte == ' ') break;
    name.push_back(static_cast<char>(byte));
  }
  return Printable(name);
}

FirmwareAdvisories::FirmwareAdvisories() {
  for (const BuiltIn& row : kBuiltIn) {
    rows_.push_back({row.manufacturer, ParseFirmwareVersion(row.first).value(),
                     ParseFirmwareVersion(row.last).value(), row.id, row.weakness, row.reference});
  }
}

absl::Status FirmwareAdvisories::Add(absl::string_view text) {
  const json parsed = json::parse(text.begin(), text.end(), nullptr, false);
  if (!parsed.is_array()) return absl::InvalidArgumentError("not a JSON array");
  if (parsed.size() > kMaxRows)
    return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxRows, " rows"));
  std::vector<FirmwareAdvisory> added;
  for (size_t i = 0; i < parsed.size(); ++i) {
    BG_ASSIGN_OR_RETURN(added.emplace_back(), RowOf(parsed[i], i));
  }
  rows_.insert(rows_.end(), added.begin(), added.end());
  return absl::OkStatus();
}

std::vector<const FirmwareAdvisory*> FirmwareAdvisories::About(absl::string_view manufacturer,
                                                               uint64_t version) const {
  std::vector<const FirmwareAdvisory*> found;
  for (const FirmwareAdvisory& row : rows_) {
    if (row.manufacturer == manufacturer && row.first <= version && version <= row.last)
      found.push_back(&row);
  }
  return found;
}

}  // namespace bootgate::gatekeeper::advisories

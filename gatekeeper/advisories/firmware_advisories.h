// Published weaknesses of TPM firmware, by manufacturer and version.
//
// The version is firmwareVersion of TPMS_ATTEST (TPM 2.0 Part 2, 10.12.12), which the TPM signs
// with every quote, read as four numbers of 16 bits: "7.2.3.1". That is how Infineon, Nuvoton,
// STMicroelectronics and Intel (up to ME 11) number theirs. Who made the TPM is what a verified EK
// certificate says; without one there is nothing to look up.
//
// The table that is built in (the .cc) has only ranges that the vendor, or whoever found the
// weakness, has published. What it does not have is no promise: add rows of your own, a JSON file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::advisories {

// "7.85.4555.0"
std::string FirmwareVersionText(uint64_t version);
// One to four decimal numbers of at most 65535; those left out are 0. nullopt for anything else.
std::optional<uint64_t> ParseFirmwareVersion(absl::string_view text);

struct FirmwareAdvisory {
  std::string manufacturer;      // TPM vendor id: "IFX", "STM", "NTC", "INTC", ...
  uint64_t first = 0, last = 0;  // versions, both included
  std::string id;                // "CVE-2019-16863"
  std::string weakness;          // one sentence
  std::string reference;         // who published it
};

class FirmwareAdvisories {
 public:
  static constexpr size_t kMaxRows = 10000;

  // The table that is built in.
  FirmwareAdvisories();

  // Adds the rows of a JSON text: [{"manufacturer", "first", "last", "advisory", "weakness",
  // "reference"}], the last two optional. kInvalidArgument naming the row; then none is added.
  absl::Status Add(absl::string_view json);

  // Those about this firmware, in the order of the table. Borrows.
  std::vector<const FirmwareAdvisory*> About(absl::string_view manufacturer,
                                             uint64_t version) const;

  const std::vector<FirmwareAdvisory>& rows() const { return rows_; }

 private:
  std::vector<FirmwareAdvisory> rows_;
};

// "IFX" for "id:49465800", as EK certificates write it (TCG EK Credential Profile, 3.2.9). Any
// other text as it is.
std::string VendorName(absl::string_view manufacturer);

}  // namespace bootgate::gatekeeper::advisories

#include "common/cel/coverage.h"

#include <algorithm>
#include <optional>

#include "absl/strings/strip.h"

namespace bootgate::cel {
namespace {

constexpr absl::string_view kPhase = "phase", kVolumeKey = "volume-key";
constexpr absl::string_view kMachineId = "machine-id:", kFileSystem = "file-system:";

// Events whose digest systemd has always made of the text.
constexpr absl::string_view kTextIsHashed[] = {kPhase, "filesystem", "machine-id", "product-id",
                                               "os-separator"};

bool MustBeHashed(const Record& record) {
  return record.content_type == "systemd" &&
         std::find(std::begin(kTextIsHashed), std::end(kTextIsHashed), record.untrusted_type) !=
             std::end(kTextIsHashed);
}

void Note(const Record& record, const std::string& covered, Facts* out) {
  absl::string_view text = covered;
  if (record.untrusted_type == kPhase) {
    out->phases.push_back(covered);
  } else if (absl::ConsumePrefix(&text, kMachineId)) {
    out->machine_ids.emplace_back(text);
  } else if (absl::ConsumePrefix(&text, kFileSystem)) {
    out->file_systems.emplace_back(text);
  }
}

}  // namespace

Coverage CoverageOf(const Record& record, crypto::HashAlg alg) {
  const crypto::Digest* const digest = record.DigestOf(alg);
  if (digest == nullptr || !record.untrusted_text.has_value()) return Coverage::kNotCovered;
  if (*digest == crypto::Hash(alg, AsBytes(*record.untrusted_text))) return Coverage::kCovered;
  return MustBeHashed(record) ? Coverage::kMismatch : Coverage::kNotCovered;
}

Facts FactsOf(const Log& log, crypto::HashAlg alg, uint32_t mask) {
  Facts facts;
  for (const Record& record : log.records()) {
    if (!record.pcr.has_value() || ((mask >> *record.pcr) & 1u) == 0) continue;
    if (record.untrusted_type == kVolumeKey) ++facts.volume_keys;
    if (CoverageOf(record, alg) == Coverage::kCovered) Note(record, *record.untrusted_text, &facts);
  }
  return facts;
}

}  // namespace bootgate::cel

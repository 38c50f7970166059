// Which banks a verdict may rest on, and whether several banks tell one story (attacks A6-A8).
#pragma once

#include <vector>

#include "gatekeeper/appraisal/tpm_boot/context.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

// One quoted bank against the log.
struct BankMatch {
  crypto::HashAlg alg = crypto::HashAlg::kSha256;
  uint32_t matched = 0;     // registers that follow from the log, start values included
  uint32_t mismatched = 0;  // registers that do not
};

// A weak bank beside a strong one is only noted: the verdict rests on the strong one.
void CheckBanksAllowed(const Context& context);

// A bank whose log replays but lacks what every firmware measures was filled by somebody else.
void CheckFirmwareMeasured(const Context& context, const registers::RegisterBank& bank,
                           const BankMatch& match);
void ReportNotFirmwareMeasured(const Context& context, crypto::HashAlg alg, absl::string_view why);

// The same registers replay in all banks, and each event's data is covered by the digests of all of
// them or of none.
void CompareBanks(const Context& context, const std::vector<BankMatch>& matches);

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot

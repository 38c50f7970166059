// Which of a record's words its digest vouches for, and what those words say.
//
// systemd hashes the text of most events as it stands, in UTF-8 and without a closing zero byte;
// a volume key it measures by an HMAC that the text does not give (TPM2_PCR_MEASUREMENTS.md of
// systemd).
#pragma once

#include <string>
#include <vector>

#include "common/cel/log.h"

namespace bootgate::cel {

enum class Coverage {
  kCovered,     // the digest is the text's: the text is what was measured
  kNotCovered,  // the digest is of something else, as such records may have it
  kMismatch,    // the digest should be the text's and is not: somebody changed one of them
};

Coverage CoverageOf(const Record& record, crypto::HashAlg alg);

// What the covered records say. Free text of the host, though measured: print it escaped.
struct Facts {
  std::vector<std::string> phases;       // in order: "enter-initrd", "leave-initrd", "sysinit", ...
  std::vector<std::string> machine_ids;  // 32 hex digits
  std::vector<std::string> file_systems;  // what follows "file-system:"
  size_t volume_keys = 0;                 // records that say so; the keys themselves are secret
};

// `mask`: PCRs whose replay met the quote (bit n: PCR n); records about others say nothing.
Facts FactsOf(const Log& log, crypto::HashAlg alg, uint32_t mask);

}  // namespace bootgate::cel

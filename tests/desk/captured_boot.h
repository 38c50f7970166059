// A captured boot (the form of tests/corpus/boots), and how a TPM comes to the same registers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/tpm/tpm.h"
#include "common/ima/replay.h"

namespace bootgate::desk {

struct CapturedBoot {
  Bytes boot_log;                                        // empty: the case has none
  Bytes ima;                                             // the entries that pcrs.json covers
  std::vector<registers::RegisterBank> registers;        // pcrs.json
  std::map<crypto::HashAlg, ima::ExtendRule> ima_rules;  // how each bank was extended
};

// Reads eventlog.bin, ima.bin (either may be missing) and pcrs.json of `folder`.
absl::StatusOr<CapturedBoot> LoadBoot(const std::string& folder);

// Extends a freshly started TPM with exactly what the logs say, and checks that its registers then
// are those of pcrs.json.
absl::Status Replay(const CapturedBoot& boot, agent::tpm::Tpm& tpm);

// One more entry (ima-ng, SHA-256) as the kernel would add it when `path` with `content` is used.
Bytes ImaEntry(absl::string_view path, ByteView content);
// The same for a file of that SHA-256.
Bytes ImaEntryOf(absl::string_view path, const crypto::Digest& file);
absl::Status ExtendWithIma(ByteView entries,
                           const std::map<crypto::HashAlg, ima::ExtendRule>& rules,
                           agent::tpm::Tpm& tpm);

}  // namespace bootgate::desk

// What is kept of IMA entries that were judged, so that a later verdict of the same boot needs to
// look only at the entries that came since.
//
// Whatever of the earlier entries a verdict says, this says again: nothing is forgiven because it
// was read yesterday. What cannot be kept within the bounds below is not kept at all, and the list
// is then judged from its start each time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/bytes_view.h"
#include "common/crypto/hash.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper {

inline constexpr size_t kMaxKeptFindings = 200;
inline constexpr size_t kMaxKeptClaims = 200;
inline constexpr size_t kMaxKeptBytes = size_t{64} << 10;  // of all texts, claims and notes

// PCR 10 of one bank after the entries, and how this host's kernel extends it.
struct ImaRegister {
  crypto::Digest value;
  bool padded_sha1 = false;  // ima::ExtendRule::kPaddedSha1

  friend bool operator==(const ImaRegister&, const ImaRegister&) = default;
};

struct ImaProgress {
  uint64_t entries = 0;                // judged, from the list's first on
  std::vector<ImaRegister> registers;  // one for each quoted bank
  std::vector<Finding> findings;       // that still stand
  std::vector<Claim> claims;           // made from the entries
  std::vector<NotChecked> not_checked;
  // What a judging room wants to find again, under a name that begins with the room's:
  // "reference/..." and so on.
  std::map<std::string, Bytes> notes;
};

// False when there is more to keep than the bounds allow.
bool FitsToBeKept(const ImaProgress& progress);

}  // namespace bootgate::gatekeeper

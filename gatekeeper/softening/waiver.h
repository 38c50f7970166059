// A waiver: named findings on named hosts are let pass, for a reason, until a day. The document and
// what it covers. Pure.
//
// A finding that a waiver covers becomes a warning that names the waiver; nothing is hidden. What
// no configuration may soften (actions.h) no waiver may either. Which hosts it is for is asked in
// gatekeeper/quarantine/waivers.h.
//
// The text is JSON:
//   {"findings": [{"code": "IMA_UNLISTED", "register": 10, "path": "/opt/agent/*",
//                  "expected": "...", "actual": "..."}],
//    "hosts": {"ids": ["h-..."], "selector": "role=db"},
//    "owner": "...", "reason": "...", "expires_at": "2026-12-24T00:00:00Z"}
// Of a finding's members all but the code may be missing; those that are there must all fit.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::softening {

inline constexpr size_t kMaxWaiverBytes = size_t{64} << 10;
inline constexpr size_t kMaxWaivedFindings = 64;
inline constexpr size_t kMaxWaivedHosts = 1000;
inline constexpr size_t kMaxWaiverWords = 1024;  // bytes of owner, of reason, of a text to match
inline constexpr size_t kMaxPathPattern = 512;   // bytes
inline constexpr size_t kMaxPathStars = 8;       // '*' in one pattern

struct WaivedFinding {
  Reason code = Reason::kInternal;
  std::optional<uint32_t> register_index;
  // Of the file of an IMA entry, as fnmatch(3) with FNM_PATHNAME: no '*' goes over a '/'. A path
  // that is not plain (IsPlainPath) is matched by none.
  std::string path;
  std::string expected, actual;  // exactly; empty: whatever it is
};

struct Waiver {
  std::string id;  // "w-" and 16 hex digits; empty: not stored
  std::vector<WaivedFinding> findings;
  std::vector<std::string> hosts;  // ids; beside them:
  std::string selector;            // labels, all of them; empty: no host but those named
  std::string owner, reason;
  absl::Time expires_at;
};

// WAIVER, with what is wrong.
// The selector is taken as it is.
absl::StatusOr<Waiver> ReadWaiver(absl::string_view text);
// The same of one that was put together otherwise.
absl::Status CheckWaiver(const Waiver& waiver);
// One line; ReadWaiver gives the same back, but for the id.
std::string WaiverText(const Waiver& waiver);

// "IMA_UNLISTED of /opt/agent/*, PCR 10", for people.
std::string Describe(const WaivedFinding& finding);

bool Covers(const Waiver& waiver, const Finding& finding);

}  // namespace bootgate::gatekeeper::softening

// The CA certificates that the gatekeeper says to trust from now on, taken into the join state.
//
// They come over a connection that the bundle before them has vouched for, ahead of the day when
// they are needed: what a new CA signs is then believed at once, here and by the programs that this
// host's credential serves.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/identity/join_state.h"

namespace bootgate::agent::identity {

inline constexpr size_t kMaxTrustBundle = size_t{64} << 10;  // bytes of PEM
inline constexpr size_t kMaxBundleCertificates = 32;

// Is this a bundle: CA certificates alone, at least one of them a root? CERT_PARSE.
absl::Status CheckTrustBundle(absl::string_view pem);

// Puts it in the place of `joined.ca_pem`, in the file too. A file that is of another enrolment by
// now is left alone (kAborted). CERT_PARSE: no bundle; the one before stays.
absl::Status StoreTrustBundle(const std::string& state_folder, const JoinState& joined,
                              const std::string& pem);

}  // namespace bootgate::agent::identity

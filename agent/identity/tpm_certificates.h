// What the gatekeeper's CA certified of this TPM, kept: of the AK in the join state, of an EK that
// its vendor left without certificate in a file of its own.
//
// The EK's outlives the enrolment: shown when the host joins the same cluster again, it says that
// an operator has approved this very TPM before.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/identity/join_state.h"
#include "common/base/bytes_view.h"

namespace bootgate::agent::identity {

inline constexpr size_t kMaxTpmCertificate = 16384;  // bytes of DER

// Into the join state's file. A file that is of another enrolment by now is left alone (kAborted).
absl::Status StoreAkCertificate(const std::string& state_folder, const JoinState& joined,
                                ByteView der);

absl::Status StoreOwnEkCertificate(const std::string& state_folder, const std::string& cluster_id,
                                   ByteView der);
// Empty when there is none of this cluster. STATE_CORRUPT.
absl::StatusOr<Bytes> LoadOwnEkCertificate(const std::string& state_folder,
                                           const std::string& cluster_id);

}  // namespace bootgate::agent::identity

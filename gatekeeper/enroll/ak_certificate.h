// The certificate of an enrolled host's attestation key, for relying parties that want one.
//
// Implements: TCG OID registry (key purpose of attestation keys); architecture page, section 7.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/host/host.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::enroll {

inline constexpr absl::Duration kAkCertificateLifetime = absl::Hours(24 * 90);

// DER. Says whether the EK was believed for its certificate or as a bare key. CA.
absl::StatusOr<Bytes> IssueAkCertificate(const host::HostRecord& host,
                                         const pki::Authority& authority, absl::Time now);

}  // namespace bootgate::gatekeeper::enroll

// The certificates that our CA makes about an enrolled host's TPM: of its attestation key, for
// relying parties that want one, and of its EK when the vendor made none and an operator approved
// it.
//
// Implements: TCG OID registry (key purposes of AKs and EKs); architecture page, section 7.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/host/host.h"
#include "gatekeeper/store/store.h"
#include "pki/authority.h"
#include "pki/trust_anchors.h"

namespace bootgate::gatekeeper::enroll {

inline constexpr absl::Duration kAkCertificateLifetime = absl::Hours(24 * 90);
inline constexpr absl::Duration kEkCertificateLifetime = absl::Hours(24 * 3650);

// Nothing for a host that is not approved, or that is shut out. Else makes what `host` has not, or
// will not have for long (less than a third of its time, or its CA is tainted), and puts it into
// the record. The rows belong into the commit that writes the record; only after it may the
// certificates leave. Nothing due: no rows. CA, CA_KEY.
absl::StatusOr<std::vector<store::CredentialRow>> RenewCertificates(host::HostRecord& host,
                                                                    const pki::Authority& authority,
                                                                    absl::Time now);

// What certificates of ours for EKs lead to.
struct OwnAnchors {
  pki::TrustAnchors anchors = pki::TrustAnchors::None();
  std::vector<Bytes> intermediates;  // DER
};
absl::StatusOr<OwnAnchors> AnchorsOf(const pki::Authority& authority);

}  // namespace bootgate::gatekeeper::enroll

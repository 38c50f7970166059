// The revocation list of a root: the CAs right below it that are tainted.
//
// Where the root's key lies in the CA folder, whoever publishes makes the list (Authority::Roots).
// Where it does not, the list is signed where the key is and brought here, like a certificate.
// Implements: RFC 5280, section 5.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pki/ca_folder.h"
#include "pki/crl.h"

namespace bootgate::pki {

// A root as those see it who publish its list.
struct RootCa {
  IssuerPtr ca;                             // for no use; its key is opened only when it signs
  std::vector<RevokedCertificate> revoked;  // what belongs into a list made now
  KeySpec key;
  std::string brought;  // the list that was brought here (PEM); empty: none

  // Somebody at a terminal is nobody to ask twice an hour.
  bool SignsHere() const {
    return key.kind != KeySpec::Kind::kNone && key.secret.kind != SecretSource::Kind::kTyped;
  }
};

// The line for a CA of which nothing is believed: as it was from its beginning.
absl::StatusOr<RevokedCertificate> LineForTainted(const X509* certificate);

struct RootCrl {
  Bytes der;
  uint64_t number = 0;
  absl::Time this_update, next_update;
  std::vector<RevokedCertificate> revoked;
};
// One list in PEM or DER, signed by this root. CA says what is wrong with it.
absl::StatusOr<RootCrl> ReadRootCrl(absl::string_view text, ByteView root_der);

// Beside the root's certificate, when it was brought: "root-1.crl".
std::string RootCrlFile(const CaRecord& root);

// At an offline root, whose folder has root.pem and root.key; the last list is kept there in
// root.crl, and what is in it stays in the next. PEM. kInvalidArgument: a certificate that the root
// did not sign, a lifetime that is none.
struct RootCrlSigning {
  std::string root_folder;
  SecretSource root_secret;
  std::vector<std::string> tainted;  // certificates of CAs (PEM, the first in each counts)
  absl::Duration lifetime = absl::Hours(24 * 90);
};
absl::StatusOr<RootCrl> SignRootCrl(const RootCrlSigning& signing, absl::Time now);

// Takes a list for the root of this folder that signed it. kFailedPrecondition with CA: no root
// here did, it has run out, it is older than the one that is here, or no longer says what that one
// said.
struct InstalledRootCrl {
  CaRecord root;
  RootCrl list;
};
absl::StatusOr<InstalledRootCrl> InstallRootCrl(const std::string& folder, absl::string_view text,
                                                absl::Time now);

}  // namespace bootgate::pki

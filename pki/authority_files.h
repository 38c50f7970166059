// The internal CA on disk: made once, loaded and checked at every start.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pki/authority.h"

namespace bootgate::pki {

// Root and issuing CA after every check of Authority::Open.
struct LoadedAuthority {
  std::string root_pem, issuing_pem, trust_domain;
  std::shared_ptr<const crypto::PrivateKey> issuing_key;
  Bytes issuing_name;    // Name in DER, as the certificate has it
  Bytes issuing_key_id;  // the certificate's subject key identifier
  absl::Time not_after;  // the earlier end of the two certificates
};

// Errors name the file. kNotFound: no CA here. kFailedPrecondition with CA: files that do not
// belong together, a certificate that is not valid at `now`, one that is no CA of ours. The root's
// key may be kept elsewhere; when it is here, it is checked too.
absl::StatusOr<LoadedAuthority> LoadAuthority(const AuthorityFiles& files, absl::Time now);

}  // namespace bootgate::pki

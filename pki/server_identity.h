// The gatekeeper's own TLS key and certificate, made in memory and never written down.
//
// A restart makes a new one, which costs a signature and saves a secret on disk.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/secret_bytes.h"
#include "pki/authority.h"

namespace bootgate::pki {

struct ServerIdentityOptions {
  std::vector<std::string> names;                  // DNS names and IP addresses
  absl::Duration lifetime = absl::Hours(24 * 30);  // cut at the end of the issuing CA
};

class ServerIdentity {
 public:
  // A fresh P-256 key and its certificate, valid from a little before `now` (clocks differ).
  // CA: names that are none, or an issuing CA at its end.
  static absl::StatusOr<ServerIdentity> Make(const Authority& authority,
                                             const ServerIdentityOptions& options, absl::Time now);

  const std::string& chain_pem() const { return chain_pem_; }  // leaf, then issuing CA
  const SecretBytes& key_pem() const { return key_pem_; }      // PKCS#8
  absl::Time not_after() const { return not_after_; }
  // True once two thirds of the lifetime are over: time to Make a new one.
  bool IsDue(absl::Time now) const { return now >= renew_at_; }

 private:
  ServerIdentity() = default;
  std::string chain_pem_;
  SecretBytes key_pem_;
  absl::Time not_after_, renew_at_;
};

}  // namespace bootgate::pki

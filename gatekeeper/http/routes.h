// What the HTTP port serves: the table is in routes.cc, one line a path.
//
//   /livez      the process runs            /certs, /jwks                     keys of tokens (JWKS)
//   /readyz     it can do its work          /.well-known/openid-configuration where they are
//   /metrics    figures, for Prometheus
//   /crl/KEYID.crl, .pem   what a CA of ours revoked      /ca/KEYID.cer   its certificate
//   /crl/all.pem           the lists of all CAs
//   /ocsp       the same, asked for single certificates: POST, or GET with the request in the path
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "gatekeeper/http/http_server.h"
#include "gatekeeper/revocation/publisher.h"
#include "gatekeeper/token/issuer.h"

namespace bootgate::gatekeeper::http {

// What the answers are made from; all of it may be called on any thread and outlives the server.
struct Sources {
  token::Issuer* issuer = nullptr;             // nullptr: no tokens are issued, their paths are 404
  revocation::Publisher* publisher = nullptr;  // nullptr: the same of CRLs and OCSP
  const Clock* clock = nullptr;                // with `publisher`
  std::function<absl::Status()> ready;         // why it cannot work now, or OK
  std::function<std::string()> metrics;        // see metrics.h
};

std::vector<Route> RoutesFor(const Sources& sources);

}  // namespace bootgate::gatekeeper::http

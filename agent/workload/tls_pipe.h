// A small TLS client: what comes in goes out over mutual TLS, and the reverse, until one side ends.
//
// Shows the key in the TPM at work, as `openssl s_client -quiet` would with a key in a file.
// TLS 1.2 and 1.3; the server must prove to be the one that was named.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/crypto/owners.h"

namespace bootgate::agent::workload {

struct TlsPipeOptions {
  std::string host, port;   // where to connect to
  std::string server_name;  // what the server's certificate must name: a DNS name or an IP address
  std::string ca_pem;       // what it must lead to
  std::string chain_pem;    // what we show, leaf first
  EVP_PKEY* key = nullptr;  // of the leaf; borrowed
  absl::Duration connect_within = absl::Seconds(10);  // TCP and handshake
};

// kUnavailable: nobody answers, or the connection broke. SERVER_AUTH: the server is another one.
// kUnauthenticated: the handshake failed in another way, as when the server does not take our
// certificate.
absl::Status RunTlsPipe(const TlsPipeOptions& options, int in_fd, int out_fd);

}  // namespace bootgate::agent::workload

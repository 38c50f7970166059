// TLS of a gRPC server whose certificate, key and client CAs may change while it serves.
//
// gRPC's C++ wrapper fixes them at the start; its core asks again before each handshake (gRPC 1.51,
// grpc_security.h, "certificate config fetcher"). This is that, as credentials of the wrapper.
#pragma once

#include <memory>

#include "gatekeeper/service/agents_server.h"

namespace grpc {
class ServerCredentials;
}

namespace bootgate::gatekeeper::service {

// Of clients; what is shown is verified in any case.
enum class ClientCertificate { kOptional, kRequired };

// Must outlive the server that uses its credentials. Any thread.
class RenewableTls {
 public:
  explicit RenewableTls(TlsMaterial tls,
                        ClientCertificate of_clients = ClientCertificate::kOptional);

  std::shared_ptr<grpc::ServerCredentials> credentials() const;
  // Handshakes from now on use it.
  void Renew(TlsMaterial tls);

 private:
  class Credentials;
  const std::shared_ptr<Credentials> credentials_;
};

}  // namespace bootgate::gatekeeper::service

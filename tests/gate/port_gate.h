// Test only: a Gate behind the real agents' port, on loopback, with TLS.
#pragma once

#include <memory>
#include <string>

#include "agent/client/gatekeeper_client.h"
#include "gatekeeper/service/agents_server.h"
#include "tests/gate/gate.h"

namespace bootgate::gate {

struct ClientCertificate {
  std::string chain_pem, key_pem;
};

class PortGate {
 public:
  // `server`: limits, workers, and a certificate other than the gate's own; all else is filled in.
  explicit PortGate(const GateOptions& options = {},
                    gatekeeper::service::ServerOptions server = {});
  ~PortGate();

  int port() const { return server_->port(); }
  std::string address() const;  // "127.0.0.1:port"
  agent::Endpoint EndpointFor(const ClientCertificate& certificate = {}) const;
  // A client as the agent makes it.
  std::unique_ptr<agent::GatekeeperClient> Connect(const ClientCertificate& certificate = {}) const;

  // A new certificate of the CA that signs for servers now, as a running gatekeeper takes it.
  void RenewTls();

  Gate gate;

 private:
  std::unique_ptr<gatekeeper::service::AgentsServer> server_;
};

// The client certificate out of a sealed credential that `host` can open.
ClientCertificate CertificateOf(const SoftHost& host, const agent::SealedCredential& sealed);

}  // namespace bootgate::gate

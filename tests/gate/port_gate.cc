#include "tests/gate/port_gate.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "pki/server_identity.h"

namespace bootgate::gate {
namespace {

std::string Text(const SecretBytes& secret) { return std::string(AsText(secret.view())); }

}  // namespace

PortGate::PortGate(const GateOptions& options, gatekeeper::service::ServerOptions server)
    : gate(options) {
  if (server.server_chain_pem.empty()) {
    const auto identity =
        pki::ServerIdentity::Make(gate.authority, {.names = {"localhost", "127.0.0.1"}},
                                  gate.clock.Now())
            .value();
    server.server_chain_pem = identity.chain_pem();
    server.server_key_pem = Text(identity.key_pem());
  }
  server.listen = "127.0.0.1:0";
  server.client_ca_pem = gate.authority.chain_pem();
  server.cluster_id = gate.admission_options.cluster_id;
  server_ = gatekeeper::service::AgentsServer::Start(server, gate.enroller, gate.admission,
                                                     gate.authority)
                .value();
}

PortGate::~PortGate() { server_->Shutdown(absl::Now()); }

void PortGate::RenewTls() {
  const auto identity = pki::ServerIdentity::Make(
                            gate.authority, {.names = {"localhost", "127.0.0.1"}}, gate.clock.Now())
                            .value();
  server_->Renew({.chain_pem = identity.chain_pem(),
                  .key_pem = Text(identity.key_pem()),
                  .client_ca_pem = gate.authority.client_ca_pem()});
}

std::string PortGate::address() const { return absl::StrCat("127.0.0.1:", port()); }

agent::Endpoint PortGate::EndpointFor(const ClientCertificate& certificate) const {
  return {.address = address(),
          .server_name = "",
          .ca_pem = gate.authority.root_pem(),
          .client_chain_pem = certificate.chain_pem,
          .client_key_pem = certificate.key_pem};
}

std::unique_ptr<agent::GatekeeperClient> PortGate::Connect(
    const ClientCertificate& certificate) const {
  return agent::Connect(EndpointFor(certificate)).value();
}

ClientCertificate CertificateOf(const SoftHost& host, const agent::SealedCredential& sealed) {
  const evidence::SealedPayload payload = host.Unseal(sealed).value();
  return {.chain_pem = payload.chain_pem, .key_pem = Text(payload.private_key_pem)};
}

}  // namespace bootgate::gate

// The agent's client against gatekeepers that are none: it tells them nothing.
#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "agent/client/gatekeeper_client.h"
#include "bootgate/v1/agents.grpc.pb.h"
#include "pki/server_identity.h"
#include "tests/attack/victim.h"
#include "tests/gate/port_gate.h"

namespace bootgate::attack {
namespace {

// An agent that was joined to `home` and finds somebody else at its gatekeeper's address.
class AttackOnAgent : public ::testing::Test {
 protected:
  std::unique_ptr<agent::GatekeeperClient> ClientFor(const std::string& address) {
    return agent::Connect({.address = address,
                           .server_name = "",
                           .ca_pem = home_.authority.root_pem(),
                           .client_chain_pem = "",
                           .client_key_pem = ""})
        .value();
  }

  // Each method is refused for who the server is.
  void ExpectTurnsAwayFrom(agent::GatekeeperClient& client) {
    const agent::Challenge challenge = host_.Ask(*home_.Direct()).value();
    EXPECT_THAT(client.BeginEnrollment(host_.JoinRequest(home_.token)),
                Refuses(Reason::kServerAuth));
    EXPECT_THAT(client.CompleteEnrollment("session", SecretBytes(32), host_.ak_name()),
                Refuses(Reason::kServerAuth));
    EXPECT_THAT(host_.Ask(client), Refuses(Reason::kServerAuth));
    EXPECT_THAT(client.Submit(host_.Answer(challenge)), Refuses(Reason::kServerAuth));
  }

  // A gatekeeper of home's own CA, with a certificate as given.
  gatekeeper::service::ServerOptions WithCertificate(const std::vector<std::string>& names,
                                                     absl::Time from, absl::Time to) {
    const auto key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
    const Bytes der = home_.authority.IssueServer(names, key.Public(), from, to).value();
    gatekeeper::service::ServerOptions options;
    options.server_chain_pem = pki::DerToPem(der) + home_.authority.issuing_pem();
    options.server_key_pem = std::string(AsText(key.Pem().view()));
    return options;
  }

  Gate home_;
  SoftHost host_ = home_.NewHost();
};

TEST_F(AttackOnAgent, A87_GatekeeperOfAnotherCa) {
  const gate::PortGate other;
  ExpectTurnsAwayFrom(*ClientFor(other.address()));
}

TEST_F(AttackOnAgent, A87_CertificateForAnotherName) {
  const absl::Time now = home_.clock.Now();
  const gate::PortGate other(
      {}, WithCertificate({"elsewhere.example"}, now - absl::Hours(1), now + absl::Hours(1)));
  ExpectTurnsAwayFrom(*ClientFor(other.address()));
}

TEST_F(AttackOnAgent, A87_CertificateThatHasExpired) {
  const absl::Time now = home_.clock.Now();
  const gate::PortGate other(
      {}, WithCertificate({"127.0.0.1"}, now - absl::Hours(2), now - absl::Hours(1)));
  ExpectTurnsAwayFrom(*ClientFor(other.address()));
}

// The control: the same make of certificate, in order, is taken.
TEST_F(AttackOnAgent, A87_CertificateInOrderIsTaken) {
  const absl::Time now = home_.clock.Now();
  gate::PortGate other({},
                       WithCertificate({"127.0.0.1"}, now - absl::Hours(1), now + absl::Hours(1)));
  SoftHost host(other.gate.vendor);
  EXPECT_THAT(host.Join(*ClientFor(other.address()), other.gate.token), IsOk());
}

// A host's own certificate is of our CA, too, but names no server.
TEST_F(AttackOnAgent, A87_HostThatPosesAsTheGatekeeper) {
  BG_ASSERT_OK_AND_ASSIGN(const agent::AttestAnswer answer, host_.Attest(*home_.Direct()));
  const gate::ClientCertificate stolen = gate::CertificateOf(host_, answer.sealed);
  gatekeeper::service::ServerOptions options;
  options.server_chain_pem = stolen.chain_pem;
  options.server_key_pem = stolen.key_pem;
  const gate::PortGate other({}, options);
  ExpectTurnsAwayFrom(*ClientFor(other.address()));
}

TEST_F(AttackOnAgent, A87_GatekeeperWithoutTls) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  v1::Attestation::Service service;
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> plain = builder.BuildAndStart();
  ASSERT_NE(plain, nullptr);
  ExpectTurnsAwayFrom(*ClientFor(absl::StrCat("127.0.0.1:", port)));
  plain->Shutdown(absl::ToChronoTime(absl::InfinitePast()));
}

// What goes over the wire before the server has proven itself: a TLS hello, and no word of ours.
TEST_F(AttackOnAgent, A87_NothingIsSentBeforeTheServerHasProvenItself) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(listener, 0);
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&at), sizeof(at)), 0);
  ASSERT_EQ(listen(listener, 16), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size), 0);
  std::string heard;
  std::thread eavesdropper([&] {
    for (int peer = accept(listener, nullptr, nullptr); peer >= 0;
         peer = accept(listener, nullptr, nullptr)) {
      char buffer[65536];
      const ssize_t got = recv(peer, buffer, sizeof(buffer), 0);
      if (got > 0) heard.append(buffer, static_cast<size_t>(got));
      constexpr char kAnswer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
      (void)send(peer, kAnswer, sizeof(kAnswer) - 1, MSG_NOSIGNAL);
      close(peer);
    }
  });
  const agent::Challenge challenge = host_.Ask(*home_.Direct()).value();
  EXPECT_FALSE(ClientFor(absl::StrCat("127.0.0.1:", ntohs(at.sin_port)))
                   ->Submit(host_.Answer(challenge))
                   .ok());
  shutdown(listener, SHUT_RDWR);
  eavesdropper.join();
  close(listener);
  EXPECT_FALSE(heard.empty());
  EXPECT_THAT(heard, ::testing::Not(::testing::HasSubstr(host_.id())));
  EXPECT_THAT(heard, ::testing::Not(::testing::HasSubstr(host_.facts.hostname)));
}

}  // namespace
}  // namespace bootgate::attack

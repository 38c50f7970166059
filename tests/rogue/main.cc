// bootgate-rogue: an agent that cheats. It uses a real TPM and the real protocol, and lies.
//
// Exits with the code the honest agent would exit with; prints the gatekeeper's reason code.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "agent/app/config.h"
#include "agent/app/host.h"
#include "agent/client/gatekeeper_client.h"
#include "agent/evidence_builder/evidence_builder.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

// A host with its TPM, its enrolment, and a channel.
struct Self {
  Config config;
  identity::JoinState joined;
  std::unique_ptr<tpm::Tpm> tpm;
  std::unique_ptr<GatekeeperClient> client;
  Bytes ak_name;
};

absl::StatusOr<Self> OpenSelf(const std::string& config_file) {
  Self self;
  BG_ASSIGN_OR_RETURN(self.config, LoadConfig(config_file, true));
  BG_ASSIGN_OR_RETURN(self.joined, Joined(self.config));
  BG_ASSIGN_OR_RETURN(self.tpm, OpenTpm(self.config));
  BG_ASSIGN_OR_RETURN(self.client, ConnectTo(self.config, self.joined, SystemClock().Now()));
  BG_ASSIGN_OR_RETURN(const tpm2::Public ak, self.tpm->AkPublic(self.joined.ak));
  self.ak_name = ak.Name();
  return self;
}

absl::StatusOr<evidence::Evidence> EvidenceFor(Self& self, const Challenge& challenge,
                                               const std::string& host_id) {
  evidence_builder::Question question;
  question.host_id = host_id;
  question.cluster_id = challenge.cluster_id;
  question.nonce = challenge.nonce;
  BG_ASSIGN_OR_RETURN(question.selection, registers::ParseSelection(challenge.selection));
  return evidence_builder::Build(*self.tpm, BuilderOptions(self.config, self.joined.ak), question);
}

// Answers one challenge, then sends the same evidence again.
absl::Status SendTwice(const std::string& config_file) {
  BG_ASSIGN_OR_RETURN(Self self, OpenSelf(config_file));
  BG_ASSIGN_OR_RETURN(const Challenge challenge,
                      self.client->GetChallenge(self.joined.host_id, self.ak_name));
  BG_ASSIGN_OR_RETURN(const evidence::Evidence evidence,
                      EvidenceFor(self, challenge, self.joined.host_id));
  BG_RETURN_IF_ERROR(self.client->Submit(evidence).status());
  return self.client->Submit(evidence).status();
}

// Answers a new challenge with the quote over an old one.
absl::Status SendOldQuote(const std::string& config_file) {
  BG_ASSIGN_OR_RETURN(Self self, OpenSelf(config_file));
  BG_ASSIGN_OR_RETURN(const Challenge old,
                      self.client->GetChallenge(self.joined.host_id, self.ak_name));
  BG_ASSIGN_OR_RETURN(evidence::Evidence evidence, EvidenceFor(self, old, self.joined.host_id));
  BG_ASSIGN_OR_RETURN(const Challenge fresh,
                      self.client->GetChallenge(self.joined.host_id, self.ak_name));
  evidence.nonce = fresh.nonce;
  return self.client->Submit(evidence).status();
}

// Quotes with this host's TPM and sends it as the victim's evidence. The challenge is the victim's
// own: this attacker even knows the victim's key.
absl::Status Impersonate(const std::string& config_file, const std::string& victim_config_file) {
  BG_ASSIGN_OR_RETURN(Self self, OpenSelf(config_file));
  BG_ASSIGN_OR_RETURN(Self victim, OpenSelf(victim_config_file));
  BG_ASSIGN_OR_RETURN(const Challenge challenge,
                      self.client->GetChallenge(victim.joined.host_id, victim.ak_name));
  BG_ASSIGN_OR_RETURN(const evidence::Evidence evidence,
                      EvidenceFor(self, challenge, victim.joined.host_id));
  return self.client->Submit(evidence).status();
}

int Main(int argc, char** argv) {
  CLI::App root("An agent that cheats");
  root.require_subcommand(1);
  std::string config, victim;
  absl::Status status;
  const auto add = [&](const char* name, const char* help, auto verb) {
    CLI::App* const app = root.add_subcommand(name, help);
    app->add_option("--config", config, "the cheating host's agent configuration")->required();
    app->callback([&status, verb] { status = verb(); });
    return app;
  };
  add("send-twice", "the same evidence a second time", [&] { return SendTwice(config); });
  add("send-old-quote", "an old quote for a new challenge", [&] { return SendOldQuote(config); });
  add("impersonate", "evidence in another host's name", [&] { return Impersonate(config, victim); })
      ->add_option("--victim", victim, "the victim's agent configuration")
      ->required();
  CLI11_PARSE(root, argc, argv);
  if (status.ok()) {
    std::cout << "accepted\n";
    return 0;
  }
  const std::optional<Reason> reason = ReasonOf(status);
  std::cout << (reason.has_value() ? Code(*reason) : absl::string_view("no reason")) << ": "
            << status.message() << "\n";
  return static_cast<int>(ExitCodeOf(status));
}

}  // namespace
}  // namespace bootgate::agent::app

int main(int argc, char** argv) { return bootgate::agent::app::Main(argc, argv); }

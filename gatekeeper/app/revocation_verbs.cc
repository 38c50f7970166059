#include "gatekeeper/app/revocation_verbs.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "gatekeeper/cli/credentials.h"
#include "gatekeeper/cli/crl_show.h"

namespace bootgate::gatekeeper::app {
namespace {

void AddList(CLI::App* credential, CommandLine& line) {
  CLI::App* const app = credential->add_subcommand("list", "what hosts were given");
  const auto options = std::make_shared<cli::CredentialListOptions>();
  app->add_option("--host", options->host_id, "of this host alone");
  app->add_flag("--revoked", options->revoked, "only what is revoked and has not expired");
  AddWhere(app, line);
  AddOutput(app, line);
  app->callback([&line, options] {
    line.verb = [&line, options] {
      return WithStore(line, [options](const Config&, const cli::Operator& op) {
        return cli::CredentialList(op, *options);
      });
    };
  });
}

void AddRevoke(CLI::App* credential, CommandLine& line) {
  CLI::App* const app = credential->add_subcommand(
      "revoke", "take one back: it is refused at once, and others are told within a second");
  const auto options = std::make_shared<cli::CredentialRevokeOptions>();
  app->add_option("SERIAL", options->serial, "its serial, as `credential list` has it")->required();
  app->add_option("--reason", options->reason, "why, for the audit trail")->required();
  app->add_option("--code", options->code,
                  "why, for the CRL: unspecified, key-compromise, superseded, "
                  "cessation-of-operation, privilege-withdrawn, affiliation-changed, ca-compromise")
      ->capture_default_str();
  AddWhere(app, line);
  AddOutput(app, line);
  app->footer("A host that is still good gets a new credential at its next attestation.");
  app->callback([&line, options] {
    line.verb = [&line, options] {
      return WithStore(line, [options](const Config&, const cli::Operator& op) {
        return cli::CredentialRevoke(op, *options);
      });
    };
  });
}

void AddCrlShow(CLI::App* crl, CommandLine& line) {
  CLI::App* const app = crl->add_subcommand("show", "what a list says, of any CA");
  const auto options = std::make_shared<cli::CrlShowOptions>();
  app->add_option("FILE", options->file, "CRL in DER or PEM; - for standard input")->required();
  app->add_option("--ca", options->ca_file, "PEM file with the CA's certificate: did it sign?");
  AddOutput(app, line);
  app->footer("exit code: 0; 7 when it is no CRL, or the CA did not sign it");
  app->callback([&line, options] {
    line.verb = [&line, options] {
      return cli::CrlShow(*options, {line.format(), std::cin, std::cout, std::cerr, SystemClock()});
    };
  });
}

}  // namespace

void AddRevocationVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const credential =
      root.add_subcommand("credential", "the credentials of hosts, and taking them back");
  credential->require_subcommand(1);
  AddList(credential, line);
  AddStoreVerb(credential, "show", "one of them", line, "SERIAL", "its serial",
               cli::CredentialShow);
  AddRevoke(credential, line);
  CLI::App* const crl = root.add_subcommand("crl", "certificate revocation lists");
  crl->require_subcommand(1);
  AddCrlShow(crl, line);
}

}  // namespace bootgate::gatekeeper::app

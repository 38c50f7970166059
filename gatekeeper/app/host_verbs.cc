#include "gatekeeper/app/host_verbs.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "gatekeeper/cli/host_changes.h"

namespace bootgate::gatekeeper::app {
namespace {

using Verb = std::function<ExitCode(const cli::Operator&, const cli::HostChange&)>;

// The verb's app, for further arguments.
CLI::App* AddChange(CLI::App* host, const std::string& name, const std::string& help,
                    const std::string& which, CommandLine& line, Verb verb) {
  CLI::App* const app = host->add_subcommand(name, help);
  const auto change = std::make_shared<cli::HostChange>();
  app->add_option(which, change->host_id, "host id")->required();
  app->add_option("--reason", change->reason, "why; it stays in the audit trail")->required();
  app->add_option("--ticket", change->ticket, "the ticket it belongs to");
  AddWhere(app, line);
  AddOutput(app, line);
  app->callback([&line, change, verb = std::move(verb)] {
    line.verb = [&line, change, verb] {
      return WithStore(line,
                       [&](const Config&, const cli::Operator& op) { return verb(op, *change); });
    };
  });
  return app;
}

}  // namespace

void AddHostChangeVerbs(CLI::App* host, CommandLine& line) {
  AddChange(host, "retire", "take a host out of service; its credentials are revoked", "HOST", line,
            cli::HostRetire);
  AddChange(host, "reinstate", "take a retired host back: pending, or shut out as it was", "HOST",
            line, cli::HostReinstate);
  AddChange(host, "accept-clear", "its TPM was cleared: let the counters start anew once", "HOST",
            line, cli::HostAcceptClear);
  const auto new_id = std::make_shared<std::string>();
  CLI::App* const swap =
      AddChange(host, "swap-tpm", "a machine has a new TPM: link its new record to the old one",
                "OLD", line, [new_id](const cli::Operator& op, const cli::HostChange& change) {
                  return cli::HostSwapTpm(op, change, *new_id);
                });
  swap->add_option("NEW", *new_id, "host id that the machine has joined as")->required();
  swap->footer(
      "Labels go over to NEW, which is approved but not trusted; OLD is retired.\n"
      "Refused while OLD is quarantined.");
}

}  // namespace bootgate::gatekeeper::app

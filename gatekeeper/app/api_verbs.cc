#include "gatekeeper/app/api_verbs.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "gatekeeper/app/operators_port.h"
#include "gatekeeper/app/weak_options.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/client/client_config.h"
#include "gatekeeper/operators/operators_server.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::app {
namespace {

constexpr char kWhere[] = "Which gatekeeper";

// The service over this machine's own store, inside this process.
struct LocalService {
  std::unique_ptr<store::Store> store;
  std::unique_ptr<pki::Authority> authority;
  std::unique_ptr<operators::OperatorsServer> server;
};

absl::StatusOr<LocalService> OpenLocal(const Config& config) {
  LocalService out;
  BG_ASSIGN_OR_RETURN(out.store, store::OpenSqlite({.path = config.store_path()}));
  BG_ASSIGN_OR_RETURN(pki::Authority authority,
                      pki::Authority::Open({.folder = config.ca_folder()}, SystemClock().Now(),
                                           pki::StatusUrlsBelow(config.http.public_url)));
  out.authority = std::make_unique<pki::Authority>(std::move(authority));
  BG_ASSIGN_OR_RETURN(
      out.server,
      operators::OperatorsServer::StartLocal(
          OperatorsBackend(config, *out.store, SystemClock(), *out.authority), cli::ActorName()));
  return out;
}

client::Console ConsoleOver(client::Api& api, const CommandLine& line) {
  return {.api = api, .format = line.format(), .out = std::cout, .err = std::cerr};
}

ExitCode RunRemote(const CommandLine& line, const client::ServerOptions& server,
                   const ApiVerb& verb) {
  const absl::StatusOr<std::unique_ptr<client::Api>> api = client::Api::Connect(server);
  if (!api.ok()) return cli::Fail(std::cerr, api.status());
  return verb(ConsoleOver(**api, line));
}

ExitCode RunLocal(const CommandLine& line, const ApiVerb& verb) {
  const absl::StatusOr<Config> config = LoadConfig(line.config_path());
  if (!config.ok()) return NoConfig(line, config.status());
  SetLogLevel(LogLevel::kError);  // a refusal is said to the one at the keyboard
  const absl::StatusOr<LocalService> local = OpenLocal(*config);
  if (!local.ok()) return cli::Fail(std::cerr, local.status());
  ExitCode code;
  {
    const std::unique_ptr<client::Api> api = client::Api::Over(local->server->Channel());
    code = verb(ConsoleOver(*api, line));
  }
  local->server->Shutdown(absl::InfinitePast());
  if (line.tells_weak_options) std::cerr << WeakOptionsText(*config);
  return code;
}

// The gatekeeper of this machine is asked for by its configuration; else the file of an operator's
// machine is looked at.
absl::StatusOr<client::ServerOptions> ServerOf(const CommandLine& line) {
  const bool local = !line.folder.empty() || line.config_file != kDefaultConfig;
  if (local && line.server.address.empty()) return line.server;
  return client::WithConfig(line.server, client::kClientConfig);
}

ExitCode RunVerb(const CommandLine& line, const ApiVerb& verb) {
  const absl::StatusOr<client::ServerOptions> server = ServerOf(line);
  if (!server.ok()) return cli::Fail(std::cerr, server.status());
  return server->address.empty() ? RunLocal(line, verb) : RunRemote(line, *server, verb);
}

void AddServer(CLI::App* app, CommandLine& line) {
  app->add_option("--server", line.server.address,
                  "HOST:PORT of a gatekeeper's operators' port; none: this machine's own store")
      ->envname("BOOTGATE_SERVER")
      ->group(kWhere);
  app->add_option("--identity", line.server.identity,
                  "with --server: PEM file with the operator's certificate, chain and key")
      ->envname("BOOTGATE_IDENTITY")
      ->group(kWhere);
  app->add_option("--ca", line.server.ca, "with --server: PEM file with the cluster's root")
      ->envname("BOOTGATE_CA")
      ->group(kWhere);
  app->add_option("--server-name", line.server.name,
                  "with --server: the name that its certificate must have, if not HOST")
      ->envname("BOOTGATE_SERVER_NAME")
      ->group(kWhere);
}

}  // namespace

CLI::App* AddApiVerb(CLI::App* parent, const std::string& name, const std::string& help,
                     CommandLine& line, ApiVerb verb) {
  CLI::App* const app = parent->add_subcommand(name, help);
  AddServer(app, line);
  AddWhere(app, line);
  AddOutput(app, line);
  app->callback([&line, verb = std::move(verb)] {
    line.verb = [&line, verb] { return RunVerb(line, verb); };
  });
  return app;
}

void AddTargets(CLI::App* app, client::Targets* targets) {
  app->add_option("HOST", targets->hosts, "host ids");
  app->add_option("--selector,--label,--labels", targets->selector,
                  "in their place: all that bear these labels, as name=value[,name=value]");
  app->add_flag("--dry-run", targets->dry_run, "say what would become of each, and change nothing");
}

}  // namespace bootgate::gatekeeper::app

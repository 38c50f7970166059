#include "gatekeeper/app/command_line.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <utility>

#include "common/base/clock.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"

namespace bootgate::gatekeeper::app {

void AddOutput(CLI::App* app, CommandLine& line) {
  app->add_option("-o,--output", line.output, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
}

void AddWhere(CLI::App* app, CommandLine& line) {
  app->add_option("--config", line.config_file, "configuration file of the gatekeeper")
      ->capture_default_str();
  app->add_option("--dir", line.folder, "folder made by `init`, instead of --config");
}

ExitCode NoConfig(const CommandLine& line, const absl::Status& status) {
  if (!absl::IsNotFound(status)) return cli::Fail(std::cerr, status);
  std::cerr << "error: no gatekeeper here: there is no " << line.config_path() << "\n"
            << "       make one with: bootgate-gatekeeper init --dir DIR\n";
  return ExitCode::kUsage;
}

ExitCode WithStore(const CommandLine& line, const StoreVerb& verb) {
  const absl::StatusOr<Config> config = LoadConfig(line.config_path());
  if (!config.ok()) return NoConfig(line, config.status());
  const absl::StatusOr<std::unique_ptr<store::Store>> store =
      store::OpenSqlite({.path = config->store_path()});
  if (!store.ok()) return cli::Fail(std::cerr, store.status());
  const cli::Operator op{.store = **store,
                         .clock = SystemClock(),
                         .actor = cli::ActorName(),
                         .format = line.format(),
                         .out = std::cout,
                         .err = std::cerr};
  return verb(*config, op);
}

CLI::App* AddStoreVerb(CLI::App* parent, const std::string& name, const std::string& help,
                       CommandLine& line, StoreVerb verb) {
  CLI::App* const app = parent->add_subcommand(name, help);
  AddWhere(app, line);
  AddOutput(app, line);
  app->callback([&line, verb = std::move(verb)] {
    line.verb = [&line, verb] { return WithStore(line, verb); };
  });
  return app;
}

void AddStoreVerb(CLI::App* parent, const std::string& name, const std::string& help,
                  CommandLine& line, ExitCode (*verb)(const cli::Operator&)) {
  AddStoreVerb(parent, name, help, line,
               StoreVerb([verb](const Config&, const cli::Operator& op) { return verb(op); }));
}

void AddStoreVerb(CLI::App* parent, const std::string& name, const std::string& help,
                  CommandLine& line, const std::string& argument, const std::string& argument_help,
                  ExitCode (*verb)(const cli::Operator&, const std::string&)) {
  const auto value = std::make_shared<std::string>();
  AddStoreVerb(
      parent, name, help, line,
      StoreVerb([verb, value](const Config&, const cli::Operator& op) { return verb(op, *value); }))
      ->add_option(argument, *value, argument_help)
      ->required();
}

void AddDocumentVerb(CLI::App* parent, const std::string& name, const std::string& help,
                     CommandLine& line,
                     ExitCode (*verb)(const cli::Operator&, const std::string&,
                                      const std::string&)) {
  CLI::App* const app = parent->add_subcommand(name, help);
  const auto file = std::make_shared<std::string>();
  const auto selector = std::make_shared<std::string>();
  app->add_option("FILE", *file)->required();
  app->add_option(
      "--for", *selector,
      "only hosts with these labels, as label=value[,label=value]; else the default for all");
  AddWhere(app, line);
  AddOutput(app, line);
  app->callback([&line, verb, file, selector] {
    line.verb = [&line, verb, file, selector] {
      return WithStore(
          line, [&](const Config&, const cli::Operator& op) { return verb(op, *file, *selector); });
    };
  });
}

}  // namespace bootgate::gatekeeper::app

// What the verbs' command lines share: options that many have, and running a verb on the store.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "common/base/exit_code.h"
#include "gatekeeper/app/config.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/client/api.h"

namespace CLI {
class App;
}

namespace bootgate::gatekeeper::app {

inline constexpr char kDefaultConfig[] = "/etc/bootgate/gatekeeper.toml";

// Options that many verbs share, and the verb that was chosen.
struct CommandLine {
  std::string config_file = kDefaultConfig;
  std::string folder;  // of `init`; names the configuration inside it
  std::string output = "table";
  client::ServerOptions server;  // whose API a verb goes to; no address: this machine's own store
  std::function<ExitCode()> instead;  // of `verb`, where an option says so
  bool tells_weak_options = false;    // what makes checks weaker than they would be, behind a list
  std::function<ExitCode()> verb;

  std::string config_path() const {
    return folder.empty() ? config_file : folder + "/gatekeeper.toml";
  }
  cli::OutputFormat format() const {
    return output == "json" ? cli::OutputFormat::kJson : cli::OutputFormat::kTable;
  }
};

// The options -o, and --config or --dir.
void AddOutput(CLI::App* app, CommandLine& line);
void AddWhere(CLI::App* app, CommandLine& line);

// Tells the operator that there is no configuration, or what is wrong with it.
ExitCode NoConfig(const CommandLine& line, const absl::Status& status);

using StoreVerb = std::function<ExitCode(const Config&, const cli::Operator&)>;

// Opens the store that the configuration names and runs one operator's verb on it.
ExitCode WithStore(const CommandLine& line, const StoreVerb& verb);

// A verb on the store; what is returned takes its further options.
CLI::App* AddStoreVerb(CLI::App* parent, const std::string& name, const std::string& help,
                       CommandLine& line, StoreVerb verb);

// A verb on the store without further options.
void AddStoreVerb(CLI::App* parent, const std::string& name, const std::string& help,
                  CommandLine& line, ExitCode (*verb)(const cli::Operator&));

// A verb on the store with one argument.
void AddStoreVerb(CLI::App* parent, const std::string& name, const std::string& help,
                  CommandLine& line, const std::string& argument, const std::string& argument_help,
                  ExitCode (*verb)(const cli::Operator&, const std::string&));

// `reference import FILE`: a document, and for whom.
void AddDocumentVerb(CLI::App* parent, const std::string& name, const std::string& help,
                     CommandLine& line,
                     ExitCode (*verb)(const cli::Operator&, const std::string&,
                                      const std::string&));

}  // namespace bootgate::gatekeeper::app

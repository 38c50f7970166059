#include "gatekeeper/app/join_token_verbs.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "gatekeeper/cli/join_tokens.h"
#include "gatekeeper/cli/labels.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::app {
namespace {

struct JoinTokenArguments {
  cli::JoinTokenOptions options;
  std::vector<std::string> labels;
  std::string ttl = "1h";
};

ExitCode CreateJoinToken(const CommandLine& line, JoinTokenArguments arguments) {
  return WithStore(line, [&](const Config& config, const cli::Operator& op) {
    cli::JoinTokenOptions& options = arguments.options;
    if (!absl::ParseDuration(arguments.ttl, &options.ttl) || options.ttl <= absl::ZeroDuration()) {
      return cli::Fail(op.err, absl::InvalidArgumentError("--ttl: write 30m, 1h or 24h"));
    }
    absl::StatusOr<cli::Labels> labels = cli::ParseLabels(arguments.labels);
    if (!labels.ok()) return cli::Fail(op.err, labels.status());
    options.labels = *std::move(labels);
    const absl::StatusOr<pki::Authority> authority =
        pki::Authority::Open({.folder = config.ca_folder()}, op.clock.Now());
    if (!authority.ok()) return cli::Fail(op.err, authority.status());
    options.ca_pem = authority->roots_pem();
    options.cluster_id = config.cluster_id;
    if (options.gatekeeper.empty()) options.gatekeeper = config.listen.agents;
    return cli::JoinTokenCreate(op, options);
  });
}

void AddCreate(CLI::App* token, CommandLine& line) {
  CLI::App* const create = token->add_subcommand("create", "make a join file");
  const auto arguments = std::make_shared<JoinTokenArguments>();
  create
      ->add_option("--out", arguments->options.out_file,
                   "file to write, readable by you alone; - for standard output")
      ->required();
  create->add_option("--address", arguments->options.gatekeeper,
                     "what agents dial; default: listen.agents");
  create->add_option("--server-name", arguments->options.server_name,
                     "name in the server certificate, if it is not the address's host");
  create->add_option(
      "--label,--labels", arguments->labels,
      "labels of hosts that join with it, as name=value[,name=value]; may be given several times");
  create->add_option("--uses", arguments->options.uses, "how many hosts may join with it")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  create->add_option("--ttl", arguments->ttl, "how long it is good")->capture_default_str();
  create->add_flag("--approve", arguments->options.approves,
                   "hosts that join with it need no `host approve`");
  AddWhere(create, line);
  AddOutput(create, line);
  create->callback([&line, arguments] {
    line.verb = [&line, arguments] { return CreateJoinToken(line, *arguments); };
  });
}

}  // namespace

void AddJoinTokenVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const token = root.add_subcommand("join-token", "how new hosts come in");
  token->require_subcommand(1);
  AddCreate(token, line);
  AddStoreVerb(token, "list", "all tokens, and which are still good", line, cli::JoinTokenList);
  AddStoreVerb(token, "show", "one token", line, "TOKEN", "its id: t-...", cli::JoinTokenShow);
  AddStoreVerb(token, "revoke", "let nobody join with it any more", line, "TOKEN", "its id: t-...",
               cli::JoinTokenRevoke);
}

}  // namespace bootgate::gatekeeper::app

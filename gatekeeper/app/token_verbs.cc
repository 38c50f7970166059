#include "gatekeeper/app/token_verbs.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "gatekeeper/cli/token_keys.h"
#include "gatekeeper/cli/token_verify.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::app {
namespace {

using KeyVerb = std::function<ExitCode(const cli::Operator&, token::KeyRing&)>;

// Opens the key folder that the configuration names: it takes the CA to make a new key.
ExitCode WithKeys(const CommandLine& line, const KeyVerb& verb) {
  return WithStore(line, [&](const Config& config, const cli::Operator& op) {
    const auto authority = pki::Authority::Open({.folder = config.ca_folder()}, op.clock.Now());
    if (!authority.ok()) return cli::Fail(op.err, authority.status());
    const auto alg = jose::JwsAlgFromName(config.token.algorithm);
    const auto keys = token::KeyRing::Open({.folder = config.token_key_folder(),
                                            .alg = alg.value_or(jose::JwsAlg::kEs256),
                                            .rotate_every = config.token.rotate_every},
                                           *authority, op.clock);
    if (!keys.ok()) return cli::Fail(op.err, keys.status());
    return verb(op, **keys);
  });
}

CLI::App* AddKeyVerb(CLI::App* parent, const std::string& name, const std::string& help,
                     CommandLine& line, KeyVerb verb) {
  CLI::App* const app = parent->add_subcommand(name, help);
  AddWhere(app, line);
  AddOutput(app, line);
  app->callback([&line, verb = std::move(verb)] {
    line.verb = [&line, verb] { return WithKeys(line, verb); };
  });
  return app;
}

void AddKeyVerbs(CLI::App* token, CommandLine& line) {
  CLI::App* const key = token->add_subcommand("key", "the keys that sign tokens");
  key->require_subcommand(1);
  AddKeyVerb(key, "list", "the key that signs, and those still published", line, cli::TokenKeyList);
  AddKeyVerb(key, "rotate", "have a new key sign from now on", line, cli::TokenKeyRotate);
  const auto kid = std::make_shared<std::string>();
  const auto withdraw = std::make_shared<bool>(false);
  CLI::App* const retire =
      AddKeyVerb(key, "retire", "have a key sign no more", line,
                 [kid, withdraw](const cli::Operator& op, token::KeyRing& keys) {
                   return cli::TokenKeyRetire(op, keys, *kid,
                                              *withdraw ? token::Retirement::kWithdraw
                                                        : token::Retirement::kKeepPublished);
                 });
  retire->add_option("KEY", *kid, "its name, as `token key list` has it")->required();
  retire->add_flag("--withdraw", *withdraw,
                   "stop publishing it, too: its tokens are worth nothing any more");
}

void AddVerify(CLI::App* token, CommandLine& line) {
  CLI::App* const app = token->add_subcommand("verify", "is this token good, and what does it say");
  const auto options = std::make_shared<cli::TokenVerifyOptions>();
  app->add_option("FILE", options->file, "the token; - for standard input")->required();
  CLI::Option* const jwks = app->add_option("--jwks", options->jwks_file,
                                            "key set, as the gatekeeper serves it at /certs");
  app->add_option("--issuer", options->issuer, "the URL that the token must name as its issuer");
  app->add_option("--config", line.config_file, "configuration of the gatekeeper whose keys count")
      ->capture_default_str();
  app->add_option("--dir", line.folder, "folder made by `init`, instead of --config")
      ->excludes(jwks);
  AddOutput(app, line);
  app->footer("exit code: 0 good; 7 not good");
  app->callback([&line, options] {
    line.verb = [&line, options] {
      if (options->jwks_file.empty()) {
        const absl::StatusOr<Config> config = LoadConfig(line.config_path());
        if (!config.ok()) return NoConfig(line, config.status());
        options->key_folder = config->token_key_folder();
      }
      return cli::TokenVerify(*options,
                              {line.format(), std::cin, std::cout, std::cerr, SystemClock()});
    };
  });
}

}  // namespace

void AddTokenVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const token = root.add_subcommand(
      "token", "tokens that relying parties verify, and the keys that sign them");
  token->require_subcommand(1);
  AddKeyVerbs(token, line);
  AddVerify(token, line);
}

}  // namespace bootgate::gatekeeper::app

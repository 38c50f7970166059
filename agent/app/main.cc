// bootgate-agent: proves to the gatekeeper how this host booted and what it runs.
#include <CLI/CLI.hpp>
#include <csignal>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include "agent/app/config.h"
#include "agent/app/host.h"
#include "agent/app/request_options.h"
#include "agent/app/run.h"
#include "agent/app/selftest_verb.h"
#include "agent/app/tpm_key_verbs.h"
#include "agent/app/verbs.h"
#include "common/base/exit_code.h"

namespace bootgate::agent::app {
namespace {

struct CommandLine {
  std::string config_file;  // empty: the default path, which may be missing
  std::string output = "table";
  std::function<ExitCode(const Config&)> verb;

  OutputFormat format() const {
    return output == "json" ? OutputFormat::kJson : OutputFormat::kTable;
  }
};

// A verb with the options that all share.
CLI::App* AddVerb(CLI::App* parent, const std::string& name, const std::string& help,
                  CommandLine& line) {
  CLI::App* const app = parent->add_subcommand(name, help);
  app->add_option("--config", line.config_file,
                  std::string("configuration file; default: ") + kDefaultPath);
  app->add_option("-o,--output", line.output, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  return app;
}

void AddJoin(CLI::App& root, CommandLine& line) {
  CLI::App* const app = AddVerb(&root, "join", "join a gatekeeper with a join file", line);
  const auto file = std::make_shared<std::string>();
  app->add_option("FILE", *file, "made by `bootgate-gatekeeper join-token create`")->required();
  const auto remove = std::make_shared<bool>(false);
  app->add_flag("--delete-file", *remove, "delete FILE once this host has joined");
  app->callback([&line, file, remove] {
    line.verb = [&line, file, remove](const Config& config) {
      return JoinVerb(config, *file, *remove ? AfterJoin::kDeleteFile : AfterJoin::kKeepFile,
                      line.format());
    };
  });
}

void AddRunAndAttest(CLI::App& root, CommandLine& line) {
  CLI::App* const run =
      AddVerb(&root, "run", "attest now and whenever it is time, until told to stop", line);
  run->callback([&line] { line.verb = [](const Config& config) { return Run(config); }; });
  CLI::App* const attest = AddVerb(&root, "attest", "attest once and print the verdict", line);
  const auto once = std::make_shared<bool>(false);
  attest->add_flag("--once", *once, "the default, and the only way: `run` attests again and again");
  const std::shared_ptr<const RequestWords> words = AddRequestOptions(*attest);
  attest->callback([&line, words, once] {  // `once` lives as long as its option
    line.verb = [&line, words](const Config& config) {
      return AttestVerb(config, *words, line.format());
    };
  });
  CLI::App* const status =
      AddVerb(&root, "status", "is this host trusted, since when, and if not, why", line);
  status->callback([&line] {
    line.verb = [&line](const Config& config) { return StatusVerb(config, line.format()); };
  });
}

void AddToken(CLI::App& root, CommandLine& line) {
  CLI::App* const token =
      AddVerb(&root, "token", "attest now and print a token for a relying party", line);
  const std::shared_ptr<RequestWords> words = AddRequestOptions(*token);
  token->add_option("--rp-data", words->rp_data_hex,
                    "what the relying party asked to see in the token, in hexadecimal");
  token->add_option("--rp-data-file", words->rp_data_file, "the same, from a file");
  token->callback([&line, words] {
    line.verb = [&line, words](const Config& config) {
      return TokenVerb(config, *words, line.format());
    };
  });
}

void AddTpmKeyVerbs(CLI::App& credential, CommandLine& line) {
  CLI::App* const connect = AddVerb(
      &credential, "connect", "mutual TLS to a server with the key in the TPM, as a pipe", line);
  const auto to = std::make_shared<ConnectWords>();
  connect->add_option("HOST:PORT", to->address, "the server")->required();
  connect->add_option("--ca", to->ca_file,
                      "what its certificate must lead to (PEM); default: the CA that was joined");
  connect->add_option("--name", to->server_name, "what it must name; default: HOST");
  connect->callback([&line, to] {
    line.verb = [to](const Config& config) { return CredentialConnectVerb(config, *to); };
  });
  CLI::App* const sign = AddVerb(
      &credential, "sign", "sign a file's SHA-256 with the key in the TPM (ECDSA, DER)", line);
  const auto words = std::make_shared<SignWords>();
  sign->add_option("--in", words->in_file, "the file; - for standard input")->required();
  sign->add_option("--out", words->out_file, "where the signature goes; default: standard output");
  sign->callback([&line, words] {
    line.verb = [&line, words](const Config& config) {
      return CredentialSignVerb(config, *words, line.format());
    };
  });
}

void AddCredential(CLI::App& root, CommandLine& line) {
  CLI::App* const credential =
      root.add_subcommand("credential", "what the gatekeeper issued to this host");
  credential->require_subcommand(1);
  CLI::App* const show =
      AddVerb(credential, "show", "the certificate, and what it is sealed to", line);
  show->callback([&line] {
    line.verb = [&line](const Config& config) { return CredentialShowVerb(config, line.format()); };
  });
  CLI::App* const unseal =
      AddVerb(credential, "unseal", "open it with the TPM and install it as PEM files", line);
  const auto folder = std::make_shared<std::string>();
  unseal->add_option("--out", *folder,
                     "folder for the files, on a tmpfs; default: the runtime folder");
  const auto boot_secrets = std::make_shared<bool>(false);
  unseal->add_flag("--boot-secrets", *boot_secrets,
                   "only the secrets that outlive a boot: needs neither network nor clock, and "
                   "does not extend the cap register");
  unseal->callback([&line, folder, boot_secrets] {
    line.verb = [&line, folder, boot_secrets](const Config& config) {
      const UnsealWhat what = *boot_secrets ? UnsealWhat::kBootSecrets : UnsealWhat::kAll;
      return CredentialUnsealVerb(config, what, *folder, line.format());
    };
  });
  AddTpmKeyVerbs(*credential, line);
}

void AddEvidence(CLI::App& root, CommandLine& line) {
  CLI::App* const evidence = root.add_subcommand("evidence", "what proves this boot");
  evidence->require_subcommand(1);
  CLI::App* const export_app = AddVerb(
      evidence, "export", "write it as files for `bootgate-gatekeeper evidence verify`", line);
  const auto folder = std::make_shared<std::string>();
  const auto nonce = std::make_shared<std::string>();
  export_app->add_option("DIR", *folder, "folder to write")->required();
  export_app->add_option("--nonce", *nonce,
                         "qualifying data of the quotes in hexadecimal; default: random");
  export_app->callback([&line, folder, nonce] {
    line.verb = [&line, folder, nonce](const Config& config) {
      return EvidenceExportVerb(config, *folder, *nonce, line.format());
    };
  });
}

void AddSelftest(CLI::App& root, CommandLine& line) {
  CLI::App* const app = AddVerb(
      &root, "selftest", "would this host pass a policy? judged here; nothing is sent", line);
  const auto words = std::make_shared<SelftestWords>();
  app->add_option("--policy", words->policy_file, "the policy's file")->required();
  app->add_option("--reference", words->reference_file, "reference values to compare with");
  app->add_option("--set", words->set_files, "an IMA set that the reference names; repeatable");
  app->add_option("--selection", words->selection,
                  "registers to quote, as the gatekeeper is configured; default: sha256:0-14");
  app->callback([&line, words] {
    line.verb = [&line, words](const Config& config) {
      return SelftestVerb(config, *words, line.format());
    };
  });
}

int Main(int argc, char** argv) {
  // A TPM simulator or resource manager that goes away in the middle of a command is an error of
  // that command, not our end.
  std::signal(SIGPIPE, SIG_IGN);
  CommandLine line;
  CLI::App root("Bootgate agent: proves how this host booted and what it runs.");
  root.set_version_flag("--version", std::string("bootgate-agent ") + kAgentVersion);
  root.require_subcommand(1);
  AddJoin(root, line);
  AddRunAndAttest(root, line);
  AddToken(root, line);
  AddCredential(root, line);
  AddEvidence(root, line);
  AddSelftest(root, line);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version end here too, with 0.
    return root.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  const bool named = !line.config_file.empty();
  const absl::StatusOr<Config> config = LoadConfig(named ? line.config_file : kDefaultPath, named);
  if (!config.ok()) {
    std::cerr << "error: " << config.status().message() << "\n";
    return static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(line.verb(*config));
}

}  // namespace
}  // namespace bootgate::agent::app

int main(int argc, char** argv) {
  try {
    return bootgate::agent::app::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return static_cast<int>(bootgate::ExitCode::kInternal);
  }
}

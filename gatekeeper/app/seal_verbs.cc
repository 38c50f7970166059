#include "gatekeeper/app/seal_verbs.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "gatekeeper/app/ca_verbs.h"
#include "gatekeeper/app/sealing_options.h"
#include "gatekeeper/cli/approvals.h"
#include "gatekeeper/cli/approving_key.h"
#include "gatekeeper/cli/secrets.h"

namespace bootgate::gatekeeper::app {
namespace {

constexpr char kSelectorHelp[] =
    "hosts with these labels: label=value, several with commas between";

using ApprovalVerb = std::function<ExitCode(const cli::Operator&, const sealing::Options&)>;

CLI::App* AddApprovalVerb(CLI::App* parent, const std::string& name, const std::string& help,
                          CommandLine& line, ApprovalVerb verb) {
  return AddStoreVerb(parent, name, help, line,
                      [verb = std::move(verb)](const Config& config, const cli::Operator& op) {
                        const absl::StatusOr<sealing::Options> options = SealingOptions(config);
                        if (!options.ok()) return cli::Fail(op.err, options.status());
                        return verb(op, *options);
                      });
}

void AddPut(CLI::App* secret, CommandLine& line) {
  const auto options = std::make_shared<cli::SecretPutOptions>();
  CLI::App* const put =
      AddStoreVerb(secret, "put", "keep a secret, or give it another value", line,
                   [options](const Config& config, const cli::Operator& op) {
                     return cli::SecretPut(op, config.sealing_folder(), *options, std::cin);
                   });
  put->add_option("NAME", options->name, "what hosts find it as, in their folder secrets/")
      ->required();
  put->add_option("--selector", options->selector,
                  std::string(kSelectorHelp) + "; default: every host");
  CLI::Option* const file =
      put->add_option("--file", options->file, "file with the value; - for standard input");
  put->add_option("--per-host", options->per_host,
                  "random: every host has a value of its own, 64 hexadecimal digits that nobody "
                  "chooses or sees; again: new ones")
      ->check(CLI::IsMember({"random"}))
      ->excludes(file);
  put->add_flag("--across-boots", options->across_boots,
                "hosts open it at their next start, before they attest: a disk key, say");
}

}  // namespace

void AddSecretVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const secret = root.add_subcommand(
      "secret", "what hosts are given beside their credentials, by label; values are never shown");
  secret->require_subcommand(1);
  AddPut(secret, line);
  AddStoreVerb(secret, "list", "all secrets, and for whom they are", line,
               [](const Config& config, const cli::Operator& op) {
                 return cli::SecretList(op, config.sealing_folder());
               });
  const auto shown = std::make_shared<std::string>();
  AddStoreVerb(secret, "show", "one secret, and the hosts that get it", line,
               [shown](const Config& config, const cli::Operator& op) {
                 return cli::SecretShow(op, config.sealing_folder(), *shown);
               })
      ->add_option("NAME", *shown)
      ->required();
  const auto name = std::make_shared<std::string>(), selector = std::make_shared<std::string>();
  CLI::App* const remove =
      AddStoreVerb(secret, "remove", "keep it no longer; hosts lose it with their next attestation",
                   line, [name, selector](const Config& config, const cli::Operator& op) {
                     return cli::SecretRemove(op, config.sealing_folder(), *name, *selector);
                   });
  remove->add_option("NAME", *name)->required();
  remove->add_option("--selector", *selector, "that of this selector; default: that of every host");
  AddStoreVerb(
      secret, "rotate",
      "encrypt what lies in the store under a new key, and drop the old one: what was removed "
      "is then gone for good",
      line, [](const Config& config, const cli::Operator& op) {
        return cli::SecretRotate(op, config.sealing_folder());
      });
}

void AddApprovingKeyVerbs(CLI::App* approval, CommandLine& line) {
  CLI::App* const key = approval->add_subcommand("key", "the key that approves states");
  key->require_subcommand(1);
  AddStoreVerb(key, "show", "who holds it; made when there is none", line,
               [](const Config& config, const cli::Operator& op) {
                 return cli::ApprovingKeyShow(op, config.sealing_folder());
               });
  const auto options = std::make_shared<cli::ApprovingKeyMakeOptions>();
  CLI::App* const make =
      AddStoreVerb(key, "make", "make it in a file, a token or the TPM", line,
                   [options](const Config& config, const cli::Operator& op) {
                     return cli::ApprovingKeyMake(op, config.sealing_folder(), *options);
                   });
  AddKeyOptions(make, &options->key);
  make->add_flag("--replace", options->replace,
                 "in place of the present one: no approval stands any more, and what hosts hold "
                 "is sealed anew with their next attestation");
}

void AddApprovalVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const approval = root.add_subcommand(
      "approval", "states that hosts may come to without losing their secrets across boots");
  approval->require_subcommand(1);
  const auto options = std::make_shared<cli::ApprovalCreateOptions>();
  const auto selector = std::make_shared<std::string>();
  CLI::App* create = nullptr;
  const auto chosen = std::make_shared<CLI::Option*>(nullptr);
  create = AddApprovalVerb(
      approval, "create", "approve the state after a planned change", line,
      [options, selector, chosen](const cli::Operator& op, const sealing::Options& sealing) {
        if ((*chosen)->count() > 0) options->selector = *selector;
        return cli::ApprovalCreate(op, sealing, *options, std::cin);
      });
  CLI::Option* const host = create->add_option("--host", options->host, "one host, by its id");
  *chosen = create->add_option("--selector", *selector, kSelectorHelp)->excludes(host);
  create->add_option("--eventlog-replace", options->replacements,
                     "EVENT=BANK:DIGEST, in hexadecimal: what `eventlog predict --replace` takes; "
                     "counted in each host's own boot log; may be given several times");
  create->add_option("--registers", options->registers_file,
                     "JSON with the registers that will be different, as `eventlog predict -o "
                     "json` writes it; - for standard input");
  create->add_option("--expires", options->expires, "36h, 7d or a time as 2026-12-01T00:00:00Z")
      ->required();
  create->add_option("--reason", options->reason, "what is planned; goes into the audit log")
      ->required();
  create->footer("exit code: 0; 11 when some of the hosts could not be approved for");
  AddApprovingKeyVerbs(approval, line);
  AddApprovalVerb(approval, "list", "all approvals", line, cli::ApprovalList);
  const auto shown = std::make_shared<std::string>();
  AddApprovalVerb(approval, "show", "one approval, with its hosts", line,
                  [shown](const cli::Operator& op, const sealing::Options& sealing) {
                    return cli::ApprovalShow(op, sealing, *shown);
                  })
      ->add_option("APPROVAL", *shown)
      ->required();
  const auto revoked = std::make_shared<std::string>(), why = std::make_shared<std::string>();
  CLI::App* const revoke =
      AddApprovalVerb(approval, "revoke", "take an approval back", line,
                      [revoked, why](const cli::Operator& op, const sealing::Options& sealing) {
                        return cli::ApprovalRevoke(op, sealing, *revoked, *why);
                      });
  revoke->add_option("APPROVAL", *revoked)->required();
  revoke->add_option("--reason", *why, "goes into the audit log")->required();
}

}  // namespace bootgate::gatekeeper::app

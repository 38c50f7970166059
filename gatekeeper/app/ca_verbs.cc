#include "gatekeeper/app/ca_verbs.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "common/base/clock.h"
#include "gatekeeper/cli/ca_root_list.h"

namespace bootgate::gatekeeper::app {
namespace {

constexpr char kSecretHelp[] =
    "passphrase or PIN: credential:NAME (systemd), file:/PATH (0600) or typed";

void AddInit(CLI::App* ca, CommandLine& line) {
  const auto options = std::make_shared<cli::CaInitOptions>();
  CLI::App* const app =
      AddStoreVerb(ca, "init", "make the CAs of a gatekeeper that has none", line,
                   [options](const Config& config, const cli::Operator& op) {
                     const absl::StatusOr<pki::CaPlan> plan = cli::PlanOf(
                         *options, config.ca_folder(), config.cluster_id, config.trust_domain);
                     return plan.ok() ? cli::CaInit(op, *plan) : cli::Fail(op.err, plan.status());
                   });
  AddCaOptions(app, options.get());
}

void AddLook(CLI::App* ca, CommandLine& line) {
  AddStoreVerb(ca, "list", "all CAs: state, what they sign, who holds their keys", line,
               [](const Config& config, const cli::Operator& op) {
                 return cli::CaList(op, config.ca_folder());
               });
  const auto id = std::make_shared<std::string>();
  AddStoreVerb(ca, "show", "one CA", line,
               [id](const Config& config, const cli::Operator& op) {
                 return cli::CaShow(op, config.ca_folder(), *id);
               })
      ->add_option("CA", *id, "its id, as `ca list` has it")
      ->required();
}

void AddRotation(CLI::App* ca, CommandLine& line) {
  const auto options = std::make_shared<cli::CaRotateOptions>();
  CLI::App* const rotate =
      AddStoreVerb(ca, "rotate", "prepare the next CA; it signs once activated", line,
                   [options](const Config& config, const cli::Operator& op) {
                     return cli::CaRotate(op, config.ca_folder(), *options);
                   });
  rotate->add_option("--for", options->use, "hosts, aks, servers, operators, or root")
      ->capture_default_str();
  rotate->add_option("--lifetime", options->lifetime, "of the new CA")->capture_default_str();
  rotate->add_option("--root-secret", options->root_secret,
                     "--for root: passphrase of the new root's key");
  AddKeyOptions(rotate, &options->key);

  const auto activate = std::make_shared<cli::CaActivateOptions>();
  CLI::App* const active = AddStoreVerb(ca, "activate", "have a prepared CA sign from now on", line,
                                        [activate](const Config& config, const cli::Operator& op) {
                                          return cli::CaActivate(op, config.ca_folder(), *activate);
                                        });
  active->add_option("CA", activate->id, "its id")->required();
  active->add_flag("--force", activate->force,
                   "also while hosts do not have the trust bundle that it is in");

  const auto removed = std::make_shared<std::string>();
  AddStoreVerb(ca, "remove", "forget a CA that has expired, with its files", line,
               [removed](const Config& config, const cli::Operator& op) {
                 return cli::CaRemove(op, config.ca_folder(), *removed);
               })
      ->add_option("CA", *removed, "its id")
      ->required();

  const auto tainted = std::make_shared<std::string>();
  const auto why = std::make_shared<std::string>();
  CLI::App* const taint =
      AddStoreVerb(ca, "taint", "believe nothing below a CA any more, at once", line,
                   [tainted, why](const Config& config, const cli::Operator& op) {
                     return cli::CaTaint(op, config.ca_folder(), *tainted, *why);
                   });
  taint->add_option("CA", *tainted, "its id")->required();
  taint->add_option("--reason", *why, "why; goes into the audit trail")->required();
}

void AddForeign(CLI::App* ca, CommandLine& line) {
  const auto csr = std::make_shared<cli::CaCsrOptions>();
  CLI::App* const request =
      AddStoreVerb(ca, "csr", "make a key and a request for a CA that another CA is to certify",
                   line, [csr](const Config& config, const cli::Operator& op) {
                     return cli::CaCsr(op, config.ca_folder(), *csr);
                   });
  request
      ->add_option("--for", csr->use,
                   "hosts, aks, servers, operators; issuing: one CA for all of them")
      ->capture_default_str();
  request->add_option("--out", csr->out_file, "file to write; - for standard output")->required();
  AddKeyOptions(request, &csr->key);

  const auto chain = std::make_shared<std::string>();
  AddStoreVerb(ca, "install-chain", "bring the certificate for a request back, with its chain",
               line,
               [chain](const Config& config, const cli::Operator& op) {
                 return cli::CaInstallChain(op, config.ca_folder(), *chain);
               })
      ->add_option("FILE", *chain, "PEM: issuing CA first, those between, root last")
      ->required();

  CLI::App* const sign =
      ca->add_subcommand("sign-csr", "sign a request, on the machine that has the offline root");
  const auto options = std::make_shared<cli::CaSignCsrOptions>();
  sign->add_option("CSR", options->request_file)->required();
  sign->add_option("--root-dir", options->root_folder, "folder with root.pem and root.key")
      ->required();
  sign->add_option("--root-secret", options->root_secret, kSecretHelp);
  sign->add_option("--for", options->use,
                   "what the CA may issue: hosts, aks, servers, operators; "
                   "issuing: all of them")
      ->required();
  sign->add_option("--lifetime", options->lifetime, "of the CA")->capture_default_str();
  sign->add_option("--out", options->out_file, "chain to write")->required();
  sign->callback([&line, options] {
    line.verb = [options] {
      return cli::CaSignCsr(*options, SystemClock().Now(), std::cout, std::cerr);
    };
  });
}

void AddRootList(CLI::App* ca, CommandLine& line) {
  CLI::App* const sign = ca->add_subcommand(
      "sign-crl", "sign the root's revocation list, on the machine that has the offline root");
  const auto options = std::make_shared<cli::CaSignCrlOptions>();
  sign->add_option("--root-dir", options->root_folder,
                   "folder with root.pem and root.key; the last list is kept in it, too")
      ->required();
  sign->add_option("--root-secret", options->root_secret, kSecretHelp);
  sign->add_option("--revoke", options->revoke,
                   "certificate of a tainted CA (PEM); may be given several times");
  sign->add_option("--lifetime", options->lifetime, "how long the list may be believed")
      ->capture_default_str();
  sign->add_option("--out", options->out_file, "list to write")->required();
  sign->callback([&line, options] {
    line.verb = [options] {
      return cli::CaSignCrl(*options, SystemClock().Now(), std::cout, std::cerr);
    };
  });

  const auto list = std::make_shared<std::string>();
  AddStoreVerb(ca, "install-crl", "bring the root's revocation list here, to be published", line,
               [list](const Config& config, const cli::Operator& op) {
                 return cli::CaInstallCrl(op, config.ca_folder(), *list);
               })
      ->add_option("FILE", *list, "as `ca sign-crl` wrote it")
      ->required();
}

void AddOperatorVerbs(CLI::App* ca, CommandLine& line) {
  CLI::App* const group = ca->add_subcommand("operator", "certificates of operators");
  group->require_subcommand(1);
  const auto options = std::make_shared<cli::OperatorIssueOptions>();
  CLI::App* const issue =
      AddStoreVerb(group, "issue", "make a key here, and a client certificate with roles for it",
                   line, [options](const Config& config, const cli::Operator& op) {
                     return cli::CaOperatorIssue(op, config.ca_folder(), *options);
                   });
  issue->add_option("NAME", options->name, "who: letters, digits, '-', '_', '.', '@'")->required();
  issue->add_option("--role", options->roles, "a role; may be given several times")->required();
  issue->add_option("--out", options->out_folder, "folder to write to")->required();
  issue->add_option("--lifetime", options->lifetime)->capture_default_str();

  const auto listed = std::make_shared<cli::OperatorListOptions>();
  AddStoreVerb(
      group, "list", "certificates that operators have", line,
      [listed](const Config&, const cli::Operator& op) { return cli::CaOperatorList(op, *listed); })
      ->add_flag("--all", listed->all, "expired and revoked ones, too");

  const auto revoked = std::make_shared<cli::OperatorRevokeOptions>();
  CLI::App* const revoke = AddStoreVerb(
      group, "revoke", "have an operator's certificates refused, at once and at every gatekeeper",
      line, [revoked](const Config&, const cli::Operator& op) {
        return cli::CaOperatorRevoke(op, *revoked);
      });
  revoke->add_option("WHO", revoked->who, "a name: all that it has; or one serial")->required();
  revoke->add_option("--reason", revoked->reason, "why; goes into the audit trail")->required();
  revoke->add_option("--code", revoked->code, "for the revocation list (RFC 5280)")
      ->capture_default_str();
}

}  // namespace

void AddKeyOptions(CLI::App* app, cli::CaKeyOptions* key) {
  app->add_option("--holder", key->holder, "who is to hold new keys; default: as now, or a file")
      ->check(CLI::IsMember({"file", "pkcs11", "tpm"}));
  app->add_option("--module", key->module, "pkcs11: path of the module");
  app->add_option("--token", key->token, "pkcs11: label of the token");
  app->add_option("--secret", key->secret, kSecretHelp);
}

void AddCaOptions(CLI::App* app, cli::CaInitOptions* options) {
  app->add_flag("--offline-root", options->offline_root,
                "write the root's key to --root-out alone, to be taken away");
  app->add_option("--root-out", options->root_out, "folder for the offline root's key");
  app->add_flag("--upstream", options->upstream,
                "no root here: requests for another CA are written");
  app->add_option("--root-secret", options->root_secret,
                  "passphrase for the root's key: credential:NAME, file:/PATH or typed");
  AddKeyOptions(app, &options->key);
}

void AddCaVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const ca =
      root.add_subcommand("ca", "the internal CA: issuing CAs, their keys, rotation, taint");
  ca->require_subcommand(1);
  AddInit(ca, line);
  AddLook(ca, line);
  AddRotation(ca, line);
  AddForeign(ca, line);
  AddRootList(ca, line);
  AddOperatorVerbs(ca, line);
}

}  // namespace bootgate::gatekeeper::app

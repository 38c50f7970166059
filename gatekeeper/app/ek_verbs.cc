#include "gatekeeper/app/ek_verbs.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "gatekeeper/cli/ek_inventory.h"
#include "gatekeeper/cli/ek_lists.h"
#include "gatekeeper/cli/ek_roots.h"
#include "gatekeeper/cli/labels.h"

namespace bootgate::gatekeeper::app {
namespace {

CLI::App* AddGroup(CLI::App* parent, const std::string& name, const std::string& help) {
  CLI::App* const app = parent->add_subcommand(name, help);
  app->require_subcommand(1);
  return app;
}

void AddRootAdd(CLI::App* root, CommandLine& line) {
  const auto options = std::make_shared<cli::EkRootAddOptions>();
  CLI::App* const add = AddStoreVerb(
      root, "add", "show a CA of a TPM vendor, and believe it from now on", line,
      [options](const Config&, const cli::Operator& op) { return cli::EkRootAdd(op, *options); });
  add->add_option("FILE", options->file, "PEM, one certificate or more")->required();
  add->add_option("--for", options->use,
                  "ek: certificates of TPMs; ak: of attestation keys, by a cloud")
      ->check(CLI::IsMember({"ek", "ak"}))
      ->capture_default_str();
  add->add_flag("--yes", options->yes, "add all that the file has");
  add->add_option("--fingerprint", options->fingerprint,
                  "add the one with this SHA-256, which you have from its maker");
  add->footer("exit code: 0 added; 9 shown, and nothing added");
}

void AddRootVerbs(CLI::App* ek, CommandLine& line) {
  CLI::App* const root = AddGroup(ek, "root", "CAs of TPM vendors and clouds");
  AddRootAdd(root, line);
  AddStoreVerb(root, "list", "all that count: of the configuration's files, and added ones", line,
               [](const Config& config, const cli::Operator& op) {
                 return cli::EkRootList(op, {.ek = config.ek.roots, .ak = config.ek.ak_roots});
               });
  AddStoreVerb(root, "show", "one that was added", line, "FINGERPRINT",
               "SHA-256, or the first 8 digits or more", cli::EkRootShow);
  const auto which = std::make_shared<std::string>();
  const auto reason = std::make_shared<std::string>();
  CLI::App* const remove = AddStoreVerb(root, "remove", "believe one no more that was added", line,
                                        [which, reason](const Config&, const cli::Operator& op) {
                                          return cli::EkRootRemove(op, *which, *reason);
                                        });
  remove->add_option("FINGERPRINT", *which, "SHA-256, or the first 8 digits or more")->required();
  remove->add_option("--reason", *reason, "for the audit trail");
}

void AddImport(CLI::App* inventory, CommandLine& line) {
  const auto options = std::make_shared<cli::EkInventoryImportOptions>();
  const auto labels = std::make_shared<std::vector<std::string>>();
  CLI::App* const import =
      AddStoreVerb(inventory, "import", "take in a list of TPMs, as CSV or JSON", line,
                   [options, labels](const Config& config, const cli::Operator& op) {
                     absl::StatusOr<cli::Labels> read = cli::ParseLabels(*labels);
                     if (!read.ok()) return cli::Fail(op.err, read.status());
                     options->labels = *std::move(read);
                     options->mode = enroll::EkModeFromName(config.ek.mode).value_or(options->mode);
                     return cli::EkInventoryImport(op, *options);
                   });
  import->add_option("FILE", options->file, "CSV with a column \"ek\", a list of EKs, or JSON")
      ->required();
  import->add_option("--label,--labels", *labels,
                     "label of all of them, as name=value; may be given several times");
  import->footer(
      "An EK is a host id (h-...), or the SHA-256 of its public area, of its\n"
      "SubjectPublicKeyInfo or of its certificate. All of the file is taken in, or nothing.");
}

void AddInventoryVerbs(CLI::App* ek, CommandLine& line) {
  CLI::App* const inventory = AddGroup(ek, "inventory", "TPMs that are ours, before they join");
  AddImport(inventory, line);
  const auto after = std::make_shared<std::string>();
  const auto limit = std::make_shared<int>(0);
  CLI::App* const list = AddStoreVerb(inventory, "list", "what is in it", line,
                                      [after, limit](const Config&, const cli::Operator& op) {
                                        return cli::EkInventoryList(op, *after, *limit);
                                      });
  list->add_option("--after", *after, "only behind this EK");
  list->add_option("--limit", *limit, "at most so many")->check(CLI::Range(1, 1'000'000));
  AddStoreVerb(inventory, "show", "one entry", line, "EK", "as in the list", cli::EkInventoryShow);
  const auto eks = std::make_shared<std::vector<std::string>>();
  CLI::App* const remove = AddStoreVerb(
      inventory, "remove", "take entries out", line,
      [eks](const Config&, const cli::Operator& op) { return cli::EkInventoryRemove(op, *eks); });
  remove->add_option("EK", *eks, "as in the list")->required();
}

void AddListVerbs(CLI::App* ek, CommandLine& line) {
  CLI::App* const crl = AddGroup(ek, "crl", "revocation lists of TPM vendors");
  AddStoreVerb(crl, "add", "take in a list, in place of an older one", line, "FILE", "PEM or DER",
               cli::EkCrlAdd);
  AddStoreVerb(crl, "list", "the lists that count", line, cli::EkCrlList);
  AddStoreVerb(crl, "remove", "take one out", line, "NAME", "as in the list", cli::EkCrlRemove);

  CLI::App* const distrust =
      AddGroup(ek, "distrust", "TPMs and CAs that count no more, whatever speaks for them");
  const auto what = std::make_shared<std::string>();
  const auto reason = std::make_shared<std::string>();
  CLI::App* const add = AddStoreVerb(distrust, "add", "trust a TPM or a CA no more", line,
                                     [what, reason](const Config&, const cli::Operator& op) {
                                       return cli::EkDistrustAdd(op, *what, *reason);
                                     });
  add->add_option("WHAT", *what,
                  "a certificate file, or the SHA-256 of a certificate or of a "
                  "SubjectPublicKeyInfo")
      ->required();
  add->add_option("--reason", *reason, "said to whoever is refused for it")->required();
  AddStoreVerb(distrust, "list", "all of them", line, cli::EkDistrustList);
  AddStoreVerb(distrust, "remove", "trust it again", line, "NAME", "as in the list",
               cli::EkDistrustRemove);
}

}  // namespace

void AddEkVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const ek = AddGroup(&root, "ek", "which TPMs are believed");
  AddRootVerbs(ek, line);
  AddInventoryVerbs(ek, line);
  AddListVerbs(ek, line);
}

}  // namespace bootgate::gatekeeper::app

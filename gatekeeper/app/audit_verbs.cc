#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "gatekeeper/app/api_verbs.h"
#include "gatekeeper/cli/audit_offline.h"
#include "gatekeeper/client/audit.h"

namespace bootgate::gatekeeper::app {

using client::Console;

namespace {

// Asked of a gatekeeper, or of an exported trail without one.
void AddVerify(CLI::App* audit, CommandLine& line) {
  const auto files = std::make_shared<cli::AuditFiles>();
  CLI::App* const app =
      AddApiVerb(audit, "verify", "whether any row was changed, removed or replaced", line,
                 client::AuditVerify);
  CLI::Option* const exported =
      app->add_option("--export", files->export_file,
                      "an exported trail, which takes no gatekeeper; - for standard input");
  app->add_option("--key", files->keys, "with --export: the public key (PEM), of `audit key`")
      ->needs(exported);
  app->add_option("--checkpoint", files->checkpoints,
                  "with --export: checkpoints that were kept elsewhere, a log or an export")
      ->needs(exported);
  app->parse_complete_callback([&line, files] {
    if (files->export_file.empty()) return;
    line.instead = [&line, files] {
      return cli::AuditVerifyFiles(*files, line.format(), std::cout, std::cerr);
    };
  });
  app->footer("exit code: 0 whole; 1 not whole, and the rows are named");
}

}  // namespace

void AddAuditVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const audit = root.add_subcommand("audit", "who did what, when and why");
  audit->require_subcommand(1);
  const auto list = std::make_shared<client::AuditListOptions>();
  CLI::App* const app =
      AddApiVerb(audit, "list", "oldest first", line,
                 [list](const Console& console) { return client::AuditList(console, *list); });
  app->add_option("--actor", list->actor, "who: \"operator alice\", \"host h-...\"");
  app->add_option("--action", list->action, "what: host.approve, or host.*");
  app->add_option("--subject", list->subject, "about whom: an id");
  app->add_option("--since", list->since, "a time, or a duration before now: 2h");
  app->add_option("--until", list->until, "the same");
  app->add_option("--limit", list->limit, "at most so many")->check(CLI::Range(1, 1'000'000));

  AddVerify(audit, line);
  AddStoreVerb(audit, "key", "the public keys that checkpoints are signed by", line,
               StoreVerb([](const Config& config, const cli::Operator& op) {
                 return cli::AuditKeyShow(config.audit_folder(), op.format, op.out, op.err);
               }));

  const auto file = std::make_shared<std::string>();
  AddApiVerb(audit, "export", "all rows as JSON lines, with the signed checkpoints", line,
             [file](const Console& console) { return client::AuditExport(console, *file); })
      ->add_option("--out", *file, "file to write")
      ->required();

  AddApiVerb(&root, "whoami", "who the gatekeeper takes you for, and your roles", line,
             client::WhoAmI);
}

}  // namespace bootgate::gatekeeper::app

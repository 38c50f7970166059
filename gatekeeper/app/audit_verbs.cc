#include <CLI/CLI.hpp>
#include <memory>

#include "gatekeeper/app/api_verbs.h"
#include "gatekeeper/client/audit.h"

namespace bootgate::gatekeeper::app {

using client::Console;

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

  AddApiVerb(audit, "verify", "whether any row was changed, removed or replaced", line,
             client::AuditVerify)
      ->footer("exit code: 0 whole; 1 not whole, and the rows are named");

  const auto file = std::make_shared<std::string>();
  AddApiVerb(audit, "export", "all rows as JSON lines, with the signed checkpoints", line,
             [file](const Console& console) { return client::AuditExport(console, *file); })
      ->add_option("--out", *file, "file to write")
      ->required();

  AddApiVerb(&root, "whoami", "who the gatekeeper takes you for, and your roles", line,
             client::WhoAmI);
}

}  // namespace bootgate::gatekeeper::app

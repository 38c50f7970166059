#include <CLI/CLI.hpp>
#include <memory>

#include "gatekeeper/app/api_verbs.h"
#include "gatekeeper/client/verdicts.h"

namespace bootgate::gatekeeper::app {

using client::Console;

void AddVerdictVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const verdict = root.add_subcommand("verdict", "what was made of hosts' evidence");
  verdict->require_subcommand(1);
  const auto list = std::make_shared<client::VerdictListOptions>();
  CLI::App* const app =
      AddApiVerb(verdict, "list", "newest first", line,
                 [list](const Console& console) { return client::VerdictList(console, *list); });
  app->add_option("--host", list->host_id, "of one host");
  app->add_option("--outcome", list->outcome, "only these")
      ->check(CLI::IsMember({"admit", "deny"}));
  app->add_option("--since", list->since, "a time, or a duration before now: 2h");
  app->add_option("--until", list->until, "the same");
  app->add_option("--limit", list->limit, "at most so many; 0: all")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();

  const auto shown = std::make_shared<std::string>();
  AddApiVerb(verdict, "show", "one, with its findings", line,
             [shown](const Console& console) { return client::VerdictShow(console, *shown); })
      ->add_option("VERDICT", *shown)
      ->required();

  const auto explained = std::make_shared<std::string>();
  AddApiVerb(
      verdict, "explain", "with claims, coverage and the policy's way to it", line,
      [explained](const Console& console) { return client::VerdictExplain(console, *explained); })
      ->add_option("VERDICT", *explained)
      ->required();
}

}  // namespace bootgate::gatekeeper::app

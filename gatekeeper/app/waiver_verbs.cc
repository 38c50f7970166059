#include <CLI/CLI.hpp>
#include <memory>

#include "gatekeeper/app/api_verbs.h"
#include "gatekeeper/client/waivers.h"

namespace bootgate::gatekeeper::app {
namespace {

using client::Console;

void AddAdd(CLI::App* waiver, CommandLine& line) {
  const auto options = std::make_shared<client::WaiverAddOptions>();
  CLI::App* const app = AddApiVerb(
      waiver, "add", "live with a finding on named hosts, for a time", line,
      [options](const Console& console) { return client::WaiverAdd(console, *options); });
  app->add_option("CODE", options->code, "of the finding")->required();
  app->add_option("--host", options->hosts, "host ids");
  app->add_option("--selector", options->selector, "or those that bear these labels");
  app->add_option("--path", options->path, "only of files like this: /opt/vendor/*");
  app->add_option("--register", options->register_index, "only of this PCR")
      ->check(CLI::Range(0, 23));
  app->add_option("--expected", options->expected, "only where just this was expected");
  app->add_option("--actual", options->actual, "only where just this was found");
  app->add_option("--owner", options->owner, "who answers for it")->required();
  app->add_option("--reason", options->reason, "why")->required();
  app->add_option("--expires", options->expires, "in 14d, 36h; or a time")->required();
  app->footer(
      "example: waiver add IMA_UNLISTED --host h-... --path '/opt/vendor/*' \\\n"
      "           --owner alice --reason \"vendor update, T-12\" --expires 7d");
}

}  // namespace

void AddWaiverVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const waiver =
      root.add_subcommand("waiver", "findings that are known and lived with, for a time");
  waiver->require_subcommand(1);
  AddAdd(waiver, line);

  const auto list = std::make_shared<client::WaiverListOptions>();
  CLI::App* const app =
      AddApiVerb(waiver, "list", "those that stand, newest first", line,
                 [list](const Console& console) { return client::WaiverList(console, *list); });
  app->add_flag("--all", list->ended, "expired and revoked ones, too");
  app->add_option("--host", list->host_id, "that cover this host");
  app->add_option("--code", list->code, "of this finding");

  const auto shown = std::make_shared<std::string>();
  AddApiVerb(waiver, "show", "one", line,
             [shown](const Console& console) { return client::WaiverShow(console, *shown); })
      ->add_option("WAIVER", *shown)
      ->required();

  const auto revoked = std::make_shared<std::string>(), why = std::make_shared<std::string>();
  CLI::App* const revoke = AddApiVerb(waiver, "revoke", "end one before its time", line,
                                      [revoked, why](const Console& console) {
                                        return client::WaiverRevoke(console, *revoked, *why);
                                      });
  revoke->add_option("WAIVER", *revoked)->required();
  revoke->add_option("--reason", *why, "why; it stays in the audit trail")->required();
}

}  // namespace bootgate::gatekeeper::app

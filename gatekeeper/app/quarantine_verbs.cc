#include <CLI/CLI.hpp>
#include <memory>

#include "gatekeeper/app/api_verbs.h"
#include "gatekeeper/client/quarantine.h"
#include "gatekeeper/client/quarantine_watch.h"

namespace bootgate::gatekeeper::app {
namespace {

using client::Console;

void AddLook(CLI::App* quarantine, CommandLine& line) {
  const auto list = std::make_shared<client::QuarantineListOptions>();
  CLI::App* const app =
      AddApiVerb(quarantine, "list", "hosts that are cut off, restricted or held", line,
                 [list](const Console& console) { return client::QuarantineList(console, *list); });
  app->add_option("--state", list->states, "only these: quarantined, investigating, suspect, ...");
  app->add_option("--selector", list->selector, "only those that bear these labels");
  app->add_option("--reason", list->reason, "only those with this code");

  const auto id = std::make_shared<std::string>();
  AddApiVerb(quarantine, "show", "one of them, with the findings", line,
             [id](const Console& console) { return client::QuarantineShow(console, *id); })
      ->add_option("HOST", *id, "host id")
      ->required();
}

void AddWatch(CLI::App* quarantine, CommandLine& line) {
  const auto options = std::make_shared<client::QuarantineWatchOptions>();
  CLI::App* const app = AddApiVerb(
      quarantine, "watch", "who is cut off, and each change from then on", line,
      [options](const Console& console) { return client::QuarantineWatch(console, *options); });
  app->add_option("--selector", options->selector, "only hosts that bear these labels");
  app->add_option("--token", options->token, "go on where an earlier watch was");
  app->add_option("--heartbeat", options->heartbeat_seconds, "seconds")
      ->check(CLI::Range(1, 300))
      ->capture_default_str();
  app->add_flag("--once", options->once, "end after the snapshot");
  app->footer(
      "With -o json one message a line, for programs: a snapshot (the last part has\n"
      "snapshot_complete), then changes and heartbeats. Goes on by itself after the\n"
      "connection broke; nothing is left out.");
}

using Act = ExitCode (*)(const Console&, const client::QuarantineActOptions&);

CLI::App* AddAct(CLI::App* quarantine, const std::string& name, const std::string& help,
                 CommandLine& line, const std::string& words, Act act) {
  const auto options = std::make_shared<client::QuarantineActOptions>();
  CLI::App* const app =
      AddApiVerb(quarantine, name, help, line,
                 [options, act](const Console& console) { return act(console, *options); });
  AddTargets(app, &options->targets);
  app->add_option(words, options->reason, "why; it stays in the audit trail")
      ->required(words == "--reason");
  return app;
}

void AddBrake(CLI::App& root, CommandLine& line) {
  CLI::App* const brake =
      root.add_subcommand("brake", "the mass-failure brake: too many failures at once");
  brake->require_subcommand(1);
  AddApiVerb(brake, "status", "whether it holds hosts, and why", line, client::BrakeStatus);
  const auto decision = std::make_shared<std::string>(), reason = std::make_shared<std::string>();
  CLI::App* const release = AddApiVerb(brake, "release", "decide about the hosts that it holds",
                                       line, [decision, reason](const Console& console) {
                                         return client::BrakeRelease(console, *decision, *reason);
                                       });
  release->add_option("DECISION", *decision, "confirm: quarantine them; forgive: judge them anew")
      ->required()
      ->check(CLI::IsMember({"confirm", "forgive"}));
  release->add_option("--reason", *reason, "why; it stays in the audit trail")->required();
  release->footer("example: brake release forgive --reason \"policy 7 was wrong, rolled back\"");
}

}  // namespace

void AddQuarantineVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const quarantine =
      root.add_subcommand("quarantine", "which hosts are cut off, since when and why");
  quarantine->require_subcommand(1);
  AddLook(quarantine, line);
  AddWatch(quarantine, line);
  AddAct(quarantine, "add", "cut hosts off by an operator's word", line, "--reason",
         client::QuarantineAdd)
      ->footer("example: quarantine add --selector rack=7 --reason \"stolen keys\" --dry-run");
  AddAct(quarantine, "investigate", "somebody looks into it", line, "--note",
         client::QuarantineInvestigate);
  AddAct(quarantine, "release", "let hosts come back whose incident is resolved", line, "--reason",
         client::QuarantineRelease)
      ->footer(
          "A released host is trusted again with a new boot that is admitted. Before it, the\n"
          "incident is resolved: incident resolve i-... --root-cause ... --disposition ...");
  AddAct(quarantine, "reopen", "take a release back", line, "--reason", client::QuarantineReopen);
  AddBrake(root, line);
}

}  // namespace bootgate::gatekeeper::app

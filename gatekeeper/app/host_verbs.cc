#include <CLI/CLI.hpp>
#include <memory>

#include "gatekeeper/app/api_verbs.h"
#include "gatekeeper/client/hosts.h"

namespace bootgate::gatekeeper::app {
namespace {

using client::Console;

void AddList(CLI::App* host, CommandLine& line) {
  const auto options = std::make_shared<client::HostListOptions>();
  CLI::App* const app =
      AddApiVerb(host, "list", "which hosts there are", line,
                 [options](const Console& console) { return client::HostList(console, *options); });
  // Beside the hosts stands what makes their checks weaker than they would be.
  app->parse_complete_callback([&line] { line.tells_weak_options = true; });
  app->add_option("--state", options->states,
                  "only those in one of these states: trusted, quarantined, ...");
  app->add_option("--selector", options->selector, "only those that bear these labels");
  app->add_option("--name", options->name, "only those with this in their hostname");
  app->add_option("--reason", options->reason, "only those whose last verdict has this code");
  app->add_flag("--overdue", options->overdue, "only those that are silent for too long");
  app->add_flag("--waiting", options->waiting, "only those that are not approved yet");
  app->add_option("--limit", options->limit, "at most so many")->check(CLI::Range(1, 1'000'000));
  app->footer(
      "examples: host list --state quarantined\n"
      "          host list --selector role=db,rack=7 -o json");
}

void AddLook(CLI::App* host, CommandLine& line) {
  const auto id = std::make_shared<std::string>();
  AddApiVerb(host, "show", "one host, with its credentials", line,
             [id](const Console& console) { return client::HostShow(console, *id); })
      ->add_option("HOST", *id, "host id")
      ->required();

  const auto timeline = std::make_shared<client::HostTimelineOptions>();
  CLI::App* const app = AddApiVerb(
      host, "timeline", "all that happened to a host, oldest first", line,
      [timeline](const Console& console) { return client::HostTimeline(console, *timeline); });
  app->add_option("HOST", timeline->host_id, "host id")->required();
  app->add_option("--since", timeline->since, "a time, or a duration before now: 2h");
  app->add_option("--kind", timeline->kinds, "only these: trust, verdict, incident, audit");

  const auto wait = std::make_shared<client::HostWaitOptions>();
  const auto timeout = std::make_shared<int>(300);
  CLI::App* const waiting = AddApiVerb(host, "wait", "until a host is in a state", line,
                                       [wait, timeout](const Console& console) {
                                         wait->timeout = absl::Seconds(*timeout);
                                         return client::HostWait(console, *wait);
                                       });
  waiting->add_option("HOST", wait->host_id, "host id")->required();
  waiting->add_option("--for", wait->state, "the state")->capture_default_str();
  waiting->add_option("--timeout", *timeout, "seconds; then exit code 10")->capture_default_str();
  waiting->footer("example: host wait h-... --for trusted --timeout 120");
}

using Act = ExitCode (*)(const Console&, const client::HostActOptions&);

// One that names hosts, with a reason.
CLI::App* AddAct(CLI::App* host, const std::string& name, const std::string& help,
                 CommandLine& line, bool needs_reason, Act act) {
  const auto options = std::make_shared<client::HostActOptions>();
  CLI::App* const app = AddApiVerb(host, name, help, line, [options, act](const Console& console) {
    return act(console, *options);
  });
  AddTargets(app, &options->targets);
  app->add_option("--reason", options->reason, "why; it stays in the audit trail")
      ->required(needs_reason);
  app->add_option("--ticket", options->ticket, "the ticket it belongs to");
  return app;
}

void AddLabel(CLI::App* host, CommandLine& line) {
  const auto options = std::make_shared<client::HostLabelOptions>();
  const auto id = std::make_shared<std::string>();
  CLI::App* const app = AddApiVerb(host, "label", "set labels of hosts, or take them away", line,
                                   [options, id](const Console& console) {
                                     if (!id->empty()) options->targets.hosts = {*id};
                                     return client::HostLabel(console, *options);
                                   });
  app->add_option("LABEL", options->labels, "NAME=VALUE to set, NAME- to take away")->required();
  app->add_option("--host", options->targets.hosts, "host ids");
  app->add_option("--selector", options->targets.selector, "or all that bear these labels");
  app->add_flag("--dry-run", options->targets.dry_run, "change nothing");
  app->add_flag("--replace", options->replace, "all other labels go");
  app->add_option("--reason", options->reason, "why; it stays in the audit trail");
  app->footer(
      "examples: host label rack=7 old- --host h-...\n"
      "          host label role=db --selector rack=7 --dry-run");
}

void AddTpmActs(CLI::App* host, CommandLine& line) {
  const auto clear = std::make_shared<client::HostActOptions>();
  const auto cleared = std::make_shared<std::string>();
  CLI::App* const accept =
      AddApiVerb(host, "accept-clear", "its TPM was cleared: let the counters start anew once",
                 line, [clear, cleared](const Console& console) {
                   clear->targets.hosts = {*cleared};
                   return client::HostAcceptClear(console, *clear);
                 });
  accept->add_option("HOST", *cleared, "host id")->required();
  accept->add_option("--reason", clear->reason, "why; it stays in the audit trail")->required();
  accept->add_option("--ticket", clear->ticket, "the ticket it belongs to");

  const auto swap = std::make_shared<client::HostActOptions>();
  const auto old_id = std::make_shared<std::string>(), new_id = std::make_shared<std::string>();
  CLI::App* const app =
      AddApiVerb(host, "swap-tpm", "a machine has a new TPM: link its new record to the old one",
                 line, [swap, old_id, new_id](const Console& console) {
                   swap->targets.hosts = {*old_id};
                   return client::HostSwapTpm(console, *swap, *new_id);
                 });
  app->add_option("OLD", *old_id, "host id")->required();
  app->add_option("NEW", *new_id, "host id that the machine has joined as")->required();
  app->add_option("--reason", swap->reason, "why; it stays in the audit trail")->required();
  app->add_option("--ticket", swap->ticket, "the ticket it belongs to");
  app->footer(
      "Labels go over to NEW, which is approved but not trusted; OLD is retired.\n"
      "Refused while OLD is quarantined.");
}

}  // namespace

void AddHostVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const host = root.add_subcommand("host", "hosts and their state");
  host->require_subcommand(1);
  AddList(host, line);
  AddLook(host, line);
  AddLabel(host, line);
  AddAct(host, "approve", "let enrolled hosts attest", line, false, client::HostApprove)
      ->footer("examples: host approve h-...\n          host approve --selector rack=7 --dry-run");
  AddAct(host, "retire", "take hosts out of service; their credentials are revoked", line, true,
         client::HostRetire);
  AddAct(host, "reinstate", "take retired hosts back: pending, or shut out as they were", line,
         true, client::HostReinstate);
  AddTpmActs(host, line);
}

}  // namespace bootgate::gatekeeper::app

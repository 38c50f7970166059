#include <CLI/CLI.hpp>
#include <memory>

#include "gatekeeper/app/api_verbs.h"
#include "gatekeeper/client/incidents.h"
#include "gatekeeper/incident/lifecycle.h"

namespace bootgate::gatekeeper::app {
namespace {

using client::Console;

void AddLook(CLI::App* incident, CommandLine& line) {
  const auto list = std::make_shared<client::IncidentListOptions>();
  CLI::App* const app =
      AddApiVerb(incident, "list", "those that are not closed, newest first", line,
                 [list](const Console& console) { return client::IncidentList(console, *list); });
  app->add_option("--state", list->states, "these instead: open, investigating, resolved, closed");
  app->add_option("--host", list->host_id, "of one host");
  app->add_option("--assignee", list->assignee, "whose");
  app->add_option("--reason", list->reason, "with this code");
  app->add_option("--selector", list->selector, "of hosts that bear these labels");
  app->add_option("--limit", list->limit, "at most so many")->check(CLI::Range(1, 1'000'000));

  const auto id = std::make_shared<std::string>();
  AddApiVerb(incident, "show", "one, with its history and evidence", line,
             [id](const Console& console) { return client::IncidentShow(console, *id); })
      ->add_option("INCIDENT", *id)
      ->required();

  const auto diff = std::make_shared<client::IncidentDiffOptions>();
  CLI::App* const differ =
      AddApiVerb(incident, "diff", "what is other than in good evidence, in words", line,
                 [diff](const Console& console) { return client::IncidentDiff(console, *diff); });
  differ->add_option("INCIDENT", diff->incident_id)->required();
  differ
      ->add_option("--against", diff->against,
                   "admitted: what the host was last admitted with; peer: a healthy host like it")
      ->check(CLI::IsMember({"admitted", "peer"}))
      ->capture_default_str();
  differ->add_option("--peer", diff->peer, "with --against peer: this host");
}

void AddWork(CLI::App* incident, CommandLine& line) {
  const auto assigned = std::make_shared<std::string>(), who = std::make_shared<std::string>();
  CLI::App* const assign = AddApiVerb(incident, "assign", "who works on it", line,
                                      [assigned, who](const Console& console) {
                                        return client::IncidentAssign(console, *assigned, *who);
                                      });
  assign->add_option("INCIDENT", *assigned)->required();
  assign->add_option("WHO,--to", *who, "an operator's name; without it nobody");

  const auto noted = std::make_shared<std::string>(), text = std::make_shared<std::string>();
  CLI::App* const note = AddApiVerb(incident, "note", "write into its history", line,
                                    [noted, text](const Console& console) {
                                      return client::IncidentNote(console, *noted, *text);
                                    });
  note->add_option("INCIDENT", *noted)->required();
  note->add_option("TEXT", *text)->required();
}

void AddEnd(CLI::App* incident, CommandLine& line) {
  const auto resolve = std::make_shared<client::IncidentResolveOptions>();
  CLI::App* const resolver = AddApiVerb(
      incident, "resolve", "the cause is known and done away with", line,
      [resolve](const Console& console) { return client::IncidentResolve(console, *resolve); });
  resolver->add_option("INCIDENT", resolve->incident_id)->required();
  resolver->add_option("--root-cause", resolve->root_cause, "what it was")->required();
  resolver->add_option("--disposition", resolve->disposition, "what kind of cause")
      ->check(CLI::IsMember(incident::DispositionNames()))
      ->required();
  resolver->add_option("--ticket", resolve->ticket, "the ticket it belongs to")->required();
  resolver->footer("Its host is released apart: quarantine release HOST.");

  const auto closed = std::make_shared<std::string>(), why = std::make_shared<std::string>();
  CLI::App* const close =
      AddApiVerb(incident, "close", "end one whose host is retired or trusted again", line,
                 [closed, why](const Console& console) {
                   return client::IncidentClose(console, *closed, *why);
                 });
  close->add_option("INCIDENT", *closed)->required();
  close->add_option("--reason", *why, "why; it stays in the audit trail")->required();

  const auto exported = std::make_shared<std::string>(), file = std::make_shared<std::string>();
  CLI::App* const exporter = AddApiVerb(incident, "export", "all its evidence in one archive", line,
                                        [exported, file](const Console& console) {
                                          return client::IncidentExport(console, *exported, *file);
                                        });
  exporter->add_option("INCIDENT", *exported)->required();
  exporter->add_option("--out", *file, "file to write")->required();
  exporter->footer("`evidence verify FILE` judges it again, on any machine.");
}

}  // namespace

void AddIncidentVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const incident =
      root.add_subcommand("incident", "what was found, who works on it, what came of it");
  incident->require_subcommand(1);
  AddLook(incident, line);
  AddWork(incident, line);
  AddEnd(incident, line);
}

}  // namespace bootgate::gatekeeper::app

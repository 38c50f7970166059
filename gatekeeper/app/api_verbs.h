// Verbs of the operators' API: how a command line comes to a gatekeeper, and the options that such
// verbs share.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gatekeeper/app/command_line.h"
#include "gatekeeper/client/console.h"

namespace bootgate::gatekeeper::app {

using ApiVerb = std::function<ExitCode(const client::Console&)>;

// A verb that goes to the gatekeeper which --server names, or BOOTGATE_SERVER; without either to
// the store of this machine, through the same service inside this process, as the local user with
// all roles. What is returned takes its further options; `verb` runs once they are read.
CLI::App* AddApiVerb(CLI::App* parent, const std::string& name, const std::string& help,
                     CommandLine& line, ApiVerb verb);

// HOST..., or --selector, and --dry-run.
void AddTargets(CLI::App* app, client::Targets* targets);

// All verbs that go over the API: hosts, quarantine and brake, incidents, verdicts, waivers, audit,
// whoami.
void AddHostVerbs(CLI::App& root, CommandLine& line);
void AddQuarantineVerbs(CLI::App& root, CommandLine& line);
void AddIncidentVerbs(CLI::App& root, CommandLine& line);
void AddVerdictVerbs(CLI::App& root, CommandLine& line);
void AddWaiverVerbs(CLI::App& root, CommandLine& line);
void AddAuditVerbs(CLI::App& root, CommandLine& line);

}  // namespace bootgate::gatekeeper::app

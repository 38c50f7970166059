// The command lines of `ima show`, `ima replay`, `ima verify`.
#pragma once

#include "gatekeeper/app/ima_set_verbs.h"

namespace bootgate::gatekeeper::app {

// `root`: the program. What `chosen` names must live as long as the command line.
void AddImaListVerbs(CLI::App& root, ChosenVerb chosen);

}  // namespace bootgate::gatekeeper::app

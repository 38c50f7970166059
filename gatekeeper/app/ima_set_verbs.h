// The command lines of `reference ima ...`.
#pragma once

#include <functional>
#include <string>

#include "common/base/exit_code.h"

namespace CLI {
class App;
}

namespace bootgate::gatekeeper::app {

// Where the parsed command line lands: -o, and the verb that was chosen.
struct ChosenVerb {
  std::string& output;
  std::function<ExitCode()>& verb;
};

// `reference`: the verb's parent. What `chosen` names must live as long as the command line.
void AddImaSetVerbs(CLI::App& reference, ChosenVerb chosen);

}  // namespace bootgate::gatekeeper::app

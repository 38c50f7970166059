// `completion bash|zsh|fish`: scripts that let a shell complete verbs, options and their words,
// made from the command line's own tree: what the program has, the shell knows.
#pragma once

#include <string>

#include "gatekeeper/app/command_line.h"

namespace bootgate::gatekeeper::app {

enum class Shell { kBash, kZsh, kFish };

// `root`: the whole tree; `program`: the name that the shell sees.
std::string CompletionScript(const CLI::App& root, const std::string& program, Shell shell);

// Call it last: the scripts have what is there when they run.
void AddCompletionVerbs(CLI::App& root, CommandLine& line);

}  // namespace bootgate::gatekeeper::app

// Verbs `policy list` and `policy show`: versions, what applies to whom, and how that came to be.
#pragma once

#include <string>

#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

// As JSON {"policies": [{"name", "version", "id", "hash", "author", "at", "signer", "active_for",
// "report_only_for"}], "history": [{"at", "author", "step", "selector", "name", "version", "id",
// "why"}]}.
ExitCode PolicyList(const Operator& op);

// NAME or NAME@VERSION, with the text.
ExitCode PolicyShow(const Operator& op, const std::string& ref);

}  // namespace bootgate::gatekeeper::cli

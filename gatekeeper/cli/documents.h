// Verbs `policy activate`, `policy list`, `reference import`, `reference list`.
#pragma once

#include <string>

#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

// Stores a document and assigns it to the hosts that `selector` ("label=value"; empty: all others)
// names. A text that cannot be read is refused and changes nothing.
ExitCode PolicyActivate(const Operator& op, const std::string& file, const std::string& selector);
ExitCode ReferenceImport(const Operator& op, const std::string& file, const std::string& selector);

ExitCode PolicyList(const Operator& op);
ExitCode ReferenceList(const Operator& op);

}  // namespace bootgate::gatekeeper::cli

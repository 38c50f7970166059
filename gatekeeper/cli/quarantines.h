// Verbs `quarantine list` and `quarantine show`: which hosts are cut off, since when and why.
#pragma once

#include <string>

#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

ExitCode QuarantineList(const Operator& op);

// With every finding of the verdict that led to it. kNotFound when the host is not cut off.
ExitCode QuarantineShow(const Operator& op, const std::string& host_id);

}  // namespace bootgate::gatekeeper::cli

// Verbs `ek crl add|list|remove` and `ek distrust add|list|remove`: TPMs and their makers that are
// not believed any more.
#pragma once

#include <string>

#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

// A list takes the place of an older one of the same CA key.
ExitCode EkCrlAdd(const Operator& op, const std::string& file);
ExitCode EkCrlList(const Operator& op);
// `which`: the beginning of its name, as `ek crl list` has it.
ExitCode EkCrlRemove(const Operator& op, const std::string& which);

// `what`: a certificate file (PEM), or a SHA-256 in hexadecimal of a certificate or of a
// SubjectPublicKeyInfo.
ExitCode EkDistrustAdd(const Operator& op, const std::string& what, const std::string& reason);
ExitCode EkDistrustList(const Operator& op);
ExitCode EkDistrustRemove(const Operator& op, const std::string& which);

}  // namespace bootgate::gatekeeper::cli

// Verbs `ek root add|list|show|remove`: whose word about a TPM counts.
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

struct EkRootAddOptions {
  std::string file;         // PEM, one certificate or more
  std::string use = "ek";   // "ek": of EK certificates; "ak": of clouds' AK certificates
  bool yes = false;         // all of the file
  std::string fingerprint;  // of the one to add, as the operator has it from elsewhere
};

// Shows what is to be added; adds it only with `yes`, or when a certificate has `fingerprint`.
ExitCode EkRootAdd(const Operator& op, const EkRootAddOptions& options);

// `configured`: files and folders of the configuration (ek.roots, ek.ak_roots).
struct ConfiguredRoots {
  std::vector<std::string> ek, ak;
};
ExitCode EkRootList(const Operator& op, const ConfiguredRoots& configured);
// `which`: a fingerprint, or the beginning of one.
ExitCode EkRootShow(const Operator& op, const std::string& which);
ExitCode EkRootRemove(const Operator& op, const std::string& which, const std::string& reason);

}  // namespace bootgate::gatekeeper::cli

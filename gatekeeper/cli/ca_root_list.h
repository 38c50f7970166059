// `ca sign-crl`, `ca install-crl`: the revocation list of a root whose key is not in the CA folder.
// It is signed where the key is, and brought to the gatekeeper as a file.
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/cli/operator.h"
#include "pki/ca_folder.h"

namespace bootgate::gatekeeper::cli {

// Needs no gatekeeper: it runs where the offline root is.
struct CaSignCrlOptions {
  std::string root_folder, root_secret, out_file;
  std::vector<std::string> revoke;  // files with certificates of tainted CAs
  std::string lifetime = "2160h";
};
ExitCode CaSignCrl(const CaSignCrlOptions& options, absl::Time now, std::ostream& out,
                   std::ostream& err);

ExitCode CaInstallCrl(const Operator& op, const std::string& folder, const std::string& file);

// What is to be done elsewhere once `id`, or everything below it, is tainted; empty: nothing.
std::string RootListWords(const pki::CaFolder& folder, const std::string& id);

}  // namespace bootgate::gatekeeper::cli

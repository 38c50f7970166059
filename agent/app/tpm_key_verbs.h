// Verbs that use the identity key inside the TPM.
#pragma once

#include <string>

#include "agent/app/config.h"
#include "agent/app/verbs.h"
#include "common/base/exit_code.h"

namespace bootgate::agent::app {

struct ConnectWords {
  std::string address;      // "HOST:PORT", "[IPV6]:PORT"
  std::string ca_file;      // empty: the CA of the cluster that was joined
  std::string server_name;  // empty: HOST
};
// Mutual TLS between standard input and output and a server.
ExitCode CredentialConnectVerb(const Config& config, const ConnectWords& words);

struct SignWords {
  std::string in_file;   // "-": standard input
  std::string out_file;  // empty: standard output
};
// ECDSA over the SHA-256 of a file.
ExitCode CredentialSignVerb(const Config& config, const SignWords& words, OutputFormat format);

}  // namespace bootgate::agent::app

// [client] of a TOML file: which gatekeeper an operator's verbs go to when neither the command line
// nor the environment says so. deploy/config/client.toml explains the keys.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gatekeeper/client/api.h"

namespace bootgate::gatekeeper::client {

inline constexpr char kClientConfig[] = "/etc/bootgate/client.toml";

// `given`, filled up from `file` where it says nothing; a file that is not there changes nothing.
// What belongs together is not mixed: with another server the file's server_name is left, with
// another identity the file's CAs. kInvalidArgument as of ConfigFile.
absl::StatusOr<ServerOptions> WithConfig(ServerOptions given, const std::string& file);

}  // namespace bootgate::gatekeeper::client

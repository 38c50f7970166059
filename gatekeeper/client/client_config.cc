#include "gatekeeper/client/client_config.h"

#include "common/base/files.h"
#include "common/base/status_macros.h"
#include "common/config/config_file.h"

namespace bootgate::gatekeeper::client {

absl::StatusOr<ServerOptions> WithConfig(ServerOptions given, const std::string& file) {
  if (!FileExists(file)) return given;
  ServerOptions kept;
  BG_ASSIGN_OR_RETURN(config::ConfigFile config, config::ConfigFile::Load(file));
  config.Text("client.server", &kept.address);
  config.Text("client.identity", &kept.identity);
  config.Text("client.ca", &kept.ca);
  config.Text("client.server_name", &kept.name);
  BG_RETURN_IF_ERROR(config.Finish());
  if (given.address.empty()) {
    given.address = kept.address;
    if (given.name.empty()) given.name = kept.name;
  }
  if (given.identity.empty()) {
    given.identity = kept.identity;
    if (given.ca.empty()) given.ca = kept.ca;
  }
  return given;
}

}  // namespace bootgate::gatekeeper::client

// The join file: all a new host needs to find and trust its gatekeeper, made by an operator.
//
// It holds a one-time secret: 0600, and of no use once used or expired.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/secret_bytes.h"

namespace bootgate::config {

struct JoinFile {
  std::string gatekeeper;  // "host:port"
  std::string
      server_name;  // what the server certificate must name; empty: the host of `gatekeeper`
  std::string cluster_id;
  std::string token_id;
  SecretBytes token_secret;
  std::string ca_pem;  // the root that the gatekeeper's certificate leads to
  absl::Time expires_at;
};

std::string Format(const JoinFile& file);
// Errors as of ConfigFile; also for an empty part and a secret that is no hexadecimal.
absl::StatusOr<JoinFile> ParseJoinFile(absl::string_view text, absl::string_view file);

}  // namespace bootgate::config

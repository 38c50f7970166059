#include "common/config/join_file.h"

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/json_text.h"
#include "common/base/status_macros.h"
#include "common/config/config_file.h"

namespace bootgate::config {

std::string Format(const JoinFile& file) {
  return absl::StrCat(
      "# Bootgate join file. SECRET until it is used or expires, at ", FormatUtc(file.expires_at),
      ".\n", "# On the host: bootgate-agent join THIS_FILE\n\n",
      "gatekeeper = ", JsonString(file.gatekeeper), "\n",
      "server_name = ", JsonString(file.server_name), "\n",
      "cluster_id = ", JsonString(file.cluster_id), "\n", "token_id = ", JsonString(file.token_id),
      "\n", "token_secret = \"", ToHex(file.token_secret.view()), "\"\n", "expires_at = \"",
      FormatUtc(file.expires_at), "\"\n", "ca = '''\n", file.ca_pem, "'''\n");
}

absl::StatusOr<JoinFile> ParseJoinFile(absl::string_view text, absl::string_view file) {
  BG_ASSIGN_OR_RETURN(ConfigFile parsed, ConfigFile::Parse(text, file));
  JoinFile out;
  std::string secret, expires;
  parsed.Text("server_name", &out.server_name);
  for (const auto& [key, value] :
       {std::pair<const char*, std::string*>{"gatekeeper", &out.gatekeeper},
        {"cluster_id", &out.cluster_id},
        {"token_id", &out.token_id},
        {"token_secret", &secret},
        {"expires_at", &expires},
        {"ca", &out.ca_pem}}) {
    parsed.Text(key, value);
    if (value->empty()) parsed.Complain(key, "is missing");
  }
  absl::StatusOr<Bytes> decoded = FromHex(secret);
  if (!decoded.ok()) parsed.Complain("token_secret", "is no hexadecimal");
  if (std::string problem;
      !absl::ParseTime(absl::RFC3339_full, expires, &out.expires_at, &problem)) {
    parsed.Complain("expires_at", "is no time");
  }
  BG_RETURN_IF_ERROR(parsed.Finish());
  out.token_secret = SecretBytes(*decoded);
  return out;
}

}  // namespace bootgate::config

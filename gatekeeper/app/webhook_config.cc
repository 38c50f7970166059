#include "gatekeeper/app/webhook_config.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper::app {
namespace {

using webhook::Endpoint;

void CheckPath(config::ConfigFile& file, const std::string& key, const std::string& path) {
  if (!path.empty() && path.front() != '/') file.Complain(key, "must be an absolute path");
}

void CheckKinds(config::ConfigFile& file, const std::string& key, const Endpoint& endpoint) {
  for (const std::string& kind : endpoint.kinds) {
    if (std::ranges::find(webhook::kKinds, kind) != std::end(webhook::kKinds)) continue;
    file.Complain(key, absl::StrCat("'", Printable(kind, webhook::kMaxName), "' is none of ",
                                    absl::StrJoin(webhook::kKinds, ", ")));
  }
}

Endpoint ReadOne(config::ConfigFile& file, const std::string& table) {
  Endpoint out;
  const auto key = [&](const char* name) { return absl::StrCat(table, ".", name); };
  file.Text(key("name"), &out.name);
  file.Text(key("url"), &out.url);
  file.Text(key("secret_file"), &out.secret_file);
  file.Texts(key("kinds"), &out.kinds);
  file.Text(key("ca_file"), &out.ca_file);
  file.Span(key("timeout"), absl::Seconds(1), absl::Minutes(1), &out.timeout);
  file.Span(key("give_up_after"), absl::Minutes(1), absl::Hours(24 * 30), &out.give_up_after);
  if (!webhook::IsEndpointName(out.name)) {
    file.Complain(key("name"), absl::StrCat("must be set to a name of a-z, 0-9 and '-', at most ",
                                            webhook::kMaxName, " characters"));
  }
  if (const absl::Status url = webhook::CheckUrl(out.url); !url.ok()) {
    file.Complain(key("url"), url.message());
  }
  if (out.secret_file.empty()) file.Complain(key("secret_file"), "must be set");
  CheckPath(file, key("secret_file"), out.secret_file);
  CheckPath(file, key("ca_file"), out.ca_file);
  CheckKinds(file, key("kinds"), out);
  return out;
}

}  // namespace

void ReadWebhooks(config::ConfigFile& file, std::vector<Endpoint>* out) {
  const size_t count = file.Tables("webhook");
  if (count > webhook::kMaxEndpoints) {
    return file.Complain("webhook", absl::StrCat("more than ", webhook::kMaxEndpoints));
  }
  for (size_t i = 0; i < count; ++i) {
    const std::string table = absl::StrCat("webhook[", i, "]");
    Endpoint endpoint = ReadOne(file, table);
    if (std::ranges::find(*out, endpoint.name, &Endpoint::name) != out->end()) {
      file.Complain(table + ".name", "is the name of another webhook, too");
    }
    out->push_back(std::move(endpoint));
  }
}

}  // namespace bootgate::gatekeeper::app

#include "gatekeeper/http/routes.h"

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "gatekeeper/http/revocation_pages.h"
#include "gatekeeper/token/discovery.h"

namespace bootgate::gatekeeper::http {
namespace {

constexpr int kUnavailableCode = 503, kInternalCode = 500;
constexpr char kJson[] = "application/json";
constexpr char kKeySet[] = "application/jwk-set+json";
constexpr char kPrometheus[] = "text/plain; version=0.0.4; charset=utf-8";
// A new key signs at once; verifiers ask again when they meet a name that they do not know.
constexpr absl::Duration kKeySetAge = absl::Minutes(5);

Response Live(const Sources&, const Request&) { return {.body = "ok\n"}; }

// Says no more than yes or no: the reason is in the log.
Response Ready(const Sources& sources, const Request&) {
  const absl::Status status = sources.ready();
  if (status.ok()) return {.body = "ok\n"};
  Log(LogLevel::kWarning, "not ready", {{"text", std::string(status.message())}});
  return {.status = kUnavailableCode, .body = "not ready\n"};
}

Response Metrics(const Sources& sources, const Request&) {
  return {.body = sources.metrics(), .content_type = kPrometheus};
}

Response Discovery(const Sources& sources, const Request&) {
  return {
      .body = token::DiscoveryText(*sources.issuer), .content_type = kJson, .max_age = kKeySetAge};
}

Response KeySet(const Sources& sources, const Request&) {
  const absl::StatusOr<std::string> keys = token::KeySetText(*sources.issuer);
  if (keys.ok()) return {.body = *keys, .content_type = kKeySet, .max_age = kKeySetAge};
  Log(LogLevel::kError, "key set", {{"text", std::string(keys.status().message())}});
  return {.status = kInternalCode, .body = "the key set cannot be read\n"};
}

enum class Needs { kNothing, kTokens, kPublisher };

struct Line {
  Method method;
  const char* path;
  Response (*handler)(const Sources&, const Request&);
  Needs needs = Needs::kNothing;
};

constexpr Line kTable[] = {
    {Method::kGet, "/livez", Live},
    {Method::kGet, "/readyz", Ready},
    {Method::kGet, "/metrics", Metrics},
    {Method::kGet, "/.well-known/openid-configuration", Discovery, Needs::kTokens},
    {Method::kGet, token::kKeySetPath, KeySet, Needs::kTokens},
    {Method::kGet, "/jwks", KeySet, Needs::kTokens},
    {Method::kGet, "/crl/*", RevocationList, Needs::kPublisher},
    {Method::kGet, "/ca/*", CaCertificate, Needs::kPublisher},
    {Method::kPost, "/ocsp", OcspPosted, Needs::kPublisher},
    {Method::kGet, "/ocsp/*", OcspInPath, Needs::kPublisher},
};

}  // namespace

std::vector<Route> RoutesFor(const Sources& sources) {
  std::vector<Route> routes;
  for (const Line& line : kTable) {
    if (line.needs == Needs::kTokens && sources.issuer == nullptr) continue;
    if (line.needs == Needs::kPublisher && sources.publisher == nullptr) continue;
    routes.push_back({line.method, line.path, [sources, handler = line.handler](const Request& in) {
                        return handler(sources, in);
                      }});
  }
  return routes;
}

}  // namespace bootgate::gatekeeper::http

#include "gatekeeper/http/routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/jose/jwk.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/token/ring_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::http {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;

class RoutesTest : public token::RingTest {
 protected:
  static Response Get(const std::vector<Route>& routes, const std::string& path) {
    const auto route = std::ranges::find_if(routes, [&](const Route& r) { return r.path == path; });
    return route == routes.end() ? Response{.status = 404} : route->handler({path, ""});
  }
};

TEST_F(RoutesTest, TellWhetherTheGatekeeperWorks) {
  absl::Status state;
  const auto routes =
      RoutesFor({.ready = [&] { return state; }, .metrics = [] { return "m 1\n"; }});
  EXPECT_EQ(Get(routes, "/livez").status, 200);
  EXPECT_EQ(Get(routes, "/readyz").status, 200);
  EXPECT_EQ(Get(routes, "/metrics").body, "m 1\n");
  state = absl::UnavailableError("the disk /secret/path is full");
  EXPECT_EQ(Get(routes, "/livez").status, 200);
  EXPECT_EQ(Get(routes, "/readyz").status, 503);
  EXPECT_EQ(Get(routes, "/readyz").body, "not ready\n") << "the world learns no reasons";
}

TEST_F(RoutesTest, PublishTheKeysWhereDiscoverySays) {
  const auto ring = Open();
  token::Issuer issuer("http://127.0.0.1:1", *ring);
  const auto routes = RoutesFor(
      {.issuer = &issuer, .ready = [] { return absl::OkStatus(); }, .metrics = [] { return ""; }});
  const auto document =
      nlohmann::json::parse(Get(routes, "/.well-known/openid-configuration").body);
  EXPECT_EQ(document["jwks_uri"], "http://127.0.0.1:1/certs");
  for (const char* path : {"/certs", "/jwks"}) {
    const Response set = Get(routes, path);
    BG_ASSERT_OK_AND_ASSIGN(const auto keys, jose::ParseJwkSet(set.body));
    EXPECT_EQ(keys.size(), 1u);
    EXPECT_GT(set.max_age, absl::ZeroDuration());
  }
}

TEST_F(RoutesTest, WithoutTokensThereAreNoKeys) {
  const auto routes =
      RoutesFor({.ready = [] { return absl::OkStatus(); }, .metrics = [] { return ""; }});
  EXPECT_EQ(Get(routes, "/certs").status, 404);
  EXPECT_EQ(Get(routes, "/.well-known/openid-configuration").status, 404);
}

}  // namespace
}  // namespace bootgate::gatekeeper::http

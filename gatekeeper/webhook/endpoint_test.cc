#include "gatekeeper/webhook/endpoint.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::webhook {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;

TEST(CheckUrl, TakesAbsoluteHttpAndHttps) {
  for (const char* const url : {"https://pager.example/hooks/1?team=a", "http://127.0.0.1:8080",
                                "https://[2001:db8::1]:8443/x", "https://pager.example"}) {
    EXPECT_THAT(CheckUrl(url), IsOk()) << url;
  }
}

TEST(CheckUrl, RefusesWithWhatIsWrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "must begin with"},
      {"ftp://a/", "must begin with"},
      {"file:///etc/passwd", "must begin with"},
      {"HTTPS://a/", "must begin with"},
      {"https://", "names no host"},
      {"https:///x", "names no host"},
      {"https://:443/", "names no host"},
      {"https://user:secret@a/", "user or password"},
      {"https://a/#x", "fragment"},
      {"https://a/ b", "characters"},
      {"https://a/\r\nX: y", "characters"},
      {"https://a/\xc3\xa4", "characters"},
  };
  for (const auto& [url, says] : rows) {
    EXPECT_THAT(std::string(CheckUrl(url).message()), HasSubstr(says)) << url;
  }
  EXPECT_THAT(std::string(CheckUrl("https://a/" + std::string(kMaxUrl, 'x')).message()),
              HasSubstr("longer than"));
  EXPECT_THAT(std::string(CheckUrl("https://user:secret@a/").message()),
              ::testing::Not(HasSubstr("secret")));
}

TEST(CanBeOverheard, OnlyPlainHttpToOtherMachines) {
  EXPECT_TRUE(CanBeOverheard("http://pager.example/x"));
  EXPECT_TRUE(CanBeOverheard("http://127.0.0.1.example/"));
  EXPECT_TRUE(CanBeOverheard("http://localhost.example/"));
  EXPECT_FALSE(CanBeOverheard("https://pager.example/x"));
  EXPECT_FALSE(CanBeOverheard("http://127.0.0.1:99/x"));
  EXPECT_FALSE(CanBeOverheard("http://localhost/x"));
  EXPECT_FALSE(CanBeOverheard("http://[::1]:80/"));
}

TEST(EndpointName, IsShortAndPlain) {
  EXPECT_TRUE(IsEndpointName("pager-2"));
  for (const char* const name : {"", "-a", "A", "a b", "a/b", "a."}) {
    EXPECT_FALSE(IsEndpointName(name)) << name;
  }
  EXPECT_FALSE(IsEndpointName(std::string(kMaxName + 1, 'a')));
}

TEST(Consumer, IsNamedAfterTheEndpointAndNoOther) {
  EXPECT_EQ(EndpointOf(ConsumerOf("pager")), "pager");
  EXPECT_EQ(EndpointOf("watcher/x"), "");
}

TEST(Wants, AllKindsOrThoseThatAreNamed) {
  Endpoint endpoint;
  store::ChangeRow change;
  change.kind = "incident";
  EXPECT_TRUE(Wants(endpoint, change));
  endpoint.kinds = {"trust", "brake"};
  EXPECT_FALSE(Wants(endpoint, change));
  change.kind = "brake";
  EXPECT_TRUE(Wants(endpoint, change));
}

}  // namespace
}  // namespace bootgate::gatekeeper::webhook

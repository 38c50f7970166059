#include "gatekeeper/client/client_config.h"

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::client {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;

class ClientConfigTest : public ::testing::Test {
 protected:
  ClientConfigTest() {
    std::string pattern = ::testing::TempDir() + "/client_config.XXXXXX";
    file_ = std::string(mkdtemp(pattern.data())) + "/client.toml";
  }
  absl::StatusOr<ServerOptions> With(const ServerOptions& given, const std::string& text) {
    EXPECT_THAT(WriteFileAtomically(file_, AsBytes(text), 0600), IsOk());
    return WithConfig(given, file_);
  }
  std::string file_;
};

constexpr char kText[] =
    "[client]\nserver = \"gate:9744\"\nidentity = \"a.pem\"\nca = \"r.pem\"\nserver_name = \"g\"\n";

TEST_F(ClientConfigTest, FillsWhatIsNotGiven) {
  BG_ASSERT_OK_AND_ASSIGN(const ServerOptions all, With({}, kText));
  EXPECT_EQ(all.address, "gate:9744");
  EXPECT_EQ(all.identity, "a.pem");
  EXPECT_EQ(all.ca, "r.pem");
  EXPECT_EQ(all.name, "g");
}

TEST_F(ClientConfigTest, WhatBelongsTogetherIsNotMixed) {
  BG_ASSERT_OK_AND_ASSIGN(const ServerOptions elsewhere, With({.address = "other:1"}, kText));
  EXPECT_EQ(elsewhere.address, "other:1");
  EXPECT_EQ(elsewhere.name, "");
  EXPECT_EQ(elsewhere.identity, "a.pem");
  BG_ASSERT_OK_AND_ASSIGN(const ServerOptions other, With({.identity = "b.pem"}, kText));
  EXPECT_EQ(other.identity, "b.pem");
  EXPECT_EQ(other.ca, "") << "beside b.pem";
}

TEST_F(ClientConfigTest, NoFileIsNoServer) {
  BG_ASSERT_OK_AND_ASSIGN(const ServerOptions none, WithConfig({}, file_));
  EXPECT_EQ(none.address, "");
}

TEST_F(ClientConfigTest, UnknownKeysAreNamed) {
  EXPECT_THAT(std::string(With({}, "[client]\nsever = \"x\"\n").status().message()),
              HasSubstr("client.server"));
}

TEST_F(ClientConfigTest, TheShippedExampleIsRead) {
  BG_ASSERT_OK_AND_ASSIGN(const ServerOptions all,
                          WithConfig({}, testing::SourcePath("deploy/config/client.toml")));
  EXPECT_EQ(all.address, "gatekeeper.bootgate.example:9744");
}

}  // namespace
}  // namespace bootgate::gatekeeper::client

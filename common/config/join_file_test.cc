#include "common/config/join_file.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::config {
namespace {

using ::testing::HasSubstr;

JoinFile Sample() {
  return {.gatekeeper = "gate.example:9743",
          .server_name = "gate.example",
          .cluster_id = "c1",
          .token_id = "t1",
          .token_secret = SecretBytes(Bytes{1, 2, 3}),
          .ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
          .expires_at = absl::FromUnixSeconds(1800000000)};
}

TEST(JoinFile, IsReadBack) {
  BG_ASSERT_OK_AND_ASSIGN(const JoinFile read, ParseJoinFile(Format(Sample()), "join"));
  EXPECT_EQ(read.gatekeeper, "gate.example:9743");
  EXPECT_EQ(read.server_name, "gate.example");
  EXPECT_EQ(read.token_id, "t1");
  EXPECT_TRUE(read.token_secret.ConstantTimeEquals(Bytes{1, 2, 3}));
  EXPECT_EQ(read.ca_pem, Sample().ca_pem);
  EXPECT_EQ(read.expires_at, Sample().expires_at);
}

TEST(JoinFile, EveryMissingPartIsNamed) {
  const absl::Status status = ParseJoinFile("gatekeeper = \"x:1\"\n", "join").status();
  for (const char* part : {"cluster_id", "token_id", "token_secret", "ca", "expires_at"}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(part));
  }
}

TEST(JoinFile, GarbageDoesNotShowTheSecret) {
  std::string text = Format(Sample());
  text.replace(text.find("010203"), 6, "s3cret");
  const absl::Status status = ParseJoinFile(text, "join").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("token_secret: is no hexadecimal"));
  EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace bootgate::config

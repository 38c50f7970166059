#include "agent/app/config.h"

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::agent::app {
namespace {

using ::testing::HasSubstr;

TEST(AgentConfig, ShippedSampleHoldsTheDefaults) {
  BG_ASSERT_OK_AND_ASSIGN(const std::string text,
                          ReadTextFile(testing::SourcePath("deploy/config/agent.toml"), 1 << 20));
  BG_ASSERT_OK_AND_ASSIGN(const Config sample, ParseConfig(text, "agent.toml"));
  const Config defaults;
  EXPECT_EQ(sample.state_folder, defaults.state_folder);
  EXPECT_EQ(sample.runtime_folder, defaults.runtime_folder);
  EXPECT_EQ(sample.boot_log, defaults.boot_log);
  EXPECT_EQ(sample.user_log, defaults.user_log);
  EXPECT_EQ(sample.ima_list, defaults.ima_list);
  EXPECT_EQ(sample.kernel_boot_id, defaults.kernel_boot_id);
  EXPECT_EQ(sample.tcti, defaults.tcti);
  EXPECT_EQ(sample.ak, defaults.ak);
  EXPECT_EQ(sample.ek, defaults.ek);
  EXPECT_EQ(sample.install_credential, defaults.install_credential);
  EXPECT_EQ(sample.cap_register, defaults.cap_register);
  EXPECT_EQ(sample.retry_first, defaults.retry_first);
  EXPECT_EQ(sample.retry_most, defaults.retry_most);
}

TEST(AgentConfig, WrongValuesAreNamed) {
  const std::string complaint(ParseConfig("state_folder = \"var\"\n[tpm]\nak = \"dsa\"\ntcty = "
                                          "\"x\"\n[retry]\nfirst = \"10m\"\nmost = \"1s\"\n",
                                          "a.toml")
                                  .status()
                                  .message());
  EXPECT_THAT(complaint, HasSubstr("state_folder: must be an absolute path"));
  EXPECT_THAT(complaint, HasSubstr("tpm.ak: 'dsa' is none of ecc, rsa"));
  EXPECT_THAT(complaint, HasSubstr("did you mean tpm.tcti?"));
  EXPECT_THAT(complaint, HasSubstr("retry.most: is shorter"));
}

TEST(AgentConfig, MissingFileIsFineOnlyAtTheDefaultPath) {
  EXPECT_TRUE(LoadConfig("/nonexistent/agent.toml", false).ok());
  EXPECT_EQ(LoadConfig("/nonexistent/agent.toml", true).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace bootgate::agent::app

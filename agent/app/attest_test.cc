#include "agent/app/attest.h"

#include "agent/identity/installed_credential.h"
#include "agent/identity/stored_credential.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::agent::app {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;

TEST(DropExpired, RemovesSealedAndInstalledCredentialWhenItLapses) {
  const desk::ScratchFolder scratch;
  Config config;
  config.state_folder = scratch.path() + "/state";
  config.runtime_folder = scratch.path() + "/run";
  const absl::Time ends = absl::FromUnixSeconds(1'800'000'000);
  identity::StoredCredential stored;
  stored.payload = Bytes(10, 1);
  stored.selection = registers::ParseSelection("sha256:7").value();
  stored.not_after = ends;
  ASSERT_THAT(identity::StoreCredential(config.state_folder, stored), IsOk());
  evidence::SealedPayload payload;
  payload.chain_pem = "chain";
  payload.private_key_pem = SecretBytes(AsBytes("key"));
  ASSERT_THAT(identity::InstallCredential(config.runtime_folder, payload), IsOk());

  ASSERT_THAT(DropExpired(config, ends - absl::Seconds(1)), IsOk());
  EXPECT_TRUE(identity::IsCredentialInstalled(config.runtime_folder));
  ASSERT_THAT(DropExpired(config, ends), IsOk());
  EXPECT_FALSE(identity::IsCredentialInstalled(config.runtime_folder));
  EXPECT_THAT(identity::LoadStoredCredential(config.state_folder),
              HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(DropExpired(config, ends), IsOk());
}

}  // namespace
}  // namespace bootgate::agent::app

#include "agent/app/attest.h"

#include "agent/identity/installed_credential.h"
#include "agent/identity/plaintext.h"
#include "agent/identity/stored_credential.h"
#include "common/base/status_macros.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "tests/desk/scratch_folder.h"
#include "tests/desk/self_signed.h"
#include "tests/desk/tpm_fixture.h"

namespace bootgate::agent::app {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

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
  ASSERT_THAT(identity::InstallCredential(config.runtime_folder, desk::SelfSigned(ends)), IsOk());
  EXPECT_THAT(identity::ReadInstalled(config.runtime_folder), IsOk());
  EXPECT_EQ(CredentialsUntil(config), ends);

  ASSERT_THAT(DropExpired(config, ends - absl::Seconds(1)), IsOk());
  EXPECT_TRUE(identity::IsCredentialInstalled(config.runtime_folder));
  ASSERT_THAT(DropExpired(config, ends), IsOk());
  EXPECT_FALSE(identity::IsCredentialInstalled(config.runtime_folder));
  EXPECT_THAT(identity::LoadStoredCredential(config.state_folder),
              HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(DropExpired(config, ends), IsOk());
  EXPECT_EQ(CredentialsUntil(config), absl::InfiniteFuture());
}

TEST(DropExpired, RemovesAnInstalledCredentialThatNothingSealedStandsBehind) {
  const desk::ScratchFolder scratch;
  Config config;
  config.state_folder = scratch.path() + "/state";  // as a full disk left it: empty
  config.runtime_folder = scratch.path() + "/run";
  const absl::Time ends = absl::FromUnixSeconds(1'800'000'000);
  ASSERT_THAT(identity::InstallCredential(config.runtime_folder, desk::SelfSigned(ends)), IsOk());
  ASSERT_THAT(DropExpired(config, ends - absl::Seconds(1)), IsOk());
  EXPECT_TRUE(identity::IsCredentialInstalled(config.runtime_folder));
  ASSERT_THAT(DropExpired(config, ends), IsOk());
  EXPECT_FALSE(identity::IsCredentialInstalled(config.runtime_folder));
}

TEST(DropExpired, RemovesWhatIsDamagedAtOnce) {
  const desk::ScratchFolder scratch;
  Config config;
  config.state_folder = scratch.path() + "/state";
  config.runtime_folder = scratch.path() + "/run";
  for (const std::string& folder : {config.state_folder, config.runtime_folder})
    ASSERT_THAT(MakeFolder(folder, 0700), IsOk());
  const std::string sealed = config.state_folder + "/credential.json",
                    key = config.runtime_folder + "/key.pem";
  ASSERT_THAT(WriteFileAtomically(sealed, AsBytes("{"), 0600), IsOk());
  ASSERT_THAT(WriteFileAtomically(key, AsBytes("a key without its certificate"), 0600), IsOk());
  EXPECT_EQ(CredentialsUntil(config), absl::InfinitePast());
  ASSERT_THAT(DropExpired(config, absl::FromUnixSeconds(1)), IsOk());
  EXPECT_FALSE(FileExists(sealed));
  EXPECT_FALSE(FileExists(key));
}

// A gatekeeper that refuses evidence until it gets what it wants.
class PickyGatekeeper final : public GatekeeperClient {
 public:
  explicit PickyGatekeeper(std::vector<Reason> refusals) : refusals_(std::move(refusals)) {}

  absl::StatusOr<ActivationChallenge> BeginEnrollment(const agent::JoinRequest&) override {
    return absl::UnimplementedError("not asked");
  }
  absl::StatusOr<JoinAnswer> CompleteEnrollment(const std::string&, const SecretBytes&,
                                                ByteView) override {
    return absl::UnimplementedError("not asked");
  }
  // Knows every entry.
  absl::StatusOr<Bytes> KnownEntries(const std::string&, ByteView, ByteView names) override {
    return Bytes((names.size() / 32 + 7) / 8, 0xff);
  }
  absl::StatusOr<AttestAnswer> SubmitMixed(const evidence::Evidence& evidence,
                                           ByteView mixed) override {
    EXPECT_LT(mixed.size(), evidence.ima.before_quote.size());
    mixed_evidence.push_back(first_entries.size());
    return Submit(evidence);
  }
  // The first challenge asks for what is new, the others for everything.
  absl::StatusOr<Challenge> GetChallenge(const std::string&, ByteView) override {
    ++challenges;
    return Challenge{.nonce = Bytes(32, 1),
                     .cluster_id = "blue",
                     .selection = "sha256:0-14",
                     .seal_selection = "sha256:0-7",
                     .ima_first_entry = challenges == 1 ? first_asked : 0};
  }
  absl::StatusOr<AttestAnswer> Submit(const evidence::Evidence& evidence) override {
    first_entries.push_back(evidence.ima.first_entry);
    const size_t number = first_entries.size() - 1;
    if (number < refusals_.size()) return Malformed(refusals_[number], "again");
    AttestAnswer answer;
    answer.outcome = "ADMIT";
    return answer;
  }

  uint64_t first_asked = 80;
  int challenges = 0;
  std::vector<size_t> mixed_evidence;   // numbers of evidence with names
  std::vector<uint64_t> first_entries;  // of each evidence

 private:
  const std::vector<Reason> refusals_;
};

class AttestTest : public desk::TpmTest {
 protected:
  bool another_ek = false;
  absl::StatusOr<Attestation> AttestTo(PickyGatekeeper& gatekeeper) {
    Config config;
    config.state_folder = scratch_->path() + "/state";
    config.runtime_folder = scratch_->path() + "/run";
    config.boot_log = host_->boot_log_path();
    config.ima_list = host_->ima_path();
    config.kernel_boot_id = host_->boot_id_path();
    identity::JoinState joined;
    joined.cluster_id = "blue";
    joined.host_id = "h-1";
    joined.ek_template = tpm2::EkTemplate::kP256Low;
    BG_ASSIGN_OR_RETURN(const auto pinned, Pin(*tpm_, joined.ek_template));
    joined.ek_name = another_ek ? Bytes(34, 9) : ToBytes(pinned.name());
    std::optional<Challenge> challenge;
    return Attest(config, joined, *tpm_, gatekeeper, &challenge);
  }
};

TEST_F(AttestTest, SendsTheWholeListAtOnceWhenItIsWanted) {
  PickyGatekeeper gatekeeper({Reason::kRetryResync, Reason::kRetryLogBehind});
  ASSERT_THAT(AttestTo(gatekeeper), IsOk());
  EXPECT_THAT(gatekeeper.first_entries, ::testing::ElementsAre(80, 0, 0));
}

TEST_F(AttestTest, SendsKnownEntriesByNameUntilToldOtherwise) {
  PickyGatekeeper gatekeeper({Reason::kRetryLogBehind, Reason::kRetryResync});
  gatekeeper.first_asked = 0;
  ASSERT_THAT(AttestTo(gatekeeper), IsOk());
  EXPECT_THAT(gatekeeper.first_entries, ::testing::ElementsAre(0, 0, 0));
  EXPECT_THAT(gatekeeper.mixed_evidence, ::testing::ElementsAre(0, 1));
}

TEST_F(AttestTest, DoesNotSendTheListForEver) {
  PickyGatekeeper gatekeeper(std::vector<Reason>(1000, Reason::kRetryResync));
  EXPECT_THAT(AttestTo(gatekeeper), Refuses(Reason::kRetryResync));
  EXPECT_LT(gatekeeper.first_entries.size(), 20u);
}

TEST_F(AttestTest, AnotherTpmThanTheOneThatJoinedSaysNothingToAnybody) {
  another_ek = true;
  PickyGatekeeper gatekeeper({});
  EXPECT_THAT(AttestTo(gatekeeper), Refuses(Reason::kTpmReplaced));
  EXPECT_EQ(gatekeeper.challenges, 0);
  EXPECT_TRUE(gatekeeper.first_entries.empty());
}

TEST_F(AttestTest, OtherRefusalsAreFinal) {
  PickyGatekeeper gatekeeper({Reason::kSigInvalid});
  EXPECT_THAT(AttestTo(gatekeeper), Refuses(Reason::kSigInvalid));
  EXPECT_EQ(gatekeeper.first_entries.size(), 1u);
}

}  // namespace
}  // namespace bootgate::agent::app

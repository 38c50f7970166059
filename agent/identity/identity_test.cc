#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "agent/identity/installed_credential.h"
#include "agent/identity/join_state.h"
#include "agent/identity/state_file.h"
#include "agent/identity/stored_credential.h"
#include "agent/identity/unseal.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "tests/desk/tpm_fixture.h"

namespace bootgate::agent::identity {
namespace {

using ::bootgate::testing::CorpusFile;
using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using desk::ScratchFolder;

JoinState Joined() {
  return {.gatekeeper = "gate.example:9743",
          .ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
          .cluster_id = "blue",
          .host_id = "h-0123",
          .ek_template = tpm2::EkTemplate::kP256Low,
          .ek_name = Bytes(34, 7),
          .ak = tpm::AkKind::kRsa,
          .ak_certificate = Bytes(100, 9)};
}

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
}

absl::Status Write(const std::string& path, const std::string& text, mode_t mode = 0600) {
  return WriteFileAtomically(path, AsBytes(text), mode);
}

TEST(JoinState, ComesBackAsItWasSaved) {
  const ScratchFolder scratch;
  const std::string folder = scratch.path() + "/state";
  EXPECT_THAT(LoadJoinState(folder), HasCode(absl::StatusCode::kNotFound));
  ASSERT_THAT(SaveJoinState(folder, Joined()), IsOk());
  EXPECT_EQ(ModeOf(folder), 0700u);
  EXPECT_EQ(ModeOf(folder + "/join.json"), 0600u);
  BG_ASSERT_OK_AND_ASSIGN(const JoinState back, LoadJoinState(folder));
  EXPECT_EQ(back.gatekeeper, Joined().gatekeeper);
  EXPECT_EQ(back.ca_pem, Joined().ca_pem);
  EXPECT_EQ(back.cluster_id, Joined().cluster_id);
  EXPECT_EQ(back.host_id, Joined().host_id);
  EXPECT_EQ(back.ek_template, Joined().ek_template);
  EXPECT_EQ(back.ek_name, Joined().ek_name);
  EXPECT_EQ(back.ak, Joined().ak);
  EXPECT_EQ(back.ak_certificate, Joined().ak_certificate);
  ASSERT_THAT(RemoveState(folder), IsOk());
  EXPECT_THAT(LoadJoinState(folder), HasCode(absl::StatusCode::kNotFound));
}

TEST(Attack, A64_PoisonedStateIsNotUsed) {
  const ScratchFolder scratch;
  const std::string path = scratch.path() + "/join.json";
  ASSERT_THAT(SaveJoinState(scratch.path(), Joined()), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const std::string good, ReadTextFile(path, 1 << 20));
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  const std::vector<std::string> poisoned = {"",
                                             "garbage",
                                             "[]",
                                             "{}",
                                             good.substr(0, good.size() / 2),
                                             good + "x",
                                             changed("\"version\": \"1\"", "\"version\": \"2\""),
                                             changed("\"version\": \"1\"", "\"version\": 1"),
                                             changed("\"version\"", "\"more\": \"x\", \"version\""),
                                             changed("0707", "07zz"),
                                             changed("\"rsa\"", "\"dsa\""),
                                             changed("h-0123", ""),
                                             changed("-----BEGIN CERTIFICATE-----", "none"),
                                             changed("0707", std::string(4000, '0')),
                                             std::string(kMaxStateFile + 1, ' ')};
  for (const std::string& text : poisoned) {
    ASSERT_THAT(Write(path, text), IsOk());
    EXPECT_THAT(LoadJoinState(scratch.path()), Refuses(Reason::kStateCorrupt))
        << text.substr(0, 80);
  }
  ASSERT_THAT(Write(path, good, 0644), IsOk());
  EXPECT_THAT(LoadJoinState(scratch.path()), Refuses(Reason::kStateCorrupt));
  ASSERT_THAT(Write(scratch.path() + "/elsewhere", good), IsOk());
  ASSERT_THAT(RemoveFile(path), IsOk());
  std::filesystem::create_symlink(scratch.path() + "/elsewhere", path);
  EXPECT_THAT(LoadJoinState(scratch.path()), Refuses(Reason::kStateCorrupt));
}

TEST(Attack, A64_StateOfAnotherUserIsNotUsed) {
  if (geteuid() != 0) GTEST_SKIP() << "needs to be root to give files away";
  const ScratchFolder scratch;
  ASSERT_THAT(SaveJoinState(scratch.path(), Joined()), IsOk());
  ASSERT_EQ(chown((scratch.path() + "/join.json").c_str(), 65534, 65534), 0);
  EXPECT_THAT(LoadJoinState(scratch.path()), Refuses(Reason::kStateCorrupt));
}

TEST(StoredCredential, ComesBackAsItWasStored) {
  const ScratchFolder scratch;
  const StoredCredential credential = {.blob = {Bytes(78, 1), Bytes(108, 2), Bytes(256, 3)},
                                       .payload = Bytes(3000, 4),
                                       .selection = {{crypto::HashAlg::kSha256, 0x90}},
                                       .certificate = Bytes(700, 5),
                                       .not_after = absl::FromUnixSeconds(1800000000)};
  ASSERT_THAT(StoreCredential(scratch.path(), credential), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const StoredCredential back, LoadStoredCredential(scratch.path()));
  EXPECT_EQ(back.blob.object_public, credential.blob.object_public);
  EXPECT_EQ(back.blob.duplicate, credential.blob.duplicate);
  EXPECT_EQ(back.blob.in_sym_seed, credential.blob.in_sym_seed);
  EXPECT_EQ(back.payload, credential.payload);
  EXPECT_EQ(back.selection, credential.selection);
  EXPECT_EQ(back.certificate, credential.certificate);
  EXPECT_EQ(back.not_after, credential.not_after);
  ASSERT_THAT(Write(scratch.path() + "/credential.json", "{\"version\":\"1\"}"), IsOk());
  EXPECT_THAT(LoadStoredCredential(scratch.path()), Refuses(Reason::kStateCorrupt));
  ASSERT_THAT(RemoveStoredCredential(scratch.path()), IsOk());
  EXPECT_THAT(LoadStoredCredential(scratch.path()), HasCode(absl::StatusCode::kNotFound));
}

evidence::SealedPayload Payload() {
  evidence::SealedPayload payload;
  payload.chain_pem = "chain";
  payload.private_key_pem = SecretBytes(AsBytes("key"));
  payload.secrets.emplace("disk.key", SecretBytes(AsBytes("secret")));
  return payload;
}

TEST(InstalledCredential, IsThereWithNarrowModesAndThenGone) {
  const ScratchFolder scratch;
  const std::string folder = scratch.path() + "/run";
  ASSERT_THAT(InstallCredential(folder, Payload()), IsOk());
  EXPECT_TRUE(IsCredentialInstalled(folder));
  EXPECT_EQ(ModeOf(folder + "/key.pem"), 0600u);
  EXPECT_EQ(ModeOf(folder + "/secrets/disk.key"), 0600u);
  EXPECT_EQ(ReadTextFile(folder + "/key.pem", 100).value(), "key");
  EXPECT_EQ(ReadTextFile(folder + "/cert.pem", 100).value(), "chain");

  evidence::SealedPayload next = Payload();
  next.secrets.clear();
  next.secrets.emplace("other", SecretBytes(AsBytes("x")));
  ASSERT_THAT(InstallCredential(folder, next), IsOk());
  EXPECT_FALSE(FileExists(folder + "/secrets/disk.key"));
  EXPECT_TRUE(FileExists(folder + "/secrets/other"));

  ASSERT_THAT(RemoveInstalledCredential(folder), IsOk());
  EXPECT_FALSE(IsCredentialInstalled(folder));
  EXPECT_FALSE(FileExists(folder + "/key.pem"));
  EXPECT_FALSE(FileExists(folder + "/secrets/other"));
  EXPECT_THAT(RemoveInstalledCredential(folder), IsOk());
}

TEST(InstalledCredential, ANewOneComesWholeAndTheOldOneGoes) {
  const desk::ScratchFolder scratch;
  const std::string& folder = scratch.path();
  ASSERT_THAT(InstallCredential(folder, Payload(), {.bundle_pem = "roots 1"}), IsOk());
  const auto first = std::filesystem::read_symlink(folder + "/current");
  evidence::SealedPayload next = Payload();
  next.chain_pem = "the next chain";
  ASSERT_THAT(InstallCredential(folder, next, {.bundle_pem = "roots 2"}), IsOk());
  const auto second = std::filesystem::read_symlink(folder + "/current");
  EXPECT_NE(first, second);
  EXPECT_FALSE(std::filesystem::exists(folder + "/" + first.string()));
  // All three are of one generation, by either way.
  for (const char* name : {"cert.pem", "key.pem", "bundle.pem"}) {
    EXPECT_EQ(std::filesystem::canonical(folder + "/" + name),
              std::filesystem::canonical(folder + "/" + second.string() + "/" + name));
  }
  EXPECT_EQ(ReadTextFile(folder + "/cert.pem", 1000).value(), "the next chain");
  EXPECT_EQ(ReadTextFile(folder + "/bundle.pem", 1000).value(), "roots 2");
  ASSERT_THAT(RemoveInstalledCredential(folder), IsOk());
  for (const auto& row : std::filesystem::directory_iterator(folder))
    EXPECT_EQ(row.path().filename(), "secrets");
}

TEST(InstalledCredential, OfOneThatCannotBeWrittenNothingStays) {
  const desk::ScratchFolder scratch;
  const std::string& folder = scratch.path();
  // A folder in the place of a link, which nobody may remove: it is not ours.
  std::filesystem::create_directories(folder + "/bundle.pem/mine");
  EXPECT_FALSE(InstallCredential(folder, Payload(), {.bundle_pem = "roots"}).ok());
  EXPECT_FALSE(IsCredentialInstalled(folder));
  for (const auto& row : std::filesystem::directory_iterator(folder))
    EXPECT_FALSE(row.path().filename().string().starts_with("generation-"));
  EXPECT_TRUE(FileExists(folder + "/bundle.pem/mine"));
}

TEST(InstalledCredential, TheKeysModeAndGroupAreAsConfigured) {
  const desk::ScratchFolder scratch;
  ASSERT_THAT(InstallCredential(scratch.path(), Payload(), {.group = getegid(), .key_mode = 0640}),
              IsOk());
  EXPECT_EQ(ModeOf(scratch.path() + "/key.pem"), 0640u);
  EXPECT_FALSE(FileExists(scratch.path() + "/bundle.pem"));
}

TEST(InstalledCredential, AFolderOfSomebodyElseInTheWayIsLeftAlone) {
  const desk::ScratchFolder scratch;
  std::filesystem::create_directories(scratch.path() + "/key.pem/mine");
  EXPECT_FALSE(InstallCredential(scratch.path(), Payload()).ok());
  EXPECT_TRUE(FileExists(scratch.path() + "/key.pem/mine"));
}

TEST(InstalledCredential, SecretNamesCannotLeaveTheFolder) {
  const ScratchFolder scratch;
  for (const char* name : {"../key.pem", ".hidden", "", "a/b", "a b", "x\n"}) {
    evidence::SealedPayload payload = Payload();
    payload.secrets.clear();
    payload.secrets.emplace(name, SecretBytes(AsBytes("x")));
    EXPECT_THAT(InstallCredential(scratch.path(), payload),
                HasCode(absl::StatusCode::kInvalidArgument));
    EXPECT_FALSE(IsCredentialInstalled(scratch.path()));
  }
}

class UnsealTest : public desk::TpmTest {
 protected:
  // What a gatekeeper issues for the TPM's present state.
  absl::StatusOr<StoredCredential> Issue(JoinState& joined) {
    StoredCredential issued{.selection = {{crypto::HashAlg::kSha256, 1u << 7 | 1u << 11}},
                            .certificate = CorpusFile("boots/good/ek-rsa.cert.der")};
    BG_ASSIGN_OR_RETURN(const auto ek, tpm_->EkPublic(joined.ek_template));
    joined.ek_name = ek.Name();
    BG_ASSIGN_OR_RETURN(const auto banks, tpm_->ReadRegisters(issued.selection));
    BG_ASSIGN_OR_RETURN(const Bytes policy, tpm::PcrPolicy(issued.selection, banks));
    const SecretBytes key = crypto::RandomSecret(evidence::kSealedKeySize);
    BG_ASSIGN_OR_RETURN(issued.blob, tpm2::SealForImport(ek, policy, key));
    const std::string serial = std::string(30, '0') + "02";  // of that certificate
    BG_ASSIGN_OR_RETURN(issued.payload,
                        evidence::ClosePayload(key, joined.host_id, serial, Payload()));
    return issued;
  }
};

TEST_F(UnsealTest, OpensWhatWasIssuedAlsoAfterARestartOfTheAgent) {
  const ScratchFolder scratch;
  JoinState joined = Joined();
  BG_ASSERT_OK_AND_ASSIGN(const StoredCredential issued, Issue(joined));
  ASSERT_THAT(StoreCredential(scratch.path(), issued), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const StoredCredential stored, LoadStoredCredential(scratch.path()));
  Reopen({.tcti = host_->tcti()});
  BG_ASSERT_OK_AND_ASSIGN(const auto payload, UnsealCredential(*tpm_, joined, stored, {}));
  EXPECT_EQ(payload.chain_pem, "chain");
  EXPECT_TRUE(payload.private_key_pem.ConstantTimeEquals(AsBytes("key")));
}

TEST_F(UnsealTest, A67_CapLetsItBeOpenedOnceInABoot) {
  JoinState joined = Joined();
  BG_ASSERT_OK_AND_ASSIGN(const StoredCredential issued, Issue(joined));
  const UnsealOptions cap = {.cap_register = 11};
  EXPECT_THAT(UnsealCredential(*tpm_, joined, issued, cap), IsOk());
  EXPECT_THAT(UnsealCredential(*tpm_, joined, issued, cap), Refuses(Reason::kTpmPolicy));
}

TEST_F(UnsealTest, PayloadOfAnotherHostDoesNotOpen) {
  JoinState joined = Joined();
  BG_ASSERT_OK_AND_ASSIGN(const StoredCredential issued, Issue(joined));
  joined.host_id = "h-other";
  EXPECT_FALSE(UnsealCredential(*tpm_, joined, issued, {}).ok());
}

}  // namespace
}  // namespace bootgate::agent::identity

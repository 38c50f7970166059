#include "agent/identity/boot_secrets.h"

#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "common/evidence/sealed_payload.h"
#include "common/tpm2/approval.h"
#include "tests/desk/tpm_fixture.h"

namespace bootgate::agent::identity {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using evidence::BootSecrets;
using tpm2::EkTemplate;

constexpr char kHost[] = "h-00112233445566778899aabbccddeeff";

class BootSecretsTest : public desk::TpmTest {
 protected:
  // As a gatekeeper makes it: the approvals are of `states`.
  BootSecrets Made(const std::vector<Bytes>& states, uint32_t generation = 1) {
    BootSecrets out;
    const Bytes ref = evidence::PolicyRef(kHost, generation);
    out.content_id = Bytes(32, static_cast<uint8_t>(generation));
    out.selection = selection_;
    out.approving_key = tpm2::ApprovingKeyArea(key_.Public()).value();
    out.generation = generation;
    const SecretBytes payload_key = crypto::RandomSecret(evidence::kSealedKeySize);
    evidence::Secrets secrets;
    secrets.emplace("disk", SecretBytes(AsBytes("the disk's key")));
    out.payload = evidence::CloseBootSecrets(payload_key, kHost, generation, secrets).value();
    const Bytes name = tpm2::Public::FromTpmt(out.approving_key).value().Name();
    out.blob = tpm2::SealForImport(tpm_->EkPublic(EkTemplate::kP256Low).value(),
                                   tpm2::AuthorizedPolicy(name, ref), payload_key)
                   .value();
    for (const Bytes& state : states) {
      out.approvals.push_back({state, tpm2::SignApproval(key_, state, ref).value()});
    }
    return out;
  }
  Bytes Present() {
    return tpm::PcrPolicy(selection_, tpm_->ReadRegisters(selection_).value()).value();
  }
  absl::StatusOr<evidence::Secrets> Open() {
    BG_ASSIGN_OR_RETURN(const BootSecrets held, LoadBootSecrets(scratch_folder_.path()));
    JoinState joined;
    joined.host_id = kHost;
    joined.ek_template = EkTemplate::kP256Low;
    joined.ek_name = tpm_->EkPublic(EkTemplate::kP256Low).value().Name();
    return UnsealBootSecrets(*tpm_, joined, held);
  }
  absl::Status Keep(const BootSecrets& answered) {
    return KeepBootSecrets(scratch_folder_.path(), kHost, answered);
  }
  // What an answer brings when the rest is held.
  static BootSecrets ApprovalsOf(BootSecrets made) {
    made.blob = {};
    made.payload.clear();
    return made;
  }

  const desk::ScratchFolder scratch_folder_;
  const registers::Selection selection_ = registers::ParseSelection("sha256:4,7").value();
  const crypto::PrivateKey key_ = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
};

TEST_F(BootSecretsTest, WhatIsKeptOpensInAnApprovedStateAlone) {
  EXPECT_THAT(LoadBootSecrets(scratch_folder_.path()), HasCode(absl::StatusCode::kNotFound));
  EXPECT_TRUE(HeldBootSecrets(scratch_folder_.path()).empty());
  ASSERT_THAT(Keep(Made({Bytes(32, 9), Present()})), IsOk());
  EXPECT_EQ(HeldBootSecrets(scratch_folder_.path()), Bytes(32, 1));
  BG_ASSERT_OK_AND_ASSIGN(const evidence::Secrets secrets, Open());
  EXPECT_EQ(AsText(secrets.at("disk").view()), "the disk's key");
  ASSERT_THAT(host_->Extend(4, "another kernel"), IsOk());
  EXPECT_THAT(Open(), Refuses(Reason::kTpmPolicy));
  ASSERT_THAT(RemoveBootSecrets(scratch_folder_.path()), IsOk());
  EXPECT_THAT(Open(), HasCode(absl::StatusCode::kNotFound));
}

TEST_F(BootSecretsTest, ApprovalsAloneReplaceThoseOfWhatIsHeld) {
  const BootSecrets made = Made({Bytes(32, 9)});
  ASSERT_THAT(Keep(made), IsOk());
  EXPECT_THAT(Open(), Refuses(Reason::kTpmPolicy));
  const Bytes state = Present(), ref = evidence::PolicyRef(kHost, 1);
  BootSecrets more = ApprovalsOf(made);
  more.approvals.push_back({state, tpm2::SignApproval(key_, state, ref).value()});
  ASSERT_THAT(Keep(more), IsOk());
  EXPECT_THAT(Open(), IsOk());
  more.content_id = Bytes(32, 7);
  EXPECT_THAT(Keep(more), HasCode(absl::StatusCode::kFailedPrecondition)) << "of what is not held";
}

// What a gatekeeper that is not ours, or a broken one, sends does not replace what is held.
TEST_F(BootSecretsTest, A66_WhatDoesNotBelongTogetherIsNotKept) {
  const BootSecrets good = Made({Present()});
  ASSERT_THAT(Keep(good), IsOk());
  BootSecrets of_generation_two = good;
  of_generation_two.approvals = Made({Present()}, 2).approvals;
  EXPECT_THAT(Keep(of_generation_two), Refuses(Reason::kSealApproval));
  BootSecrets other_key = good;
  const auto other = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  other_key.approving_key = tpm2::ApprovingKeyArea(other.Public()).value();
  EXPECT_THAT(Keep(other_key), Refuses(Reason::kSealApproval));
  EXPECT_THAT(KeepBootSecrets(scratch_folder_.path(), "h-other", good),
              Refuses(Reason::kSealApproval));
  EXPECT_THAT(Open(), IsOk());
}

// The same states with fresh signatures, as each answer has them, write nothing.
TEST_F(BootSecretsTest, NothingIsWrittenWhenNothingIsNew) {
  const BootSecrets made = Made({Present()});
  ASSERT_THAT(Keep(made), IsOk());
  const std::string path = scratch_folder_.path() + "/boot-secrets.json";
  const auto before = std::filesystem::last_write_time(path);
  BootSecrets again = ApprovalsOf(made);
  again.approvals[0].signature =
      tpm2::SignApproval(key_, again.approvals[0].policy, evidence::PolicyRef(kHost, 1)).value();
  ASSERT_THAT(Keep(again), IsOk());
  EXPECT_EQ(std::filesystem::last_write_time(path), before);
  EXPECT_THAT(Open(), IsOk());
}

TEST_F(BootSecretsTest, A64_PoisonedFileIsNamed) {
  ASSERT_THAT(Keep(Made({Present()})), IsOk());
  const std::string path = scratch_folder_.path() + "/boot-secrets.json";
  const std::string good = ReadTextFile(path, 1 << 20).value();
  for (const std::string& text : std::vector<std::string>{
           "", "{}", "[]", good + "x", good.substr(0, good.size() / 2),
           std::string(good).replace(good.find("sha256:4,7"), 10, "sha256:4,x"),
           std::string(good).replace(good.find("\"generation\": \"1\""), 17,
                                     "\"generation\": \"-\"")}) {
    ASSERT_THAT(WriteFileAtomically(path, AsBytes(text), 0600), IsOk());
    EXPECT_THAT(Open(), Refuses(Reason::kStateCorrupt)) << text.substr(0, 40);
    EXPECT_TRUE(HeldBootSecrets(scratch_folder_.path()).empty()) << "it is sent again";
  }
}

}  // namespace
}  // namespace bootgate::agent::identity

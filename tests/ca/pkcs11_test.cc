// CA keys in SoftHSM: what an HSM does on good days and on bad ones.
#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/sealing/approving_key.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/authority.h"
#include "pki/ca_steps.h"
#include "pki/pkcs11_key.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kModule[] = "/usr/lib/softhsm/libsofthsm2.so";
constexpr char kPin[] = "73915846";
const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

// A token named "bootgate", made by softhsm2-util. One folder for all tests: the module reads its
// configuration once.
class Pkcs11Test : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = new desk::ScratchFolder;
    std::filesystem::create_directory(Tokens());
    Write("softhsm2.conf", absl::StrCat("directories.tokendir = ", Tokens(),
                                        "\nobjectstore.backend = file\nlog.level = ERROR\n"));
    setenv("SOFTHSM2_CONF", (scratch_->path() + "/softhsm2.conf").c_str(), 1);
    ASSERT_EQ(std::system(absl::StrCat("softhsm2-util --init-token --free --label bootgate "
                                       "--so-pin 00000000 --pin ",
                                       kPin, " >/dev/null")
                              .c_str()),
              0);
  }
  static void TearDownTestSuite() { delete scratch_; }

  static std::string Tokens() { return scratch_->path() + "/tokens"; }
  static std::string Write(const std::string& name, absl::string_view text) {
    const std::string path = scratch_->path() + "/" + name;
    EXPECT_THAT(WriteFileAtomically(path, AsBytes(text), 0600), IsOk());
    return path;
  }
  static Pkcs11Location At(const std::string& label) {
    return {.module = kModule,
            .token = "bootgate",
            .label = label,
            .pin = {SecretSource::Kind::kFile, Write("pin", kPin)}};
  }
  static crypto::Digest Something() {
    return crypto::Hash(crypto::HashAlg::kSha256, AsBytes("something"));
  }
  static bool Signs(const KeyHolder& holder) {
    const absl::StatusOr<Bytes> signature = holder.Sign(Something());
    return signature.ok() &&
           holder.Public().Verify(crypto::SignatureScheme::kEcdsa, Something(), *signature).ok();
  }

  static inline desk::ScratchFolder* scratch_ = nullptr;
};

TEST_F(Pkcs11Test, AKeyIsMadeInTheTokenAndFoundAgain) {
  BG_ASSERT_OK_AND_ASSIGN(const auto made, MakePkcs11Key(At("first"), crypto::Curve::kP256));
  EXPECT_TRUE(Signs(*made));
  BG_ASSERT_OK_AND_ASSIGN(const auto found, OpenPkcs11Key(At("first"), made->Public()));
  EXPECT_TRUE(Signs(*found));
  EXPECT_THAT(MakePkcs11Key(At("first"), crypto::Curve::kP256).status(),
              HasCode(absl::StatusCode::kAlreadyExists));
}

TEST_F(Pkcs11Test, ManyThreadsSign) {
  BG_ASSERT_OK_AND_ASSIGN(const auto made, MakePkcs11Key(At("busy"), crypto::Curve::kP256));
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10; ++n) good += Signs(*made) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

TEST_F(Pkcs11Test, WhatIsWrongIsSaidWithoutThePin) {
  BG_ASSERT_OK_AND_ASSIGN(const auto made, MakePkcs11Key(At("named"), crypto::Curve::kP256));
  BG_ASSERT_OK_AND_ASSIGN(const auto other, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  Pkcs11Location no_token = At("named"), no_module = At("named"), no_pin = At("named");
  no_token.token = "elsewhere";
  no_module.module = "/usr/lib/nothing.so";
  no_pin.pin = {SecretSource::Kind::kFile, "/nonexistent/pin"};
  const struct {
    Pkcs11Location location;
    crypto::PublicKey key;
    const char* says;
  } rows[] = {{At("nothing"), made->Public(), "no private key of that label"},
              {At("named"), other.Public(), "not the key of the certificate"},
              {no_token, made->Public(), "no such token"},
              {no_module, made->Public(), "cannot load the module"},
              {no_pin, made->Public(), "/nonexistent/pin"}};
  for (const auto& row : rows) {
    BG_ASSERT_OK_AND_ASSIGN(const auto holder, OpenPkcs11Key(row.location, row.key));
    const absl::Status status = holder->Sign(Something()).status();
    EXPECT_THAT(status, Refuses(Reason::kCaKey));
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.says));
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.location.label));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr(kPin)));
  }
}

// A token locks itself after a few wrong PINs: ours is tried once.
TEST_F(Pkcs11Test, AWrongPinIsTriedOnceAndANewOneAtOnce) {
  BG_ASSERT_OK_AND_ASSIGN(const auto made, MakePkcs11Key(At("guarded"), crypto::Curve::kP256));
  Pkcs11Location location = At("guarded");
  location.pin.where = Write("other-pin", "11111111");
  BG_ASSERT_OK_AND_ASSIGN(const auto holder, OpenPkcs11Key(location, made->Public()));
  EXPECT_THAT(std::string(holder->Sign(Something()).status().message()),
              HasSubstr("CKR_PIN_INCORRECT"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(std::string(holder->Sign(Something()).status().message()),
                HasSubstr("not tried again"));
  }
  Write("other-pin", kPin);
  EXPECT_TRUE(Signs(*holder));
}

// The whole CA on the token: a dead HSM gives no credential, and works again when it is back.
TEST_F(Pkcs11Test, ADeadTokenGivesNoCredentialAndComesBackWithoutARestart) {
  CaPlan plan{
      .folder = scratch_->path() + "/ca", .cluster_id = "lab", .trust_domain = "lab.example"};
  plan.key = {.kind = KeySpec::Kind::kPkcs11,
              .module = kModule,
              .token = "bootgate",
              .secret = {SecretSource::Kind::kFile, Write("pin", kPin)}};
  ASSERT_THAT(CreateCas(plan, kNow).status(), IsOk());
  for (const auto& entry : std::filesystem::directory_iterator(plan.folder)) {
    if (entry.path().filename() != "root.key") {
      EXPECT_NE(entry.path().extension(), ".key");
    }
  }
  BG_ASSERT_OK_AND_ASSIGN(const Authority authority, Authority::Open({plan.folder}, kNow));
  BG_ASSERT_OK_AND_ASSIGN(const auto key, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  const auto issue = [&] {
    return authority.IssueServer({"gate.example"}, key.Public(), kNow, kNow + absl::Hours(1));
  };
  ASSERT_THAT(issue().status(), IsOk());
  std::filesystem::rename(Tokens(), Tokens() + ".gone");
  std::filesystem::create_directory(Tokens());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(issue().status(), HasCode(absl::StatusCode::kUnavailable));
    EXPECT_THAT(issue().status(), Refuses(Reason::kCaKey));
  }
  // A gatekeeper that starts now starts; it signs nothing.
  EXPECT_THAT(Authority::Open({plan.folder}, kNow).status(), IsOk());
  std::filesystem::remove(Tokens());
  std::filesystem::rename(Tokens() + ".gone", Tokens());
  EXPECT_THAT(issue().status(), IsOk());
}

// The key that approves boot states, in the same token by the same means.
TEST_F(Pkcs11Test, AnApprovingKeyIsHeldByATokenToo) {
  const std::string folder = scratch_->path() + "/sealing";
  KeySpec where = {.kind = KeySpec::Kind::kPkcs11,
                   .file = "",
                   .module = kModule,
                   .token = "bootgate",
                   .label = "",
                   .secret = At("").pin};
  BG_ASSERT_OK_AND_ASSIGN(
      const auto made,
      gatekeeper::sealing::MakeApprovingKey(folder, where, gatekeeper::sealing::Existing::kStays));
  EXPECT_TRUE(Signs(*made));
  EXPECT_FALSE(FileExists(folder + "/approving.key"));
  BG_ASSERT_OK_AND_ASSIGN(const auto opened, gatekeeper::sealing::ApprovingKey(folder));
  EXPECT_TRUE(opened->Public() == made->Public());
  EXPECT_TRUE(Signs(*opened));
  EXPECT_THAT(ReadTextFile(folder + "/approving.toml", 4096).value(), Not(HasSubstr(kPin)));
}

}  // namespace
}  // namespace bootgate::pki

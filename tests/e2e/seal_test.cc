// Secrets of hosts and planned updates, end to end: the real programs, a TPM in software.
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/eventlog/log.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "tests/e2e/ends_with.h"
#include "tests/e2e/world.h"

namespace bootgate::e2e {
namespace {

using crypto::HashAlg;
using testing::CorpusFile;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kDiskKey[] = "the key of the disk";
constexpr char kAfterUpdate[] = "cmdline-changed";  // the boot that the update leads to
constexpr size_t kMaxFile = size_t{1} << 20;

// The words that say what the update changes in the host's own boot log.
std::vector<std::string> Replacements() {
  const Bytes before = CorpusFile("boots/good/eventlog.bin");
  const Bytes after = CorpusFile(absl::StrCat("boots/", kAfterUpdate, "/eventlog.bin"));
  const eventlog::Log log = eventlog::Log::Parse(before), next = eventlog::Log::Parse(after);
  std::vector<std::string> words;
  for (size_t i = 0; i < log.events().size() && i < next.events().size(); ++i) {
    if (!log.events()[i].Extends()) continue;
    for (const HashAlg bank : log.banks()) {
      const auto old = log.DigestOf(log.events()[i], bank);
      const auto now = next.DigestOf(next.events()[i], bank);
      if (!old.has_value() || !now.has_value() || SameBytes(*old, *now)) continue;
      words.push_back("--eventlog-replace");
      words.push_back(absl::StrCat(i, "=", std::string(crypto::Name(bank)), ":", ToHex(*now)));
    }
  }
  return words;
}

class SealTest : public ::testing::Test {
 protected:
  explicit SealTest(int cap_register = -1)
      : host_({.folder = scratch_.path() + "/host",
               .ca_folder = World::VendorFolder(),
               .install = true,
               .cap_register = cap_register}),
        gatekeeper_({desk::RootCertificatePath(World::VendorFolder()),
                     desk::IssuerCertificatePath(World::VendorFolder())},
                    cap_register < 0
                        ? ""
                        : absl::StrCat("\n[credential]\ncap_register = ", cap_register, "\n")) {
    gatekeeper_.Do(
        {"policy", "activate", testing::SourcePath("deploy/policies/secure-boot.policy")});
    gatekeeper_.Start();
    std::ofstream(gatekeeper_.Beside("disk.key")) << kDiskKey;
  }

  void SetUp() override {
    ASSERT_THAT(host_.Verb({"join", gatekeeper_.JoinFile("join")}), Succeeds());
    gatekeeper_.Do(
        {"secret", "put", "disk", "--across-boots", "--file", gatekeeper_.Beside("disk.key")});
    ASSERT_THAT(host_.Verb({"attest"}), Succeeds());
  }

  // `credential unseal --boot-secrets` as an initrd runs it, with no gatekeeper to ask.
  Ran UnsealAtBoot() {
    std::filesystem::remove_all(Early());
    return host_.Verb({"credential", "unseal", "--boot-secrets", "--out", Early()});
  }
  std::string DiskKey(const std::string& folder) const {
    return ReadTextFile(folder + "/secrets/disk", kMaxFile).value_or("");
  }
  std::string Early() const { return scratch_.path() + "/early"; }
  Ran Approve() {
    std::vector<std::string> words = {"approval", "create",   "--selector",       "",   "--expires",
                                      "36h",      "--reason", "new command line", "-o", "json"};
    const std::vector<std::string> changes = Replacements();
    words.insert(words.end(), changes.begin(), changes.end());
    return gatekeeper_.Verb(words);
  }

  const desk::ScratchFolder scratch_;
  AgentHost host_;
  Gatekeeper gatekeeper_;
};

TEST_F(SealTest, AnAdmittedHostHasItsSecretsAndOpensThemAtItsNextStart) {
  EXPECT_EQ(DiskKey(host_.runtime_folder()), kDiskKey);
  EXPECT_THAT(host_.Verb({"credential", "show"}).out,
              HasSubstr("secrets open in 1 approved state of sha256:0-9,14"));
  gatekeeper_.End(SIGTERM);
  host_.Reboot("good");
  EXPECT_THAT(UnsealAtBoot(), Succeeds());
  EXPECT_EQ(DiskKey(Early()), kDiskKey);
  EXPECT_FALSE(FileExists(Early() + "/key.pem")) << "secrets alone";
}

// The whole story of a kernel update: predicted from the host's own log, approved, booted, opened
// before the network is there, attested, sealed anew.
TEST_F(SealTest, APlannedUpdateLocksNobodyOut) {
  ASSERT_FALSE(Replacements().empty());
  const Ran approved = Approve();
  ASSERT_THAT(approved, Succeeds());
  ASSERT_THAT(host_.Verb({"attest"}), Succeeds());  // the approval comes with the answer
  gatekeeper_.End(SIGTERM);

  host_.Reboot(kAfterUpdate);
  EXPECT_THAT(UnsealAtBoot(), Succeeds());
  EXPECT_EQ(DiskKey(Early()), kDiskKey);

  host_.Reboot("good");
  EXPECT_THAT(UnsealAtBoot(), Succeeds()) << "the update was taken back";
  host_.Reboot("secure-boot-off");
  const Ran elsewhere = UnsealAtBoot();
  EXPECT_THAT(elsewhere, EndsWith(ExitCode::kTpm));
  EXPECT_THAT(elsewhere.err, HasSubstr("TPM_POLICY"));
  EXPECT_EQ(DiskKey(Early()), "");

  host_.Reboot(kAfterUpdate);
  gatekeeper_.Start();
  ASSERT_THAT(host_.Verb({"attest"}), Succeeds());
  const std::string id = nlohmann::json::parse(approved.out)["approval"];
  ASSERT_THAT(gatekeeper_.Verb({"approval", "revoke", id, "--reason", "done"}), Succeeds());
  ASSERT_THAT(host_.Verb({"attest"}), Succeeds());
  gatekeeper_.End(SIGTERM);
  EXPECT_THAT(UnsealAtBoot(), Succeeds()) << "sealed anew to what was attested";
  host_.Reboot("good");
  EXPECT_THAT(UnsealAtBoot(), EndsWith(ExitCode::kTpm)) << "nobody approved the way back";
}

TEST_F(SealTest, WithoutAnApprovalTheNewStateOpensNothingUntilItIsAttested) {
  host_.Reboot(kAfterUpdate);
  EXPECT_THAT(UnsealAtBoot(), EndsWith(ExitCode::kTpm));
  ASSERT_THAT(host_.Verb({"attest"}), Succeeds());
  EXPECT_THAT(UnsealAtBoot(), Succeeds());
  EXPECT_EQ(DiskKey(Early()), kDiskKey);
}

TEST_F(SealTest, ADeniedHostLosesWhatItHeld) {
  ASSERT_TRUE(FileExists(host_.state_folder() + "/boot-secrets.json"));
  ASSERT_THAT(Approve(), Succeeds());
  host_.Reboot("secure-boot-off");
  EXPECT_THAT(host_.Verb({"attest"}), EndsWith(ExitCode::kDenied));
  EXPECT_FALSE(FileExists(host_.state_folder() + "/boot-secrets.json"));
  EXPECT_THAT(UnsealAtBoot(), EndsWith(ExitCode::kNotFound));
  const Ran approved = Approve();
  EXPECT_THAT(approved, EndsWith(ExitCode::kConflict));
  EXPECT_THAT(approved.err, HasSubstr("only trusted hosts get approvals"));
}

TEST_F(SealTest, ARemovedSecretIsGoneWithTheNextAttestation) {
  gatekeeper_.Do({"secret", "remove", "disk"});
  ASSERT_THAT(host_.Verb({"attest"}), Succeeds());
  EXPECT_FALSE(FileExists(host_.state_folder() + "/boot-secrets.json"));
  EXPECT_EQ(DiskKey(host_.runtime_folder()), "");
}

TEST_F(SealTest, A64_PoisonedBootSecretsOpenNothing) {
  const std::string path = host_.state_folder() + "/boot-secrets.json";
  const auto good = ReadTextFile(path, kMaxFile).value();
  for (const char* const field :
       {"generation", "approving_key", "object_public", "approvals", "payload"}) {
    nlohmann::json json = nlohmann::json::parse(good);
    std::string value = json[field];
    value.back() = value.back() == '1' ? '2' : '1';
    json[field] = value;
    std::ofstream(path) << json.dump();
    EXPECT_NE(UnsealAtBoot().exit_code, 0) << field;
    EXPECT_EQ(DiskKey(Early()), "") << field;
  }
  std::ofstream(path) << "{";
  const Ran ran = UnsealAtBoot();
  EXPECT_NE(ran.exit_code, 0);
  EXPECT_THAT(ran.err, HasSubstr("STATE_CORRUPT"));
  ASSERT_THAT(host_.Verb({"attest"}), Succeeds());  // and are sent again
  EXPECT_THAT(UnsealAtBoot(), Succeeds());
}

TEST_F(SealTest, ValuesAreNeverShown) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"secret", "list"},
                                             {"secret", "show", "disk"},
                                             {"secret", "show", "disk", "-o", "json"},
                                             {"secret", "rotate"}}) {
    const Ran ran = gatekeeper_.Verb(words);
    EXPECT_THAT(ran, Succeeds());
    EXPECT_THAT(ran.out + ran.err, Not(HasSubstr(kDiskKey)));
  }
  const Ran shown = gatekeeper_.Verb({"secret", "show", "disk"});
  EXPECT_THAT(shown.out, HasSubstr("across boots"));
  EXPECT_THAT(shown.out, HasSubstr("h-"));
  for (const char* const name : {"gatekeeper.db", "gatekeeper.db-wal"}) {
    const auto bytes = ReadTextFile(gatekeeper_.folder() + "/" + name, size_t{64} << 20);
    if (bytes.ok()) {
      EXPECT_THAT(*bytes, Not(HasSubstr(kDiskKey))) << name;
    }
  }
}

TEST_F(SealTest, BadCommandsSayWhatAndTheWayOut) {
  struct Row {
    std::vector<std::string> words;
    ExitCode code;
    const char* says;
  };
  const std::string big = gatekeeper_.Beside("big");
  std::ofstream(big) << std::string(20000, 'x');
  for (const Row& row : std::vector<Row>{
           {{"secret", "put", "../x", "--file", big}, ExitCode::kUsage, "no name of a secret"},
           {{"secret", "put", "x"}, ExitCode::kUsage, "--per-host random"},
           {{"secret", "put", "x", "--file", big}, ExitCode::kUsage, "more than 16384 bytes"},
           {{"secret", "put", "x", "--file", big + "-none"}, ExitCode::kNotFound, "none"},
           {{"secret", "put", "x", "--per-host", "random", "--selector", "db"},
            ExitCode::kUsage,
            "label=value"},
           {{"secret", "remove", "nothing"}, ExitCode::kNotFound, "there is no secret nothing"},
           {{"secret", "show", "nothing"}, ExitCode::kNotFound, "there is no secret nothing"},
           {{"approval", "revoke", "a-0", "--reason", "x"}, ExitCode::kNotFound, "approval list"},
           {{"approval", "create", "--host", "h-0", "--expires", "1d", "--reason", "x",
             "--eventlog-replace", "1=sha256:00"},
            ExitCode::kNotFound,
            "there is no host h-0"},
           {{"approval", "create", "--expires", "1d", "--reason", "x", "--eventlog-replace",
             "1=sha256:00"},
            ExitCode::kUsage,
            "--selector"},
           {{"approval", "create", "--selector", "", "--expires", "soon", "--reason", "x",
             "--eventlog-replace", "1=sha256:00"},
            ExitCode::kUsage,
            "--expires"},
           {{"approval", "create", "--selector", "", "--expires", "1d", "--reason", "x"},
            ExitCode::kUsage,
            "--eventlog-replace"},
           {{"approval", "create", "--selector", "", "--expires", "1d", "--reason", "x",
             "--eventlog-replace", "99999=sha256:00"},
            ExitCode::kUsage,
            "nothing was approved"}}) {
    const Ran ran = gatekeeper_.Verb(row.words);
    EXPECT_THAT(ran, EndsWith(row.code)) << ::testing::PrintToString(row.words);
    EXPECT_THAT(ran.err, HasSubstr(row.says));
  }
}

// A67: the credential's opening extends the cap, and with it the door to the disk's key is shut.
class CappedSealTest : public SealTest {
 protected:
  CappedSealTest() : SealTest(13) {}
};

TEST_F(CappedSealTest, A67_SecretsAcrossBootsRespectTheCap) {
  EXPECT_EQ(DiskKey(host_.runtime_folder()), kDiskKey);  // opened, and capped then
  EXPECT_THAT(UnsealAtBoot(), EndsWith(ExitCode::kTpm));
  ASSERT_THAT(host_.Verb({"attest"}), Succeeds());  // while capped
  EXPECT_THAT(UnsealAtBoot(), EndsWith(ExitCode::kTpm));
  host_.Reboot("good");
  EXPECT_THAT(UnsealAtBoot(), Succeeds());
  EXPECT_EQ(DiskKey(Early()), kDiskKey);
}

}  // namespace
}  // namespace bootgate::e2e

// The agent when things go wrong on its host: the real programs, a TPM with somebody on its bus,
// disks that are full. Each trouble has a name in `status`, a way out, and an end.
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "agent/tpm/tpm.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/bytes/reader.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/public.h"
#include "tests/e2e/ends_with.h"
#include "tests/e2e/eventually.h"
#include "tests/e2e/world.h"

namespace bootgate::e2e {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

constexpr size_t kMaxFile = size_t{1} << 20;
constexpr uint32_t kCreatePrimary = 0x131, kActivateCredential = 0x147, kQuote = 0x158,
                   kUnseal = 0x15e, kReadPublic = 0x173, kStartAuthSession = 0x176;

std::string ReadText(const std::string& path) { return ReadTextFile(path, kMaxFile).value_or(""); }

bool Comes(const AgentHost& host, const std::string& phase) {
  return Eventually([&] { return host.Status("phase") == phase; });
}

// A program of tpm2-tools on the TPM itself, past whoever sits on the bus.
void Tool(World& world, std::vector<std::string> words) {
  words.insert(words.end(), {"-T", world.host.desk().tcti()});
  EXPECT_THAT(RunProgram(words), Succeeds());
}

// ---- States of the TPM

struct Trouble {
  const char *name, *phase, *reason;
  std::function<void(World&)> make, mend;
};
void PrintTo(const Trouble& row, std::ostream* os) { *os << row.name; }

std::function<void(World&)> Answering(uint32_t code, uint32_t rc) {
  return [=](World& world) {
    world.host.bus().answer_instead = [=](ByteView command, Bytes& response) {
      if (code != 0 && desk::CommandCode(command) != code) return false;
      response = desk::Refusal(rc);
      return true;
    };
  };
}

void Honest(World& world) {
  world.host.bus().answer_instead = nullptr;
  world.host.bus().change_response = nullptr;
}

const Trouble kTroubles[] = {
    {"Missing", "TPM missing", "TPM_MISSING",
     [](World& world) { world.host.proxy().SetUpstream("/nowhere/tpm"); },
     [](World& world) {
       world.host.proxy().SetUpstream(
           world.host.desk().tcti().substr(std::string("swtpm:path=").size()));
     }},
    {"FailureMode", "TPM in failure mode", "TPM_FAILURE", Answering(0, 0x101), Honest},
    {"NoRoomForObjects", "TPM full", "TPM_RESOURCES", Answering(kCreatePrimary, 0x902), Honest},
    {"NoRoomForSessions", "TPM full", "TPM_RESOURCES", Answering(kStartAuthSession, 0x903), Honest},
    {"ContextGap", "TPM full", "TPM_RESOURCES", Answering(kStartAuthSession, 0x901), Honest},
    {"LockedOut", "TPM locked out", "TPM_LOCKOUT", Answering(kUnseal, 0x921), Honest},
    {"AlwaysBusy", "TPM busy", "TPM", Answering(kQuote, 0x908), Honest},
    {"AnswersAltered", "TPM answers altered", "TPM_RESPONSE_HMAC",
     [](World& world) {
       world.host.bus().change_response = [](ByteView command, Bytes& response) {
         if (desk::CommandCode(command) == kUnseal) response.back() ^= 1;
       };
     },
     Honest},
    {"HierarchyPassword", "TPM hierarchy closed", "TPM_HIERARCHY",
     [](World& world) {
       Tool(world, {"tpm2_changeauth", "-c", "e", "secret"});
     },
     [](World& world) {
       Tool(world, {"tpm2_changeauth", "-c", "e", "-p", "secret"});
     }},
    {"HierarchyDisabled", "TPM hierarchy closed", "TPM_HIERARCHY",
     [](World& world) {
       Tool(world, {"tpm2_hierarchycontrol", "-C", "p", "ehEnable", "clear"});
     },
     [](World& world) {
       Tool(world, {"tpm2_hierarchycontrol", "-C", "p", "ehEnable", "set"});
     }},
    {"SealedShut", "credential sealed shut", "TPM_POLICY", Answering(kUnseal, 0x99d), Honest},
};

class TroubleTest : public ::testing::TestWithParam<Trouble> {
 protected:
  static void SetUpTestSuite() {
    world_ = new World({.install = true, .tapped = true});
    ASSERT_THAT(world_->Join(), Succeeds());
  }
  static void TearDownTestSuite() { delete world_; }
  static inline World* world_ = nullptr;
};

TEST_P(TroubleTest, HasANameAndAWayOutAndAnEnd) {
  const Trouble& row = GetParam();
  row.make(*world_);
  {
    const auto run = world_->host.Run();
    ASSERT_TRUE(Comes(world_->host, row.phase)) << ReadText(world_->host.log_path());
    EXPECT_EQ(world_->host.Status("reason"), row.reason);
    const Ran status = world_->host.Verb({"status"});
    EXPECT_THAT(status, Succeeds());
    EXPECT_THAT(status.out, HasSubstr(absl::StrCat("state:        ", row.phase, ", since 2")));
    const auto json =
        nlohmann::json::parse(world_->host.Verb({"status", "-o", "json"}).out, nullptr, false);
    ASSERT_TRUE(json.is_object() && json.contains("way_out"));
    EXPECT_THAT(json["way_out"].get<std::string>(), Not(::testing::IsEmpty()));
    EXPECT_THAT(status.out, HasSubstr("way out:      " + json["way_out"].get<std::string>()));
    EXPECT_FALSE(world_->host.IsInstalled());
    EXPECT_EQ(run->End(SIGTERM), 0);
  }
  row.mend(*world_);
  const auto run = world_->host.Run();
  ASSERT_TRUE(Comes(world_->host, "trusted")) << ReadText(world_->host.log_path());
  EXPECT_TRUE(world_->host.IsInstalled());
  EXPECT_EQ(run->End(SIGTERM), 0);
}

INSTANTIATE_TEST_SUITE_P(Tpm, TroubleTest, ::testing::ValuesIn(kTroubles),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(TpmTrouble, DeviceThatIsNotThereIsNamedWithTheSystemsError) {
  World world;
  ASSERT_THAT(world.Join(), Succeeds());
  std::string config = ReadText(world.host.config_path());
  config.replace(config.find(world.host.tcti()), world.host.tcti().size(), "device:/dev/tpmrm77");
  std::ofstream(world.host.config_path()) << config;
  const Ran ran = world.host.Verb({"attest"});
  EXPECT_THAT(ran, EndsWith(ExitCode::kTpm));
  EXPECT_THAT(ran.err, HasSubstr("open /dev/tpmrm77: No such file or directory"));
  EXPECT_THAT(ran.err, HasSubstr("TPM_MISSING: "));
}

// Somebody else's object, whose password is not exempt, guessed at once: one try is allowed.
void LockOut(World& world) {
  Tool(world, {"tpm2_dictionarylockout", "-s", "-n", "1", "-t", "1000", "-l", "1000"});
  Tool(world, {"tpm2_nvdefine", "0x1500016", "-C", "o", "-s", "4", "-p", "right", "-a",
               "authread|authwrite"});
  EXPECT_THAT(RunProgram({"tpm2_nvread", "0x1500016", "-C", "0x1500016", "-P", "wrong", "-T",
                          world.host.desk().tcti()}),
              Not(Succeeds()));
}

class LockoutTest : public ::testing::TestWithParam<const char*> {};

// Our keys are exempt, and EKs are used by their policy: nothing is amiss but a notice.
TEST_P(LockoutTest, KeepsNobodyFromBeingTrusted) {
  World world({.ek = GetParam(), .install = true});
  ASSERT_THAT(world.Join(), Succeeds());
  LockOut(world);
  const auto run = world.host.Run();
  ASSERT_TRUE(Comes(world.host, "trusted")) << ReadText(world.host.log_path());
  EXPECT_TRUE(world.host.IsInstalled());
  EXPECT_THAT(world.host.Verb({"status"}).out, HasSubstr("notice:       the TPM is in dictionary"));
  EXPECT_EQ(run->End(SIGTERM), 0);
}
INSTANTIATE_TEST_SUITE_P(Eks, LockoutTest, ::testing::Values("rsa", "ecc"),
                         [](const auto& row) { return std::string(row.param); });

TEST(TpmTrouble, ClearingTheTpmOrANewOwnerChangesNoKey) {
  World world({.install = true});
  ASSERT_THAT(world.Join(), Succeeds());
  Tool(world, {"tpm2_changeauth", "-c", "o", "new owner"});
  const auto before = world.host.Run();
  ASSERT_TRUE(Comes(world.host, "trusted")) << ReadText(world.host.log_path());
  EXPECT_EQ(before->End(SIGTERM), 0);
  Tool(world, {"tpm2_clear", "-c", "p"});
  const auto run = world.host.Run();
  // Whatever the gatekeeper makes of a reset count that went back: it was asked, with the same AK.
  ASSERT_TRUE(Eventually([&] { return world.host.Status("notices") != "[]"; }))
      << ReadText(world.host.log_path());
  EXPECT_THAT(world.host.Status("notices"), HasSubstr("the TPM was cleared"));
  EXPECT_THAT(world.host.Status("phase"), ::testing::AnyOf("trusted", "quarantined", "refused"))
      << ReadText(world.host.log_path());
  EXPECT_EQ(run->End(SIGTERM), 0);
}

TEST(TpmTrouble, ReplacedTpmSendsNothingAndLosesTheCredentials) {
  World world({.install = true, .tapped = true});
  ASSERT_THAT(world.Join(), Succeeds());
  ASSERT_THAT(world.host.Verb({"attest"}), Succeeds());
  ASSERT_TRUE(world.host.IsInstalled() && world.host.HoldsSealed());
  const AgentHost other = world.NewHost("other-board");
  world.host.proxy().SetUpstream(other.tcti().substr(std::string("swtpm:path=").size()));
  // Nobody is there to hear anything; the agent does not even ask.
  ASSERT_EQ(world.gatekeeper.End(SIGTERM), 0);
  const auto run = world.host.Run();
  ASSERT_TRUE(Comes(world.host, "TPM replaced")) << ReadText(world.host.log_path());
  EXPECT_EQ(world.host.Status("reason"), "TPM_REPLACED");
  EXPECT_FALSE(world.host.IsInstalled());
  EXPECT_FALSE(world.host.HoldsSealed());
  EXPECT_THAT(world.host.Verb({"status"}).out, HasSubstr("swap-tpm"));
  EXPECT_EQ(run->End(SIGTERM), 0);
}

// ---- The bus

// Who salts what, read off a recording. Implements: TPM 2.0 Part 1, 18 (command structure).
class Recording {
 public:
  explicit Recording(const desk::Bus& bus) {
    for (size_t i = 0; i < bus.responses.size() && i < bus.commands.size(); ++i)
      Note(bus.commands[i], bus.responses[i]);
  }

  // Names of the keys that salted the sessions that encrypt the answer of each such command.
  std::vector<std::set<std::string>> SaltsOf(uint32_t code, size_t handles,
                                             const desk::Bus& bus) const {
    std::vector<std::set<std::string>> salts;
    for (const Bytes& command : bus.commands) {
      if (desk::CommandCode(command) == code) salts.push_back(EncryptingSalts(command, handles));
    }
    return salts;
  }

 private:
  static constexpr size_t kHeader = 10;
  static uint32_t U32At(ByteView bytes, size_t offset) {
    bytes::Reader in(bytes.subspan(offset));
    return in.U32Be().value_or(0);
  }

  void Note(ByteView command, ByteView response) {
    if (response.size() <= kHeader || U32At(response, 6) != 0) return;
    switch (desk::CommandCode(command)) {
      case kCreatePrimary:  // handle, size of parameters, public area
        NoteKey(U32At(response, kHeader), response.subspan(kHeader + 8));
        return;
      case kReadPublic:
        NoteKey(U32At(command, kHeader), response.subspan(kHeader));
        return;
      case kStartAuthSession:
        salted_by_[U32At(response, kHeader)] = names_[U32At(command, kHeader)];
        return;
      default:
        return;
    }
  }

  void NoteKey(uint32_t handle, ByteView area) {
    bytes::Reader in(area);
    const size_t size = in.U16Be().value_or(0);
    const auto key = tpm2::Public::FromTpmt(in.Take(size).value_or(ByteView()));
    names_[handle] = key.ok() ? ToHex(key->Name()) : "";
  }

  std::set<std::string> EncryptingSalts(ByteView command, size_t handles) const {
    constexpr uint8_t kEncrypt = 0x40;
    bytes::Reader in(command.subspan(kHeader + 4 * handles));
    std::set<std::string> salts;
    auto area = in.Sub(in.U32Be().value_or(0));
    while (area.ok() && !area->empty()) {
      const uint32_t session = area->U32Be().value_or(0);
      area->Skip(area->U16Be().value_or(0)).IgnoreError();
      const bool encrypts = (area->U8().value_or(0) & kEncrypt) != 0;
      area->Skip(area->U16Be().value_or(0)).IgnoreError();
      const auto salt = salted_by_.find(session);
      if (encrypts && salt != salted_by_.end()) salts.insert(salt->second);
    }
    return salts;
  }

  std::map<uint32_t, std::string> names_;      // of keys, by handle
  std::map<uint32_t, std::string> salted_by_;  // sessions
};

struct Keys {
  const char *name, *ek;
};
void PrintTo(const Keys& row, std::ostream* os) { *os << row.name; }
class BusTest : public ::testing::TestWithParam<Keys> {};

TEST_P(BusTest, A62_EveryAnswerThatIsASecretIsEncryptedToThePinnedEk) {
  World world({.ek = GetParam().ek, .install = true, .tapped = true});
  ASSERT_THAT(world.Join(), Succeeds());
  ASSERT_THAT(world.host.Verb({"attest"}), Succeeds());
  ASSERT_THAT(world.host.Verb({"credential", "unseal"}), Succeeds());
  const std::string joined = ReadText(world.host.state_folder() + "/join.json");
  const auto pinned = nlohmann::json::parse(joined)["ek_name"].get<std::string>();
  const desk::Bus& bus = world.host.bus();
  const Recording recording(bus);
  const auto only_pinned = ::testing::Each(::testing::ElementsAre(pinned));
  const auto activations = recording.SaltsOf(kActivateCredential, 2, bus);
  EXPECT_GE(activations.size(), 1u);  // a TPM may ask for the command again
  EXPECT_THAT(activations, only_pinned);
  const auto unseals = recording.SaltsOf(kUnseal, 1, bus);
  EXPECT_GE(unseals.size(), 2u);
  EXPECT_THAT(unseals, only_pinned);

  const std::string key = ReadText(world.host.runtime_folder() + "/key.pem");
  ASSERT_THAT(key, HasSubstr("PRIVATE KEY"));
  EXPECT_FALSE(bus.Carried(AsBytes(key).subspan(64, 32)));
}
INSTANTIATE_TEST_SUITE_P(Eks, BusTest, ::testing::Values(Keys{"Rsa", "rsa"}, Keys{"P384", "ecc"}),
                         [](const auto& row) { return std::string(row.param.name); });

// ---- Killed at every command

agent::tpm::LoadedHandles HandlesOf(const std::string& tcti) {
  const auto tpm = agent::tpm::Tpm::Open({.tcti = tcti, .leftovers = agent::tpm::Leftovers::kKeep});
  return tpm.value()->CountHandles().value();
}

// Runs a verb that is killed when the TPM has carried out its `n`-th command and nobody heard the
// answer; false when the verb ended before.
bool KilledAt(World& world, const std::vector<std::string>& verb, int n) {
  std::promise<pid_t> told;
  const std::shared_future<pid_t> pid = told.get_future().share();
  int left = n;
  world.host.bus().change_response = [&, pid](ByteView, Bytes&) {
    if (--left == 0) kill(pid.get(), SIGKILL);
  };
  std::vector<std::string> words = {Program("bootgate-agent")};
  words.insert(words.end(), verb.begin(), verb.end());
  words.insert(words.end(), {"--config", world.host.config_path()});
  Running running(words, {}, world.host.log_path());
  told.set_value(running.pid());
  const int ended = running.Wait();
  world.host.bus().change_response = nullptr;
  if (ended != -SIGKILL) {
    EXPECT_EQ(ended, 0) << ReadText(world.host.log_path());
  }
  return ended == -SIGKILL;
}

TEST(TpmTrouble, A68_AgentThatIsKilledAtAnyCommandLeavesNothingThatIsInTheWay) {
  World world({.install = true, .tapped = true});
  const std::string file = world.gatekeeper.JoinFile("kills", 10000);
  const std::string tcti = world.host.desk().tcti();
  const agent::tpm::LoadedHandles baseline = HandlesOf(tcti);
  constexpr int kFarMoreThanThereAre = 1000;
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"join", file}, {"attest"}, {"credential", "unseal"}}) {
    int n = 1;
    while (n < kFarMoreThanThereAre && KilledAt(world, verb, n)) ++n;
    EXPECT_GT(n, 15) << verb[0];
    EXPECT_LT(n, kFarMoreThanThereAre);
    const agent::tpm::LoadedHandles after = HandlesOf(tcti);
    EXPECT_EQ(after.objects, baseline.objects) << verb[0];
    EXPECT_EQ(after.sessions, baseline.sessions) << verb[0];
    EXPECT_EQ(after.saved_sessions, baseline.saved_sessions) << verb[0];
  }
  EXPECT_TRUE(world.host.IsInstalled());
}

// ---- Disks

// A tmpfs of a few pages, as long as this lives; not made where nobody may mount.
class SmallTmpfs {
 public:
  explicit SmallTmpfs(std::string path) : path_(std::move(path)) {
    EXPECT_THAT(MakeFolder(path_, 0700), IsOk());
    made_ = mount("bootgate-test", path_.c_str(), "tmpfs", 0, "size=4k,mode=0700") == 0;
  }
  ~SmallTmpfs() {
    if (made_) umount2(path_.c_str(), MNT_DETACH);
  }
  bool made() const { return made_; }
  void Remount(unsigned long flags, const char* options) const {
    EXPECT_EQ(mount("bootgate-test", path_.c_str(), "tmpfs", MS_REMOUNT | flags, options), 0);
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  bool made_ = false;
};

size_t FilesIn(const std::string& folder) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    files += entry.is_regular_file() ? 1 : 0;
  return files;
}

TEST(DiskTrouble, FullOrReadOnlyTmpfsHoldsNothingByHalvesAndAttestingGoesOn) {
  const desk::ScratchFolder scratch;
  const SmallTmpfs tmpfs(scratch.path() + "/run");
  if (!tmpfs.made()) GTEST_SKIP() << "may not mount here";
  World world({.install = true, .require_tmpfs = true, .runtime_folder = tmpfs.path()});
  ASSERT_THAT(world.Join(), Succeeds());
  const auto run = world.host.Run();
  ASSERT_TRUE(Comes(world.host, "state not writable")) << ReadText(world.host.log_path());
  EXPECT_EQ(world.host.Status("trust"), "trusted");
  EXPECT_EQ(world.host.Status("reason"), "STATE_UNWRITABLE");
  EXPECT_EQ(FilesIn(tmpfs.path()), 0u);
  const std::string verdict = world.host.Status("verdict");
  EXPECT_TRUE(Eventually([&] { return world.host.Status("verdict") != verdict; }))
      << "attesting goes on";

  tmpfs.Remount(MS_RDONLY, "size=1m");
  const std::string later = world.host.Status("verdict");
  EXPECT_TRUE(Eventually([&] { return world.host.Status("verdict") != later; }));
  EXPECT_EQ(world.host.Status("phase"), "state not writable");
  EXPECT_EQ(FilesIn(tmpfs.path()), 0u);

  tmpfs.Remount(0, "size=1m");
  ASSERT_TRUE(Comes(world.host, "trusted")) << ReadText(world.host.log_path());
  EXPECT_TRUE(world.host.IsInstalled());
  EXPECT_EQ(run->End(SIGTERM), 0);
  EXPECT_EQ(FilesIn(tmpfs.path()), 0u);
}

TEST(DiskTrouble, FullStateFolderKeepsNobodyFromTheCredential) {
  const desk::ScratchFolder scratch;
  World world({.install = true});
  ASSERT_THAT(world.Join(), Succeeds());
  // The sealed blob cannot be written: something else is in its place.
  ASSERT_THAT(MakeFolder(world.host.state_folder() + "/credential.json/x", 0700), IsOk());
  const auto run = world.host.Run();
  ASSERT_TRUE(Comes(world.host, "state not writable")) << ReadText(world.host.log_path());
  EXPECT_TRUE(world.host.IsInstalled());
  EXPECT_EQ(run->End(SIGTERM), 0);
  EXPECT_FALSE(world.host.IsInstalled());
}

TEST(DiskTrouble, KeyGoesIntoMemoryOnlyUnlessTheOperatorSaysSo) {
  World world({.install = true, .require_tmpfs = true, .runtime_folder = "/var/tmp/bootgate-e2e"});
  ASSERT_THAT(world.Join(), Succeeds());
  const Ran attested = world.host.Verb({"attest"});
  EXPECT_THAT(attested, Succeeds());
  EXPECT_THAT(attested.err, HasSubstr("is not in memory"));
  EXPECT_FALSE(world.host.IsInstalled());
  const Ran unsealed = world.host.Verb({"credential", "unseal"});
  EXPECT_THAT(unsealed, Not(Succeeds()));
  EXPECT_THAT(unsealed.err, HasSubstr("STATE_UNWRITABLE"));
  EXPECT_FALSE(std::filesystem::exists("/var/tmp/bootgate-e2e"));
}

// ---- How long things stay

TEST(Lapse, DeadKeyGoesAlsoWhileNobodyAnswersAndTheSealedOneAtTheStopWhenAsked) {
  World world({.install = true, .forget_at_stop = true}, "\n[credential]\nlifetime = \"10s\"\n");
  ASSERT_THAT(world.Join(), Succeeds());
  const auto run = world.host.Run();
  ASSERT_TRUE(Comes(world.host, "trusted")) << ReadText(world.host.log_path());
  const std::string until = world.host.Status("credential_until");
  ASSERT_TRUE(world.host.IsInstalled() && world.host.HoldsSealed());
  ASSERT_EQ(world.gatekeeper.End(SIGTERM), 0);
  EXPECT_TRUE(Eventually([&] { return !world.host.IsInstalled() && !world.host.HoldsSealed(); }));
  EXPECT_GE(FormatUtc(absl::Now()), until) << "not a second too early";

  world.gatekeeper.Start();
  ASSERT_TRUE(Comes(world.host, "trusted")) << ReadText(world.host.log_path());
  ASSERT_TRUE(world.host.HoldsSealed());
  EXPECT_EQ(run->End(SIGTERM), 0);
  EXPECT_FALSE(world.host.HoldsSealed());
}

// ---- Files

TEST(A64_PoisonedFiles, StopTheAgentOrAreAskedForAnew) {
  World world({.install = true});
  ASSERT_THAT(world.Join(), Succeeds());
  ASSERT_THAT(world.host.Verb({"attest"}), Succeeds());
  std::ofstream(world.host.state_folder() + "/credential.json") << "garbage";
  std::ofstream(world.host.runtime_folder() + "/cert.pem") << "garbage";
  std::ofstream(world.host.state_folder() + "/status.json") << "garbage";
  const auto run = world.host.Run();
  ASSERT_TRUE(Comes(world.host, "trusted")) << ReadText(world.host.log_path());
  EXPECT_THAT(ReadText(world.host.runtime_folder() + "/cert.pem"), HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(world.host.Verb({"credential", "show"}), Succeeds());
  EXPECT_EQ(run->End(SIGTERM), 0);

  std::ofstream(world.host.state_folder() + "/join.json") << "garbage";
  const Ran ran = world.host.Verb({"attest"});
  EXPECT_THAT(ran, Not(Succeeds()));
  EXPECT_THAT(ran.err, HasSubstr("STATE_CORRUPT"));
  EXPECT_NE(world.host.Run()->Wait(), 0);
}

}  // namespace
}  // namespace bootgate::e2e

// Every operator's verb as an operator types it: exit codes, what the messages say, JSON that
// programs can read, files that nobody else can.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "common/base/files.h"
#include "common/config/join_file.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "tests/e2e/ends_with.h"
#include "tests/e2e/gatekeeper.h"
#include "tests/gate/soft_host.h"

namespace bootgate::e2e {
namespace {

using testing::CorpusPath;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

namespace fs = std::filesystem;

constexpr char kNobody[] = "h-00000000000000000000000000000000";
constexpr char kBrokenPolicy[] = "version=1.0;\nauthorizationrules\n{\n    => permitt();\n};\n";

// A gatekeeper that serves, with one host of each kind; all tests of a suite share it.
struct Fleet {
  Fleet() : vendor(absl::Now()), gatekeeper({Write("root.pem", vendor.RootPem())}) {
    JudgeBySecureBootAndReference(gatekeeper);
    gatekeeper.Start();
    Write("broken.policy", kBrokenPolicy);
    Write("garbage", "{]");
    trusted = Joined("good", gatekeeper.JoinFile("trusted"));
    quarantined = Joined("secure-boot-off", gatekeeper.JoinFile("quarantined"));
    const std::string plain = gatekeeper.Beside("pending.join");
    gatekeeper.Do({"join-token", "create", "--out", plain});
    pending = Joined("good", plain);
  }
  ~Fleet() { gatekeeper.End(SIGTERM); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(scratch.path() + "/" + name) << text;
    return scratch.path() + "/" + name;
  }
  // Its id; it has attested if it may.
  std::string Joined(const std::string& boot, const std::string& file) const {
    gate::SoftHost host(vendor, gate::LoadCase(boot));
    const auto join = config::ParseJoinFile(ReadTextFile(file, 1 << 20).value(), file).value();
    const auto client = agent::Connect(gatekeeper.Endpoint()).value();
    const auto joined =
        host.Join(*client, {join.token_id, std::string(AsText(join.token_secret.view()))});
    EXPECT_THAT(joined, IsOk());
    if (joined->approved) {
      EXPECT_THAT(host.Attest(*client), IsOk());
    }
    return host.id();
  }

  const desk::ScratchFolder scratch;
  const gatekeeper::enroll::TestCa vendor;
  Gatekeeper gatekeeper;
  std::string trusted, quarantined, pending;
};

class CliTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { fleet_ = new Fleet; }
  static void TearDownTestSuite() { delete fleet_; }

  // One line as typed. TRUSTED and the like stand for the hosts, SCRATCH and BOOTS for folders;
  // DIR for `--dir FOLDER`.
  static Ran Type(const std::string& line) {
    std::vector<std::string> arguments = {Program("bootgate-gatekeeper")};
    const std::string whole =
        absl::StrReplaceAll(line, {{"TRUSTED", fleet_->trusted},
                                   {"CUTOFF", fleet_->quarantined},
                                   {"PENDING", fleet_->pending},
                                   {"NOBODY", kNobody},
                                   {"SCRATCH", fleet_->scratch.path()},
                                   {"BOOTS", CorpusPath("boots")},
                                   {"POLICIES", testing::SourcePath("deploy/policies")},
                                   {"DIR", "--dir " + fleet_->gatekeeper.folder()}});
    std::istringstream words(whole);
    for (std::string word; words >> word;) arguments.push_back(word);
    return RunProgram(arguments);
  }

  static inline Fleet* fleet_ = nullptr;
};

struct Row {
  const char *name, *line;
  ExitCode code;
  const char* says;  // on the output, or on the other one when it failed
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.line; }

class VerbTest : public CliTest, public ::testing::WithParamInterface<Row> {};

TEST_P(VerbTest, EndsAsItShouldAndSaysWhy) {
  const Ran ran = Type(GetParam().line);
  EXPECT_THAT(ran, EndsWith(GetParam().code));
  const bool good = GetParam().code == ExitCode::kSuccess;
  EXPECT_THAT(good ? ran.out : ran.err, HasSubstr(GetParam().says));
  EXPECT_THAT(ran.err, Not(HasSubstr("terminate called")));
  EXPECT_EQ(ran.err.empty(), good) << ran.err;
}

using enum ExitCode;

INSTANTIATE_TEST_SUITE_P(
    Good, VerbTest,
    ::testing::Values(
        Row{"Help", "--help", kSuccess, "evidence"},
        Row{"VerbHelp", "host --help", kSuccess, "approve"},
        Row{"Version", "--version", kSuccess, "bootgate-gatekeeper 0"},
        Row{"HostList", "host list DIR", kSuccess, "quarantined"},
        Row{"HostShow", "host show TRUSTED DIR", kSuccess, "tpm-key"},
        Row{"QuarantineList", "quarantine list DIR", kSuccess, "SecureBoot"},
        Row{"QuarantineShow", "quarantine show CUTOFF DIR", kSuccess, "REFERENCE_EVENT_CHANGED"},
        Row{"PolicyCheck", "policy check POLICIES/secure-boot.policy", kSuccess, "is fine"},
        Row{"PolicyTest", "policy test POLICIES", kSuccess, "cases as expected"},
        Row{"PolicyEval",
            "policy eval POLICIES/secure-boot.policy --claims "
            "POLICIES/cases/secure-boot-good.in.json --trace",
            kSuccess, "permit"},
        Row{"PolicyList", "policy list DIR", kSuccess, "secure-boot"},
        Row{"ReferenceList", "reference list DIR", kSuccess, "good"},
        Row{"TokenKeyList", "token key list DIR", kSuccess, "signs"},
        Row{"TokenKeyRotate", "token key rotate DIR", kSuccess, "from now on"},
        Row{"ReasonList", "reason list", kSuccess, "QUOTE_MAGIC"},
        Row{"ReasonShow", "reason show QUOTE_MAGIC", kSuccess, "way out"},
        Row{"EvidenceVerify", "evidence verify BOOTS/good --policy POLICIES/baseline.policy",
            kSuccess, "ADMIT"}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Bad, VerbTest,
    ::testing::Values(
        Row{"NoVerb", "", kUsage, "subcommand"},
        Row{"UnknownNoun", "hosts list", kUsage, "did you mean host?"},
        Row{"UnknownVerb", "host aprove", kUsage, "did you mean approve?"},
        Row{"UnknownOutput", "host list -o xml DIR", kUsage, "xml"},
        Row{"InitTwice", "init DIR", kConflict, "nothing was changed"},
        Row{"HostShowUnknown", "host show NOBODY DIR", kNotFound, kNobody},
        Row{"HostShowNoHost", "host show ../nonsense DIR", kUsage, "HOST_ID_SYNTAX"},
        Row{"HostApproveUnknown", "host approve NOBODY DIR", kNotFound, kNobody},
        Row{"QuarantineShowTrusted", "quarantine show TRUSTED DIR", kConflict, "not cut off"},
        Row{"QuarantineShowUnknown", "quarantine show NOBODY DIR", kNotFound, "HOST_UNKNOWN"},
        Row{"PolicyCheckBroken", "policy check SCRATCH/broken.policy", kUsage, "broken.policy:4:8"},
        Row{"PolicyTestNothing", "policy test SCRATCH", kUsage, "no test case"},
        Row{"PolicyCheckMissing", "policy check SCRATCH/none", kNotFound, "No such file"},
        Row{"PolicyActivateBroken", "policy activate SCRATCH/broken.policy DIR", kUsage,
            "POLICY_PARSE"},
        Row{"PolicyForNobody", "policy activate POLICIES/baseline.policy --for role DIR", kUsage,
            "label=value"},
        Row{"ReferenceImportGarbage", "reference import SCRATCH/garbage DIR", kUsage, "garbage"},
        Row{"ReferenceImportMissing", "reference import SCRATCH/none DIR", kNotFound, "none"},
        Row{"JoinTokenBadTtl", "join-token create --out SCRATCH/j --ttl soon DIR", kUsage, "30m"},
        Row{"JoinTokenPastTtl", "join-token create --out SCRATCH/j --ttl -1h DIR", kUsage, "30m"},
        Row{"JoinTokenNoUses", "join-token create --out SCRATCH/j --uses 0 DIR", kUsage, "--uses"},
        Row{"JoinTokenBadLabel", "join-token create --out SCRATCH/j --label role DIR", kUsage,
            "name=value"},
        Row{"TokenVerifyGarbage", "token verify SCRATCH/garbage DIR", kRejected, "JWS_PARSE"},
        Row{"TokenVerifyMissing", "token verify SCRATCH/none DIR", kNotFound, "none"},
        Row{"TokenKeyRetireUnknown", "token key retire nobody DIR", kNotFound, "nobody"},
        Row{"ReasonShowTypo", "reason show QUOTE_MAGIK", kNotFound, "did you mean QUOTE_MAGIC?"},
        Row{"EvidenceVerifyMissing", "evidence verify SCRATCH/none", kUsage, "none"},
        Row{"EvidenceVerifyBrokenPolicy",
            "evidence verify BOOTS/good --policy SCRATCH/broken.policy", kUsage,
            "broken.policy:4:8"},
        Row{"MissingFolder", "host list --dir SCRATCH/none", kUsage, "init --dir"},
        Row{"RunMissingFolder", "run --dir SCRATCH/none", kUsage, "init --dir"}),
    [](const auto& row) { return std::string(row.param.name); });

class JsonTest : public CliTest, public ::testing::WithParamInterface<Row> {};

TEST_P(JsonTest, IsWhatProgramsCanRead) {
  const Ran ran = Type(GetParam().line);
  EXPECT_THAT(ran, EndsWith(GetParam().code));
  const auto json = nlohmann::json::parse(ran.out, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(json.is_object() || json.is_array()) << ran.out;
  EXPECT_FALSE(json.empty());
  const nlohmann::json& first = json.is_array() ? json.front() : json;
  EXPECT_TRUE(first.contains(GetParam().says)) << ran.out;
}

INSTANTIATE_TEST_SUITE_P(
    Json, JsonTest,
    ::testing::Values(
        Row{"HostList", "host list DIR -o json", kSuccess, "trust"},
        Row{"HostShow", "host show TRUSTED DIR -o json", kSuccess, "credentials"},
        Row{"QuarantineList", "quarantine list DIR -o json", kSuccess, "why"},
        Row{"QuarantineShow", "quarantine show CUTOFF DIR -o json", kSuccess, "verdict"},
        Row{"PolicyCheck", "policy check POLICIES/baseline.policy -o json", kSuccess, "warnings"},
        Row{"PolicyCheckBroken", "policy check SCRATCH/broken.policy -o json", kUsage, "error"},
        Row{"PolicyTest", "policy test POLICIES -o json", kSuccess, "passed"},
        Row{"PolicyEval",
            "policy eval POLICIES/secure-boot.policy --claims "
            "POLICIES/cases/secure-boot-good.in.json -o json",
            kSuccess, "token"},
        Row{"PolicyList", "policy list DIR -o json", kSuccess, "policies"},
        Row{"ReferenceList", "reference list DIR -o json", kSuccess, "active_for"},
        Row{"TokenKeyList", "token key list DIR -o json", kSuccess, "kid"},
        Row{"ReasonList", "reason list -o json", kSuccess, "way_out"},
        Row{"ReasonShow", "reason show QUOTE_MAGIC -o json", kSuccess, "meaning"},
        Row{"JoinToken", "join-token create --out SCRATCH/json.join DIR -o json", kSuccess,
            "token"},
        Row{"EvidenceVerify", "evidence verify BOOTS/good -o json", kDenied, "findings"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(CliTest, ApprovingTwiceChangesNothing) {
  EXPECT_THAT(Type("host approve PENDING DIR").out, HasSubstr(" approved\n"));
  const Ran again = Type("host approve PENDING DIR");
  EXPECT_THAT(again, Succeeds());
  EXPECT_THAT(again.out, HasSubstr("is approved already"));
}

TEST_F(CliTest, BrokenPolicyIsShownWithACaretAndChangesNothing) {
  const Ran checked = Type("policy check SCRATCH/broken.policy");
  EXPECT_THAT(checked.err, HasSubstr("=> permitt();\n"));
  EXPECT_THAT(checked.err, HasSubstr("^"));
  const std::string before = Type("policy list DIR -o json").out;
  EXPECT_THAT(Type("policy activate SCRATCH/broken.policy DIR"), EndsWith(kUsage));
  EXPECT_THAT(Type("reference import SCRATCH/garbage DIR"), EndsWith(kUsage));
  EXPECT_EQ(Type("policy list DIR -o json").out, before);
}

TEST_F(CliTest, UnknownKeyInTheConfigurationStopsItAndNamesTheNearest) {
  const std::string file = fleet_->Write(
      "typo.toml", ReadTextFile(fleet_->gatekeeper.folder() + "/gatekeeper.toml", 1 << 20).value() +
                       "\n[quote]\nbehind_limt = 3\n");
  for (const char* verb : {"run", "host list"}) {
    const Ran ran = Type(absl::StrCat(verb, " --config ", file));
    EXPECT_THAT(ran, EndsWith(kUsage));
    EXPECT_THAT(ran.err, HasSubstr("did you mean quote.behind_limit?"));
    EXPECT_THAT(ran.err, HasSubstr("typo.toml"));
  }
}

mode_t ModeOf(const std::string& path) {
  struct stat found = {};
  return stat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
}

TEST_F(CliTest, NobodyElseReadsWhatTheGatekeeperKeeps) {
  const std::string folder = fleet_->gatekeeper.folder();
  EXPECT_EQ(ModeOf(folder), 0700u);
  EXPECT_EQ(ModeOf(folder + "/ca"), 0700u);
  EXPECT_EQ(ModeOf(fleet_->gatekeeper.Beside("trusted.join")), 0600u);
  int keys = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().filename().string();
    const std::string kind = entry.path().extension();
    if (kind == ".pem" || kind == ".pub") continue;  // certificates and public keys
    EXPECT_EQ(ModeOf(entry.path().string()), 0600u) << name;
    keys += kind == ".key";
  }
  EXPECT_GE(keys, 2) << "root and issuing key";
}

TEST_F(CliTest, StoreIsMadeSoWhateverTheUmask) {
  const std::string folder = fleet_->scratch.path() + "/open-umask";
  EXPECT_THAT(RunProgram({"/bin/sh", "-c", "umask 0; exec \"$0\" \"$@\"",
                          Program("bootgate-gatekeeper"), "init", "--dir", folder}),
              Succeeds());
  EXPECT_EQ(ModeOf(folder), 0700u);
  EXPECT_EQ(ModeOf(folder + "/gatekeeper.db"), 0600u);
  EXPECT_EQ(ModeOf(folder + "/gatekeeper.toml"), 0600u);
}

TEST_F(CliTest, JoinFileOnStandardOutputIsTheSameFile) {
  const Ran ran = Type("join-token create --out - --address 127.0.0.1:1 DIR");
  ASSERT_THAT(ran, Succeeds());
  BG_ASSERT_OK_AND_ASSIGN(const config::JoinFile file, config::ParseJoinFile(ran.out, "stdout"));
  EXPECT_EQ(file.gatekeeper, "127.0.0.1:1");
  EXPECT_EQ(file.cluster_id, "e2e");
}

}  // namespace
}  // namespace bootgate::e2e

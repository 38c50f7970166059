// The rehearsal of a package update on twenty hosts: nobody is quarantined who did what the plan
// says, and the one host that never updated is found.
//
// Each host has a TPM in software and quotes its list; the gatekeeper's own judge decides, by a
// reference that names a set on the gatekeeper's shelf. The clock stands.
#include <unistd.h>  // getpid

#include <deque>
#include <filesystem>
#include <optional>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/admission/made_boot_test.h"
#include "gatekeeper/admission/set_shelf.h"
#include "gatekeeper/cli/ima_sets.h"
#include "gatekeeper/host/host.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gmock/gmock.h"

namespace bootgate::fleet {
namespace {

namespace admission = gatekeeper::admission;
namespace cli = gatekeeper::cli;
namespace fs = std::filesystem;
namespace host = gatekeeper::host;
namespace made = gatekeeper::admission::testing;
namespace reference = gatekeeper::reference;
using gatekeeper::Finding;
using gatekeeper::Severity;
using gatekeeper::Verdict;
using reference::SetDraft;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;

constexpr size_t kHosts = 20;
constexpr size_t kForgotten = 13;  // the host that never updates
constexpr int kGraceDays = 7;
constexpr absl::Duration kDay = absl::Hours(24);

// The files of the update; the others of the fleet stay as they are.
constexpr const char* kUpdated[] = {"/usr/bin/bash", "/usr/lib/libreadline.so.8"};
constexpr const char* kUnchanged[] = {"/usr/bin/init", "/usr/bin/sshd"};

SetDraft PackagesOf(absl::string_view version) {
  SetDraft draft;
  for (const char* path : kUpdated) {
    draft.items.push_back(
        testing::Packaged(path, absl::StrCat(path, version), testing::Deb("bash", version)));
  }
  for (const char* path : kUnchanged) {
    draft.items.push_back(testing::Packaged(path, path, testing::Deb("base", "1-1")));
  }
  return draft;
}

// One host: its TPM, what it has measured since it booted, and its record at the gatekeeper.
class Host {
 public:
  explicit Host(size_t number) : number_(number), ak_(tpm2::soft_tpm::SoftAk::Ecc()) {
    Boot("5.2-1");
  }

  // A new boot with this version installed: the list begins again.
  void Boot(absl::string_view version) {
    log_ = made::FirmwareLog({crypto::HashAlg::kSha256})
               .Event(8, made::kEvIpl, AsBytes(absl::StrCat("command line of host ", number_)))
               .Finish();
    list_ = testing::ListBuilder();
    made::AddAggregate(list_, log_);
    for (const char* path : kUnchanged) list_.Ng(path, path);
    Run(version);
    ++boot_.reset_count;
  }
  // Programs of this version are started: they are measured beside what ran before.
  void Run(absl::string_view version) {
    for (const char* path : kUpdated) list_.Ng(path, absl::StrCat(path, version));
  }
  void RunFile(absl::string_view path, absl::string_view content) { list_.Ng(path, content); }

  ByteView log() const { return log_; }
  Bytes List() const { return testing::ListBuilder(list_).Finish(); }
  // Over all registers as they are now, with this nonce.
  tpm2::QuotedPcrs Quote(ByteView nonce) const {
    const registers::RegisterBank bank = made::Registers(log_, List(), crypto::HashAlg::kSha256);
    const registers::Selection selection = {{bank.alg(), bank.mask()}};
    return tpm2::QuotedPcrs::Verify({ak_.area(), {}, selection, nonce},
                                    ak_.Quote(selection, {bank}, nonce))
        .value();
  }

  host::Trust trust() const { return record_.trust; }
  void Take(OutcomeClass outcome) { record_.trust = host::NextMove(record_, outcome, boot_).next; }

 private:
  const size_t number_;
  const tpm2::soft_tpm::SoftAk ak_;
  Bytes log_;
  testing::ListBuilder list_;
  host::BootMark boot_;
  host::HostRecord record_;
};

enum class Mode { kReportOnly, kEnforce };

// As an operator writes it for `reference import`.
std::string ReferenceText(const std::string& set, Mode mode) {
  const bool report = mode == Mode::kReportOnly;
  const absl::string_view counts = report ? "warn" : "fail";
  return absl::StrCat(
      R"({"format":"bootgate-reference/1","name":"fleet","learned_from":"","learned_at":"",)",
      R"("banks":{},"ima":{"unlisted":")", counts, R"(","files":[],"buffers":[],)",
      R"("rules":{"sets":[")", set, R"("],"outdated":")", counts, R"("}}})");
}

constexpr char kProvenList[] = R"(version=1.0;
authorizationrules {
  [type=="imaReplayed", value==true, issuer=="AttestationService"] => permit();
};
issuancerules { };
)";

class PackageUpdateTest : public ::testing::Test {
 protected:
  PackageUpdateTest()
      : clock_(absl::FromUnixSeconds(1'800'000'000)),
        folder_(absl::StrCat(::testing::TempDir(), "package_update_", getpid())),
        shelf_(At("sets")) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    Put("old.set", *reference::WriteSet(PackagesOf("5.2-1")));
    Put("new.set", *reference::WriteSet(PackagesOf("5.2-2")));
    Push("old.set");
    gatekeeper::policy::ParseError error;
    policy_ = gatekeeper::policy::Policy::Read(kProvenList, &error);
    for (size_t i = 0; i < kHosts; ++i) fleet_.emplace_back(i);
  }
  ~PackageUpdateTest() override { fs::remove_all(folder_); }

  std::string At(absl::string_view name) const { return absl::StrCat(folder_, "/", name); }
  void Put(absl::string_view name, ByteView content) const {
    ASSERT_THAT(WriteFileAtomically(At(name), content, 0644), IsOk());
  }

  // The gatekeeper has the set from now on, and the references of both modes name it.
  void Push(absl::string_view name) {
    const auto set = reference::ImaSet::Open(At(name));
    ASSERT_THAT(set.status(), IsOk());
    ASSERT_THAT(admission::StoreSet(At("sets"), **set).status(), IsOk());
    set_ = (*set)->id();
  }

  // `reference ima merge old.set new.set`, from now on.
  void Merge(const std::string& grace) {
    std::ostringstream out, err;
    const ExitCode exit = cli::ImaMerge({.older = At("old.set"),
                                         .newer = At("new.set"),
                                         .out_file = At("live.set"),
                                         .grace = grace,
                                         .at = "now",
                                         .verify_keys = {}},
                                        {cli::OutputFormat::kJson, out, err, clock_});
    ASSERT_EQ(exit, ExitCode::kSuccess) << err.str();
    Push("live.set");
  }

  // What the gatekeeper decides on fresh evidence of this host.
  Verdict Judge(const Host& subject, Mode mode) {
    const reference::Reference named = reference::FromJson(ReferenceText(set_, mode)).value();
    const Bytes list = subject.List();
    const tpm2::QuotedPcrs quoted = subject.Quote(testing::DigestOf(absl::StrCat(++judged_)));
    admission::JudgeInput input{.quoted = quoted, .boot_log = subject.log(), .ima = {}};
    input.ima.list = list;
    input.ima.bound_entries = SIZE_MAX;
    input.logs_bound = true;
    input.policy = &*policy_;
    input.reference = &named;
    input.sets = shelf_.Find(named.ima.rules.sets);
    input.now = clock_.Now();
    return admission::Judge(input);
  }

  // Everybody attests. The numbers of those that have findings, whatever they count.
  std::vector<size_t> Attest(Mode mode) {
    std::vector<size_t> named;
    for (size_t i = 0; i < fleet_.size(); ++i) {
      const Verdict verdict = Judge(fleet_[i], mode);
      EXPECT_NE(verdict.outcome, OutcomeClass::kReject);
      fleet_[i].Take(verdict.outcome);
      if (!verdict.findings.empty()) named.push_back(i);
    }
    return named;
  }

  std::vector<size_t> Quarantined() const {
    std::vector<size_t> out;
    for (size_t i = 0; i < fleet_.size(); ++i) {
      if (fleet_[i].trust() == host::Trust::kQuarantined) out.push_back(i);
    }
    return out;
  }

  // Days 1 to 6: every day some hosts install the update, run it at once, and reboot a day later.
  void RollOut() {
    for (size_t day = 1; day < kGraceDays; ++day) {
      clock_.Advance(kDay);
      for (size_t i = 0; i < fleet_.size(); ++i) {
        if (i == kForgotten) continue;
        if (i % 5 + 1 == day) fleet_[i].Run("5.2-2");
        if (i % 5 + 2 == day) fleet_[i].Boot("5.2-2");
      }
      EXPECT_THAT(Attest(Mode::kEnforce), IsEmpty()) << "day " << day;
    }
  }

  testing::FakeClock clock_;
  const std::string folder_;
  admission::SetShelf shelf_;
  std::string set_;
  std::optional<gatekeeper::policy::Policy> policy_;
  std::deque<Host> fleet_;  // keys stay where they were made
  size_t judged_ = 0;
};

// Denied for each file of the old package, and for nothing else.
void ExpectOutdated(const Verdict& verdict) {
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_EQ(verdict.findings.size(), std::size(kUpdated));
  for (const Finding& finding : verdict.findings) {
    EXPECT_EQ(finding.code, Reason::kImaOutdated) << finding.text;
    EXPECT_EQ(finding.severity, Severity::kFail);
    EXPECT_THAT(finding.text, HasSubstr("bash 5.2-1 was replaced by 5.2-2"));
  }
}

TEST_F(PackageUpdateTest, FindsTheOneHostThatNeverUpdatedAndNobodyElse) {
  EXPECT_THAT(Attest(Mode::kEnforce), IsEmpty());
  Merge(absl::StrCat(kGraceDays, "d"));
  EXPECT_THAT(Attest(Mode::kEnforce), IsEmpty()) << "the set comes before the packages";
  RollOut();
  EXPECT_THAT(Quarantined(), IsEmpty());

  // The window has closed: first only reported.
  clock_.Advance(2 * kDay);
  EXPECT_THAT(Attest(Mode::kReportOnly), ElementsAre(kForgotten));
  EXPECT_THAT(Quarantined(), IsEmpty());

  EXPECT_THAT(Attest(Mode::kEnforce), ElementsAre(kForgotten));
  EXPECT_THAT(Quarantined(), ElementsAre(kForgotten));
  ExpectOutdated(Judge(fleet_[kForgotten], Mode::kEnforce));

  // Updated and booted, its evidence is good; the way out of quarantine is the operator's.
  fleet_[kForgotten].Boot("5.2-2");
  EXPECT_EQ(Judge(fleet_[kForgotten], Mode::kEnforce).outcome, OutcomeClass::kAdmit);
  EXPECT_THAT(Attest(Mode::kEnforce), IsEmpty());
  EXPECT_THAT(Quarantined(), ElementsAre(kForgotten));
}

// What the window is for: without it, everybody who has not updated yet is cut off.
TEST_F(PackageUpdateTest, WithoutGraceTheUpdateWouldCutTheFleetOff) {
  EXPECT_THAT(Attest(Mode::kEnforce), IsEmpty());
  Merge("0m");
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Attest(Mode::kEnforce).size(), kHosts);
  EXPECT_EQ(Quarantined().size(), kHosts);
}

// A host that installs the packages before its set knows them.
TEST_F(PackageUpdateTest, PackagesBeforeTheSetAreFoundAsUnknownContent) {
  fleet_[2].Boot("5.2-2");
  EXPECT_THAT(Attest(Mode::kEnforce), ElementsAre(2));
  EXPECT_THAT(Quarantined(), ElementsAre(2));
  const Verdict verdict = Judge(fleet_[2], Mode::kEnforce);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_EQ(verdict.findings.at(0).code, Reason::kImaDigest);
}

// Reporting only is for what is new and what is old, never for a known program with other content.
TEST_F(PackageUpdateTest, TamperingIsFoundWhileTheUpdateIsOnlyReported) {
  Merge("7d");
  fleet_[4].RunFile("/usr/bin/bash", "with a back door");
  fleet_[5].RunFile("/usr/bin/new-tool", "of nobody's package");
  EXPECT_THAT(Attest(Mode::kReportOnly), ElementsAre(4, 5));
  EXPECT_THAT(Quarantined(), ElementsAre(4));
  EXPECT_THAT(Attest(Mode::kEnforce), ElementsAre(4, 5));
  EXPECT_THAT(Quarantined(), ElementsAre(4, 5));
}

// Reboots are part of the plan: what ran before the update stays in the list.
TEST_F(PackageUpdateTest, AnUpdateWithoutARebootIsOutdatedAfterTheWindow) {
  Merge("7d");
  RollOut();
  fleet_[0].Boot("5.2-1");
  fleet_[0].Run("5.2-2");
  clock_.Advance(2 * kDay);
  EXPECT_THAT(Attest(Mode::kReportOnly), ElementsAre(0, kForgotten));
}

}  // namespace
}  // namespace bootgate::fleet

// The rehearsal of a package update on twenty hosts: nobody is quarantined who did what the plan
// says, and the one host that never updated is found.
//
// The operator's verbs on a clock that stands: sets are merged and lists are verified as files, and
// what a verdict does to a host is what the gatekeeper does.
#include <unistd.h>  // getpid

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/ima/list_builder.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/cli/ima_list_verbs.h"
#include "gatekeeper/cli/ima_sets.h"
#include "gatekeeper/host/host.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gmock/gmock.h"

namespace bootgate::fleet {
namespace {

namespace cli = gatekeeper::cli;
namespace fs = std::filesystem;
namespace host = gatekeeper::host;
using gatekeeper::reference::SetDraft;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using Json = nlohmann::json;

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

// One host: what it has measured since it booted, and its record at the gatekeeper.
class Host {
 public:
  explicit Host(size_t number) : number_(number) { Boot("5.2-1"); }

  // A new boot with this version installed: the list begins again.
  void Boot(absl::string_view version) {
    list_ = testing::ListBuilder();
    list_.Ng("boot_aggregate", absl::StrCat("boot of ", number_));
    for (const char* path : kUnchanged) list_.Ng(path, path);
    Run(version);
    ++boot_.reset_count;
  }
  // Programs of this version are started: they are measured beside what ran before.
  void Run(absl::string_view version) {
    for (const char* path : kUpdated) list_.Ng(path, absl::StrCat(path, version));
  }
  void RunFile(absl::string_view path, absl::string_view content) { list_.Ng(path, content); }

  Bytes List() const { return testing::ListBuilder(list_).Finish(); }
  host::Trust trust() const { return record_.trust; }
  void Take(OutcomeClass outcome) { record_.trust = host::NextMove(record_, outcome, boot_).next; }

 private:
  const size_t number_;
  testing::ListBuilder list_;
  host::BootMark boot_;
  host::HostRecord record_;
};

enum class Mode { kReportOnly, kEnforce };

class PackageUpdateTest : public ::testing::Test {
 protected:
  PackageUpdateTest() : clock_(absl::FromUnixSeconds(1'800'000'000)) {
    folder_ = absl::StrCat(::testing::TempDir(), "package_update_", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    Put("old.set", *gatekeeper::reference::WriteSet(PackagesOf("5.2-1")));
    Put("new.set", *gatekeeper::reference::WriteSet(PackagesOf("5.2-2")));
    for (size_t i = 0; i < kHosts; ++i) fleet_.emplace_back(i);
  }
  ~PackageUpdateTest() override { fs::remove_all(folder_); }

  std::string At(absl::string_view name) const { return absl::StrCat(folder_, "/", name); }
  void Put(absl::string_view name, ByteView content) const {
    ASSERT_THAT(WriteFileAtomically(At(name), content, 0644), IsOk());
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
    set_ = "live.set";
  }

  // `ima verify` of the host's list; the findings are kept in findings_.
  OutcomeClass Verify(const Host& subject, Mode mode) {
    std::istringstream in{std::string(AsText(subject.List()))};
    std::ostringstream out, err;
    const ExitCode exit = cli::ImaListVerify(
        {.file = "-", .references = {At(set_)}, .report_only = mode == Mode::kReportOnly},
        {cli::OutputFormat::kJson, in, out, err, clock_});
    findings_ = Json::parse(out.str()).at("findings");
    EXPECT_TRUE(exit == ExitCode::kSuccess || exit == ExitCode::kDenied) << err.str();
    return exit == ExitCode::kSuccess ? OutcomeClass::kAdmit : OutcomeClass::kDeny;
  }

  // Everybody attests. The numbers of those that have findings, whatever they count.
  std::vector<size_t> Attest(Mode mode) {
    std::vector<size_t> named;
    for (size_t i = 0; i < fleet_.size(); ++i) {
      fleet_[i].Take(Verify(fleet_[i], mode));
      if (!findings_.empty()) named.push_back(i);
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
  std::string folder_, set_ = "old.set";
  std::vector<Host> fleet_;
  Json findings_;
};

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
  EXPECT_EQ(Verify(fleet_[kForgotten], Mode::kEnforce), OutcomeClass::kDeny);
  ASSERT_EQ(findings_.size(), std::size(kUpdated));
  for (const Json& finding : findings_) {
    EXPECT_EQ(finding.at("code"), "IMA_OUTDATED");
    EXPECT_THAT(finding.at("text").get<std::string>(), HasSubstr("bash 5.2-2 replaces it"));
  }

  // Updated and booted, its evidence is good; the way out of quarantine is the operator's.
  fleet_[kForgotten].Boot("5.2-2");
  EXPECT_EQ(Verify(fleet_[kForgotten], Mode::kEnforce), OutcomeClass::kAdmit);
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
  EXPECT_EQ(Verify(fleet_[2], Mode::kEnforce), OutcomeClass::kDeny);
  EXPECT_EQ(findings_.at(0).at("code"), "IMA_DIGEST");
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

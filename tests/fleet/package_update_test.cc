// The rehearsal of a package update on twenty hosts: nobody is quarantined who did what the plan
// says, and the one host that never updated is found.
//
// Each host is a machine in software that sends only what its IMA list gained; the gatekeeper's
// whole core decides, with its store, what it knows of each list, and a reference that names a set
// on its shelf. Time passes only when the test says so.
#include <deque>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/admission/set_shelf.h"
#include "gatekeeper/cli/ima_sets.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gatekeeper/reference/reference.h"
#include "gmock/gmock.h"
#include "tests/gate/gate.h"

namespace bootgate::fleet {
namespace {

namespace admission = gatekeeper::admission;
namespace cli = gatekeeper::cli;
namespace host = gatekeeper::host;
namespace reference = gatekeeper::reference;
using gate::Gate;
using gate::GateOptions;
using gate::SoftHost;
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

// Programs of this version are started: they are measured beside what ran before.
void Start(SoftHost& subject, absl::string_view version) {
  for (const char* path : kUpdated) subject.Measure(path, absl::StrCat(path, version));
}

// A new boot with this version installed: the list begins again.
void Boot(SoftHost& subject, absl::string_view version) {
  subject.Reboot();
  for (const char* path : kUnchanged) subject.Measure(path, path);
  Start(subject, version);
}

enum class Mode { kReportOnly, kEnforce };

// As an operator has it after `reference learn` and naming the set: the initramfs's files are the
// reference's own, all others the set's.
std::string ReferenceText(const std::string& set, Mode mode) {
  static const gate::CapturedCase& boot = *new gate::CapturedCase(gate::LoadCase("good"));
  const bool report = mode == Mode::kReportOnly;
  const eventlog::Log log = eventlog::Log::Parse(boot.boot_log);
  const ima::List list = ima::List::Parse(boot.ima);
  reference::Reference learned = reference::Learn(
      {.log = log,
       .banks = {crypto::HashAlg::kSha256},
       .mask = 0,
       .ima = &list,
       .ima_entries = list.entries().size(),
       .unlisted = report ? reference::Unlisted::kWarn : reference::Unlisted::kFail});
  learned.ima.rules.sets = {set};
  learned.ima.rules.outdated =
      report ? reference::OutdatedRule::kWarn : reference::OutdatedRule::kFail;
  return reference::ToJson(learned);
}

GateOptions ProvenList() {
  return {.policy = R"(version=1.0;
authorizationrules {
  [type=="imaReplayed", value==true, issuer=="AttestationService"] => permit();
};
issuancerules { };
)"};
}

// What an operator is told to look at.
std::vector<Finding> Told(const Verdict& verdict) {
  std::vector<Finding> told;
  for (const Finding& finding : verdict.findings) {
    if (finding.severity != Severity::kInfo) told.push_back(finding);
  }
  return told;
}

class PackageUpdateTest : public ::testing::Test {
 protected:
  PackageUpdateTest() : gate_(ProvenList()), client_(gate_.Direct()) {
    Put("old.set", *reference::WriteSet(PackagesOf("5.2-1")));
    Put("new.set", *reference::WriteSet(PackagesOf("5.2-2")));
    Push("old.set");
    for (size_t i = 0; i < kHosts; ++i) {
      fleet_.push_back(gate_.NewHost());
      fleet_.back().sends_only_new = true;
      Boot(fleet_.back(), "5.2-1");
    }
  }

  std::string At(absl::string_view name) const { return absl::StrCat(gate_.folder, "/", name); }
  void Put(absl::string_view name, ByteView content) const {
    ASSERT_THAT(WriteFileAtomically(At(name), content, 0644), IsOk());
  }

  // The gatekeeper has the set from now on, and the references of both modes name it.
  void Push(absl::string_view name) {
    const auto set = reference::ImaSet::Open(At(name));
    ASSERT_THAT(set.status(), IsOk());
    ASSERT_THAT(admission::StoreSet(gate_.admission_options.set_folder, **set).status(), IsOk());
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
                                        {cli::OutputFormat::kJson, out, err, gate_.clock});
    ASSERT_EQ(exit, ExitCode::kSuccess) << err.str();
    Push("live.set");
  }

  // What the gatekeeper decides on what this host sends now.
  Verdict Judge(SoftHost& subject, Mode mode) {
    gate_.AssignReference(ReferenceText(set_, mode));
    return gate_.admission.Decide({}, subject.Answer(subject.Ask(*client_).value()))
        .value()
        .verdict;
  }

  // Everybody attests. The numbers of those of whom there is something to say.
  std::vector<size_t> Attest(Mode mode) {
    std::vector<size_t> named;
    for (size_t i = 0; i < fleet_.size(); ++i) {
      const Verdict verdict = Judge(fleet_[i], mode);
      if (!Told(verdict).empty()) named.push_back(i);
    }
    return named;
  }

  std::vector<size_t> Quarantined() {
    std::vector<size_t> out;
    for (size_t i = 0; i < fleet_.size(); ++i) {
      if (gate_.TrustOf(fleet_[i].id()) == host::Trust::kQuarantined) out.push_back(i);
    }
    return out;
  }

  // Days 1 to 6: every day some hosts install the update, run it at once, and reboot a day later.
  void RollOut() {
    for (size_t day = 1; day < kGraceDays; ++day) {
      gate_.clock.Advance(kDay);
      for (size_t i = 0; i < fleet_.size(); ++i) {
        if (i == kForgotten) continue;
        if (i % 5 + 1 == day) Start(fleet_[i], "5.2-2");
        if (i % 5 + 2 == day) Boot(fleet_[i], "5.2-2");
      }
      EXPECT_THAT(Attest(Mode::kEnforce), IsEmpty()) << "day " << day;
    }
  }

  Gate gate_;
  const std::unique_ptr<agent::GatekeeperClient> client_;
  std::string set_;
  std::deque<SoftHost> fleet_;
};

// Denied for each file of the old package, and for nothing else.
void ExpectOutdated(const Verdict& verdict) {
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  const std::vector<Finding> told = Told(verdict);
  EXPECT_EQ(told.size(), std::size(kUpdated));
  for (const Finding& finding : told) {
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
  gate_.clock.Advance(2 * kDay);
  EXPECT_THAT(Attest(Mode::kReportOnly), ElementsAre(kForgotten));
  EXPECT_THAT(Quarantined(), IsEmpty());

  EXPECT_THAT(Attest(Mode::kEnforce), ElementsAre(kForgotten));
  EXPECT_THAT(Quarantined(), ElementsAre(kForgotten));
  ExpectOutdated(Judge(fleet_[kForgotten], Mode::kEnforce));

  // Updated and booted, its evidence is good; the way out of quarantine is the operator's.
  Boot(fleet_[kForgotten], "5.2-2");
  EXPECT_EQ(Judge(fleet_[kForgotten], Mode::kEnforce).outcome, OutcomeClass::kAdmit);
  EXPECT_THAT(Attest(Mode::kEnforce), IsEmpty());
  EXPECT_THAT(Quarantined(), ElementsAre(kForgotten));
}

// Nobody changed a rule and the host has nothing new to say: that the window has closed is enough.
TEST_F(PackageUpdateTest, WhatWasGoodIsJudgedAgainWhenItsWindowCloses) {
  Merge("7d");
  EXPECT_THAT(Attest(Mode::kEnforce), IsEmpty());
  gate_.clock.Advance(kDay);
  const agent::Challenge inside = fleet_[0].Ask(*client_).value();
  EXPECT_EQ(inside.ima_first_entry, 0u) << "the whole list, once a day";
  EXPECT_EQ(Judge(fleet_[0], Mode::kEnforce).outcome, OutcomeClass::kAdmit);
  EXPECT_GT(fleet_[0].Ask(*client_).value().ima_first_entry, 0u);

  gate_.clock.Advance(kGraceDays * kDay - absl::Hours(25));
  EXPECT_EQ(Judge(fleet_[0], Mode::kEnforce).outcome, OutcomeClass::kAdmit);
  EXPECT_GT(fleet_[0].Ask(*client_).value().ima_first_entry, 0u);
  gate_.clock.Advance(absl::Hours(2));
  EXPECT_EQ(fleet_[0].Ask(*client_).value().ima_first_entry, 0u);
  ExpectOutdated(Judge(fleet_[0], Mode::kEnforce));
}

// What the window is for: without it, everybody who has not updated yet is cut off.
TEST_F(PackageUpdateTest, WithoutGraceTheUpdateWouldCutTheFleetOff) {
  EXPECT_THAT(Attest(Mode::kEnforce), IsEmpty());
  Merge("0m");
  gate_.clock.Advance(absl::Minutes(1));
  EXPECT_EQ(Attest(Mode::kEnforce).size(), kHosts);
  EXPECT_EQ(Quarantined().size(), kHosts);
}

// A host that installs the packages before its set knows them.
TEST_F(PackageUpdateTest, PackagesBeforeTheSetAreFoundAsUnknownContent) {
  Boot(fleet_[2], "5.2-2");
  EXPECT_THAT(Attest(Mode::kEnforce), ElementsAre(2));
  EXPECT_THAT(Quarantined(), ElementsAre(2));
  const Verdict verdict = Judge(fleet_[2], Mode::kEnforce);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_EQ(verdict.findings.at(0).code, Reason::kImaDigest);
}

// Reporting only is for what is new and what is old, never for a known program with other content.
TEST_F(PackageUpdateTest, TamperingIsFoundWhileTheUpdateIsOnlyReported) {
  Merge("7d");
  fleet_[4].Measure("/usr/bin/bash", "with a back door");
  fleet_[5].Measure("/usr/bin/new-tool", "of nobody's package");
  EXPECT_THAT(Attest(Mode::kReportOnly), ElementsAre(4, 5));
  EXPECT_THAT(Quarantined(), ElementsAre(4));
  EXPECT_THAT(Attest(Mode::kEnforce), ElementsAre(4, 5));
  EXPECT_THAT(Quarantined(), ElementsAre(4, 5));
}

// Reboots are part of the plan: what ran before the update stays in the list.
TEST_F(PackageUpdateTest, AnUpdateWithoutARebootIsOutdatedAfterTheWindow) {
  Merge("7d");
  RollOut();
  Boot(fleet_[0], "5.2-1");
  Start(fleet_[0], "5.2-2");
  gate_.clock.Advance(2 * kDay);
  EXPECT_THAT(Attest(Mode::kReportOnly), ElementsAre(0, kForgotten));
}

}  // namespace
}  // namespace bootgate::fleet

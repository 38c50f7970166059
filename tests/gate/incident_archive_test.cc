// An incident leaves as one file, and the file is judged again without the gatekeeper.
#include <stdlib.h>

#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/crypto/hash.h"
#include "common/eventlog/log.h"
#include "common/ima/list.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/cli/archive_verify.h"
#include "gatekeeper/incident/diff.h"
#include "gatekeeper/incident/export.h"
#include "gatekeeper/incident/tar.h"
#include "gatekeeper/quarantine/waivers.h"
#include "gatekeeper/reference/reference.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/gate/gate.h"

namespace bootgate::gate {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using gatekeeper::incident::Act;
using gatekeeper::incident::Exported;
using gatekeeper::incident::ExportIncident;
using gatekeeper::incident::Members;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Verified {
  int code = 0;
  std::string out, err;
};

class IncidentArchive : public ::testing::Test {
 protected:
  explicit IncidentArchive(const GateOptions& options = {})
      : gate_(options), client_(gate_.Direct()) {}
  std::string Deny(SoftHost& host) {
    const absl::StatusOr<agent::AttestAnswer> answer = host.Attest(*client_);
    EXPECT_THAT(answer, IsOk());
    EXPECT_EQ(answer->outcome, "DENY");
    return gate_.store->ListIncidents(host.id()).value().at(0).id;
  }
  Act Alice() { return {.actor = "operator alice", .now = gate_.clock.Now()}; }
  Bytes Export(const std::string& incident) {
    return ExportIncident(*gate_.store, incident, Alice(), {}).value().archive;
  }
  Verified Verify(const Bytes& archive,
                  gatekeeper::cli::OutputFormat format = gatekeeper::cli::OutputFormat::kTable) {
    const std::string file = folder_ + "/incident.tar";
    EXPECT_THAT(WriteFileAtomically(file, archive, 0600), IsOk());
    std::ostringstream out, err;
    Verified verified;
    verified.code = static_cast<int>(gatekeeper::cli::RunArchiveVerify(
        {.file = file, .set_files = {}, .format = format}, out, err));
    verified.out = out.str();
    verified.err = err.str();
    return verified;
  }

  std::string folder_ = [] {
    std::string pattern = ::testing::TempDir() + "/archive.XXXXXX";
    return std::string(mkdtemp(pattern.data()));
  }();
  Gate gate_;
  const std::unique_ptr<agent::GatekeeperClient> client_;
};

TEST_F(IncidentArchive, IsJudgedAgainToTheSameVerdict) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  const std::string incident = Deny(host);
  const Verified verified = Verify(Export(incident));
  EXPECT_EQ(verified.code, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("The same verdict, byte for byte"));
  EXPECT_THAT(verified.out, HasSubstr(incident));
  EXPECT_THAT(verified.err, IsEmpty());
}

TEST_F(IncidentArchive, IsTheSameBytesForTheSameIncident) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  const std::string incident = Deny(host);
  EXPECT_EQ(Export(incident), Export(incident));
}

TEST_F(IncidentArchive, WhoTookItIsInTheAuditTrail) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  const std::string incident = Deny(host);
  Export(incident);
  const gatekeeper::store::AuditRow row = gate_.store->ListAudit(0, 1000)->back();
  EXPECT_EQ(row.action, "incident.export");
  EXPECT_EQ(row.actor, "operator alice");
  EXPECT_EQ(row.subject, incident);
}

// An EK is a machine's name for life: outside of the frozen evidence there is its digest alone.
TEST_F(IncidentArchive, A88_TheEkStandsInEvidenceAlone) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  BG_ASSERT_OK_AND_ASSIGN(const Members members, gatekeeper::incident::ReadTar(Export(Deny(host))));
  const Bytes& incident = members.at("incident.json");
  const std::string text(incident.begin(), incident.end());
  EXPECT_THAT(text, HasSubstr("ek_sha256"));
  EXPECT_THAT(text, Not(HasSubstr("ek_public")));
}

// What is changed and sealed with a new manifest is no better.
TEST_F(IncidentArchive, TamperedMembersAreFound) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  const Bytes archive = Export(Deny(host));
  BG_ASSERT_OK_AND_ASSIGN(const Members members, gatekeeper::incident::ReadTar(archive));
  for (const auto& [name, content] : members) {
    Members changed = members;
    changed[name].back() ^= 1;
    const Verified verified = Verify(gatekeeper::incident::WriteTar(changed).value());
    EXPECT_EQ(verified.code, 7) << name << "\n" << verified.out;
    EXPECT_THAT(verified.err, HasSubstr("ARCHIVE")) << name;
    Members fewer = members;
    fewer.erase(name);
    const Verified without = Verify(gatekeeper::incident::WriteTar(fewer).value());
    EXPECT_EQ(without.code, 7) << name << "\n" << without.out;
  }
  Members more = members;
  more["judgements/v-0/extra"] = {1};
  EXPECT_EQ(Verify(gatekeeper::incident::WriteTar(more).value()).code, 7);
}

TEST_F(IncidentArchive, NoArchiveAtAllIsRefused) {
  EXPECT_EQ(Verify({}).code, 7);
  EXPECT_EQ(Verify(Bytes(2048, 'x')).code, 7);
  EXPECT_EQ(Verify(Bytes(1024, 0)).code, 7);
}

// Looking for each member among all others would take hours: the limit of this test's time.
TEST_F(IncidentArchive, ManyMembersTakeNoLongerThanTheirBytes) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  BG_ASSERT_OK_AND_ASSIGN(Members members, gatekeeper::incident::ReadTar(Export(Deny(host))));
  std::string json = "{";
  for (int i = 0; i < 300'000; ++i) absl::StrAppend(&json, "\"", absl::Hex(i), "\":0,");
  json += "\"end\":0}";
  ASSERT_TRUE(members.contains("MANIFEST.json"));
  members["MANIFEST.json"] = ToBytes(AsBytes(json));
  const Verified verified = Verify(gatekeeper::incident::WriteTar(members).value());
  EXPECT_EQ(verified.code, 7);
  EXPECT_THAT(verified.err, HasSubstr("MANIFEST.json is of a format"));
}

// What the host boots and runs now is all that it may.
std::string ReferenceOf(const SoftHost& host) {
  const eventlog::Log log = eventlog::Log::Parse(host.boot.boot_log);
  const ima::List list = ima::List::Parse(host.boot.ima);
  return ToJson(gatekeeper::reference::Learn({.log = log,
                                              .banks = {crypto::HashAlg::kSha256},
                                              .mask = 0,
                                              .ima = &list,
                                              .ima_entries = list.entries().size(),
                                              .unlisted = gatekeeper::reference::Unlisted::kFail}));
}

TEST_F(IncidentArchive, PartAndWholeListAreBothInItAndBothJudgedAgain) {
  SoftHost host = gate_.NewHost();
  host.sends_only_new = true;
  gate_.AssignReference(ReferenceOf(host));
  ASSERT_EQ(host.Attest(*client_)->outcome, "ADMIT");
  host.Measure("/usr/bin/evil");
  const std::string incident = Deny(host);
  Deny(host);
  const Bytes archive = Export(incident);
  BG_ASSERT_OK_AND_ASSIGN(const auto read, gatekeeper::incident::ReadIncidentArchive(archive));
  EXPECT_EQ(read.judgements.size(), 2u);
  const Verified verified = Verify(archive);
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("IMA entries said, which were admitted earlier"));
  BG_ASSERT_OK_AND_ASSIGN(const auto diff,
                          gatekeeper::incident::Compare(*gate_.store, {.incident_id = incident}));
  ASSERT_EQ(diff.differences.size(), 1u);
  EXPECT_THAT(diff.differences[0].text, HasSubstr("/usr/bin/evil"));
}

// With a manifest that is right again, as who forges an archive would make it.
Bytes Resealed(Members members) {
  nlohmann::ordered_json manifest = nlohmann::ordered_json::parse(members.at("MANIFEST.json"));
  for (nlohmann::ordered_json& row : manifest.at("members")) {
    const Bytes& content = members.at(row.at("name").get<std::string>());
    row["size"] = content.size();
    row["sha256"] = crypto::Hash(crypto::HashAlg::kSha256, content).hex();
  }
  members["MANIFEST.json"] = ToBytes(AsBytes(manifest.dump(1, ' ') + "\n"));
  return gatekeeper::incident::WriteTar(members).value();
}

// One finding is waived, one observed, and the host is denied for a third.
class SoftenedArchive : public IncidentArchive {
 protected:
  SoftenedArchive()
      : IncidentArchive(
            {.actions = gatekeeper::softening::ReadActions({.observe = {"POLICY_DENY"}}).value(),
             .policy = "version= 1.2;\nauthorizationrules { => deny(); };\nissuancerules { };\n"}),
        host_(gate_.NewHost()) {
    gate_.AssignReference(ReferenceOf(host_));
    gatekeeper::quarantine::Waiver waiver;
    waiver.findings.emplace_back();
    waiver.findings[0].code = Reason::kImaUnlisted;
    waiver.findings[0].path = "/opt/backup/run";
    waiver.hosts = {host_.id()};
    waiver.owner = "team backup";
    waiver.reason = "a repair";
    waiver.expires_at = gate_.clock.Now() + absl::Hours(1);
    waiver_id_ =
        gatekeeper::quarantine::AddWaiver(*gate_.store, waiver, "operator bob", gate_.clock.Now())
            ->waiver.id;
    host_.Measure("/opt/backup/run");
    EXPECT_EQ(host_.Attest(*client_)->outcome, "ADMIT") << "waived and observed";
    host_.Measure("/usr/bin/evil");
  }
  static std::string SofteningMember(const Members& members) {
    for (const auto& [name, content] : members) {
      if (name.ends_with("/softening")) return name;
    }
    return "";
  }

  SoftHost host_;
  std::string waiver_id_;
};

TEST_F(SoftenedArchive, IsJudgedAgainToTheSameVerdictByWhatWasInForceThen) {
  const Bytes archive = Export(Deny(host_));
  gate_.clock.Advance(absl::Hours(24 * 400));  // the waiver has long expired
  const Verified verified = Verify(archive, gatekeeper::cli::OutputFormat::kJson);
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  const nlohmann::json told = nlohmann::json::parse(verified.out);
  ASSERT_EQ(told.at("judgements").size(), 1u);
  EXPECT_TRUE(told.at("judgements")[0].at("same").get<bool>());
  const std::string body = told.at("judgements")[0].at("body").get<std::string>();
  EXPECT_THAT(body, HasSubstr("\"waiver\":\"" + waiver_id_ + "\""));
  EXPECT_THAT(body, HasSubstr(R"("action":"observe")"));
  EXPECT_THAT(body, HasSubstr("/usr/bin/evil"));
}

// The manifest is no signature: who changes a waiver can make it fit. The verdict does not follow.
TEST_F(SoftenedArchive, WithAnotherWaiverOrActionGivesAnotherVerdict) {
  BG_ASSERT_OK_AND_ASSIGN(const Members members,
                          gatekeeper::incident::ReadTar(Export(Deny(host_))));
  ASSERT_EQ(Verify(Resealed(members)).code, 0) << "only what is changed below matters";
  const std::string member = SofteningMember(members);
  ASSERT_FALSE(member.empty());
  const std::string text(AsText(members.at(member)));
  const std::pair<std::string, std::string> changes[] = {
      {"/opt/backup/run", "/usr/bin/evil"},                    // the finding that denied
      {"/opt/backup/run", "/opt/backup/*"},                    // wider, the same covered
      {"/opt/backup/run", "/opt/backup/ran"},                  // covers nothing
      {waiver_id_, std::string("w-") + std::string(16, '0')},  // somebody else's
      {"POLICY_DENY", "IMA_UNLISTED"},                         // another code observed
  };
  for (const auto& [from, to] : changes) {
    Members changed = members;
    std::string edited = text;
    const size_t at = edited.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in " << text;
    edited.replace(at, from.size(), to);
    changed[member] = ToBytes(AsBytes(edited));
    const Verified verified = Verify(Resealed(changed));
    const bool same_cover = to == "/opt/backup/*";
    EXPECT_EQ(verified.code == 0, same_cover) << to << "\n" << verified.out << verified.err;
  }
  Members without = members;
  without[member] = ToBytes(AsBytes("{}"));
  EXPECT_NE(Verify(Resealed(without)).code, 0);
}

TEST_F(IncidentArchive, EvidenceThatIsGoneIsToldSo) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  const std::string incident = Deny(host);
  gatekeeper::store::Commit commit;
  commit.incident = gate_.store->GetIncident(incident).value();
  commit.incident->state = "closed";
  commit.incident->closed_at = gate_.clock.Now();
  commit.audit.emplace_back();
  ASSERT_THAT(gate_.store->Apply(commit), IsOk());
  const absl::Time later = gate_.clock.Now() + absl::Hours(1);
  ASSERT_THAT(
      gate_.store->Sweep({.verdicts_before = later, .evidence_before = later}, "gatekeeper", later),
      IsOk());
  EXPECT_THAT(ExportIncident(*gate_.store, incident, Alice(), {}), Refuses(Reason::kEvidenceGone));
}

TEST_F(IncidentArchive, UnknownIncidentIsToldSo) {
  EXPECT_THAT(ExportIncident(*gate_.store, "i-none", Alice(), {}),
              Refuses(Reason::kIncidentUnknown));
}

class IncidentDiff : public IncidentArchive {};

TEST_F(IncidentDiff, AgainstItsLastAdmittedBootNamesWhatChanged) {
  SoftHost host = gate_.NewHost();
  ASSERT_EQ(host.Attest(*client_)->outcome, "ADMIT");
  host.Reboot(LoadCase("secure-boot-off"));
  BG_ASSERT_OK_AND_ASSIGN(const auto diff,
                          gatekeeper::incident::Compare(*gate_.store, {.incident_id = Deny(host)}));
  EXPECT_EQ(diff.against_host_id, host.id());
  ASSERT_FALSE(diff.causes.empty());
  EXPECT_THAT(diff.causes.front(), HasSubstr("SecureBoot was 01 (on), is 00 (off)"));
  EXPECT_THAT(gatekeeper::incident::Words(diff), HasSubstr("SecureBoot was 01 (on), is 00 (off)"));
  bool register7 = false;
  for (const gatekeeper::incident::Difference& row : diff.differences)
    register7 = register7 || (row.part == "registers" && row.register_index == 7u);
  EXPECT_TRUE(register7);
}

TEST_F(IncidentDiff, NewFilesAreNamedWithPathAndDigest) {
  gate_.AssignPolicy(kSecureBootPolicy);
  SoftHost host = gate_.NewHost();
  ASSERT_EQ(host.Attest(*client_)->outcome, "ADMIT");
  CapturedCase bad = LoadCase("secure-boot-off");
  host.Reboot(bad);
  host.Measure("/usr/bin/evil", "evil");
  BG_ASSERT_OK_AND_ASSIGN(const auto diff,
                          gatekeeper::incident::Compare(*gate_.store, {.incident_id = Deny(host)}));
  const std::string words = gatekeeper::incident::Words(diff);
  bool found = false;
  for (const gatekeeper::incident::Difference& row : diff.differences) {
    found =
        found || (row.part == "IMA list" && row.text.find("/usr/bin/evil") != std::string::npos &&
                  row.after.find("sha256:") == 0);
  }
  EXPECT_TRUE(found) << words;
}

TEST_F(IncidentDiff, AgainstAHealthyPeer) {
  SoftHost peer = gate_.NewHost(), bad = gate_.NewHost("secure-boot-off");
  ASSERT_EQ(peer.Attest(*client_)->outcome, "ADMIT");
  const std::string incident = Deny(bad);
  BG_ASSERT_OK_AND_ASSIGN(const auto diff,
                          gatekeeper::incident::Compare(
                              *gate_.store, {.incident_id = incident,
                                             .against = gatekeeper::incident::Against::kPeer}));
  EXPECT_EQ(diff.against_host_id, peer.id());
  EXPECT_THAT(diff.why_this_one, HasSubstr("same labels"));
  EXPECT_FALSE(diff.causes.empty());
  EXPECT_THAT(
      gatekeeper::incident::Compare(*gate_.store, {.incident_id = incident,
                                                   .against = gatekeeper::incident::Against::kPeer,
                                                   .peer_host_id = bad.id()}),
      Refuses(Reason::kHostState));
}

TEST_F(IncidentDiff, WithoutAnythingToCompareWithItSaysSo) {
  SoftHost bad = gate_.NewHost("secure-boot-off");
  const std::string incident = Deny(bad);
  EXPECT_THAT(gatekeeper::incident::Compare(*gate_.store, {.incident_id = incident}),
              Refuses(Reason::kEvidenceGone));
  EXPECT_THAT(
      gatekeeper::incident::Compare(
          *gate_.store, {.incident_id = incident, .against = gatekeeper::incident::Against::kPeer}),
      Refuses(Reason::kHostState));
}

}  // namespace
}  // namespace bootgate::gate

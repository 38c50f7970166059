// Whatever changes something through the operators' API leaves its row in the audit trail: who, to
// what, and why.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "gatekeeper/operators/desk_test.h"
#include "gatekeeper/operators/messages.h"
#include "gatekeeper/quarantine/brake.h"
#include "gatekeeper/reference/reference.h"

namespace bootgate::gatekeeper::operators {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;

// One act. What stands in the request with '$' is known only once the acts before are done:
// $SUBJECT is the subject of the last audit row, $INCIDENT(h-1) that host's incident.
struct Act {
  const char* method;
  const char* request;  // of the message, as protobuf writes text
  const char* action;   // of the audit row
  const char* why = "because";
};

// In this order, all on one store.
constexpr Act kActs[] = {
    {"HostService.SetLabels", "host_ids: 'h-1' set { key: 'role' value: 'db' } reason: 'because'",
     "host.label"},
    {"HostService.ApproveHosts", "host_ids: 'h-2' reason: 'because'", "host.approve"},
    {"HostService.RetireHosts", "host_ids: 'h-3' reason: 'because'", "host.retire"},
    {"HostService.ReinstateHosts", "host_ids: 'h-3' reason: 'because'", "host.reinstate"},
    {"HostService.SwapTpm", "host_id: 'h-4' new_host_id: 'h-5' reason: 'because'", "host.swap-tpm"},
    {"HostService.AcceptClear", "host_id: 'h-1' reason: 'because'", "host.accept-clear"},
    {"QuarantineService.AddQuarantine", "host_ids: 'h-1' reason: 'because'", "quarantine.add"},
    {"IncidentService.AssignIncident", "incident_id: '$INCIDENT(h-1)' assignee: 'bob'",
     "incident.assign", "bob"},
    {"IncidentService.NoteIncident", "incident_id: '$INCIDENT(h-1)' text: 'seen by two'",
     "incident.note", "seen by two"},
    {"QuarantineService.InvestigateQuarantine", "host_ids: 'h-1' note: 'because'",
     "quarantine.investigate"},
    {"IncidentService.ResolveIncident",
     "incident_id: '$INCIDENT(h-1)' root_cause: 'because' disposition: 'misconfiguration' "
     "ticket: 'T-1'",
     "incident.resolve"},
    {"QuarantineService.ReleaseQuarantine", "host_ids: 'h-1' reason: 'because'",
     "quarantine.release"},
    {"QuarantineService.ReopenQuarantine", "host_ids: 'h-1' reason: 'because'",
     "quarantine.reopen"},
    {"QuarantineService.AddQuarantine", "host_ids: 'h-6' reason: 'because'", "quarantine.add"},
    {"HostService.RetireHosts", "host_ids: 'h-6' reason: 'because'", "host.retire"},
    {"IncidentService.CloseIncident", "incident_id: '$INCIDENT(h-6)' reason: 'because'",
     "incident.close"},
    {"WaiverService.AddWaiver",
     "findings { code: 'SECURE_BOOT_OFF' } selector: 'role=db' owner: 'bob' reason: 'because' "
     "expires_at { seconds: $TOMORROW }",
     "waiver.add"},
    {"WaiverService.RevokeWaiver", "waiver_id: '$SUBJECT' reason: 'because'", "waiver.revoke"},
    {"BrakeService.ReleaseBrake", "decision: BRAKE_DECISION_FORGIVE reason: 'because'",
     "brake.release"},
    {"PolicyService.PushPolicy", "name: 'base' document: '$POLICY(1)'", "policy.push", "base"},
    {"PolicyService.ActivatePolicy", "name: 'base' reason: 'because'", "policy.activate", "base"},
    {"PolicyService.PushPolicy", "name: 'base' document: '$POLICY(2)'", "policy.push", "base"},
    {"PolicyService.ActivatePolicy", "name: 'base' reason: 'because'", "policy.activate", "base"},
    {"PolicyService.RollBackPolicy", "reason: 'because'", "policy.rollback"},
    {"ReferenceService.PutReference", "text: '$REFERENCE'", "reference.store", "good boots"},
    {"ReferenceService.AssignReference", "reference_id: '$SUBJECT' reason: 'because'",
     "reference.activate"},
    {"JoinTokenService.CreateJoinToken", "labels { key: 'role' value: 'db' }", "join-token.create",
     "db"},
    {"JoinTokenService.RevokeJoinToken", "join_token_id: '$SUBJECT' reason: 'because'",
     "join-token.revoke"},
    {"CaService.RotateCa", "use: 'aks' reason: 'because'", "ca.rotate"},
    {"CaService.ActivateCa", "ca_id: 'aks-2' force: true reason: 'because'", "ca.activate"},
    {"CaService.TaintCa", "ca_id: 'aks-1' reason: 'because'", "ca.taint"},
    {"CredentialService.RevokeCredential", "serial: '$OPERATOR' reason: 'because'",
     "operator.revoke"},
    {"CredentialService.RevokeCredential", "serial: '4a01' reason: 'because'", "credential.revoke"},
};

// What only looks. Everything else changes something.
bool IsReading(absl::string_view method) {
  const absl::string_view verb = method.substr(method.find('.') + 1);
  for (const char* const reading :
       {"List", "Get", "Watch", "Explain", "Diff", "Export", "Verify", "WhoAmI"}) {
    if (absl::StartsWith(verb, reading)) return true;
  }
  return false;
}

std::string ShortName(const google::protobuf::MethodDescriptor& method) {
  return absl::StrCat(method.service()->name(), ".", method.name());
}

class AuditedActs : public ::testing::Test {
 protected:
  AuditedActs() : admin_(desk_.Connect(desk_.Operator({"admin"}))) {
    for (const char* const id : {"h-1", "h-2", "h-3", "h-4", "h-5", "h-6"}) desk_.PutHost(id);
    Change("h-1", [](host::HostRecord& host) { host.last_boot = host::BootMark(); });
    Change("h-2", [](host::HostRecord& host) {
      host.trust = host::Trust::kPending;
      host.approved = false;
    });
    Change("h-5", [](host::HostRecord& host) { host.trust = host::Trust::kPending; });
    IssueTo("h-2", "4a01");
    EngageBrake();
    other_ = desk_.Operator({"viewer"});
  }

  void Change(const std::string& id, const std::function<void(host::HostRecord&)>& how) {
    store::Commit commit;
    commit.host = desk_.store().GetHost(id).value();
    how(*commit.host);
    commit.audit.emplace_back();
    ASSERT_THAT(desk_.store().Apply(commit), IsOk());
  }
  void IssueTo(const std::string& id, const std::string& serial) {
    store::Commit commit;
    commit.host = desk_.store().GetHost(id).value();
    commit.issued.push_back({.serial = serial,
                             .host_id = id,
                             .profile = "sealed",
                             .not_before = desk_.clock().Now(),
                             .not_after = desk_.clock().Now() + absl::Hours(1),
                             .kind = "host"});
    commit.audit.emplace_back();
    ASSERT_THAT(desk_.store().Apply(commit), IsOk());
  }
  void EngageBrake() {
    store::DocumentRow document;
    document.kind = quarantine::kBrakeKind;
    document.id = document.name = document.text = "too many";
    ASSERT_THAT(desk_.store().PutDocument(document, {}), IsOk());
    store::AssignmentRow step;
    step.kind = quarantine::kBrakeKind;
    step.document_id = document.id;
    step.at = desk_.clock().Now();
    ASSERT_THAT(desk_.store().Assign(step, {}), IsOk());
  }

  std::vector<store::AuditRow> Rows(int64_t after) {
    return desk_.store().ListAudit(after, 1000).value();
  }
  int64_t Head() { return desk_.store().GetAuditHead()->sequence; }
  static std::string Policy(int number) {
    return absl::StrCat("version=1.0; authorizationrules { [type==\"tpmVersion\", value==", number,
                        "] => permit(); }; issuancerules { };");
  }
  std::string Filled(const std::string& request) {
    std::vector<std::pair<std::string, std::string>> known = {
        {"$TOMORROW", absl::StrCat(absl::ToUnixSeconds(desk_.clock().Now() + absl::Hours(24)))},
        {"$POLICY(1)", absl::CEscape(Policy(1))},
        {"$POLICY(2)", absl::CEscape(Policy(2))},
        {"$OPERATOR", other_.serial}};
    if (const auto rows = Rows(0); !rows.empty())
      known.emplace_back("$SUBJECT", rows.back().subject);
    reference::Reference reference;
    reference.name = "good boots";
    known.emplace_back("$REFERENCE", absl::CEscape(ToJson(reference)));
    for (const char* const id : {"h-1", "h-6"}) {
      known.emplace_back(absl::StrCat("$INCIDENT(", id, ")"),
                         desk_.store().GetHost(id)->incident_id);
    }
    return absl::StrReplaceAll(request, known);
  }

  Desk desk_;
  std::shared_ptr<grpc::Channel> admin_;
  ClientIdentity other_;
};

TEST_F(AuditedActs, EveryActIsWrittenDownWithWhoWhatAndWhy) {
  std::set<std::string> done;
  for (const Act& act : kActs) {
    SCOPED_TRACE(act.method);
    const auto methods = OperatorsMethods();
    const auto method = std::ranges::find_if(
        methods, [&](const auto* known) { return ShortName(*known) == act.method; });
    ASSERT_NE(method, methods.end());
    const std::unique_ptr<Message> request = NewRequest(**method);
    const std::string text = Filled(act.request);
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, request.get())) << text;
    const int64_t head = Head();
    const Told told = CallRaw(
        admin_, absl::StrCat("/", (*method)->service()->full_name(), "/", (*method)->name()),
        request->SerializeAsString());
    ASSERT_EQ(told.code, grpc::StatusCode::OK) << told.reason << " " << told.message << " " << text;
    const std::vector<store::AuditRow> rows = Rows(head);
    const auto row = std::ranges::find(rows, std::string(act.action), &store::AuditRow::action);
    ASSERT_NE(row, rows.end()) << "no row " << act.action << " among " << rows.size();
    EXPECT_EQ(row->actor, "operator alice");
    EXPECT_FALSE(row->subject.empty());
    EXPECT_THAT(row->detail_json, HasSubstr(act.why));
    done.insert(act.method);
  }
  for (const auto* method : OperatorsMethods()) {
    const std::string name = ShortName(*method);
    EXPECT_NE(IsReading(name), done.contains(name))
        << name << " is new: say above which audit row it leaves";
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::operators

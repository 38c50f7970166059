#include "gatekeeper/operators/authz.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "bootgate/v1/agents.pb.h"
#include "bootgate/v1/signing.pb.h"
#include "gatekeeper/operators/desk_test.h"
#include "gatekeeper/operators/messages.h"

namespace bootgate::gatekeeper::operators {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::AnyOf;
using ::testing::Contains;

// Who may call what, written down a second time and in another form: a letter a role, in the order
// viewer, operator, approver, policy-author, incident-tool, admin.
const std::map<std::string, std::string>& Expected() {
  static const auto* const kExpected = new std::map<std::string, std::string>{
      {"HostService.ListHosts", "vo a - i A"},
      {"HostService.GetHost", "vo a - i A"},
      {"HostService.GetTimeline", "-o a - i A"},
      {"HostService.SetLabels", "-o - - - A"},
      {"HostService.ApproveHosts", "-o - - - A"},
      {"HostService.RetireHosts", "-o - - - A"},
      {"HostService.ReinstateHosts", "-o - - - A"},
      {"HostService.SwapTpm", "-o - - - A"},
      {"HostService.AcceptClear", "-o - - - A"},
      {"VerdictService.ListVerdicts", "vo a - i A"},
      {"VerdictService.GetVerdict", "vo a - i A"},
      {"VerdictService.ExplainVerdict", "-o a - i A"},
      {"QuarantineService.ListQuarantine", "vo a - i A"},
      {"QuarantineService.GetQuarantine", "vo a - i A"},
      {"QuarantineService.WatchQuarantine", "-o a - i A"},
      {"QuarantineService.AddQuarantine", "-o - - - A"},
      {"QuarantineService.InvestigateQuarantine", "-o - - - A"},
      {"QuarantineService.ReopenQuarantine", "-o - - - A"},
      {"QuarantineService.ReleaseQuarantine", "-- a - - A"},
      {"WaiverService.ListWaivers", "vo a - i A"},
      {"WaiverService.GetWaiver", "vo a - i A"},
      {"WaiverService.AddWaiver", "-- a - - A"},
      {"WaiverService.RevokeWaiver", "-- a - - A"},
      {"BrakeService.GetBrake", "vo a - i A"},
      {"BrakeService.ReleaseBrake", "-- a - - A"},
      {"IncidentService.ListIncidents", "-o a - i A"},
      {"IncidentService.GetIncident", "-o a - i A"},
      {"IncidentService.AssignIncident", "-o - - i A"},
      {"IncidentService.NoteIncident", "-o - - i A"},
      {"IncidentService.ResolveIncident", "-o - - - A"},
      {"IncidentService.CloseIncident", "-o - - - A"},
      {"IncidentService.DiffIncident", "-o a - i A"},
      {"IncidentService.ExportIncident", "-o a - i A"},
      {"PolicyService.ListPolicies", "-o a p i A"},
      {"PolicyService.GetPolicy", "-o a p i A"},
      {"PolicyService.ListPolicyAssignments", "-o a p i A"},
      {"PolicyService.PushPolicy", "-- - p - A"},
      {"PolicyService.ActivatePolicy", "-- - p - A"},
      {"PolicyService.RollBackPolicy", "-- - p - A"},
      {"ReferenceService.ListReferences", "-o a p i A"},
      {"ReferenceService.GetReference", "-o a p i A"},
      {"ReferenceService.PutReference", "-- - p - A"},
      {"ReferenceService.AssignReference", "-- - p - A"},
      {"IdentityService.WhoAmI", "vo a p i A"},
      {"JoinTokenService.ListJoinTokens", "-- - - - A"},
      {"JoinTokenService.CreateJoinToken", "-- - - - A"},
      {"JoinTokenService.RevokeJoinToken", "-- - - - A"},
      {"CaService.ListCas", "-- - - - A"},
      {"CaService.RotateCa", "-- - - - A"},
      {"CaService.ActivateCa", "-- - - - A"},
      {"CaService.TaintCa", "-- - - - A"},
      {"CredentialService.ListCredentials", "-o a - i A"},
      {"CredentialService.RevokeCredential", "-o - - - A"},
      {"AuditService.ListAudit", "-- - - - A"},
      {"AuditService.VerifyAudit", "-- - - - A"},
      {"AuditService.ExportAudit", "-- - - - A"},
      {"AuditService.ListCheckpoints", "-- - - - A"},
  };
  return *kExpected;
}

bool Expects(const std::string& method, size_t role) {
  const auto row = Expected().find(method);
  EXPECT_NE(row, Expected().end()) << method << " is new: say who may call it";
  if (row == Expected().end()) return false;
  return absl::StrReplaceAll(row->second, {{" ", ""}})[role] != '-';
}

struct MethodName {
  std::string path, shortly, full;
  const google::protobuf::MethodDescriptor* descriptor;
};
std::vector<MethodName> Methods() {
  std::vector<MethodName> out;
  for (const auto* method : OperatorsMethods()) {
    out.push_back({absl::StrCat("/", method->service()->full_name(), "/", method->name()),
                   absl::StrCat(method->service()->name(), ".", method->name()),
                   method->full_name(), method});
  }
  return out;
}

// A request that no handler takes: what an allowed caller gets is told apart from a refusal of the
// caller, and nothing is changed.
std::string Impossible(const MethodName& method) {
  const std::unique_ptr<Message> request = NewRequest(*method.descriptor);
  for (const char* name : {"heartbeat_seconds", "page_size"}) {
    const auto* const field = request->GetDescriptor()->FindFieldByName(name);
    if (field != nullptr) request->GetReflection()->SetInt32(request.get(), field, -1);
  }
  return request->SerializeAsString();
}

TEST(Authz, EveryMethodHasARowAndEveryRowAMethod) {
  std::set<std::string> methods;
  for (const MethodName& method : Methods()) methods.insert(method.full);
  std::set<std::string> rows;
  for (const AuthzRow& row : AuthzTable()) {
    EXPECT_TRUE(rows.insert(std::string(row.method)).second) << row.method << " stands twice";
    EXPECT_NE(row.roles & kAdmin, 0u) << row.method;
  }
  EXPECT_EQ(rows, methods);
}

// A file of services that is not served here must be known as such.
TEST(Authz, EveryServiceOfThePackageIsServedSomewhereOnPurpose) {
  const std::set<std::string> kOthers = {"bootgate.v1.Enrollment", "bootgate.v1.Attestation",
                                         "bootgate.v1.Workload", "bootgate.v1.Signing",
                                         "bootgate.v1.Notices"};
  std::set<std::string> ours;
  for (const MethodName& method : Methods()) ours.insert(method.descriptor->service()->full_name());
  std::set<const google::protobuf::FileDescriptor*> files = {v1::Challenge::descriptor()->file(),
                                                             v1::SignRequest::descriptor()->file()};
  for (const MethodName& method : Methods()) files.insert(method.descriptor->file());
  for (const auto* file : files) {
    for (int i = 0; i < file->service_count(); ++i) {
      const std::string& service = file->service(i)->full_name();
      EXPECT_NE(ours.contains(service), kOthers.contains(service)) << service;
    }
  }
}

TEST(Authz, NamesThatAreNoRolesCountForNothing) {
  EXPECT_EQ(RolesFromNames({"security", "Admin", "root", ""}), 0u);
  EXPECT_EQ(RolesFromNames({"viewer", "admin"}), kViewer | kAdmin);
  EXPECT_THAT(CheckRoles("bootgate.v1.HostService.ListHosts", 0), Refuses(Reason::kRoleDenied));
  EXPECT_THAT(CheckRoles("bootgate.v1.HostService.DropTables", kEveryRole),
              Refuses(Reason::kRoleDenied));
}

TEST(Attack, A69_EveryMethodTakesExactlyTheRolesOfItsRow) {
  Desk desk;
  for (size_t role = 0; role < AllRoleNames().size(); ++role) {
    const std::string name(AllRoleNames()[role]);
    const auto channel = desk.Connect(desk.Operator({name}));
    for (const MethodName& method : Methods()) {
      const Told told = CallRaw(channel, method.path, Impossible(method));
      if (Expects(method.shortly, role)) {
        EXPECT_THAT(told.code, ::testing::Not(AnyOf(grpc::StatusCode::PERMISSION_DENIED,
                                                    grpc::StatusCode::UNAUTHENTICATED,
                                                    grpc::StatusCode::UNAVAILABLE)))
            << name << " " << method.path << " " << told.message;
      } else {
        EXPECT_EQ(told.code, grpc::StatusCode::PERMISSION_DENIED) << name << " " << method.path;
        EXPECT_EQ(told.reason, "ROLE_DENIED") << name << " " << method.path;
      }
    }
  }
}

TEST(Attack, A69_NoMethodTakesAnythingButAGoodOperatorsCertificate) {
  Desk desk;
  const Cluster other("lab-2");
  const ClientIdentity revoked = desk.Operator({"admin"});
  desk.Revoke(revoked);
  const ClientIdentity stranger = other.Operator({"admin"});
  struct Row {
    const char* name;
    ClientIdentity identity;
    grpc::StatusCode code;
    const char* reason;
  };
  const std::string host_roots = desk.cluster().authority().roots_pem();
  const std::vector<Row> rows = {
      {"no certificate", {}, grpc::StatusCode::UNAVAILABLE, ""},
      {"another cluster's", stranger, grpc::StatusCode::UNAVAILABLE, ""},
      {"expired", desk.Operator({"admin"}, absl::Now() - absl::Minutes(1)),
       grpc::StatusCode::UNAVAILABLE, ""},
      {"an agent's", desk.cluster().Host(), grpc::StatusCode::UNAUTHENTICATED,
       "OPERATOR_CERTIFICATE"},
      {"good, and never written down", desk.cluster().Operator({"admin"}),
       grpc::StatusCode::UNAUTHENTICATED, "OPERATOR_CERTIFICATE"},
      {"revoked", revoked, grpc::StatusCode::UNAUTHENTICATED, "OPERATOR_CERTIFICATE"},
      {"a role that is none", desk.Operator({"security"}), grpc::StatusCode::PERMISSION_DENIED,
       "ROLE_DENIED"},
  };
  for (const Row& row : rows) {
    const auto channel = desk.Connect(row.identity, host_roots);
    for (const MethodName& method : Methods()) {
      const Told told = CallRaw(channel, method.path, Impossible(method));
      EXPECT_EQ(told.code, row.code) << row.name << " " << method.path << " " << told.message;
      EXPECT_EQ(told.reason, row.reason) << row.name << " " << method.path;
    }
  }
}

// Self-signed: a CA of the attacker's own with the right names in it.
TEST(Attack, A69_ASelfSignedCertificateDoesNotConnect) {
  Desk desk;
  const std::string folder = desk.cluster().folder();
  const std::string made = absl::StrCat(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj "
      "/CN=alice "
      "-addext subjectAltName=URI:spiffe://bootgate.example/operator/alice -keyout ",
      folder, "/self.key -out ", folder, "/self.pem >/dev/null 2>&1");
  ASSERT_EQ(std::system(made.c_str()), 0);
  const ClientIdentity self = {.chain_pem = ReadTextFile(folder + "/self.pem", 1 << 16).value(),
                               .key_pem = ReadTextFile(folder + "/self.key", 1 << 16).value(),
                               .serial = ""};
  const auto channel = desk.Connect(self);
  for (const MethodName& method : Methods()) {
    EXPECT_EQ(CallRaw(channel, method.path, Impossible(method)).code, grpc::StatusCode::UNAVAILABLE)
        << method.path;
  }
}

TEST(Attack, A69_WhatIsNoMethodIsNotThere) {
  Desk desk;
  const auto channel = desk.Connect(desk.Operator({"admin"}));
  for (const char* path :
       {"/bootgate.v1.HostService/DropTables", "/bootgate.v1.Attestation/Submit", "/x",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"}) {
    EXPECT_EQ(CallRaw(channel, path, "").code, grpc::StatusCode::UNIMPLEMENTED) << path;
  }
}

// A connection outlives the certificate it was made with; calls do not.
TEST(Attack, A69_ACertificateThatEndsWhileConnectedEndsTheCalls) {
  Desk desk;
  const ClientIdentity identity = desk.Operator({"admin"});
  const auto channel = desk.Connect(identity);
  const std::string path = "/bootgate.v1.IdentityService/WhoAmI";
  ASSERT_EQ(CallRaw(channel, path, "").code, grpc::StatusCode::OK);
  desk.clock().Advance(absl::Hours(2));
  EXPECT_EQ(CallRaw(channel, path, "").reason, "OPERATOR_CERTIFICATE");
  desk.clock().Advance(-absl::Hours(2));
  ASSERT_EQ(CallRaw(channel, path, "").code, grpc::StatusCode::OK);
  desk.Revoke(identity);
  EXPECT_EQ(CallRaw(channel, path, "").reason, "OPERATOR_CERTIFICATE");
}

}  // namespace
}  // namespace bootgate::gatekeeper::operators

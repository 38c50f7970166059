#include "gatekeeper/operators/authz.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/reason.h"

namespace bootgate::gatekeeper::operators {
namespace {

constexpr absl::string_view kNames[] = {"viewer",        "operator",      "approver",
                                        "policy-author", "incident-tool", "admin"};

// Reads summaries: hosts, quarantine, verdicts.
constexpr RoleSet kReaders = kViewer | kOperator | kApprover | kIncidentTool | kAdmin;
// May see evidence, and who did what.
constexpr RoleSet kInsiders = kOperator | kApprover | kIncidentTool | kAdmin;
constexpr RoleSet kOperators = kOperator | kAdmin;
constexpr RoleSet kApprovers = kApprover | kAdmin;
constexpr RoleSet kAuthors = kPolicyAuthor | kAdmin;
constexpr RoleSet kIncidentWorkers = kOperator | kIncidentTool | kAdmin;

constexpr AuthzRow kTable[] = {
    {"bootgate.v1.HostService.ListHosts", kReaders},
    {"bootgate.v1.HostService.GetHost", kReaders},
    {"bootgate.v1.HostService.GetTimeline", kInsiders},
    {"bootgate.v1.HostService.SetLabels", kOperators},
    {"bootgate.v1.HostService.ApproveHosts", kOperators},
    {"bootgate.v1.HostService.RetireHosts", kOperators},
    {"bootgate.v1.HostService.ReinstateHosts", kOperators},
    {"bootgate.v1.HostService.SwapTpm", kOperators},
    {"bootgate.v1.HostService.AcceptClear", kOperators},

    {"bootgate.v1.VerdictService.ListVerdicts", kReaders},
    {"bootgate.v1.VerdictService.GetVerdict", kReaders},
    {"bootgate.v1.VerdictService.ExplainVerdict", kInsiders},

    {"bootgate.v1.QuarantineService.ListQuarantine", kReaders},
    {"bootgate.v1.QuarantineService.GetQuarantine", kReaders},
    {"bootgate.v1.QuarantineService.WatchQuarantine", kInsiders},
    {"bootgate.v1.QuarantineService.AddQuarantine", kOperators},
    {"bootgate.v1.QuarantineService.InvestigateQuarantine", kOperators},
    {"bootgate.v1.QuarantineService.ReopenQuarantine", kOperators},
    {"bootgate.v1.QuarantineService.ReleaseQuarantine", kApprovers},

    {"bootgate.v1.WaiverService.ListWaivers", kReaders},
    {"bootgate.v1.WaiverService.GetWaiver", kReaders},
    {"bootgate.v1.WaiverService.AddWaiver", kApprovers},
    {"bootgate.v1.WaiverService.RevokeWaiver", kApprovers},

    {"bootgate.v1.BrakeService.GetBrake", kReaders},
    {"bootgate.v1.BrakeService.ReleaseBrake", kApprovers},

    {"bootgate.v1.IncidentService.ListIncidents", kInsiders},
    {"bootgate.v1.IncidentService.GetIncident", kInsiders},
    {"bootgate.v1.IncidentService.AssignIncident", kIncidentWorkers},
    {"bootgate.v1.IncidentService.NoteIncident", kIncidentWorkers},
    {"bootgate.v1.IncidentService.ResolveIncident", kOperators},
    {"bootgate.v1.IncidentService.CloseIncident", kOperators},
    {"bootgate.v1.IncidentService.DiffIncident", kInsiders},
    {"bootgate.v1.IncidentService.ExportIncident", kInsiders},

    {"bootgate.v1.PolicyService.ListPolicies", kInsiders | kPolicyAuthor},
    {"bootgate.v1.PolicyService.GetPolicy", kInsiders | kPolicyAuthor},
    {"bootgate.v1.PolicyService.ListPolicyAssignments", kInsiders | kPolicyAuthor},
    {"bootgate.v1.PolicyService.PushPolicy", kAuthors},
    {"bootgate.v1.PolicyService.ActivatePolicy", kAuthors},
    {"bootgate.v1.PolicyService.RollBackPolicy", kAuthors},

    {"bootgate.v1.ReferenceService.ListReferences", kInsiders | kPolicyAuthor},
    {"bootgate.v1.ReferenceService.GetReference", kInsiders | kPolicyAuthor},
    {"bootgate.v1.ReferenceService.PutReference", kAuthors},
    {"bootgate.v1.ReferenceService.AssignReference", kAuthors},

    {"bootgate.v1.IdentityService.WhoAmI", kEveryRole},

    {"bootgate.v1.JoinTokenService.ListJoinTokens", kAdmin},
    {"bootgate.v1.JoinTokenService.CreateJoinToken", kAdmin},
    {"bootgate.v1.JoinTokenService.RevokeJoinToken", kAdmin},

    {"bootgate.v1.CaService.ListCas", kAdmin},
    {"bootgate.v1.CaService.RotateCa", kAdmin},
    {"bootgate.v1.CaService.ActivateCa", kAdmin},
    {"bootgate.v1.CaService.TaintCa", kAdmin},

    {"bootgate.v1.CredentialService.ListCredentials", kInsiders},
    {"bootgate.v1.CredentialService.RevokeCredential", kOperators},

    {"bootgate.v1.AuditService.ListAudit", kAdmin},
    {"bootgate.v1.AuditService.VerifyAudit", kAdmin},
    {"bootgate.v1.AuditService.ExportAudit", kAdmin},
    {"bootgate.v1.AuditService.ListCheckpoints", kAdmin},
};

std::vector<std::string> NamesOf(RoleSet roles) {
  std::vector<std::string> out;
  for (size_t i = 0; i < std::size(kNames); ++i)
    if ((roles & (1u << i)) != 0) out.emplace_back(kNames[i]);
  return out;
}

}  // namespace

std::span<const absl::string_view> AllRoleNames() { return kNames; }

RoleSet RolesFromNames(const std::vector<std::string>& names) {
  RoleSet out = 0;
  for (size_t i = 0; i < std::size(kNames); ++i)
    if (std::ranges::count(names, kNames[i]) > 0) out |= 1u << i;
  return out;
}

std::span<const AuthzRow> AuthzTable() { return kTable; }

absl::Status CheckRoles(absl::string_view method, RoleSet roles) {
  const auto* const row = std::ranges::find(kTable, method, &AuthzRow::method);
  const RoleSet wanted = row == std::end(kTable) ? 0 : row->roles;
  if ((wanted & roles) != 0) return absl::OkStatus();
  return NotPermitted(
      Reason::kRoleDenied,
      absl::StrCat(method, " takes one of the roles ", absl::StrJoin(NamesOf(wanted), ", "),
                   "; the caller has ", roles == 0 ? "none" : absl::StrJoin(NamesOf(roles), ", ")));
}

std::vector<std::string> MethodsFor(RoleSet roles) {
  std::vector<std::string> out;
  for (const AuthzRow& row : kTable)
    if ((row.roles & roles) != 0) out.emplace_back(row.method);
  return out;
}

}  // namespace bootgate::gatekeeper::operators
